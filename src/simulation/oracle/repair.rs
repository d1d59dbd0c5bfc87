//! What must hold of a repair besides: the lost share comes back as it was, and nothing of what
//! helpers have leaves their machines. Masks are computed again here, from the specification.

use crate::message::body::{Deal, Hello};
use crate::message::envelope::Statement;
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::{Tag, secret_scalar};
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::{DhPublic, DhSecret};
use crate::protocol::participant::OwnSeat;
use crate::protocol::record::{Record, RecordKind};
use crate::simulation::bug::Bug;
use crate::simulation::home::Home;
use crate::spec::threshold::Index;

use super::{Oracle, Watch};

impl Watch {
    /// Shares that an operator of a repair is about to store: those that it had.
    pub(super) fn regains(&mut self, seat: &OwnSeat, records: &[Record]) {
        if !self.cast.ceremony.is_repair() {
            return;
        }
        let before = self.cast.old_shares(seat.me.position()).unwrap_or_default().concat();
        let stored = |record: &&Record| record.kind == RecordKind::Shares;
        for record in records.iter().filter(stored) {
            if record.body.expose() != before {
                let what = format!("operator {} regains another share than it had", seat.me);
                self.violation(Oracle::Keys, what);
            }
        }
    }

    /// An honest helper deals: its masks, and its share as it is masked, leave it in boxes alone.
    pub(super) fn masks(&mut self, home: &Home, deal: &Statement) {
        let shape = &self.shape;
        let me = home.seat.me;
        let Some(shares) = home.old_shares.as_deref().filter(|_| shape.masks()) else { return };
        let Ok(body) = Deal::decode(deal.body(), shape, me) else { return };
        let Some(keys) = home.disk.durable(RecordKind::OneTimeKeys).next() else { return };
        let keys = keys.as_chunks::<32>().0;
        let parent = self.cast.ceremony.parent_shares().expect("a repair has a parent");
        let weight = parent.weight_at_lost(me).expect("a helper");
        let mut secrets: Vec<[u8; 32]> = Vec::new();
        let mut other_masks = false;
        let mut masked: Vec<SecretScalar> = Vec::new();
        for share in shares {
            let Ok(share) = SecretScalar::from_be_bytes(share) else { return };
            masked.push(share.scaled(weight));
        }
        for (place, (other, key)) in shape.keyed_for(me).iter().zip(keys).enumerate() {
            let Some(theirs) = self.key_of(&body, other, me) else { return };
            let agreed = DhSecret::new(Secret32::copied(key)).agree(&theirs);
            let (low, high) = (me.min(other), me.max(other));
            for (v, sum) in (0_u32..).zip(&mut masked) {
                let session = deal.envelope.session;
                let (low, high) = (low.get().to_be_bytes(), high.get().to_be_bytes());
                let parts: [&[u8]; 5] =
                    [agreed.expose(), session.as_ref(), &low, &high, &v.to_be_bytes()];
                let mask = secret_scalar(Tag::RepairMask, &parts);
                let v = usize::try_from(v).expect("few validators");
                if mask.base_mult().as_ref() != body.commitments.row(v).get(place) {
                    other_masks = true;
                }
                secrets.push(*mask.to_be_bytes());
                match me < other {
                    true => sum.add_assign(&mask),
                    false => sum.add_assign(&mask.scaled(&-Scalar::one())),
                }
            }
        }
        secrets.extend(masked.iter().map(|masked| *masked.to_be_bytes()));
        self.canaries.watch_shares(&secrets);
        if home.bug == Some(Bug::LeaksMask) {
            self.leaked = secrets.first().copied();
        }
        if other_masks {
            let what = format!("operator {me} deals other masks than the specification has");
            self.violation(Oracle::Agreement, what);
        }
    }

    /// The one-time key of `owner` for `other`, in the hello that a deal names.
    fn key_of(&self, deal: &Deal, owner: Index, other: Index) -> Option<DhPublic> {
        let hello = self.statements.get(deal.view.get(owner.position())?)?;
        let hello = Hello::decode(hello.body(), &self.shape, owner).ok()?;
        let place = self.shape.place_of_key(owner, other)?;
        hello.one_time_keys.get(place).copied()
    }
}
