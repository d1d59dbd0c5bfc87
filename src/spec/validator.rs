//! One validator of a ceremony: what is agreed about it, and the rules.

use core::ops::RangeInclusive;

use super::error::{Place, SpecError};
use super::ssv;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::network::Network;

/// Most deposits of one validator.
pub const MOST_AMOUNTS: usize = 8;
/// Gas limits of builder registrations: from what the execution specification demands at least, to
/// far beyond what blocks hold.
pub const GAS_LIMITS: RangeInclusive<u64> = 5_000..=1_000_000_000;

/// A builder registration that the ceremony signs, dated at the network's genesis so that every
/// later one supersedes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationSpec {
    /// Who gets the fees of blocks.
    pub fee_recipient: ExecutionAddress,
    /// The gas limit asked for.
    pub gas_limit: u64,
}

/// What is agreed about one validator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValidatorSpec {
    /// Where its money goes.
    pub withdrawal: WithdrawalCredentials,
    /// The deposits that are signed, in gwei: 1 to 8, ascending.
    pub amounts: Vec<u64>,
    /// The builder registration, if one is signed.
    pub registration: Option<RegistrationSpec>,
}

/// The rules about one validator; the file's reader applies them to each block first, so that an
/// error names the block.
pub(super) fn check_validator(
    position: usize,
    validator: &ValidatorSpec,
    network: &Network,
    for_ssv: bool,
) -> Result<(), SpecError> {
    let place = |field| Place::validator(position, field);
    let amounts = &validator.amounts;
    match amounts.len() {
        0 => return Err(SpecError::NoAmounts { place: place("amounts") }),
        found if found > MOST_AMOUNTS => {
            return Err(SpecError::TooManyAmounts { place: place("amounts"), found });
        }
        _ => {}
    }
    for amount in amounts {
        network
            .check_amount(*amount, validator.withdrawal.is_compounding())
            .map_err(|source| SpecError::Amount { place: place("amounts"), source })?;
    }
    for pair in amounts.windows(2) {
        let (previous, amount) = (network.unit().text(pair[0]), network.unit().text(pair[1]));
        if pair[0] == pair[1] {
            return Err(SpecError::AmountDuplicate { place: place("amounts"), amount });
        }
        if pair[0] > pair[1] {
            return Err(SpecError::AmountOrder { place: place("amounts"), amount, previous });
        }
    }
    if let Some(registration) = &validator.registration {
        if !GAS_LIMITS.contains(&registration.gas_limit) {
            return Err(SpecError::GasLimit {
                place: place("gas_limit"),
                found: registration.gas_limit,
            });
        }
        if network.genesis_time().is_none() {
            return Err(SpecError::GenesisTimeMissing { place: place("fee_recipient") });
        }
    }
    if for_ssv { ssv::check_validator(position, validator, network) } else { Ok(()) }
}
