//! `cluster-definition.json`, versions 1.8 to 1.11: parsed strictly, hashed, written.

mod raw;

use serde::Deserialize;

use super::check::DefinitionError;
use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::json::{self, HexError, printable};
use crate::ethereum::ssz::{self, Chunk};

pub(super) use raw::{RawDefinition, hexed};

/// Largest definition looked at, in bytes.
pub const MOST_BYTES: usize = 2 << 20;
/// Most operators of a cluster, by the format.
pub const MOST_OPERATORS: usize = 256;
/// Most validators of a cluster, by the format.
pub const MOST_VALIDATORS: usize = 65_536;
/// Most amounts, by the format.
const MOST_AMOUNTS: usize = 256;
/// Most signatures of one wallet, by the format (version 1.11).
const MOST_SIGNATURES: usize = 32;
/// Bytes of a wallet's signature.
pub(super) const SIGNATURE: usize = 65;

/// Version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `v1.8.0`
    V1_8,
    /// `v1.9.0`: with `consensus_protocol`.
    V1_9,
    /// `v1.10.0`: with `target_gas_limit` and `compounding`.
    V1_10,
    /// `v1.11.0`: several signatures of one wallet.
    V1_11,
}

impl Version {
    const ALL: [Self; 4] = [Self::V1_8, Self::V1_9, Self::V1_10, Self::V1_11];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::V1_8 => "v1.8.0",
            Self::V1_9 => "v1.9.0",
            Self::V1_10 => "v1.10.0",
            Self::V1_11 => "v1.11.0",
        }
    }

    fn parse(text: &str) -> Result<Self, DefinitionError> {
        let unknown =
            || DefinitionError::Version(printable(&text.chars().take(20).collect::<String>()));
        Self::ALL.into_iter().find(|version| version.text() == text).ok_or_else(unknown)
    }
}

/// What is unusual about a definition or a lock that is in order otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// A registration asks for another gas limit than the definition.
    #[error(
        "a registration is signed for a gas limit of {found}, where the definition has {expected}"
    )]
    GasLimit {
        /// As signed.
        found: u64,
        /// As in the definition.
        expected: u64,
    },
    /// Written before clusters deposited one ETH first.
    #[error("each validator has a single deposit of 32 ETH, as in some clusters of version v1.8.0")]
    SingleDeposit,
    /// A value that is read all the same.
    #[error(
        "some values are not spelled as Charon writes them: hexadecimal in upper case or without \
         0x, or an address without its checksum"
    )]
    Spelling,
    /// A field that the format does not have; no hash and no check covers it.
    #[error("the field {0:?} is not one of the format and was not checked")]
    UnknownField(String),
}

/// The version of a file that does not have the shape of a known one, if it states another.
pub(super) fn other_version(bytes: &[u8], limit: usize) -> Option<DefinitionError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: Option<String>,
        cluster_definition: Option<Inner>,
    }
    #[derive(Deserialize)]
    struct Inner {
        version: Option<String>,
    }
    let (file, _) = json::parse_known::<Versioned>(bytes, limit).ok()?;
    let stated = file.cluster_definition.and_then(|inner| inner.version).or(file.version)?;
    Version::parse(&stated).err()
}

/// Who made the definition. All of it is absent from one that nobody signed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Creator {
    /// The wallet.
    pub address: Option<ExecutionAddress>,
    /// The wallet's signature on the configuration hash; may be empty.
    pub config_signature: Vec<u8>,
}

/// An operator. Without wallet and signatures in a definition that operators have not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOperator {
    /// The wallet.
    pub address: Option<ExecutionAddress>,
    /// The record of its node.
    pub enr: String,
    /// The wallet's signature on the configuration hash; may be empty.
    pub config_signature: Vec<u8>,
    /// The wallet's signature on the record; may be empty.
    pub enr_signature: Vec<u8>,
}

/// Where the money of a validator goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidatorAddresses {
    /// Fees of blocks.
    pub fee_recipient: ExecutionAddress,
    /// Withdrawals.
    pub withdrawal: ExecutionAddress,
}

