//! Who owes what in which round, and how long it is: the one place that knows. Everything follows
//! from the spec, so there are no counts on the wire to trust.

use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::primitives::curve::{G1_UNCOMPRESSED, G2_COMPRESSED, G2_UNCOMPRESSED, SCALAR_BYTES};
use crate::primitives::noise::box_len;
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::{CeremonyKind, Parts};
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;
use crate::spec::version::Version;

use super::body::EncryptedShare;
use super::envelope::{ENVELOPE_BYTES, Kind, Round};
use super::minima::{MINIMA_BYTES, MINIMA_ROUND};
use super::without::{WITHOUT_ROUND, Without};

/// Bytes of a digest, a nonce, a salt, a one-time key.
const WORD: usize = 32;
/// Bytes of the flags in a prepare, and in a final of version 1.
const FLAGS: usize = 4;

/// The numbers that fix every length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The ceremony's version.
    pub version: Version,
    /// What the ceremony makes.
    pub kind: CeremonyKind,
    /// Seats.
    pub n: usize,
    /// Shares needed to sign; coefficients of a polynomial.
    pub t: usize,
    /// Validators.
    pub v: usize,
    /// Messages the ceremony signs, over all validators (deposits, registrations,
    /// preregistrations, consents for SSV).
    pub items: usize,
    /// Shares that an operator publishes for SSV, encrypted: one of each validator, or none.
    pub sealed: usize,
    /// Whether finals sign the lock of an Obol cluster.
    pub lock: bool,
    /// Which seats deal, and which receive.
    pub parts: Parts,
}

/// `bytes`, if there are any.
const fn when(there: bool, bytes: usize) -> usize {
    if there { bytes } else { 0 }
}

impl Shape {
    /// The shape of `ceremony`.
    pub fn of(ceremony: &Ceremony) -> Self {
        let sealed = if ceremony.ssv().is_some() { ceremony.v() } else { 0 };
        let items = (0..ceremony.v()).map(|v| ceremony.item_count(v)).sum();
        let lock = ceremony.obol().is_some();
        Self {
            version: ceremony.version(),
            kind: ceremony.kind(),
            n: ceremony.n(),
            t: ceremony.t(),
            v: ceremony.v(),
            items,
            sealed,
            lock,
            parts: ceremony.parts(),
        }
    }

