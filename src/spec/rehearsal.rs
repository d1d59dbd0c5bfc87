//! A rehearsal of a ceremony: one of the same kind among the same operators, whose keys are for
//! nothing, and whose statements and signatures prove nothing to anybody. A reshare, an import and
//! a repair are rehearsed with keys that anybody can compute, in the place of those that there are:
//! no share and no key is read.
//!
//! Its canonical bytes have a magic of their own, which no reader takes, and its digest a tag of
//! its own: so nothing that is said in it can be said in a ceremony. All that it signs with BLS is
//! under tags of its own ([`crate::primitives::hash::DST_REHEARSAL`]).

use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::network::{CustomNetwork, Network};
use crate::identity::card::check_name;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::{Digest, Tag, secret_scalar, tagged};
use crate::primitives::polynomial::{Polynomial, commit_all};

use super::ceremony::{Ceremony, LONGEST_NAME, ValidatorSpec};
use super::error::SpecError;
use super::reshare::{Inherited, Origin, Parent, ReshareSpec};
use super::terms::Terms;
use super::threshold::Index;

/// Magic of the canonical bytes, in the place of a ceremony's.
const MAGIC: &[u8; 4] = b"QRHS";
/// What the network of every rehearsal is called.
pub const NETWORK: &str = "rehearsal";
/// Its genesis fork version, which no network has.
const FORK_VERSION: [u8; 4] = *b"rhrs";
/// The burn address, where nothing is sent.
const NOWHERE: &str = "0x000000000000000000000000000000000000dEaD";
/// Gwei of the one deposit of each validator.
const AMOUNT: u64 = 32_000_000_000;

/// Why there is no rehearsal of a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRehearsal {
    /// The words that tell rehearsals apart are none.
    #[error("the words of a rehearsal: {0}")]
    Words(#[source] crate::identity::card::NameError),
    /// The ceremony that would be made breaks a rule.
    #[error(transparent)]
    Spec(Box<SpecError>),
}

/// The rehearsal of `ceremony` with these words: 1 to 64 printable ASCII characters, the same for
/// all operators, and other ones for each rehearsal.
pub fn of(ceremony: &Ceremony, words: &str) -> Result<Ceremony, NoRehearsal> {
    check_name(words, LONGEST_NAME).map_err(NoRehearsal::Words)?;
    let id = tagged(Tag::RehearsalId, &[ceremony.digest().as_ref(), words.as_bytes()]);
    let rows = ceremony.reshare().map(|spec| rows(&id.0, spec));
    let reshare = ceremony.reshare().zip(rows.as_ref());
    let reshare = reshare.map(|(spec, rows)| of_nothing(&id, spec, rows));
    let made = Ceremony::check(terms(ceremony, id, reshare));
    let mut made = made.map_err(|error| NoRehearsal::Spec(Box::new(error)))?;
    // Of an import they are the keys, which the spec has.
    if let Some(rows) = rows.filter(|_| ceremony.has_parent()) {
        made = made.with_parent_rows(rows).expect("the rows are those of its own keys");
    }
    let canonical = [MAGIC.as_slice(), &made.canonical()[MAGIC.len()..]].concat();
    let digest = tagged(Tag::Rehearsal, &[&canonical]);
    Ok(made.into_rehearsal(canonical, digest))
}

/// What the dealer in this seat of a rehearsal deals, or helps with, by validator; `None` if that
/// is nothing, or in a key generation. Anybody can compute it.
pub fn old_shares(rehearsed: &Ceremony, seat: Index) -> Option<Vec<SecretScalar>> {
    let spec = rehearsed.reshare()?;
    let point = Scalar::from_u64(spec.old_share(seat)?.point);
    let all = polynomials(rehearsed.id(), spec);
    Some(all.iter().map(|polynomial| polynomial.evaluate(&point)).collect())
}

/// The polynomials of the keys for nothing: `HS("rehearsal-key", id, u32(v) ‖ u32(k))`.
fn polynomials(id: &[u8; 32], spec: &ReshareSpec) -> Vec<Polynomial> {
    let coefficient = |v: usize, k: usize| {
        let number = |number| u32::try_from(number).expect("at most 8192");
        let place = [number(v).to_be_bytes(), number(k).to_be_bytes()].concat();
        secret_scalar(Tag::RehearsalKey, &[id, &place])
    };
    let required = spec.origin.required();
    let of = |v| Polynomial::from_coefficients((0..required).map(|k| coefficient(v, k)).collect());
    (0..spec.validators.len()).map(|v| of(v).expect("a hash is not zero, but by 2^-255")).collect()
}

fn rows(id: &[u8; 32], spec: &ReshareSpec) -> Commitments {
    Commitments::new(spec.origin.required(), commit_all(&polynomials(id, spec)))
}

/// The same parts of the keys for nothing.
fn of_nothing(id: &Digest, spec: &ReshareSpec, rows: &Commitments) -> ReshareSpec {
    let origin = match &spec.origin {
        Origin::Ceremony(parent) => Origin::Ceremony(Parent {
            certificate: tagged(Tag::RehearsalKey, &[id.as_ref()]),
            rows: rows.merkle_root(),
            threshold: parent.threshold,
        }),
        Origin::Keys => Origin::Keys,
    };
    let keys = spec.validators.iter().zip(rows.constants());
    let validators =
        keys.map(|(own, key)| Inherited { key: key.to_compressed(), ..*own }).collect();
    ReshareSpec { origin, validators, ..spec.clone() }
}

fn terms(ceremony: &Ceremony, id: Digest, reshare: Option<ReshareSpec>) -> Terms {
    let network = CustomNetwork {
        name: NETWORK.to_owned(),
        genesis_fork_version: FORK_VERSION,
        capella_fork_version: None,
        genesis_validators_root: tagged(Tag::RehearsalId, &[]).0,
        genesis_time: None,
    };
    let nowhere = ExecutionAddress::parse_checksummed(NOWHERE).expect("the burn address");
    let validator = ValidatorSpec {
        withdrawal: WithdrawalCredentials::execution(nowhere),
        // Only a key generation makes deposits.
        amounts: if reshare.is_some() { Vec::new() } else { vec![AMOUNT] },
        registration: None,
    };
    Terms {
        version: ceremony.version(),
        kind: ceremony.kind(),
        name: "Rehearsal".to_owned(),
        id: id.0,
        attempt: 1,
        supersedes: None,
        network: Network::custom(network).expect("no network is called so"),
        required: ceremony.t(),
        seats: ceremony.roster().iter().map(|(_, seat)| seat.clone()).collect(),
        validators: vec![validator; ceremony.v()],
        allow_all_required: ceremony.allow_all_required(),
        ssv: None,
        obol: None,
        preregistration: None,
        reshare,
    }
}
