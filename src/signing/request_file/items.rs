//! What of a file says what to sign, for which validators.

use serde::{Deserialize, Serialize};

use super::{File, RequestFileError};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::exit::VoluntaryExit;
use crate::ethereum::json::{JsonError, Object, few, objects, prefixed_hex};
use crate::ethereum::ssv::{OwnerNonce, RsaPublic};
use crate::signing::request::{Item, Items, Purpose, Terms};
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::file::ObolEntry;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExitFields {
    validator_index: u64,
    epoch: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DepositFields {
    withdrawal_credentials: String,
    amount: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExitList {
    epoch: u64,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<ExitingFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExitingFields {
    public_key: String,
    validator_index: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DepositList {
    amount: u64,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<FundedFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FundedFields {
    public_key: String,
    withdrawal_credentials: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationFields {
    fee_recipient: String,
    gas_limit: u64,
    timestamp: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationList {
    fee_recipient: String,
    gas_limit: u64,
    timestamp: u64,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<RegisteredFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisteredFields {
    public_key: String,
}

/// Most operators of a cluster.
const MOST_OPERATORS: usize = 13;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySharesFields {
    owner: String,
    nonce: u64,
    #[serde(deserialize_with = "few::<_, _, MOST_OPERATORS>")]
    operator_keys: Vec<String>,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<RegisteredFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockFields {
    /// The cluster definition, as JSON.
    definition: String,
    /// Wallets that are contracts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contract_wallets: Vec<String>,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<RegisteredFields>,
}

fn prefixed<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], RequestFileError> {
    prefixed_hex(text).map_err(|source| RequestFileError::Hex { field, source })
}

fn credentials(text: &str) -> Result<WithdrawalCredentials, RequestFileError> {
    Ok(WithdrawalCredentials::from_bytes(prefixed("deposit.withdrawal_credentials", text)?)?)
}

fn terms(fee_recipient: &str, gas_limit: u64, timestamp: u64) -> Result<Purpose, RequestFileError> {
    let fee_recipient = ExecutionAddress::parse_checksummed(fee_recipient)?;
    Ok(Purpose::Registration(Terms { fee_recipient, gas_limit, timestamp }))
}

/// The one validator of a request of version 1.
pub(super) fn single(file: &File) -> Result<Items, RequestFileError> {
    let lists = [file.exits.is_some(), file.deposits.is_some(), file.registrations.is_some()];
    if lists.contains(&true) || file.key_shares.is_some() || file.cluster_lock.is_some() {
        return Err(RequestFileError::Kind);
    }
    let purpose = match (&file.exit, &file.deposit, &file.registration) {
        (Some(Object(ExitFields { validator_index, epoch })), None, None) => {
            Purpose::Exit(VoluntaryExit { epoch: *epoch, validator_index: *validator_index })
        }
        (None, Some(Object(DepositFields { withdrawal_credentials, amount })), None) => {
            Purpose::Deposit {
                withdrawal_credentials: credentials(withdrawal_credentials)?,
                amount: *amount,
            }
        }
        (None, None, Some(Object(fields))) => {
            terms(&fields.fee_recipient, fields.gas_limit, fields.timestamp)?
        }
        _ => return Err(RequestFileError::Kind),
    };
    let missing = || JsonError::Shape("missing field `public_key`".to_owned());
    let key = prefixed("public_key", file.public_key.as_deref().ok_or_else(missing)?)?;
    Ok(Items::one(key, purpose))
}

/// The list of a request of version 2.
pub(super) fn list(file: &File) -> Result<Items, RequestFileError> {
    let single = [file.exit.is_some(), file.deposit.is_some(), file.registration.is_some()];
    let alone = file.key_shares.is_some() || file.cluster_lock.is_some();
    if single.contains(&true) || file.public_key.is_some() || alone {
        return Err(RequestFileError::Kinds);
    }
    let item = |public_key: &str, purpose| {
        Ok(Item { public_key: prefixed("validators.public_key", public_key)?, purpose })
    };
    let items: Result<Vec<Item>, RequestFileError> =
        match (&file.exits, &file.deposits, &file.registrations) {
            (Some(Object(ExitList { epoch, validators })), None, None) => {
                let exit = |fields: &ExitingFields| {
                    let (epoch, validator_index) = (*epoch, fields.validator_index);
                    let purpose = Purpose::Exit(VoluntaryExit { epoch, validator_index });
                    item(&fields.public_key, purpose)
                };
                validators.iter().map(exit).collect()
            }
            (None, Some(Object(DepositList { amount, validators })), None) => {
                let deposit = |fields: &FundedFields| {
                    let withdrawal_credentials = credentials(&fields.withdrawal_credentials)?;
                    let amount = *amount;
                    item(&fields.public_key, Purpose::Deposit { withdrawal_credentials, amount })
                };
                validators.iter().map(deposit).collect()
            }
            (None, None, Some(Object(fields))) => {
                let purpose = terms(&fields.fee_recipient, fields.gas_limit, fields.timestamp)?;
                let registration = |fields: &RegisteredFields| item(&fields.public_key, purpose);
                fields.validators.iter().map(registration).collect()
            }
            _ => return Err(RequestFileError::Kinds),
        };
    match Items::new(items?)? {
        items if items.len() == 1 => Err(RequestFileError::Single),
        items => Ok(items),
    }
}

/// The key shares of a request of version 3.
pub(super) fn key_shares(file: &File) -> Result<Items, RequestFileError> {
    let single = [file.exit.is_some(), file.deposit.is_some(), file.registration.is_some()];
    let lists = [file.exits.is_some(), file.deposits.is_some(), file.registrations.is_some()];
    let fields = match &file.key_shares {
        Some(Object(fields)) if file.public_key.is_none() && file.cluster_lock.is_none() => fields,
        _ => return Err(RequestFileError::KeyShares),
    };
    if single.contains(&true) || lists.contains(&true) {
        return Err(RequestFileError::KeyShares);
    }
    let owner =
        ExecutionAddress::parse_checksummed(&fields.owner).map_err(RequestFileError::Owner)?;
    let key = |(number, text): (usize, &String)| {
        RsaPublic::parse(text).map_err(|error| RequestFileError::OperatorKey { number, error })
    };
    let keys = (1..).zip(&fields.operator_keys).map(key).collect::<Result<_, _>>()?;
    let validators = fields.validators.iter();
    let validators = validators
        .map(|RegisteredFields { public_key }| prefixed("validators.public_key", public_key))
        .collect::<Result<_, _>>()?;
    Ok(Items::key_shares(validators, OwnerNonce { owner, nonce: fields.nonce }, keys)?)
}

/// The lock of a request of version 4.
pub(super) fn lock(file: &File) -> Result<Items, RequestFileError> {
    let single = [file.exit.is_some(), file.deposit.is_some(), file.registration.is_some()];
    let lists = [file.exits.is_some(), file.deposits.is_some(), file.registrations.is_some()];
    let fields = match &file.cluster_lock {
        Some(Object(fields)) if file.public_key.is_none() && file.key_shares.is_none() => fields,
        _ => return Err(RequestFileError::Lock),
    };
    if single.contains(&true) || lists.contains(&true) {
        return Err(RequestFileError::Lock);
    }
    let (definition, contract_wallets) =
        (fields.definition.clone(), fields.contract_wallets.clone());
    let cluster = ObolEntry { definition, contract_wallets }.cluster();
    let cluster = cluster.map_err(|error| RequestFileError::Cluster(Box::new(error)))?;
    let validators = fields.validators.iter();
    let validators = validators
        .map(|RegisteredFields { public_key }| prefixed("validators.public_key", public_key))
        .collect::<Result<_, _>>()?;
    Ok(Items::lock(validators, cluster)?)
}

/// Says in a file what to sign.
pub(super) fn fill(file: &mut File, items: &Items) {
    let key = |item: &Item| format!("0x{}", hex::encode(item.public_key));
    let first = items.first();
    if let Purpose::KeyShares(OwnerNonce { owner, nonce }) = first.purpose {
        let validators = items.iter().map(|item| RegisteredFields { public_key: key(item) });
        file.key_shares = Some(Object(KeySharesFields {
            owner: owner.to_string(),
            nonce,
            operator_keys: items.operator_keys().iter().map(RsaPublic::to_text).collect(),
            validators: validators.collect(),
        }));
        return;
    }
    if let Some(cluster) = items.cluster() {
        let ObolEntry { definition, contract_wallets } = ObolEntry::from(cluster);
        let validators = items.iter().map(|item| RegisteredFields { public_key: key(item) });
        let validators = validators.collect();
        file.cluster_lock = Some(Object(LockFields { definition, contract_wallets, validators }));
        return;
    }
    if items.len() == 1 {
        file.public_key = Some(key(first));
        match first.purpose {
            Purpose::Exit(VoluntaryExit { epoch, validator_index }) => {
                file.exit = Some(Object(ExitFields { validator_index, epoch }));
            }
            Purpose::Deposit { withdrawal_credentials, amount } => {
                let withdrawal_credentials = withdrawal_credentials.to_string();
                file.deposit = Some(Object(DepositFields { withdrawal_credentials, amount }));
            }
            Purpose::Registration(Terms { fee_recipient, gas_limit, timestamp }) => {
                let fee_recipient = fee_recipient.to_string();
                let fields = RegistrationFields { fee_recipient, gas_limit, timestamp };
                file.registration = Some(Object(fields));
            }
            Purpose::KeyShares(_) | Purpose::Lock => {}
        }
        return;
    }
    let (mut exiting, mut funded, mut registered) = (Vec::new(), Vec::new(), Vec::new());
    for item in items.iter() {
        let public_key = key(item);
        match item.purpose {
            Purpose::Exit(VoluntaryExit { validator_index, .. }) => {
                exiting.push(ExitingFields { public_key, validator_index });
            }
            Purpose::Deposit { withdrawal_credentials, .. } => {
                let withdrawal_credentials = withdrawal_credentials.to_string();
                funded.push(FundedFields { public_key, withdrawal_credentials });
            }
            Purpose::Registration(_) => registered.push(RegisteredFields { public_key }),
            Purpose::KeyShares(_) | Purpose::Lock => {}
        }
    }
    match first.purpose {
        Purpose::Exit(VoluntaryExit { epoch, .. }) => {
            file.exits = Some(Object(ExitList { epoch, validators: exiting }));
        }
        Purpose::Deposit { amount, .. } => {
            file.deposits = Some(Object(DepositList { amount, validators: funded }));
        }
        Purpose::Registration(Terms { fee_recipient, gas_limit, timestamp }) => {
            let (fee_recipient, validators) = (fee_recipient.to_string(), registered);
            let list = RegistrationList { fee_recipient, gas_limit, timestamp, validators };
            file.registrations = Some(Object(list));
        }
        Purpose::KeyShares(_) | Purpose::Lock => {}
    }
}
