//! Makes deposit files from a ceremony and its outcome, and lists what a file must contain if it
//! belongs to that ceremony.

use std::collections::BTreeSet;

use super::deposit_read::{Known, check_known, check_signatures, exactly, missing};
use super::{
    DepositFileError, RegistrationFileError, SignedDeposit, SignedRegistration, deposit_artifacts,
    parse_deposits, verify_registrations, write_registrations,
};
use crate::ethereum::deposit::DepositMessage;
use crate::ethereum::registration::Registration;
use crate::export::{Artifact, Audience};
use crate::primitives::curve::G1;
use crate::protocol::items::{Item, items};
use crate::protocol::outcome::ValidatorOutcome;
use crate::spec::ceremony::Ceremony;

/// Name of the file of builder registrations.
const REGISTRATIONS: &str = "registrations.json";

/// An outcome of another shape than the ceremony's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// Another number of signatures than the validator has deposits and registrations.
    #[error("validator {validator}: {found} signatures instead of {expected}")]
    Signatures {
        /// Counted from 0.
        validator: usize,
        /// As the spec has it.
        expected: usize,
        /// In the outcome.
        found: usize,
    },
    /// Another number of encrypted shares than the ceremony has operators.
    #[error("validator {validator}: {found} encrypted shares instead of {expected}")]
    Shares {
        /// Counted from 0.
        validator: usize,
        /// As the spec has it.
        expected: usize,
        /// In the outcome.
        found: usize,
    },
    /// Another number of validators.
    #[error("{found} validators instead of {expected}")]
    Validators {
        /// As the spec has it.
        expected: usize,
        /// In the outcome.
        found: usize,
    },
}

