//! `cluster-lock.json`, versions 1.8 to 1.11: a definition with the results of its ceremony. Parsed
//! strictly, hashed, written.

use serde::{Deserialize, Serialize};

use super::check::DefinitionError;
use super::definition::{
    ClusterDefinition, FieldFault, MOST_OPERATORS, MOST_VALIDATORS, RawDefinition, Remark, Version,
    hexed, other_version,
};
use super::lock_check::LockError;
use crate::ethereum::json::{self, any_hex};
use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::ethereum::ssz::{self, Chunk};

/// Largest lock looked at, in bytes: 8192 validators of 255 operators need about 240 MB, usual
/// clusters some kilobytes.
pub const MOST_BYTES: usize = 256 << 20;
/// Most deposits of a validator, by the format.
const MOST_DEPOSITS: usize = 256;

/// The one deposit of a validator in clusters of before the default amounts, in gwei.
const SINGLE: u64 = 32_000_000_000;

/// A deposit of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockDeposit {
    /// The validator's key.
    pub pubkey: [u8; 48],
    /// Withdrawal credentials.
    pub withdrawal_credentials: [u8; 32],
    /// In gwei.
    pub amount: u64,
    /// By the validator's key.
    pub signature: [u8; 96],
}

/// A builder registration of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockRegistration {
    /// Who gets the fees of blocks.
    pub fee_recipient: [u8; 20],
    /// The gas limit asked for.
    pub gas_limit: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// The validator's key.
    pub pubkey: [u8; 48],
    /// By the validator's key.
    pub signature: [u8; 96],
}

/// A validator of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockValidator {
    /// Its key.
    pub public_key: [u8; 48],
    /// The public shares, in order of the operators.
    pub public_shares: Vec<[u8; 48]>,
    /// One deposit for each distinct amount, ascending.
    pub deposits: Vec<LockDeposit>,
    /// The builder registration.
    pub registration: LockRegistration,
}

/// A lock as written: every field has its type, and none has been compared with another. See
/// [`super::lock_check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterLock {
    /// What was agreed.
    pub definition: ClusterDefinition,
    /// What was made, in the definition's order.
    pub validators: Vec<LockValidator>,
    /// The sum of the signatures of all shares of all validators on the lock hash.
    pub signature_aggregate: [u8; 96],
    /// The lock hash that it states.
    pub lock_hash: Chunk,
    /// The signature of every operator's node on the lock hash.
    pub node_signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