/// A definition as written: every field has its type, and none has been compared with another. See
/// [`super::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDefinition {
    /// What people call the cluster; may be empty.
    pub name: String,
    /// Who made the definition.
    pub creator: Creator,
    /// The operators, in order of their shares.
    pub operators: Vec<ClusterOperator>,
    /// Chosen by its creator.
    pub uuid: String,
    /// Version of the format.
    pub version: Version,
    /// When it was made, as free text.
    pub timestamp: String,
    /// How many validators it says to have.
    pub num_validators: u64,
    /// Shares needed to sign.
    pub threshold: u64,
    /// The validators.
    pub validators: Vec<ValidatorAddresses>,
    /// How the keys are to be made; free text.
    pub dkg_algorithm: String,
    /// `GENESIS_FORK_VERSION` of the network.
    pub fork_version: [u8; 4],
    /// Amounts of the deposits of each validator, in gwei, as written. `None` where there are none:
    /// a file may say so with `null`, with an empty list or by leaving the field out; it is written
    /// as `null`.
    pub deposit_amounts: Option<Vec<u64>>,
    /// From version 1.9; may be empty.
    pub consensus_protocol: String,
    /// From version 1.10; 0 for the usual one.
    pub target_gas_limit: u64,
    /// From version 1.10: whether withdrawal credentials are `0x02`.
    pub compounding: bool,
    /// The configuration hash that it states.
    pub config_hash: Chunk,
    /// The definition hash that it states.
    pub definition_hash: Chunk,
}

/// Why a field is not what it must be by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// Not an address, or not in its checksummed or lower-case spelling.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// Not a number in decimal digits.
    #[error("not a number of gwei as a string of decimal digits")]
    Amount,
    /// Not `0x` and lower-case hexadecimal digits.
    #[error("{0}")]
    Hex(#[from] HexError),
    /// Longer than the format has it.
    #[error("{found} bytes; the limit is {most}")]
    TooLong {
        /// Bytes, or entries.
        found: usize,
        /// The bound.
        most: usize,
    },
    /// More entries than the format has.
    #[error("{found} entries; the limit is {most}")]
    TooMany {
        /// Entries.
        found: usize,
        /// The bound.
        most: usize,
    },
    /// A field that this version does not have.
    #[error("not a field of version {0}")]
    NotOfVersion(&'static str),
    /// Signatures are of 65 bytes.
    #[error(
        "{0} bytes; a wallet's signature has {SIGNATURE} (in version 1.11, a multiple of that)"
    )]
    Signature(usize),
}