/// Everything that the ceremony signed, validator by validator.
fn signed_items(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<(Vec<SignedDeposit>, Vec<SignedRegistration>), OutcomeError> {
    let expected = ceremony.validators().len();
    if validators.len() != expected {
        return Err(OutcomeError::Validators { expected, found: validators.len() });
    }
    let (mut deposits, mut registrations) = (Vec::new(), Vec::new());
    for (validator, outcome) in validators.iter().enumerate() {
        let items = items(ceremony, validator, &outcome.public_key);
        let (expected, found) = (items.len(), outcome.signatures.len());
        if expected != found {
            return Err(OutcomeError::Signatures { validator, expected, found });
        }
        for (item, signature) in items.into_iter().zip(&outcome.signatures) {
            match item {
                Item::Deposit(message) => {
                    deposits.push(SignedDeposit { message, signature: *signature })
                }
                Item::Registration(message) => {
                    registrations.push(SignedRegistration { message, signature: *signature })
                }
                Item::OwnerNonce(_) => {}
            }
        }
    }
    Ok((deposits, registrations))
}

/// All deposits of a ceremony, validator by validator.
pub fn signed_deposits(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Vec<SignedDeposit>, OutcomeError> {
    signed_items(ceremony, validators).map(|(deposits, _)| deposits)
}

/// What the ceremony signs for validators with these keys.
fn expected_items(
    ceremony: &Ceremony,
    public_keys: &[G1],
) -> Result<(Vec<DepositMessage>, Vec<Registration>), OutcomeError> {
    let (expected, found) = (ceremony.validators().len(), public_keys.len());
    if expected != found {
        return Err(OutcomeError::Validators { expected, found });
    }
    let (mut deposits, mut registrations) = (Vec::new(), Vec::new());
    for (validator, public_key) in public_keys.iter().enumerate() {
        for item in items(ceremony, validator, public_key) {
            match item {
                Item::Deposit(message) => deposits.push(message),
                Item::Registration(message) => registrations.push(message),
                Item::OwnerNonce(_) => {}
            }
        }
    }
    Ok((deposits, registrations))
}

/// The deposit files of a ceremony, one for each amount, with the validators in the spec's order;
/// named as [`deposit_artifacts`] has it. The signatures are taken as they are: an outcome was
/// verified when it was made.
pub fn deposit_files(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Vec<Artifact>, OutcomeError> {
    let (deposits, _) = signed_items(ceremony, validators)?;
    Ok(deposit_artifacts(ceremony.network(), &deposits))
}

/// `registrations.json`, if the ceremony signs any.
pub fn registrations_file(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Option<Artifact>, OutcomeError> {
    let (_, registrations) = signed_items(ceremony, validators)?;
    Ok(registrations_artifact(&registrations))
}

fn registrations_artifact(registrations: &[SignedRegistration]) -> Option<Artifact> {
    let bytes = (!registrations.is_empty()).then(|| write_registrations(registrations))?;
    Some(Artifact { name: REGISTRATIONS.to_owned(), audience: Audience::Public, bytes })
}

/// The deposit files and `registrations.json` of several ceremonies on one network: as those of
/// one, with the validators of each behind those of the one before.
pub fn files(
    ceremonies: &[(&Ceremony, &[ValidatorOutcome])],
) -> Result<Vec<Artifact>, OutcomeError> {
    let Some((first, _)) = ceremonies.first() else { return Ok(Vec::new()) };
    let (mut deposits, mut registrations) = (Vec::new(), Vec::new());
    for (ceremony, validators) in ceremonies {
        let signed = signed_items(ceremony, validators)?;
        deposits.extend(signed.0);
        registrations.extend(signed.1);
    }
    let mut files = deposit_artifacts(first.network(), &deposits);
    files.extend(registrations_artifact(&registrations));
    Ok(files)
}

/// Why a file is not the ceremony's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyFileError {
    /// The deposit file is refused.
    #[error("{0}")]
    Deposits(#[from] DepositFileError),
    /// The keys are not those of the ceremony.
    #[error("{0}")]
    Outcome(#[from] OutcomeError),
    /// The file of registrations is refused.
    #[error("{0}")]
    Registrations(#[from] RegistrationFileError),
}

/// A deposit file of a ceremony, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CeremonyDeposits {
    /// The rows, in file order.
    pub deposits: Vec<SignedDeposit>,
    /// What the ceremony signed and the file lacks, in the spec's order.
    pub lacking: Vec<DepositMessage>,
    /// Deposits to the ceremony's validators that were signed later: of other amounts, to the same
    /// withdrawal credentials.
    pub further: Vec<DepositMessage>,
}

/// Verifies that all that a deposit file has is this ceremony's: everything that
/// [`super::verify_deposits`] verifies, and that every row is one of the ceremony's deposits, or a
/// further one to one of its validators with the withdrawal credentials of that.
/// `public_keys` are the validators', in the spec's order. What the file lacks, and what it has
/// beside the ceremony's deposits, is for the caller to judge.
pub fn compare_deposit_file(
    bytes: &[u8],
    ceremony: &Ceremony,
    public_keys: &[G1],
) -> Result<CeremonyDeposits, CeremonyFileError> {
    let network = ceremony.network();
    let (expected, _) = expected_items(ceremony, public_keys)?;
    let deposits = parse_deposits(bytes, network)?;
    let Known { lacking, further } = check_known(&deposits, &expected)?;
    check_signatures(bytes, &deposits, network)?;
    Ok(CeremonyDeposits { deposits, lacking, further })
}

/// As [`compare_deposit_file`], of a whole file: for each amount in it, it holds the deposits of
/// exactly the validators that have this amount. The rows, in file order.
pub fn verify_deposit_file(
    bytes: &[u8],
    ceremony: &Ceremony,
    public_keys: &[G1],
) -> Result<Vec<SignedDeposit>, CeremonyFileError> {
    let network = ceremony.network();
    let (expected, _) = expected_items(ceremony, public_keys)?;
    let deposits = parse_deposits(bytes, network)?;
    let lacking = exactly(&deposits, &expected)?;
    check_signatures(bytes, &deposits, network)?;
    let amounts: BTreeSet<u64> = deposits.iter().map(|deposit| deposit.message.amount).collect();
    match lacking.iter().find(|message| amounts.contains(&message.amount)) {
        Some(message) => Err(missing(message, network).into()),
        None => Ok(deposits),
    }
}

/// Verifies that a file of registrations is this ceremony's: exactly its registrations, each with a
/// valid signature.
pub fn verify_registrations_file(
    bytes: &[u8],
    ceremony: &Ceremony,
    public_keys: &[G1],
) -> Result<Vec<SignedRegistration>, CeremonyFileError> {
    let (_, expected) = expected_items(ceremony, public_keys)?;
    Ok(verify_registrations(bytes, ceremony.network(), Some(&expected))?)
}
