//! A ceremony out of a file: every text parsed, every rule checked, or the first that is broken.

use super::{
    AmountText, CeremonyFile, DEFAULT_GAS_LIMIT, NetworkEntry, ObolEntry, OperatorEntry, SsvEntry,
    ValidatorEntry, import, printable, repair, reshare,
};
use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::network::{CustomNetwork, Network};
use crate::ethereum::ssv::RsaPublic;
use crate::identity::card::OperatorCard;
use crate::primitives::hash::Digest;
use crate::spec::ceremony::{Ceremony, MOST_VALIDATORS, RegistrationSpec, ValidatorSpec};
use crate::spec::endpoint::Endpoint;
use crate::spec::error::{Place, SpecError};
use crate::spec::kind::CeremonyKind;
use crate::spec::preregistration;
use crate::spec::reshare::ReshareError;
use crate::spec::roster::Seat;
use crate::spec::ssv::SsvSpec;
use crate::spec::terms::Terms;
use crate::spec::validator::check_validator;
use crate::spec::version::Version;

impl TryFrom<CeremonyFile> for Ceremony {
    type Error = SpecError;

    fn try_from(file: CeremonyFile) -> Result<Self, SpecError> {
        let version = u16::try_from(file.version).ok().and_then(Version::from_number);
        let version = version.ok_or(SpecError::FileVersion(file.version))?;
        repair::absent(&file).map_err(ReshareError::from)?;
        match (&file.parent, &file.import) {
            (None, None) => {}
            (Some(parent), None) => return Self::check(reshare::terms(&file, parent, version)?),
            (None, Some(entry)) => return Self::check(import::terms(&file, entry, version)?),
            (Some(_), Some(_)) => return Err(ReshareError::Both.into()),
        }
        reshare::absent(&file)?;
        let network = parse_network(&file.network)?;
        Self::check(Terms {
            version,
            kind: CeremonyKind::Dkg,
            id: hex("id", &file.id)?,
            supersedes: file
                .supersedes
                .as_deref()
                .map(|text| hex("supersedes", text))
                .transpose()?
                .map(Digest),
            required: file.threshold.into(),
            seats: file.operators.iter().enumerate().map(parse_seat).collect::<Result<_, _>>()?,
            validators: parse_validators(&file.validators, &network, file.ssv.is_some(), version)?,
            ssv: parse_ssv(file.ssv.as_ref(), &file.operators, version)?,
            preregistration: preregistration::of_file(file.preregistration.as_ref(), version)?,
            name: file.name,
            attempt: file.attempt,
            network,
            allow_all_required: file.policy.allow_all_required,
            obol: file.obol.as_ref().map(ObolEntry::cluster).transpose()?,
            reshare: None,
        })
    }
}

pub(super) fn hex<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], SpecError> {
    let mut bytes = [0; N];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| SpecError::Hex { field, digits: 2 * N })?;
    Ok(bytes)
}

pub(super) fn parse_network(entry: &NetworkEntry) -> Result<Network, SpecError> {
    let table = match entry {
        NetworkEntry::Known(name) => {
            let shown =
                || SpecError::NetworkUnknown(printable(&name.chars().take(40).collect::<String>()));
            return Network::known(name).ok_or_else(shown);
        }
        NetworkEntry::Custom(table) => table,
    };
    let capella = table.capella_fork_version.as_deref();
    Network::custom(CustomNetwork {
        name: table.name.clone(),
        genesis_fork_version: hex("network.genesis_fork_version", &table.genesis_fork_version)?,
        capella_fork_version: capella
            .map(|text| hex("network.capella_fork_version", text))
            .transpose()?,
        genesis_validators_root: hex(
            "network.genesis_validators_root",
            &table.genesis_validators_root,
        )?,
        genesis_time: table.genesis_time,
    })
    .map_err(SpecError::Network)
}

pub(super) fn parse_seat((position, entry): (usize, &OperatorEntry)) -> Result<Seat, SpecError> {
    let place = |field| Place::operator(position, field);
    let card = OperatorCard::parse(&entry.card)
        .map_err(|source| SpecError::Card { place: place("card"), source })?;
    let address = match &entry.address {
        None => None,
        Some(text) => Some(
            Endpoint::parse(text)
                .map_err(|source| SpecError::Address { place: place("address"), source })?,
        ),
    };
    let usual = u64::try_from(position).unwrap_or(u64::MAX).saturating_add(1);
    Ok(Seat { card, point: entry.point.unwrap_or(usual), address })
}

