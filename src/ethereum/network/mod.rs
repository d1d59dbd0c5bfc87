//! Networks: the constants that bind deposits, registrations and exits.

use super::amount::Unit;
use super::preregistration::Draft;
use super::ssz::{Chunk, Domain};

pub use forks::{Fork, deposit_contract_of, known_forks, obol_chain_id};
use known::{FORKS, KNOWN, Limits};

pub(super) use known::bytes;

mod amounts;
mod epochs;
mod forks;
mod known;

/// `DOMAIN_DEPOSIT` (consensus specification, phase0).
const DOMAIN_DEPOSIT: [u8; 4] = [0x03, 0, 0, 0];
/// `DOMAIN_VOLUNTARY_EXIT` (consensus specification, phase0).
const DOMAIN_VOLUNTARY_EXIT: [u8; 4] = [0x04, 0, 0, 0];
/// `DOMAIN_APPLICATION_BUILDER` (builder specification).
const DOMAIN_APPLICATION_BUILDER: [u8; 4] = [0, 0, 0, 0x01];
/// Longest name of a custom network.
const LONGEST_NAME: usize = 32;

/// Why a custom network is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not 1 to 32 lower-case letters, digits, `-` and `_`.
    #[error("a network's name is 1 to 32 lower-case letters, digits, '-' or '_'")]
    Name,
    /// The name of a network that is built in.
    #[error("{0:?} is the name of a known network: write network = {0:?} instead of a table")]
    KnownName(&'static str),
    /// The genesis fork version of a network that is built in: signatures would be valid there.
    #[error("the genesis fork version is that of {0}: deposits signed for it would be valid there")]
    KnownForkVersion(&'static str),
    /// The genesis validators root of a network that is built in.
    #[error("the genesis validators root is that of {0}")]
    KnownRoot(&'static str),
}

/// A network that is not built in, as its maintainers publish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomNetwork {
    /// 1 to 32 lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// `GENESIS_FORK_VERSION`.
    pub genesis_fork_version: [u8; 4],
    /// `CAPELLA_FORK_VERSION`, needed for voluntary exits only (EIP-7044). No rule derives it from
    /// the genesis version.
    pub capella_fork_version: Option<[u8; 4]>,
    /// `genesis_validators_root`.
    pub genesis_validators_root: [u8; 32],
    /// Seconds since 1970, needed for builder registrations only.
    pub genesis_time: Option<u64>,
}

/// A network: one of the built-in ones, or a custom one that cannot be mistaken for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    constants: CustomNetwork,
    unit: Unit,
    limits: Limits,
    /// Slots and seconds of an epoch; `None` for a custom one.
    epoch: Option<(u64, u64)>,
    gloas_epoch: Option<u64>,
}

/// Names as a person reads them: `a, b or c`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [front @ .., end] => format!("{} {last} {end}", front.join(", ")),
    }
}

impl Network {
    /// The built-in network of this name.
    pub fn known(name: &str) -> Option<Self> {
        let known = KNOWN.iter().find(|known| known.name == name)?;
        let constants = CustomNetwork {
            name: known.name.to_owned(),
            genesis_fork_version: known.genesis_fork_version,
            capella_fork_version: Some(known.capella_fork_version),
            genesis_validators_root: known.genesis_validators_root,
            genesis_time: Some(known.genesis_time),
        };
        Some(Self {
            constants,
            unit: known.unit,
            limits: known.limits,
            epoch: Some((known.epoch_slots, known.epoch_seconds)),
            gloas_epoch: known.gloas_epoch,
        })
    }

