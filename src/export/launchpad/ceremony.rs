//! Makes deposit files from a ceremony and its outcome, and lists what a file must contain if it
//! belongs to that ceremony.

use std::collections::BTreeSet;

use super::deposit_read::{Known, check_known, check_signatures, exactly, missing};
use super::{
    DepositFileError, RegistrationFileError, SignedDeposit, SignedPreregistration,
    SignedRegistration, deposit_artifacts, parse_deposits, verify_registrations,
    write_preregistrations, write_registrations,
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
/// Name of the file of preregistrations, which says that they are of a draft.
const PREREGISTRATIONS: &str = "preregistrations-draft.json";

/// An outcome of another shape than the ceremony's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// Another number of signatures than the validator has messages.
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

/// What a ceremony signed, or several; each list validator by validator.
#[derive(Default)]
struct SignedItems {
    deposits: Vec<SignedDeposit>,
    registrations: Vec<SignedRegistration>,
    preregistrations: Vec<SignedPreregistration>,
}

/// Everything that the ceremony signed but consents for SSV, behind what is in `into`.
fn signed_items(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
    mut into: SignedItems,
) -> Result<SignedItems, OutcomeError> {
    let expected = ceremony.validators().len();
    if validators.len() != expected {
        return Err(OutcomeError::Validators { expected, found: validators.len() });
    }
    for (validator, outcome) in validators.iter().enumerate() {
        let items = items(ceremony, validator, &outcome.public_key);
        let (expected, found) = (items.len(), outcome.signatures.len());
        if expected != found {
            return Err(OutcomeError::Signatures { validator, expected, found });
        }
        for (item, signature) in items.into_iter().zip(outcome.signatures.iter().copied()) {
            match item {
                Item::Deposit(message) => into.deposits.push(SignedDeposit { message, signature }),
                Item::Registration(message) => {
                    into.registrations.push(SignedRegistration { message, signature });
                }
                Item::Preregistration(message, _) => {
                    into.preregistrations.push(SignedPreregistration { message, signature });
                }
                Item::OwnerNonce(_) => {}
            }
        }
    }
    Ok(into)
}

/// All deposits of a ceremony, validator by validator.
pub fn signed_deposits(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Vec<SignedDeposit>, OutcomeError> {
    Ok(signed_items(ceremony, validators, SignedItems::default())?.deposits)
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
                Item::Preregistration(..) | Item::OwnerNonce(_) => {}
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
    Ok(deposit_artifacts(ceremony.network(), &signed_deposits(ceremony, validators)?))
}

/// `registrations.json`, if the ceremony signs any.
pub fn registrations_file(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Option<Artifact>, OutcomeError> {
    let signed = signed_items(ceremony, validators, SignedItems::default())?;
    Ok(registrations_artifact(&signed.registrations))
}

/// `preregistrations-draft.json`, if the ceremony signs any.
pub fn preregistrations_file(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Option<Artifact>, OutcomeError> {
    let signed = signed_items(ceremony, validators, SignedItems::default())?;
    Ok(preregistrations_artifact(&signed.preregistrations))
}

fn preregistrations_artifact(signed: &[SignedPreregistration]) -> Option<Artifact> {
    let bytes = (!signed.is_empty()).then(|| write_preregistrations(signed))?;
    Some(Artifact { name: PREREGISTRATIONS.to_owned(), audience: Audience::Public, bytes })
}

fn registrations_artifact(registrations: &[SignedRegistration]) -> Option<Artifact> {
    let bytes = (!registrations.is_empty()).then(|| write_registrations(registrations))?;
    Some(Artifact { name: REGISTRATIONS.to_owned(), audience: Audience::Public, bytes })
}

/// The deposit files, `registrations.json` and `preregistrations-draft.json` of several ceremonies
/// on one network: as those of one, with the validators of each behind those of the one before.
pub fn files(
    ceremonies: &[(&Ceremony, &[ValidatorOutcome])],
) -> Result<Vec<Artifact>, OutcomeError> {
    let Some((first, _)) = ceremonies.first() else { return Ok(Vec::new()) };
    let mut signed = SignedItems::default();
    for (ceremony, validators) in ceremonies {
        signed = signed_items(ceremony, validators, signed)?;
    }
    let mut files = deposit_artifacts(first.network(), &signed.deposits);
    files.extend(registrations_artifact(&signed.registrations));
    files.extend(preregistrations_artifact(&signed.preregistrations));
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