    /// The rounds of this kind of ceremony, in order.
    pub fn rounds(&self) -> &'static [Round] {
        match self.kind {
            CeremonyKind::Dkg
            | CeremonyKind::Reshare
            | CeremonyKind::Import
            | CeremonyKind::Repair => &Round::ALL,
        }
    }

    /// Whether keys are made: then deals bring the commitments to their constant terms, with a
    /// proof that their dealers know these. In a reshare the constant terms are shares of the
    /// parent, or in an import the keys: everybody knows their public points already.
    pub fn makes_keys(&self) -> bool {
        match self.kind {
            CeremonyKind::Dkg => true,
            CeremonyKind::Reshare | CeremonyKind::Import | CeremonyKind::Repair => false,
        }
    }

    /// Whether dealers mask their shares for one that has lost its own, as in a repair, and deal no
    /// polynomials. Then hellos fix the masks by one-time keys, and commit to nothing else.
    pub fn masks(&self) -> bool {
        self.kind == CeremonyKind::Repair
    }

    /// Whether the hello of `seat` commits to polynomials.
    pub fn commits(&self, seat: Index) -> bool {
        self.parts.dealers.contains(seat) && !self.masks()
    }

    /// How many coefficients of each polynomial a deal brings; in a repair how many masks of each
    /// validator, one for each other helper.
    pub fn dealt_coefficients(&self) -> usize {
        match self.makes_keys() {
            true => self.t,
            false => self.t - 1,
        }
    }

    /// How many lists of blinded shares the deal of `dealer` signs: in a reshare one for each box.
    pub fn share_lists_of(&self, dealer: Index) -> usize {
        when(!self.makes_keys(), self.recipients_of(dealer).len())
    }

    /// Who stops what it holds of the parent, and whose minima are needed before its commit counts:
    /// in a reshare every dealer and every witness.
    pub fn stops(&self) -> Seats {
        match self.makes_keys() || self.masks() {
            true => Seats::default(),
            false => self.parts.dealers.joined(self.parts.witnesses),
        }
    }

    /// Whether it can be finished without seats that are lost: a reshare or an import, after which
    /// the old shares are removed. After a repair all are where they were.
    pub fn may_lack(&self) -> bool {
        !self.makes_keys() && !self.masks()
    }

    /// The round whose statements end the ceremony.
    pub fn last_round(&self) -> Round {
        *self.rounds().last().expect("a ceremony has rounds")
    }

    /// The round before; `None` before the first.
    pub fn before(&self, round: Round) -> Option<Round> {
        self.rounds().iter().copied().take_while(|other| *other != round).last()
    }

    /// The round after; `None` after the last.
    pub fn after(&self, round: Round) -> Option<Round> {
        self.rounds().iter().copied().skip_while(|other| *other != round).nth(1)
    }

    /// Whose statement a round needs. In the deal, the dealers'; in any other, everybody's: who has
    /// nothing else to say signs what it has seen.
    pub fn speakers(&self, round: Round) -> Seats {
        match round {
            Round::Deal => self.parts.dealers,
            Round::Hello | Round::Prepare | Round::Commit | Round::Final => Seats::first(self.n),
        }
    }

    /// Whether `seat` owes a statement of `round`.
    pub fn speaks(&self, seat: Index, round: Round) -> bool {
        self.speakers(round).contains(seat)
    }

    /// Bytes of the body that `seat` owes in `round`; `None` if it owes none.
    ///
    /// | round | everybody | and a dealer | and a receiver |
    /// |---|---|---|---|
    /// | R0 hello | `64` | `32` | `32` for each dealer but itself |
    /// | R1 deal | – | view, `128`, `96Vt`, `32` for each receiver but itself | – |
    /// | R2 prepare | view | – | `132` |
    /// | R3 commit | view | – | `192·items` |
    /// | R4 final | view, `32` | – | for SSV `512V`; with the lock of an Obol cluster `161` |
    ///
    /// A view is `32` for each statement of the round before. In a key generation all are dealers
    /// and receivers, so that a hello has `64 + 32n` bytes, a deal `128 + 64n + 96Vt`, a prepare
    /// `132 + 32n`, a commit `32n + 192·items`, a final `32 + 32n` (for SSV `+ 512V`, with a lock
    /// `+ 161`). In version 1 the `512V` for SSV are in the commit, and a final has `4` more. In a
    /// reshare a deal has `96V(t - 1)` in the place of `96Vt`, no `128` but `32`, and `32` more for
    /// each receiver but itself. In a repair no hello has the `32` of a dealer and no deal the `32`
    /// of a reshare, and a dealer's hello too has a key for each dealer but itself.
    pub fn owes(&self, seat: Index, round: Round) -> Option<usize> {
        let receives = self.parts.receivers.contains(seat);
        let view = WORD * self.view_len(round);
        let body = match round {
            Round::Hello => {
                2 * WORD + when(self.commits(seat), WORD) + WORD * self.keyed_for(seat).len()
            }
            Round::Deal => {
                let boxes = WORD * (self.recipients_of(seat).len() + self.share_lists_of(seat));
                let proof = when(self.makes_keys(), G1_UNCOMPRESSED + SCALAR_BYTES);
                let points = self.v * self.dealt_coefficients();
                view + when(self.commits(seat), WORD) + boxes + proof + G1_UNCOMPRESSED * points
            }
            Round::Prepare => view + when(receives, WORD + G2_COMPRESSED + FLAGS),
            Round::Commit => {
                view + G2_UNCOMPRESSED * self.items_of(seat)
                    + EncryptedShare::BYTES * self.encrypted_shares_of(seat, round)
            }
            Round::Final => {
                let lock = when(self.locks(seat), G2_COMPRESSED + SIGNATURE_BYTES);
                let encrypted = EncryptedShare::BYTES * self.encrypted_shares_of(seat, round);
                view + WORD + when(self.final_has_flags(), FLAGS) + encrypted + lock
            }
        };
        self.speaks(seat, round).then_some(body)
    }

    /// Bytes of the ordinary statement that `seat` owes in `round`, envelope and body; `None` if it
    /// owes none.
    pub fn statement_bytes(&self, seat: Index, round: Round) -> Option<usize> {
        Some(ENVELOPE_BYTES + self.owes(seat, round)?)
    }

    /// Bytes of a statement of any kind by `seat`; `None` if it has none to make. A complaint's
    /// body has a view, `39` bytes and a share box, an abandonment's `n` bytes, minima have `25`
    /// for each validator, and what finishes without others `32 + n`.
    pub fn bytes_of(&self, seat: Index, kind: Kind, round: Round) -> Option<usize> {
        match kind {
            Kind::Ordinary => self.statement_bytes(seat, round),
            Kind::Complaint => {
                let keys = !self.keyed_for(seat).is_empty();
                keys.then_some(ENVELOPE_BYTES + self.complaint_bytes())
            }
            Kind::Abandon => (seat.position() < self.n).then_some(ENVELOPE_BYTES + self.n),
            Kind::Minima => {
                let stops = round == MINIMA_ROUND && self.stops().contains(seat);
                stops.then_some(ENVELOPE_BYTES + MINIMA_BYTES * self.v)
            }
            Kind::Without => {
                let may = round == WITHOUT_ROUND && self.may_lack();
                (may && seat.position() < self.n).then_some(ENVELOPE_BYTES + Without::bytes(self.n))
            }
        }
    }

    /// Bytes of the longest statement that may stand in a slot: the ordinary one, or in the round
    /// that has them a complaint.
    pub fn longest_in(&self, round: Round, seat: Index) -> usize {
        let kinds = [Kind::Ordinary, Kind::Complaint].into_iter();
        let occurring = kinds.filter(|kind| Kind::from_number(*kind as u8, round).is_some());
        occurring.filter_map(|kind| self.bytes_of(seat, kind, round)).max().unwrap_or(0)
    }

    /// Every statement that is owed, in the order of haves and transcripts: by round, then by seat.
    pub fn slots(&self) -> impl Iterator<Item = (Round, Index)> + use<> {
        let shape = *self;
        let of = move |round: &Round| {
            let round = *round;
            shape.speakers(round).iter().map(move |seat| (round, seat))
        };
        self.rounds().iter().flat_map(of)
    }

    /// How many statements are owed.
    pub fn slot_count(&self) -> usize {
        self.rounds().iter().map(|round| self.speakers(*round).len()).sum()
    }

    /// The position of a statement among all that are owed; `None` if it is not owed.
    pub fn slot(&self, round: Round, seat: Index) -> Option<usize> {
        let earlier = self.rounds().iter().take_while(|other| **other != round);
        let before: usize = earlier.map(|other| self.speakers(*other).len()).sum();
        Some(before + self.place(round, seat)?)
    }

    /// The position of `seat` among those that owe a statement of `round`: where it stands in the
    /// views of the round after.
    pub fn place(&self, round: Round, seat: Index) -> Option<usize> {
        self.speakers(round).place(seat)
    }

    /// What `view`, of a statement of the round after `round`, names of `seat`.
    pub fn named<'a, T>(&self, view: &'a [T], round: Round, seat: Index) -> Option<&'a T> {
        view.get(self.place(round, seat)?)
    }

    /// Digests in the view at the front of a statement of `round`: one for each statement that the
    /// round before needs.
    pub fn view_len(&self, round: Round) -> usize {
        self.before(round).map_or(0, |before| self.speakers(before).len())
    }

    /// For whom `dealer` makes a share box, and in which order it signs their digests.
    pub fn recipients_of(&self, dealer: Index) -> Seats {
        match self.parts.dealers.contains(dealer) {
            true => self.parts.receivers.without(dealer),
            false => Seats::default(),
        }
    }

    /// Who makes a share box for `recipient`.
    pub fn dealers_to(&self, recipient: Index) -> Seats {
        match self.parts.receivers.contains(recipient) {
            true => self.parts.dealers.without(recipient),
            false => Seats::default(),
        }
    }

    /// For whom the hello of `seat` has a one-time key, and in which order: for each that makes a
    /// share box for it; in a repair also of a helper for each other helper, with whom it makes
    /// masks.
    pub fn keyed_for(&self, seat: Index) -> Seats {
        match self.masks() {
            true => self.parts.dealers.without(seat),
            false => self.dealers_to(seat),
        }
    }

    /// How many one-time keys there are.
    pub fn key_count(&self) -> usize {
        Seats::first(self.n).iter().map(|seat| self.keyed_for(seat).len()).sum()
    }

    /// How many share boxes there are.
    pub fn box_count(&self) -> usize {
        self.parts.dealers.iter().map(|dealer| self.recipients_of(dealer).len()).sum()
    }

    /// Where a deal has the digest of the box for `recipient`.
    pub fn place_of_box(&self, dealer: Index, recipient: Index) -> Option<usize> {
        self.recipients_of(dealer).place(recipient)
    }

    /// Where a hello has the one-time key for the box of `dealer`; in a repair for what is between
    /// it and `dealer`.
    pub fn place_of_key(&self, recipient: Index, dealer: Index) -> Option<usize> {
        self.keyed_for(recipient).place(dealer)
    }

    /// Partial signatures in the commit of `seat`.
    pub fn items_of(&self, seat: Index) -> usize {
        when(self.parts.receivers.contains(seat), self.items)
    }

    /// The round whose statements publish encrypted shares, if the ceremony is for SSV: the last,
    /// because no later view may name what has more than one valid content.
    pub fn round_of_encrypted_shares(&self) -> Round {
        match self.version {
            Version::One => Round::Commit,
            Version::Two => Round::Final,
        }
    }

    /// Encrypted shares in the statement of `round` of `seat`.
    pub fn encrypted_shares_of(&self, seat: Index, round: Round) -> usize {
        let here = self.round_of_encrypted_shares() == round;
        when(here && self.parts.receivers.contains(seat), self.sealed)
    }

    /// Whether a final states what its sender did besides: in version 1.
    pub fn final_has_flags(&self) -> bool {
        self.version == Version::One
    }

    /// Whether the final of `seat` signs the lock of an Obol cluster.
    pub fn locks(&self, seat: Index) -> bool {
        self.lock && self.parts.receivers.contains(seat)
    }

    /// Bytes of the shares one dealer sends to one operator; in a reshare behind the seed that
    /// blinds them.
    pub fn dealt_bytes(&self) -> usize {
        when(!self.makes_keys(), WORD) + SCALAR_BYTES * self.v
    }

    /// Bytes of the body of a complaint, whatever it shows.
    pub fn complaint_bytes(&self) -> usize {
        WORD * self.view_len(Round::Prepare) + 39 + self.box_bytes()
    }

    /// Bytes of a share box.
    pub fn box_bytes(&self) -> usize {
        box_len(self.dealt_bytes())
    }
}
