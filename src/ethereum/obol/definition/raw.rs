//! A definition as its JSON has it: read field by field with the bounds of the format, and written.

use serde::{Deserialize, Serialize};

use super::{
    ClusterDefinition, ClusterOperator, Creator, FieldFault, MOST_AMOUNTS, MOST_OPERATORS,
    MOST_SIGNATURES, MOST_VALIDATORS, SIGNATURE, ValidatorAddresses, Version,
};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::json::{self, HexError, any_hex};
use crate::ethereum::obol::check::DefinitionError;

/// The definition as JSON has it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::ethereum::obol) struct RawDefinition {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(deserialize_with = "json::object")]
    creator: RawCreator,
    #[serde(deserialize_with = "json::objects::<_, _, MOST_OPERATORS>")]
    operators: Vec<RawOperator>,
    uuid: String,
    version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    timestamp: String,
    num_validators: u64,
    threshold: u64,
    #[serde(deserialize_with = "json::objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<RawAddresses>,
    dkg_algorithm: String,
    fork_version: String,
    #[serde(default, deserialize_with = "json::few_or_null::<_, _, MOST_AMOUNTS>")]
    deposit_amounts: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consensus_protocol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target_gas_limit: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compounding: Option<bool>,
    config_hash: String,
    definition_hash: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct RawCreator {
    address: String,
    config_signature: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct RawOperator {
    address: String,
    enr: String,
    config_signature: String,
    enr_signature: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct RawAddresses {
    fee_recipient_address: String,
    withdrawal_address: String,
}

/// `0x` and lower-case digits; nothing for no bytes.
pub(in crate::ethereum::obol) fn hexed(bytes: &[u8]) -> String {
    if bytes.is_empty() { String::new() } else { format!("0x{}", hex::encode(bytes)) }
}

fn at<T>(
    field: impl Into<String>,
    value: Result<T, impl Into<FieldFault>>,
) -> Result<T, DefinitionError> {
    value.map_err(|fault| DefinitionError::Field { field: field.into(), fault: fault.into() })
}

fn bounded(field: &str, text: String, most: usize) -> Result<String, DefinitionError> {
    match text.len() {
        found if found > most => at(field, Err(FieldFault::TooLong { found, most })),
        _ => Ok(text),
    }
}

fn few(field: &str, found: usize, most: usize) -> Result<(), DefinitionError> {
    if found > most { at(field, Err(FieldFault::TooMany { found, most })) } else { Ok(()) }
}

fn address(field: String, text: &str) -> Result<Option<ExecutionAddress>, DefinitionError> {
    if text.is_empty() { Ok(None) } else { at(field, ExecutionAddress::parse_any(text)).map(Some) }
}

fn signature(field: String, text: &str, version: Version) -> Result<Vec<u8>, DefinitionError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let decoded = hex::decode(digits).map_err(|_| FieldFault::Hex(HexError::Digit));
    let length = |bytes: Vec<u8>| match bytes.len() {
        SIGNATURE => Ok(bytes),
        found
            if version == Version::V1_11
                && found > 0
                && found % SIGNATURE == 0
                && found <= MOST_SIGNATURES * SIGNATURE =>
        {
            Ok(bytes)
        }
        found => Err(FieldFault::Signature(found)),
    };
    at(field, decoded.and_then(length))
}

fn amount(text: &str) -> Result<u64, FieldFault> {
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().map_err(|_| FieldFault::Amount) } else { Err(FieldFault::Amount) }
}

/// A field that versions from `since` on have, and no other.
fn since<T: Default>(
    field: &str,
    value: Option<T>,
    version: Version,
    since: Version,
) -> Result<T, DefinitionError> {
    match value {
        Some(_) if version < since => at(field, Err(FieldFault::NotOfVersion(version.text()))),
        value => Ok(value.unwrap_or_default()),
    }
}

impl RawCreator {
    fn into_creator(self, version: Version) -> Result<Creator, DefinitionError> {
        let field = |name: &str| format!("creator.{name}");
        Ok(Creator {
            address: address(field("address"), &self.address)?,
            config_signature: signature(
                field("config_signature"),
                &self.config_signature,
                version,
            )?,
        })
    }
}

impl RawOperator {
    fn into_operator(self, i: usize, version: Version) -> Result<ClusterOperator, DefinitionError> {
        let field = |name: &str| format!("operators[{i}].{name}");
        Ok(ClusterOperator {
            address: address(field("address"), &self.address)?,
            enr: bounded(&field("enr"), self.enr, 1024)?,
            config_signature: signature(
                field("config_signature"),
                &self.config_signature,
                version,
            )?,
            enr_signature: signature(field("enr_signature"), &self.enr_signature, version)?,
        })
    }
}

