//! Packs as TOML files, read strictly.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Addresses, Credentials, Kind, Pack, Presence, Rules, Threshold, Wallets};
use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::amount::Unit;
use crate::ethereum::network::Network;
use crate::spec::ceremony::{GAS_LIMITS, MOST_AMOUNTS, MOST_VALIDATORS};
use crate::spec::threshold::{FEWEST_OPERATORS, MOST_OPERATORS};

/// Most bytes of a file.
pub const MOST_BYTES: usize = 256 << 10;
const FORMAT: &str = "quorate-policy";
const VERSION: u32 = 1;
/// What stands for a member's address in the text that its wallet signs.
pub(super) const MEMBER: &str = "{member}";
/// What stands for the main address of the cluster.
pub(super) const MAIN: &str = "{main}";
/// Longest name, and longest of the other texts.
const LONGEST_NAME: usize = 32;
const LONGEST_TEXT: usize = 500;
/// Most entries of a list.
const MOST_ENTRIES: usize = 64;

/// Why a file is not a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Not TOML, a field that no pack has, or one that is missing.
    #[error("not a policy pack: {0}")]
    Toml(String),
    /// A field with a value that says nothing.
    #[error("{field}: {why}")]
    Field {
        /// The field.
        field: String,
        /// Why.
        why: String,
    },
    /// An address.
    #[error("{field}: {source}")]
    Address {
        /// The field.
        field: String,
        /// Why.
        source: AddressError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u32,
    name: String,
    title: String,
    date: String,
    sources: Vec<String>,
    #[serde(default)]
    not_checked: Vec<String>,
    #[serde(default)]
    networks: BTreeMap<String, NetworkTable>,
    #[serde(default)]
    ceremony: CeremonyTable,
    #[serde(default)]
    validators: ValidatorsTable,
    wallets: Option<WalletsTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    #[serde(default)]
    withdrawal: Vec<String>,
    #[serde(default)]
    fee_recipient: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CeremonyTable {
    operators: Option<Vec<u16>>,
    threshold: Option<ThresholdName>,
    cluster: Option<KindName>,
    validators: Option<Bounds<u32>>,
    #[serde(default)]
    validators_by_operators: BTreeMap<String, Bounds<u32>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct Bounds<T> {
    least: Option<T>,
    most: Option<T>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ValidatorsTable {
    credentials: Option<CredentialsName>,
    amounts: Option<Vec<String>>,
    #[serde(default)]
    one_withdrawal_address: bool,
    registrations: Option<PresenceName>,
    gas_limit: Option<Bounds<u64>>,
    #[serde(default)]
    no_doubtful_address: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WalletsTable {
    message: String,
    required: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum ThresholdName {
    TwoThirds,
    AtLeastTwoThirds,
    Byzantine,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum KindName {
    Obol,
    Ssv,
}

#[derive(Deserialize, Clone, Copy)]
enum CredentialsName {
    #[serde(rename = "0x01")]
    NotCompounding,
    #[serde(rename = "0x02")]
    Compounding,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum PresenceName {
    Required,
    Forbidden,
}

fn wrong(field: impl Into<String>, why: impl Into<String>) -> PackError {
    PackError::Field { field: field.into(), why: why.into() }
}

/// A text for people, on one line.
fn line(field: &str, text: &str) -> Result<String, PackError> {
    match (1..=LONGEST_TEXT).contains(&text.len()) && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(wrong(field, "not one line of 1 to 500 bytes")),
    }
}

fn lines(field: &str, texts: &[String]) -> Result<Vec<String>, PackError> {
    if texts.len() > MOST_ENTRIES {
        return Err(wrong(field, "more than 64 entries"));
    }
    texts.iter().map(|text| line(field, text)).collect()
}

fn addresses(field: &str, texts: &[String]) -> Result<Vec<ExecutionAddress>, PackError> {
    if texts.len() > MOST_ENTRIES {
        return Err(wrong(field, "more than 64 entries"));
    }
    let address = |text: &String| {
        ExecutionAddress::parse_checksummed(text)
            .map_err(|source| PackError::Address { field: field.to_owned(), source })
    };
    texts.iter().map(address).collect()
}

/// A range out of its ends, of which one at least is said.
fn range<T: Copy + PartialOrd>(
    field: &str,
    bounds: Bounds<T>,
    whole: std::ops::RangeInclusive<T>,
) -> Result<std::ops::RangeInclusive<T>, PackError> {
    if bounds.least.is_none() && bounds.most.is_none() {
        return Err(wrong(field, "neither least nor most"));
    }
    let (least, most) =
        (bounds.least.unwrap_or(*whole.start()), bounds.most.unwrap_or(*whole.end()));
    match least <= most && whole.contains(&least) && whole.contains(&most) {
        true => Ok(least..=most),
        false => Err(wrong(field, "no ceremony can be within these bounds")),
    }
}

fn is_name(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(letter)
}

/// `YYYY-MM-DD`, of a day that a calendar may have.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    number(year, 4).is_some()
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
}

impl Pack {
    /// Reads a file of at most 256 KiB, strictly.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        if text.len() > MOST_BYTES {
            return Err(wrong("file", "more than 256 KiB"));
        }
        let file: File =
            toml::from_str(text).map_err(|error| PackError::Toml(error.message().to_owned()))?;
        if file.format != FORMAT {
            return Err(wrong("format", format!("not {FORMAT:?}")));
        }
        if file.version != VERSION {
            return Err(wrong("version", format!("not {VERSION}")));
        }
        if !is_name(&file.name) {
            return Err(wrong("name", "not 1 to 32 lower-case letters, digits and '-'"));
        }
        if !is_date(&file.date) {
            return Err(wrong("date", "not a day like 2026-11-29"));
        }
        if file.sources.is_empty() {
            return Err(wrong("sources", "none: say where the demands are from"));
        }
        Ok(Self {
            name: file.name.clone(),
            title: line("title", &file.title)?,
            date: file.date.clone(),
            sources: lines("sources", &file.sources)?,
            not_checked: lines("not_checked", &file.not_checked)?,
            rules: Rules::read(&file)?,
        })
    }
}

impl Rules {
    fn read(file: &File) -> Result<Self, PackError> {
        let (ceremony, validators) = (&file.ceremony, &file.validators);
        let operators = ceremony.operators.as_ref().map(|counts| operators(counts)).transpose()?;
        let gas_limit =
            validators.gas_limit.map(|bounds| range("validators.gas_limit", bounds, GAS_LIMITS));
        Ok(Self {
            networks: networks(&file.networks)?,
            operators,
            threshold: ceremony.threshold.map(|name| match name {
                ThresholdName::TwoThirds => Threshold::TwoThirds,
                ThresholdName::AtLeastTwoThirds => Threshold::AtLeastTwoThirds,
                ThresholdName::Byzantine => Threshold::Byzantine,
            }),
            cluster: ceremony.cluster.map(|name| match name {
                KindName::Obol => Kind::Obol,
                KindName::Ssv => Kind::Ssv,
            }),
            validators: counts(ceremony)?,
            credentials: validators.credentials.map(|name| match name {
                CredentialsName::NotCompounding => Credentials::NotCompounding,
                CredentialsName::Compounding => Credentials::Compounding,
            }),
            amounts: validators.amounts.as_ref().map(|texts| amounts(texts)).transpose()?,
            one_withdrawal_address: validators.one_withdrawal_address,
            registrations: validators.registrations.map(|name| match name {
                PresenceName::Required => Presence::Required,
                PresenceName::Forbidden => Presence::Forbidden,
            }),
            gas_limit: gas_limit.transpose()?,
            no_doubtful_address: validators.no_doubtful_address,
            wallets: file.wallets.as_ref().map(wallets).transpose()?,
        })
    }
}

fn networks(
    tables: &BTreeMap<String, NetworkTable>,
) -> Result<BTreeMap<String, Addresses>, PackError> {
    let mut networks = BTreeMap::new();
    for (name, table) in tables {
        if Network::known(name).is_none() {
            return Err(wrong("networks", format!("{name:?} is not a network that is built in")));
        }
        let field = |which: &str| format!("networks.{name}.{which}");
        let addresses = Addresses {
            withdrawal: addresses(&field("withdrawal"), &table.withdrawal)?,
            fee_recipient: addresses(&field("fee_recipient"), &table.fee_recipient)?,
        };
        networks.insert(name.clone(), addresses);
    }
    Ok(networks)
}

fn operators(counts: &[u16]) -> Result<Vec<u16>, PackError> {
    let field = "ceremony.operators";
    let ascending = counts.windows(2).all(|pair| pair[0] < pair[1]);
    let possible = |count: &u16| (FEWEST_OPERATORS..=MOST_OPERATORS).contains(&usize::from(*count));
    match !counts.is_empty() && ascending && counts.iter().all(possible) {
        true => Ok(counts.to_vec()),
        false => Err(wrong(field, "not an ascending list of numbers of operators")),
    }
}

fn counts(
    ceremony: &CeremonyTable,
) -> Result<BTreeMap<u16, std::ops::RangeInclusive<u32>>, PackError> {
    let whole = 1..=u32::try_from(MOST_VALIDATORS).expect("8192");
    let mut counts = BTreeMap::new();
    if let Some(bounds) = ceremony.validators {
        counts.insert(0, range("ceremony.validators", bounds, whole.clone())?);
    }
    for (operators, bounds) in &ceremony.validators_by_operators {
        let field = format!("ceremony.validators_by_operators.{operators}");
        let operators = operators.parse().ok().filter(|count: &u16| *count > 1);
        let operators = operators.ok_or_else(|| wrong(&field, "not a number of operators"))?;
        counts.insert(operators, range(&field, *bounds, whole.clone())?);
    }
    Ok(counts)
}

/// Amounts that can be read in every unit.
fn amounts(texts: &[String]) -> Result<Vec<String>, PackError> {
    let field = "validators.amounts";
    if !(1..=MOST_AMOUNTS).contains(&texts.len()) {
        return Err(wrong(field, "not 1 to 8 amounts"));
    }
    for (text, unit) in texts.iter().flat_map(|text| Unit::ALL.map(|unit| (text, unit))) {
        unit.parse(text).map_err(|error| wrong(field, error.to_string()))?;
    }
    Ok(texts.to_vec())
}

fn wallets(table: &WalletsTable) -> Result<Wallets, PackError> {
    let field = "wallets.message";
    let message = line(field, &table.message)?;
    match message.contains(MEMBER) {
        true => Ok(Wallets { message, required: table.required }),
        false => Err(wrong(field, "it does not name the member: write {member}")),
    }
}