/// An address that money is to go to. Ceremonies of version 1 are taken as they were agreed.
fn destination(text: &str, version: Version) -> Result<ExecutionAddress, AddressError> {
    let address = ExecutionAddress::parse_checksummed(text)?;
    match version {
        Version::One => Ok(address),
        Version::Two => address.usable(),
    }
}

/// `[ssv]` with the operators' keys. What neither asks for is refused.
fn parse_ssv(
    entry: Option<&SsvEntry>,
    operators: &[OperatorEntry],
    version: Version,
) -> Result<Option<SsvSpec>, SpecError> {
    let Some(SsvEntry { owner, nonce }) = entry else {
        return match operators.iter().position(|operator| operator.ssv_key.is_some()) {
            None => Ok(None),
            Some(position) => {
                Err(SpecError::SsvKeyAlone { place: Place::operator(position, "ssv_key") })
            }
        };
    };
    let key = |(position, operator): (usize, &OperatorEntry)| {
        let place = |field| Place::operator(position, field);
        if operator.point.is_none() {
            return Err(SpecError::SsvPointMissing { place: place("point") });
        }
        let text = operator
            .ssv_key
            .as_deref()
            .ok_or(SpecError::SsvKeyMissing { place: place("ssv_key") })?;
        RsaPublic::parse(text)
            .map_err(|source| SpecError::SsvKey { place: place("ssv_key"), source })
    };
    Ok(Some(SsvSpec {
        owner: destination(owner, version).map_err(SpecError::SsvOwner)?,
        nonce: *nonce,
        keys: operators.iter().enumerate().map(key).collect::<Result<_, _>>()?,
    }))
}

/// Each block parsed and checked once, then repeated; counted before anything is repeated.
fn parse_validators(
    entries: &[ValidatorEntry],
    network: &Network,
    for_ssv: bool,
    version: Version,
) -> Result<Vec<ValidatorSpec>, SpecError> {
    let total = entries.iter().fold(0_u64, |total, entry| total.saturating_add(entry.count));
    if usize::try_from(total).map_or(true, |total| total > MOST_VALIDATORS) {
        return Err(SpecError::TooManyValidators(total));
    }
    let mut validators = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        if entry.count == 0 {
            return Err(SpecError::CountZero { place: Place::validator(position, "count") });
        }
        let validator = parse_validator(position, entry, network, version)?;
        check_validator(position, &validator, network, for_ssv)?;
        validators.extend((0..entry.count).map(|_| validator.clone()));
    }
    Ok(validators)
}

fn parse_validator(
    position: usize,
    entry: &ValidatorEntry,
    network: &Network,
    version: Version,
) -> Result<ValidatorSpec, SpecError> {
    let place = |field| Place::validator(position, field);
    let address = destination(&entry.withdrawal, version)
        .map_err(|source| SpecError::Withdrawal { place: place("withdrawal"), source })?;
    let withdrawal = match entry.compounding {
        true => WithdrawalCredentials::compounding(address),
        false => WithdrawalCredentials::execution(address),
    };
    let amount = |text: &AmountText| {
        network
            .unit()
            .parse(&text.0)
            .map_err(|source| SpecError::Amount { place: place("amounts"), source })
    };
    let amounts = match &entry.amounts {
        None => vec![network.standard_amount()],
        Some(texts) => texts.iter().map(amount).collect::<Result<_, _>>()?,
    };
    let registration = match (&entry.fee_recipient, entry.gas_limit) {
        (None, None) => None,
        (None, Some(_)) => return Err(SpecError::GasLimitAlone { place: place("gas_limit") }),
        (Some(text), gas_limit) => {
            let fee_recipient = destination(text, version).map_err(|source| {
                SpecError::FeeRecipient { place: place("fee_recipient"), source }
            })?;
            Some(RegistrationSpec {
                fee_recipient,
                gas_limit: gas_limit.unwrap_or(DEFAULT_GAS_LIMIT),
            })
        }
    };
    Ok(ValidatorSpec { withdrawal, amounts, registration })
}