impl ClusterDefinition {
    /// Reads a file. Nothing in it is compared yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, DefinitionError> {
        Self::read(bytes).map(|(definition, _)| definition)
    }

    /// As [`ClusterDefinition::parse`], with what is unusual about the file: what Charon reads as
    /// well, but does not write.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<Remark>), DefinitionError> {
        let (raw, unknown) = json::parse_known::<RawDefinition>(bytes, MOST_BYTES)
            .map_err(|error| other_version(bytes, MOST_BYTES).unwrap_or(error.into()))?;
        let written = raw.clone();
        let definition = raw.into_definition()?;
        let mut remarks: Vec<_> = unknown.into_iter().map(Remark::UnknownField).collect();
        if !written.is_spelled_as_written(&definition) {
            remarks.push(Remark::Spelling);
        }
        Ok((definition, remarks))
    }

    /// Whether it leaves the amounts of its deposits to the default.
    pub fn amounts_are_default(&self) -> bool {
        self.deposit_amounts.as_ref().is_none_or(Vec::is_empty)
    }

    /// The one compact spelling in which a ceremony carries it.
    pub fn to_compact_json(&self) -> Vec<u8> {
        serde_json::to_vec(&RawDefinition::of(self)).expect("texts and numbers are always JSON")
    }

    /// As a file: indented, with a line end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&RawDefinition::of(self))
            .expect("texts and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    fn wallet(&self, address: &Option<ExecutionAddress>) -> Chunk {
        address.map_or([0; 32], |address| ssz::bytes20(address.as_bytes()))
    }

    /// One signature, or 65 zeros for none; from version 1.11 on a list of them.
    fn signature(&self, bytes: &[u8]) -> Chunk {
        if self.version == Version::V1_11 {
            let roots: Vec<Chunk> = bytes.chunks(SIGNATURE).map(ssz::byte_vector).collect();
            return ssz::list(&roots, MOST_SIGNATURES);
        }
        if bytes.is_empty() { ssz::byte_vector(&[0; SIGNATURE]) } else { ssz::byte_vector(bytes) }
    }

    fn operator(&self, operator: &ClusterOperator) -> Chunk {
        ssz::container(&[
            self.wallet(&operator.address),
            ssz::byte_list(operator.enr.as_bytes(), 1024),
            self.signature(&operator.config_signature),
            self.signature(&operator.enr_signature),
        ])
    }

    /// The fields that both hashes are over; they differ in what is hashed of operators and
    /// creator.
    fn fields(&self, operators: &[Chunk], creator: Chunk) -> Vec<Chunk> {
        let addresses = |validator: &ValidatorAddresses| {
            ssz::two(
                ssz::bytes20(validator.fee_recipient.as_bytes()),
                ssz::bytes20(validator.withdrawal.as_bytes()),
            )
        };
        let validators: Vec<Chunk> = self.validators.iter().map(addresses).collect();
        let mut fields = vec![
            ssz::byte_list(self.uuid.as_bytes(), 64),
            ssz::byte_list(self.name.as_bytes(), 256),
            ssz::byte_list(self.version.text().as_bytes(), 16),
            ssz::byte_list(self.timestamp.as_bytes(), 32),
            ssz::uint64(self.num_validators),
            ssz::uint64(self.threshold),
            ssz::byte_list(self.dkg_algorithm.as_bytes(), 32),
            ssz::bytes4(&self.fork_version),
            ssz::list(operators, MOST_OPERATORS),
            creator,
            ssz::list(&validators, MOST_VALIDATORS),
            ssz::uint64_list(self.deposit_amounts.as_deref().unwrap_or_default(), MOST_AMOUNTS),
        ];
        if self.version >= Version::V1_9 {
            fields.push(ssz::byte_list(self.consensus_protocol.as_bytes(), 256));
        }
        if self.version >= Version::V1_10 {
            fields
                .extend([ssz::uint64(self.target_gas_limit), ssz::uint64(self.compounding.into())]);
        }
        fields
    }

    /// The configuration hash: over everything but node records and signatures.
    pub fn compute_config_hash(&self) -> Chunk {
        let operators: Vec<Chunk> =
            self.operators.iter().map(|operator| self.wallet(&operator.address)).collect();
        ssz::container(&self.fields(&operators, self.wallet(&self.creator.address)))
    }

    /// The definition hash: over everything, with the configuration hash as it is stated.
    pub fn compute_definition_hash(&self) -> Chunk {
        let operators: Vec<Chunk> =
            self.operators.iter().map(|operator| self.operator(operator)).collect();
        let creator = ssz::two(
            self.wallet(&self.creator.address),
            self.signature(&self.creator.config_signature),
        );
        let mut fields = self.fields(&operators, creator);
        fields.push(self.config_hash);
        ssz::container(&fields)
    }

    /// States both hashes as they are.
    pub fn with_hashes(mut self) -> Self {
        self.config_hash = self.compute_config_hash();
        self.definition_hash = self.compute_definition_hash();
        self
    }

    /// The distinct amounts that are deposited for each validator, in gwei, ascending.
    pub fn amounts(&self) -> Vec<u64> {
        const ETH: u64 = 1_000_000_000;
        let mut amounts =
            match (self.deposit_amounts.as_deref().unwrap_or_default(), self.compounding) {
                ([], false) => vec![ETH, 32 * ETH],
                ([], true) => vec![ETH, 8 * ETH, 32 * ETH, 256 * ETH],
                (given, _) => given.to_vec(),
            };
        amounts.sort_unstable();
        amounts.dedup();
        amounts
    }

    /// The gas limit of builder registrations.
    pub fn gas_limit(&self) -> u64 {
        const USUAL: u64 = 30_000_000;
        if self.target_gas_limit == 0 { USUAL } else { self.target_gas_limit }
    }

    /// Whether operators have signed it.
    pub fn is_signed(&self) -> bool {
        self.operators.iter().any(|operator| operator.address.is_some())
    }
}
