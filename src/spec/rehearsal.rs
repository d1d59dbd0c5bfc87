//! A rehearsal of a ceremony: a key generation among the same operators, whose keys are for
//! nothing, and whose statements and signatures prove nothing to anybody.
//!
//! Its canonical bytes have a magic of their own, which no reader takes, and its digest a tag of
//! its own: so nothing that is said in it can be said in a ceremony. All that it signs with BLS is
//! under tags of its own ([`crate::primitives::hash::DST_REHEARSAL`]).

use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::network::{CustomNetwork, Network};
use crate::identity::card::check_name;
use crate::primitives::hash::{Digest, Tag, tagged};

use super::ceremony::{Ceremony, LONGEST_NAME, Terms, ValidatorSpec};
use super::error::SpecError;
use super::kind::CeremonyKind;

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
    /// Whatever deals keys that live: a rehearsal never reads one.
    #[error("only a key generation is rehearsed: a rehearsal never reads a share")]
    Kind,
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
    if ceremony.kind() != CeremonyKind::Dkg {
        return Err(NoRehearsal::Kind);
    }
    check_name(words, LONGEST_NAME).map_err(NoRehearsal::Words)?;
    let id = tagged(Tag::RehearsalId, &[ceremony.digest().as_ref(), words.as_bytes()]);
    let made = Ceremony::check(terms(ceremony, id));
    let made = made.map_err(|error| NoRehearsal::Spec(Box::new(error)))?;
    let canonical = [MAGIC.as_slice(), &made.canonical()[MAGIC.len()..]].concat();
    let digest = tagged(Tag::Rehearsal, &[&canonical]);
    Ok(made.into_rehearsal(canonical, digest))
}

fn terms(ceremony: &Ceremony, id: Digest) -> Terms {
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
        amounts: vec![AMOUNT],
        registration: None,
    };
    Terms {
        version: ceremony.version(),
        kind: CeremonyKind::Dkg,
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
        reshare: None,
    }
}