#[derive(Serialize, Deserialize)]
struct RawLock {
    #[serde(deserialize_with = "json::object")]
    cluster_definition: RawDefinition,
    #[serde(deserialize_with = "json::objects::<_, _, MOST_VALIDATORS>")]
    distributed_validators: Vec<RawValidator>,
    signature_aggregate: String,
    lock_hash: String,
    #[serde(deserialize_with = "json::few::<_, _, MOST_OPERATORS>")]
    node_signatures: Vec<String>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct RawValidator {
    distributed_public_key: String,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "json::few::<_, _, MOST_OPERATORS>"
    )]
    public_shares: Vec<String>,
    #[serde(deserialize_with = "json::object")]
    builder_registration: RawRegistration,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "json::objects::<_, _, MOST_DEPOSITS>"
    )]
    partial_deposit_data: Vec<RawDeposit>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct RawRegistration {
    #[serde(deserialize_with = "json::object")]
    message: RawMessage,
    signature: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct RawMessage {
    fee_recipient: String,
    gas_limit: u64,
    timestamp: u64,
    pubkey: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct RawDeposit {
    pubkey: String,
    withdrawal_credentials: String,
    amount: String,
    signature: String,
}

fn read<const N: usize>(field: &str, text: &str) -> Result<[u8; N], LockError> {
    any_hex(text).map_err(|fault| LockError::Field { field: field.to_owned(), fault: fault.into() })
}

fn few(field: &str, found: usize, most: usize) -> Result<(), LockError> {
    let fault = FieldFault::TooMany { found, most };
    if found > most { Err(LockError::Field { field: field.to_owned(), fault }) } else { Ok(()) }
}

impl RawValidator {
    fn to_validator(&self, at: &str) -> Result<LockValidator, LockError> {
        few(&format!("{at}.public_shares"), self.public_shares.len(), MOST_OPERATORS)?;
        few(&format!("{at}.partial_deposit_data"), self.partial_deposit_data.len(), MOST_DEPOSITS)?;
        let share = |(i, text): (usize, &String)| read(&format!("{at}.public_shares[{i}]"), text);
        let deposit = |(i, raw): (usize, &RawDeposit)| {
            let field = |name: &str| format!("{at}.partial_deposit_data[{i}].{name}");
            let plain = raw.amount.bytes().all(|b| b.is_ascii_digit())
                && (raw.amount == "0" || !raw.amount.starts_with('0'));
            let amount = raw.amount.parse().ok().filter(|_| plain);
            Ok(LockDeposit {
                pubkey: read(&field("pubkey"), &raw.pubkey)?,
                withdrawal_credentials: read(
                    &field("withdrawal_credentials"),
                    &raw.withdrawal_credentials,
                )?,
                amount: amount.ok_or_else(|| LockError::Field {
                    field: field("amount"),
                    fault: FieldFault::Amount,
                })?,
                signature: read(&field("signature"), &raw.signature)?,
            })
        };
        let message = &self.builder_registration.message;
        Ok(LockValidator {
            public_key: read(
                &format!("{at}.distributed_public_key"),
                &self.distributed_public_key,
            )?,
            public_shares: self
                .public_shares
                .iter()
                .enumerate()
                .map(share)
                .collect::<Result<_, _>>()?,
            deposits: self
                .partial_deposit_data
                .iter()
                .enumerate()
                .map(deposit)
                .collect::<Result<_, LockError>>()?,
            registration: LockRegistration {
                fee_recipient: read(
                    &format!("{at}.builder_registration.message.fee_recipient"),
                    &message.fee_recipient,
                )?,
                gas_limit: message.gas_limit,
                timestamp: message.timestamp,
                pubkey: read(
                    &format!("{at}.builder_registration.message.pubkey"),
                    &message.pubkey,
                )?,
                signature: read(
                    &format!("{at}.builder_registration.signature"),
                    &self.builder_registration.signature,
                )?,
            },
        })
    }

    /// Whether each value is spelled as Charon writes it.
    fn is_spelled_as_written(&self, read: &LockValidator) -> bool {
        *self == Self::of(read)
    }

    fn of(validator: &LockValidator) -> Self {
        let LockRegistration { fee_recipient, gas_limit, timestamp, pubkey, signature } =
            &validator.registration;
        let deposit = |deposit: &LockDeposit| RawDeposit {
            pubkey: hexed(&deposit.pubkey),
            withdrawal_credentials: hexed(&deposit.withdrawal_credentials),
            amount: deposit.amount.to_string(),
            signature: hexed(&deposit.signature),
        };
        Self {
            distributed_public_key: hexed(&validator.public_key),
            public_shares: validator.public_shares.iter().map(|share| hexed(share)).collect(),
            builder_registration: RawRegistration {
                message: RawMessage {
                    fee_recipient: hexed(fee_recipient),
                    gas_limit: *gas_limit,
                    timestamp: *timestamp,
                    pubkey: hexed(pubkey),
                },
                signature: hexed(signature),
            },
            partial_deposit_data: validator.deposits.iter().map(deposit).collect(),
        }
    }
}

impl ClusterLock {
    /// Reads a file. Nothing in it is compared yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        Self::read(bytes).map(|(lock, _)| lock)
    }

    /// As [`ClusterLock::parse`], with what is unusual about the file: what Charon reads as well,
    /// but does not write.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<Remark>), LockError> {
        let (raw, unknown) = json::parse_known::<RawLock>(bytes, MOST_BYTES).map_err(|error| {
            other_version(bytes, MOST_BYTES).map_or(error.into(), LockError::Definition)
        })?;
        let stated = raw.cluster_definition.clone();
        let definition = raw.cluster_definition.into_definition().map_err(|error| match error {
            DefinitionError::Field { field, fault } => {
                LockError::Field { field: format!("cluster_definition.{field}"), fault }
            }
            other => LockError::Definition(other),
        })?;
        few("distributed_validators", raw.distributed_validators.len(), MOST_VALIDATORS)?;
        few("node_signatures", raw.node_signatures.len(), MOST_OPERATORS)?;
        let mut spelled = stated.is_spelled_as_written(&definition);
        let validator = |(i, raw): (usize, RawValidator)| {
            let read = raw.to_validator(&format!("distributed_validators[{i}]"))?;
            spelled &= raw.is_spelled_as_written(&read);
            Ok::<_, LockError>(read)
        };
        let node = |(i, text): (usize, &String)| read(&format!("node_signatures[{i}]"), text);
        let lock = Self {
            definition,
            validators: raw
                .distributed_validators
                .into_iter()
                .enumerate()
                .map(validator)
                .collect::<Result<_, _>>()?,
            signature_aggregate: read("signature_aggregate", &raw.signature_aggregate)?,
            lock_hash: read("lock_hash", &raw.lock_hash)?,
            node_signatures: raw
                .node_signatures
                .iter()
                .enumerate()
                .map(node)
                .collect::<Result<_, _>>()?,
        };
        let mut remarks: Vec<_> = unknown.into_iter().map(Remark::UnknownField).collect();
        if lock.has_single_deposits() {
            remarks.push(Remark::SingleDeposit);
        }
        let limit = lock.definition.gas_limit();
        let other = |validator: &&LockValidator| validator.registration.gas_limit != limit;
        if let Some(validator) = lock.validators.iter().find(other) {
            let found = validator.registration.gas_limit;
            remarks.push(Remark::GasLimit { found, expected: limit });
        }
        let [hash, aggregate] = [hexed(&lock.lock_hash), hexed(&lock.signature_aggregate)];
        if !spelled || (hash, aggregate) != (raw.lock_hash, raw.signature_aggregate) {
            remarks.push(Remark::Spelling);
        }
        Ok((lock, remarks))
    }

    /// Whether it is of a cluster of before the default amounts: of version 1.8, without amounts,
    /// and with one deposit of 32 ETH for each validator.
    pub fn has_single_deposits(&self) -> bool {
        let single = |validator: &LockValidator| match validator.deposits.as_slice() {
            [deposit] => deposit.amount == SINGLE,
            _ => false,
        };
        self.definition.version == Version::V1_8
            && self.definition.amounts_are_default()
            && !self.validators.is_empty()
            && self.validators.iter().all(single)
    }

    /// As a file: indented, with a line end; fields in the order in which Charon writes them.
    pub fn to_json(&self) -> Vec<u8> {
        let raw = RawLock {
            cluster_definition: RawDefinition::of(&self.definition),
            distributed_validators: self.validators.iter().map(RawValidator::of).collect(),
            signature_aggregate: hexed(&self.signature_aggregate),
            lock_hash: hexed(&self.lock_hash),
            node_signatures: self
                .node_signatures
                .iter()
                .map(|signature| hexed(signature))
                .collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&raw).expect("texts and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }
}

fn root(validator: &LockValidator) -> Chunk {
    let shares: Vec<Chunk> = validator.public_shares.iter().map(ssz::bytes48).collect();
    let deposit = |deposit: &LockDeposit| {
        ssz::four(
            ssz::bytes48(&deposit.pubkey),
            deposit.withdrawal_credentials,
            ssz::uint64(deposit.amount),
            ssz::bytes96(&deposit.signature),
        )
    };
    let deposits: Vec<Chunk> = validator.deposits.iter().map(deposit).collect();
    let LockRegistration { fee_recipient, gas_limit, timestamp, pubkey, signature } =
        &validator.registration;
    let message = ssz::four(
        ssz::bytes20(fee_recipient),
        ssz::uint64(*gas_limit),
        ssz::uint64(*timestamp),
        ssz::bytes48(pubkey),
    );
    ssz::four(
        ssz::bytes48(&validator.public_key),
        ssz::list(&shares, MOST_OPERATORS),
        ssz::list(&deposits, MOST_DEPOSITS),
        ssz::two(message, ssz::bytes96(signature)),
    )
}

/// The lock hash: over the definition and everything that was made, but the signatures on this
/// hash.
pub fn lock_hash(definition: &ClusterDefinition, validators: &[LockValidator]) -> Chunk {
    let roots: Vec<Chunk> = validators.iter().map(root).collect();
    ssz::two(definition.compute_definition_hash(), ssz::list(&roots, MOST_VALIDATORS))
}
