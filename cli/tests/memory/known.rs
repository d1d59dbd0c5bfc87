//! The secrets of the operator under test, computed by the test from what the operator's log holds
//! before it is erased, and the spellings in which they could stay in memory.

use std::ops::Range;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use quorate::identity::Operator;
use quorate::message::body::{Deal, Hello, Prepare};
use quorate::message::envelope::{Round, view_root};
use quorate::message::inbox::digests;
use quorate::message::shape::Shape;
use quorate::message::share_box::{Address, open};
use quorate::primitives::curve::{Scalar, SecretScalar};
use quorate::primitives::hash::{Digest, Tag, secret_bytes, secret_scalar, tagged, weight};
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::primitives::x25519::DhSecret;
use quorate::protocol::record::RecordKind;
use quorate::spec::Ceremony;
use quorate_operator::store::Record;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::Moment;
use crate::others::Others;

/// A secret, when it has to be in memory, and from when on it must not be.
pub(crate) struct Secret {
    /// What it is, for the table.
    pub(crate) name: String,
    pub(crate) spellings: Vec<Vec<u8>>,
    /// At these moments it is needed, and found: the control.
    pub(crate) needed: Range<u8>,
    /// From this moment on it is gone.
    pub(crate) gone: u8,
}

/// Never erased while the process runs.
pub(crate) const NEVER: u8 = u8::MAX;

impl Secret {
    pub(crate) fn new(name: &str, spellings: Vec<Vec<u8>>, gone: Moment) -> Self {
        Self { name: name.to_owned(), spellings, needed: 0..0, gone: gone as u8 }
    }

    /// It has to be found from `from` on, until it is gone.
    fn needed(self, from: Moment) -> Self {
        Self { needed: from as u8..self.gone, ..self }
    }
}

/// As it is, with the bytes of every 32-bit word reversed (how SHA-256 reads it), and backwards.
fn plain(bytes: &[u8]) -> Vec<Vec<u8>> {
    let words = bytes.chunks(4).flat_map(|word| word.iter().rev()).copied().collect();
    vec![bytes.to_vec(), words, bytes.iter().rev().copied().collect()]
}

/// An X25519 key, as it is and clamped.
fn key(bytes: &[u8; 32]) -> Vec<Vec<u8>> {
    let mut clamped = *bytes;
    clamped[0] &= 248;
    clamped[31] = clamped[31] & 127 | 64;
    [plain(bytes), plain(&clamped)].concat()
}

/// A scalar in both byte orders, in the curve library's form (times `2^256`, least limb first), and
/// in the digits that keystores and RSA texts are made of.
fn scalar(secret: &SecretScalar) -> Vec<Vec<u8>> {
    let bytes = secret.to_be_bytes();
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let half = Scalar::from_u128(1 << 127) * Scalar::from_u64(2);
    let montgomery = Scalar::from_be_bytes(&bytes).unwrap() * half * half;
    [plain(&*bytes), vec![reversed(&montgomery.to_be_bytes()), hex::encode(*bytes).into_bytes()]]
        .concat()
}

fn scalars(secrets: &[SecretScalar]) -> Vec<Vec<u8>> {
    secrets.iter().flat_map(scalar).collect()
}

fn body(records: &[Record], kind: RecordKind) -> &[u8] {
    records.iter().find(|record| record.kind == kind as u8).expect("not erased").body.expose()
}

fn seed_in(records: &[Record]) -> Secret32 {
    Secret32::new(&mut body(records, RecordKind::Seed).try_into().unwrap())
}