impl RawAddresses {
    fn into_addresses(self, i: usize) -> Result<ValidatorAddresses, DefinitionError> {
        let read = |name: &str, text: &str| {
            at(format!("validators[{i}].{name}"), ExecutionAddress::parse_any(text))
        };
        Ok(ValidatorAddresses {
            fee_recipient: read("fee_recipient_address", &self.fee_recipient_address)?,
            withdrawal: read("withdrawal_address", &self.withdrawal_address)?,
        })
    }
}

/// Every entry of a list, by its position.
fn each<T, U>(
    entries: Vec<T>,
    read: impl Fn(T, usize) -> Result<U, DefinitionError>,
) -> Result<Vec<U>, DefinitionError> {
    entries.into_iter().enumerate().map(|(i, entry)| read(entry, i)).collect()
}

impl RawDefinition {
    /// Whether each value is spelled as Charon writes it.
    pub(in crate::ethereum::obol) fn is_spelled_as_written(
        &self,
        read: &ClusterDefinition,
    ) -> bool {
        let mut written = Self::of(read);
        // Nothing to spell: left out, `null` and empty are the same.
        if read.amounts_are_default() {
            written.deposit_amounts.clone_from(&self.deposit_amounts);
        }
        *self == written
    }

    pub(in crate::ethereum::obol) fn into_definition(
        self,
    ) -> Result<ClusterDefinition, DefinitionError> {
        let version = Version::parse(&self.version)?;
        few("operators", self.operators.len(), MOST_OPERATORS)?;
        few("validators", self.validators.len(), MOST_VALIDATORS)?;
        few("deposit_amounts", self.deposit_amounts.as_ref().map_or(0, Vec::len), MOST_AMOUNTS)?;
        let creator = self.creator.into_creator(version)?;
        let gwei = |text: String, i: usize| at(format!("deposit_amounts[{i}]"), amount(&text));
        Ok(ClusterDefinition {
            name: bounded("name", self.name, 256)?,
            creator,
            operators: each(self.operators, |raw, i| raw.into_operator(i, version))?,
            uuid: bounded("uuid", self.uuid, 64)?,
            version,
            timestamp: bounded("timestamp", self.timestamp, 32)?,
            num_validators: self.num_validators,
            threshold: self.threshold,
            validators: each(self.validators, RawAddresses::into_addresses)?,
            dkg_algorithm: bounded("dkg_algorithm", self.dkg_algorithm, 32)?,
            fork_version: at("fork_version", any_hex(&self.fork_version))?,
            deposit_amounts: self
                .deposit_amounts
                .filter(|texts| !texts.is_empty())
                .map(|texts| each(texts, gwei))
                .transpose()?,
            consensus_protocol: bounded(
                "consensus_protocol",
                since("consensus_protocol", self.consensus_protocol, version, Version::V1_9)?,
                256,
            )?,
            target_gas_limit: since(
                "target_gas_limit",
                self.target_gas_limit,
                version,
                Version::V1_10,
            )?,
            compounding: since("compounding", self.compounding, version, Version::V1_10)?,
            config_hash: at("config_hash", any_hex(&self.config_hash))?,
            definition_hash: at("definition_hash", any_hex(&self.definition_hash))?,
        })
    }

    pub(in crate::ethereum::obol) fn of(definition: &ClusterDefinition) -> Self {
        let text = |address: &Option<ExecutionAddress>| {
            address.map(|address| address.to_string()).unwrap_or_default()
        };
        let operator = |operator: &ClusterOperator| RawOperator {
            address: text(&operator.address),
            enr: operator.enr.clone(),
            config_signature: hexed(&operator.config_signature),
            enr_signature: hexed(&operator.enr_signature),
        };
        let addresses = |addresses: &ValidatorAddresses| RawAddresses {
            fee_recipient_address: addresses.fee_recipient.to_string(),
            withdrawal_address: addresses.withdrawal.to_string(),
        };
        let version = definition.version;
        Self {
            name: definition.name.clone(),
            creator: RawCreator {
                address: text(&definition.creator.address),
                config_signature: hexed(&definition.creator.config_signature),
            },
            operators: definition.operators.iter().map(operator).collect(),
            uuid: definition.uuid.clone(),
            version: version.text().to_owned(),
            timestamp: definition.timestamp.clone(),
            num_validators: definition.num_validators,
            threshold: definition.threshold,
            validators: definition.validators.iter().map(addresses).collect(),
            dkg_algorithm: definition.dkg_algorithm.clone(),
            fork_version: hexed(&definition.fork_version),
            deposit_amounts: definition
                .deposit_amounts
                .as_ref()
                .filter(|amounts| !amounts.is_empty())
                .map(|amounts| amounts.iter().map(u64::to_string).collect()),
            consensus_protocol: (version >= Version::V1_9)
                .then(|| definition.consensus_protocol.clone()),
            target_gas_limit: (version >= Version::V1_10).then_some(definition.target_gas_limit),
            compounding: (version >= Version::V1_10).then_some(definition.compounding),
            config_hash: hexed(&definition.config_hash),
            definition_hash: hexed(&definition.definition_hash),
        }
    }
}