    /// The names of the built-in networks.
    pub fn known_names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|known| known.name)
    }

    /// The names of the built-in networks whose deposits are counted in `unit`.
    pub fn names_counted_in(unit: Unit) -> impl Iterator<Item = &'static str> {
        KNOWN.iter().filter(move |known| known.unit == unit).map(|known| known.name)
    }

    /// The names of the built-in networks on which SSV's contract is.
    pub fn ssv_names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().filter(|known| known.ssv).map(|known| known.name)
    }

    /// Whether SSV's contract is on this network.
    pub fn has_ssv(&self) -> bool {
        Self::ssv_names().any(|name| name == self.name())
    }

    /// A network of one's own, counted in ether. It may share neither name, genesis fork version
    /// nor genesis validators root with a built-in one: the fork version is all that ties a deposit
    /// to its network.
    pub fn custom(constants: CustomNetwork) -> Result<Self, NetworkError> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if constants.name.is_empty()
            || constants.name.len() > LONGEST_NAME
            || !constants.name.bytes().all(letter)
        {
            return Err(NetworkError::Name);
        }
        for known in &KNOWN {
            if constants.name == known.name {
                return Err(NetworkError::KnownName(known.name));
            }
            if constants.genesis_fork_version == known.genesis_fork_version {
                return Err(NetworkError::KnownForkVersion(known.name));
            }
            if constants.genesis_validators_root == known.genesis_validators_root {
                return Err(NetworkError::KnownRoot(known.name));
            }
        }
        Ok(Self {
            constants,
            unit: Unit::Eth,
            limits: Limits::CONSENSUS,
            epoch: None,
            gloas_epoch: None,
        })
    }

    /// Whether this is one of the built-in networks, whose name alone says everything.
    pub fn is_known(&self) -> bool {
        Self::known_names().any(|name| name == self.name())
    }

    /// Its name, as it stands in deposit files.
    pub fn name(&self) -> &str {
        &self.constants.name
    }

    /// `GENESIS_FORK_VERSION`: deposits and registrations are signed under it.
    pub fn genesis_fork_version(&self) -> [u8; 4] {
        self.constants.genesis_fork_version
    }

    /// `CAPELLA_FORK_VERSION`: voluntary exits are signed under it (EIP-7044). Always known for
    /// built-in networks.
    pub fn capella_fork_version(&self) -> Option<[u8; 4]> {
        self.constants.capella_fork_version
    }

    /// `genesis_validators_root`.
    pub fn genesis_validators_root(&self) -> [u8; 32] {
        self.constants.genesis_validators_root
    }

    /// Seconds since 1970. Always known for built-in networks.
    pub fn genesis_time(&self) -> Option<u64> {
        self.constants.genesis_time
    }

    /// The forks of a custom network, as far as its table says their versions.
    pub fn custom_forks(&self) -> impl Iterator<Item = Fork> {
        let versions = [
            (FORKS[0], Some(self.genesis_fork_version())),
            (FORKS[3], self.capella_fork_version()),
        ];
        let fork = |(name, version): (&'static str, Option<[u8; 4]>)| {
            Some(Fork {
                network: self.name().to_owned(),
                name,
                version: version?,
                genesis_validators_root: self.genesis_validators_root(),
            })
        };
        let custom = !self.is_known();
        versions
            .into_iter()
            .filter(move |_| custom)
            .filter_map(fork)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Domain of deposit messages: genesis version and a zero root, so a deposit stays valid over
    /// every fork.
    pub fn deposit_domain(&self) -> Domain {
        self.genesis_domain(DOMAIN_DEPOSIT)
    }

    /// Domain of builder registrations: genesis version and a zero root.
    pub fn builder_domain(&self) -> Domain {
        self.genesis_domain(DOMAIN_APPLICATION_BUILDER)
    }

    /// Domain of voluntary exits: the Capella version for ever (EIP-7044), and the network's own
    /// root. `None` for a custom network that does not state its Capella version.
    pub fn exit_domain(&self) -> Option<Domain> {
        let version = self.capella_fork_version()?;
        Some(Domain::compute(DOMAIN_VOLUNTARY_EXIT, &version, &self.genesis_validators_root()))
    }

    /// Domain of preregistrations by this state of the draft: genesis version, and the network's
    /// own root.
    pub fn preregistration_domain(&self, draft: Draft) -> Domain {
        let version = self.genesis_fork_version();
        Domain::compute(draft.domain_type(), &version, &self.genesis_validators_root())
    }

    fn genesis_domain(&self, kind: [u8; 4]) -> Domain {
        const ZERO_ROOT: Chunk = [0; 32];
        Domain::compute(kind, &self.genesis_fork_version(), &ZERO_ROOT)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::known::FORMER;
    use super::*;

    pub(super) fn devnet() -> CustomNetwork {
        CustomNetwork {
            name: "devnet-1".to_owned(),
            genesis_fork_version: [0x10, 0, 0, 0x38],
            capella_fork_version: None,
            genesis_validators_root: [7; 32],
            genesis_time: None,
        }
    }

    #[test]
    fn custom_networks_cannot_pose_as_known_ones() {
        assert_eq!(Network::custom(devnet()).unwrap().name(), "devnet-1");
        let refused = |change: fn(&mut CustomNetwork)| {
            let mut constants = devnet();
            change(&mut constants);
            Network::custom(constants).unwrap_err()
        };
        assert_eq!(refused(|c| c.name = "mainnet".to_owned()), NetworkError::KnownName("mainnet"));
        assert_eq!(
            refused(|c| c.genesis_fork_version = [0; 4]),
            NetworkError::KnownForkVersion("mainnet")
        );
        assert_eq!(
            refused(|c| c.genesis_validators_root =
                Network::known("hoodi").unwrap().genesis_validators_root()),
            NetworkError::KnownRoot("hoodi")
        );
        for name in ["", "Hoodi", "a b", "a\n", "ho\u{43e}di"] {
            let constants = CustomNetwork { name: name.to_owned(), ..devnet() };
            assert_eq!(Network::custom(constants), Err(NetworkError::Name), "{name:?}");
        }
    }

    #[test]
    fn rows_of_the_table() {
        // EIP-155 chain ids as https://chainid.network has them; SSV's and Obol's networks by their
        // documentation.
        let rows = [
            ("mainnet", 1, true),
            ("hoodi", 560_048, true),
            ("sepolia", 11_155_111, true),
            ("gnosis", 100, false),
            ("chiado", 10_200, false),
        ];
        assert!(Network::known_names().eq(rows.map(|(name, ..)| name)));
        for (name, chain, ssv) in rows {
            let network = Network::known(name).unwrap();
            assert_eq!(obol_chain_id(network.genesis_fork_version()), Some(chain), "{name}");
            assert_eq!(network.has_ssv(), ssv, "{name}");
        }
        assert_eq!(obol_chain_id([0, 0, 0x10, 0x20]), Some(5), "Goerli, which has ended");
        assert_eq!(obol_chain_id([1, 1, 0x70, 0]), None, "Holesky, which Charon does not know");
        assert_eq!(obol_chain_id(devnet().genesis_fork_version), None);
        assert!(!Network::custom(devnet()).unwrap().has_ssv());
        let versions = KNOWN.iter().map(|known| known.genesis_fork_version);
        let versions: std::collections::BTreeSet<[u8; 4]> =
            versions.chain(FORMER.iter().map(|former| former.fork_versions[0])).collect();
        assert_eq!(versions.len(), KNOWN.len() + FORMER.len(), "no fork version twice");
        for known in &KNOWN {
            assert_eq!(known.fork_versions.len(), FORKS.len());
            assert_eq!(known.fork_versions[0], known.genesis_fork_version, "{}", known.name);
            assert_eq!(known.fork_versions[3], known.capella_fork_version, "{}", known.name);
        }
        let forks: std::collections::BTreeSet<[u8; 4]> =
            known_forks().map(|fork| fork.version).collect();
        assert_eq!(forks.len(), known_forks().count(), "no version of any fork twice");
    }

    #[test]
    fn names_in_a_sentence() {
        assert_eq!(listed(["a"], "or"), "a");
        assert_eq!(listed(["a", "b"], "and"), "a and b");
        assert_eq!(listed(["a", "b", "c"], "or"), "a, b or c");
        assert_eq!(listed([], "or"), "");
    }
}
