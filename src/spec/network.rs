//! A network as it stands in canonical bytes.

use super::error::SpecError;
use crate::ethereum::network::{CustomNetwork, Network};

/// A built-in network with exactly its own constants, or a custom one.
pub(super) fn network(constants: CustomNetwork) -> Result<Network, SpecError> {
    let Some(known) = Network::known(&constants.name) else {
        return Network::custom(constants).map_err(SpecError::Network);
    };
    let differs = [
        (
            "the genesis fork version",
            known.genesis_fork_version() != constants.genesis_fork_version,
        ),
        (
            "the capella fork version",
            known.capella_fork_version() != constants.capella_fork_version,
        ),
        (
            "the genesis validators root",
            known.genesis_validators_root() != constants.genesis_validators_root,
        ),
        ("the genesis time", known.genesis_time() != constants.genesis_time),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        None => Ok(known),
        Some((field, _)) => Err(SpecError::NetworkMismatch { name: constants.name, field }),
    }
}