fn shares_in(records: &[Record], kind: RecordKind) -> Vec<SecretScalar> {
    let (shares, rest) = body(records, kind).as_chunks();
    assert!(rest.is_empty());
    shares.iter().map(|share| SecretScalar::from_be_bytes(share).unwrap()).collect()
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// Everything that a box's handshake derives from a key agreement (Noise, pattern N).
fn handshake(secret: &[u8; 32], public: &[u8; 32]) -> Vec<Vec<u8>> {
    let agreed = StaticSecret::from(*secret).diffie_hellman(&PublicKey::from(*public));
    let mut name = *b"Noise_N_25519_ChaChaPoly_SHA256\0";
    let mut all = plain(agreed.as_bytes());
    for input in [&agreed.as_bytes()[..], &[]] {
        let temporary = hmac(&name, &[input]);
        let first = hmac(&temporary, &[&[1]]);
        let second = hmac(&temporary, &[&first, &[2]]);
        name.copy_from_slice(&first);
        all.extend([temporary, first, second].iter().flat_map(|bytes| plain(bytes)));
    }
    all
}

/// What the test learns on the way.
pub(crate) struct Known {
    ceremony: Arc<Ceremony>,
    operator: Operator,
    seed: Secret32,
    polynomials: Vec<Polynomial>,
    one_time_keys: Vec<DhSecret>,
    session: Digest,
    pub(crate) secrets: Vec<Secret>,
}

impl Known {
    /// At [`Moment::Hello`]: what is in the log, and what follows from it.
    pub(crate) fn at_hello(
        ceremony: &Arc<Ceremony>,
        operator: Operator,
        records: &[Record],
        nonce: &[u8; 32],
    ) -> Self {
        let (seed, digest) = (seed_in(records), ceremony.digest());
        let one = |v: usize, k: usize| {
            let numbers = [v, k, 0].map(|number| u32::try_from(number).unwrap().to_be_bytes());
            let parts: [&[u8]; 3] = [seed.expose(), digest.as_ref(), &numbers.concat()];
            secret_scalar(Tag::Coefficient, &parts)
        };
        let polynomials: Vec<Polynomial> = (0..ceremony.v())
            .map(|v| (0..ceremony.t()).map(|k| one(v, k)).collect())
            .map(|coefficients| Polynomial::from_coefficients(coefficients).unwrap())
            .collect();
        let coefficients: Vec<SecretScalar> = (0..ceremony.v())
            .flat_map(|v| (0..ceremony.t()).map(move |k| (v, k)))
            .map(|(v, k)| one(v, k))
            .collect();
        let (keys, _) = body(records, RecordKind::OneTimeKeys).as_chunks::<32>();
        let one_time_keys: Vec<DhSecret> =
            keys.iter().map(|key| DhSecret::new(Secret32::new(&mut { *key }))).collect();
        let salt = operator.key().prf(Tag::SeedSalt, &[digest.as_ref(), nonce].concat());
        let secrets = vec![
            Secret::new("storage key", plain(operator.storage_key().expose()), Moment::Never)
                .needed(Moment::Hello),
            Secret::new("dealing seed", plain(seed.expose()), Moment::Deal).needed(Moment::Hello),
            Secret::new("salt of the seed", plain(salt.expose()), Moment::Hello),
            Secret::new("coefficients", scalars(&coefficients), Moment::Deal),
            Secret::new("one-time keys", keys.iter().flat_map(key).collect(), Moment::Prepare)
                .needed(Moment::Hello),
        ];
        Self {
            ceremony: ceremony.clone(),
            operator,
            seed,
            polynomials,
            one_time_keys,
            session: Digest::ZERO,
            secrets,
        }
    }

    /// The key of the log file whose salt this is.
    pub(crate) fn log_key(&mut self, name: &str, salt: &[u8], from: Moment, gone: Moment) {
        let digest = self.ceremony.digest();
        let parts: [&[u8]; 4] =
            [b"log.sealed", self.operator.storage_key().expose(), salt, digest.as_ref()];
        let key = secret_bytes(Tag::StorageKey, &parts);
        self.secrets.push(Secret::new(name, plain(key.expose()), gone).needed(from));
    }

    /// At [`Moment::Deal`]: what was made of the seed, its shares for everybody, and what sealed
    /// them.
    pub(crate) fn at_deal(&mut self, others: &Others, records: &[Record]) {
        let shape = Shape::of(&self.ceremony);
        let hellos = others.round(Round::Hello);
        let deal = others.round(Round::Deal).swap_remove(0);
        self.session = deal.envelope.session;
        let root = Deal::decode(deal.body(), &shape, deal.envelope.sender)
            .unwrap()
            .commitments
            .merkle_root();
        let (seed, session) = (self.seed.expose(), self.session);
        let parts: [&[u8]; 4] = [seed, session.as_ref(), root.as_ref(), &[0; 4]];
        let nonce = secret_scalar(Tag::PopNonce, &parts);
        let (mut ephemeral, mut sealed, mut dealt) = (Vec::new(), Vec::new(), Vec::new());
        for (index, seat) in self.ceremony.roster().iter().skip(1) {
            let number = index.get().to_be_bytes();
            let parts: [&[u8]; 4] = [seed, session.as_ref(), &number, root.as_ref()];
            let secret = secret_bytes(Tag::BoxEphemeral, &parts);
            let hello = Hello::decode(hellos[index.position()].body(), &shape, index).unwrap();
            sealed.extend(handshake(secret.expose(), hello.one_time_keys[0].as_bytes()));
            ephemeral.extend(key(secret.expose()));
            let x = Scalar::from_u64(seat.point);
            dealt.extend(self.polynomials.iter().flat_map(|one| scalar(&one.evaluate(&x))));
        }
        let own = scalars(&shares_in(records, RecordKind::OwnShares));
        self.secrets.extend([
            Secret::new("nonce of the proof of possession", scalar(&nonce), Moment::Deal),
            Secret::new("ephemeral keys of boxes sent", ephemeral, Moment::Deal),
            Secret::new("session keys of boxes sent", sealed, Moment::Deal),
            Secret::new("shares dealt to others", dealt, Moment::Deal),
            Secret::new("own share to oneself", own, Moment::Prepare).needed(Moment::Deal),
        ]);
    }

    /// At [`Moment::Prepare`]: what the boxes held, and what the shares sum up to.
    pub(crate) fn at_prepare(&mut self, others: &Others, records: &[Record]) {
        let (shape, me) = (Shape::of(&self.ceremony), self.ceremony.indices().next().unwrap());
        let deals = others.round(Round::Deal);
        let (mut sessions, mut received) = (Vec::new(), Vec::new());
        for ((dealer, sealed), secret) in others.boxes().iter().zip(&self.one_time_keys) {
            let deal = Deal::decode(deals[dealer.position()].body(), &shape, *dealer).unwrap();
            let root = deal.commitments.merkle_root();
            let address = Address { session: self.session, dealer: *dealer, recipient: me, root };
            received.extend(scalars(&open(&address, secret, sealed, &shape).unwrap()));
            sessions.extend(handshake(secret.expose(), sealed.first_chunk().unwrap()));
        }
        let shares = shares_in(records, RecordKind::Shares);
        let prepare = others.round(Round::Prepare).swap_remove(0);
        let sums = Prepare::decode(prepare.body(), &shape, prepare.envelope.sender)
            .unwrap()
            .stored
            .unwrap()
            .sums_root;
        let view = view_root(&digests(&deals));
        let digest = tagged(Tag::Dkg, &[self.session.as_ref(), view.as_ref(), sums.as_ref()]);
        let mut confirmation = SecretScalar::zero();
        for (v, share) in (0u32..).zip(&shares) {
            let rho = weight(Tag::Rho, &[digest.as_ref(), &v.to_be_bytes()]);
            confirmation.add_assign(&share.scaled(&Scalar::from_u128(rho)));
        }
        self.secrets.extend([
            Secret::new("session keys of boxes received", sessions, Moment::Prepare),
            Secret::new("shares received", received, Moment::Prepare),
            Secret::new("confirmation secret", scalar(&confirmation), Moment::Prepare),
            Secret::new("final shares", scalars(&shares), Moment::Answered).needed(Moment::Prepare),
        ]);
    }

    /// A secret text.
    pub(crate) fn text(&mut self, name: &str, text: &SecretBytes, gone: Moment) {
        self.secrets.push(Secret::new(name, vec![text.expose().to_vec()], gone));
    }

    /// A key derived from such a text.
    pub(crate) fn derived(&mut self, name: &str, key: &[u8], gone: Moment) {
        self.secrets.push(Secret::new(name, plain(key), gone));
    }
}
