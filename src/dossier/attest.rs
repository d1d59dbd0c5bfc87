//! What the wallets of members have signed: a file that a coordinator collects, verified offline.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::json::{self, HexError, JsonError, objects, prefixed_hex};
use crate::ethereum::personal::{PersonalError, personal_signer};
use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::spec::ceremony::Ceremony;
use crate::spec::pack::Pack;
use crate::spec::threshold::{Index, MOST_OPERATORS};

/// Most bytes of a file.
pub const LARGEST: usize = 1 << 20;
const FORMAT: &str = "quorate-attestations";

/// Why a file of wallets' signatures is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// Not the JSON of such a file.
    #[error("not a file of wallets' signatures: {0}")]
    Json(#[from] JsonError),
    /// Another format or version.
    #[error("format: not \"{FORMAT}\" of version 1")]
    Format,
    /// An address.
    #[error("{field}: {source}")]
    Address {
        /// The field.
        field: &'static str,
        /// Why.
        source: AddressError,
    },
    /// No operator has this index.
    #[error("operator: the ceremony has no operator {0}")]
    UnknownOperator(u16),
    /// Two wallets of one operator, or one wallet of two.
    #[error("operator {0}: this operator or its wallet is there twice")]
    Twice(u16),
    /// Not `0x` and 130 digits.
    #[error("operator {operator}, signature: {source}")]
    Hex {
        /// Whose.
        operator: u16,
        /// Why.
        source: HexError,
    },
    /// Not a signature of any account.
    #[error("operator {operator}, signature: {source}")]
    Signature {
        /// Whose.
        operator: u16,
        /// Why.
        source: PersonalError,
    },
    /// A text that is neither this ceremony's nor a programme's.
    #[error(
        "operator {0}, message: neither what binds a wallet to its operator in this ceremony, nor \
         what a policy that is compared demands"
    )]
    Message(u16),
    /// Another account has signed it.
    #[error("operator {operator}, signature: {found} has signed this, not {address}")]
    Signer {
        /// Whose.
        operator: u16,
        /// The wallet that is named.
        address: String,
        /// The wallet that has signed.
        found: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    main: String,
    #[serde(deserialize_with = "objects::<_, _, MOST_OPERATORS>")]
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    operator: u16,
    address: String,
    message: String,
    signature: String,
}

/// A wallet that has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Of which operator.
    pub operator: Index,
    /// The wallet.
    pub address: ExecutionAddress,
    /// What it has signed.
    pub message: String,
    /// `r ‖ s ‖ v`.
    pub signature: [u8; SIGNATURE_BYTES],
    /// The policies that demand this text, of those that are compared; none for the text that binds
    /// the wallet to its operator in this ceremony.
    pub policies: Vec<String>,
}

/// What members' wallets have signed, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestations {
    /// The main wallet of the cluster.
    pub main: ExecutionAddress,
    /// In the order of the operators.
    pub members: Vec<Attestation>,
}

/// The text that binds a wallet to operator `index` in this ceremony, as nobody else's text does:
/// the key is that of the card which the ceremony has.
pub fn binding(ceremony: &Ceremony, index: Index, address: &ExecutionAddress) -> Option<String> {
    let seat = ceremony.roster().get(index)?;
    Some(format!(
        "I am operator {} with the key {} in the key generation ceremony {}. My wallet is {}.",
        index.get(),
        hex::encode(seat.card.key.as_bytes()),
        ceremony.digest(),
        address.to_lower_hex()
    ))
}

impl Attestations {
    /// Reads a file and verifies every signature. Of an account that is a contract (ERC-1271) no
    /// signature can be verified offline.
    pub fn read(
        bytes: &[u8],
        ceremony: &Ceremony,
        packs: &[Pack],
    ) -> Result<Self, AttestationError> {
        let file: File = json::parse(bytes, LARGEST)?;
        if file.format != FORMAT || file.version != 1 {
            return Err(AttestationError::Format);
        }
        let address = |field, text: &str| {
            ExecutionAddress::parse_any(text)
                .map_err(|source| AttestationError::Address { field, source })
        };
        let main = address("main", &file.main)?;
        let (mut seen, mut wallets) = (BTreeSet::new(), BTreeSet::new());
        let mut members = Vec::new();
        for Member { operator, address: wallet, message, signature } in file.members {
            let known =
                Index::new(operator).filter(|index| ceremony.roster().get(*index).is_some());
            let index = known.ok_or(AttestationError::UnknownOperator(operator))?;
            let wallet = address("address", &wallet)?;
            if !seen.insert(index) || !wallets.insert(wallet) {
                return Err(AttestationError::Twice(operator));
            }
            let signature = prefixed_hex::<SIGNATURE_BYTES>(&signature)
                .map_err(|source| AttestationError::Hex { operator, source })?;
            let demands = |pack: &&Pack| {
                pack.wallets().is_some_and(|wallets| wallets.message(&wallet, &main) == message)
            };
            let names = packs.iter().filter(demands).map(|pack| pack.name().to_owned());
            let policies: Vec<String> = names.collect();
            let binds = binding(ceremony, index, &wallet).is_some_and(|text| text == message);
            if policies.is_empty() && !binds {
                return Err(AttestationError::Message(operator));
            }
            let found = personal_signer(&message, &signature)
                .map_err(|source| AttestationError::Signature { operator, source })?;
            if found != wallet {
                let (address, found) = (wallet.to_string(), found.to_string());
                return Err(AttestationError::Signer { operator, address, found });
            }
            members.push(Attestation {
                operator: index,
                address: wallet,
                message,
                signature,
                policies,
            });
        }
        members.sort_by_key(|member| member.operator);
        Ok(Self { main, members })
    }

    /// Whether every operator's wallet has signed what this pack demands.
    pub fn meet(&self, pack: &Pack, ceremony: &Ceremony) -> bool {
        let signed = |index: Index| {
            self.members.iter().any(|member| {
                member.operator == index && member.policies.iter().any(|name| name == pack.name())
            })
        };
        ceremony.roster().iter().all(|(index, _)| signed(index))
    }
}
