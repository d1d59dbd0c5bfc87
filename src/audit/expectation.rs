//! Compares a transcript with what its reader supplies: the ceremony file, deposit files, shares.

use std::collections::BTreeMap;

use crate::export::launchpad::compare_deposit_file;
use crate::primitives::curve::{G1, SecretScalar};
use crate::spec::ceremony::Ceremony;
use crate::spec::show::{numbers, plural};

use super::code::Code;
use super::describe;
use super::facts::Audited;
use super::family::Family;
use super::ledger::{Got, Ledger, Stop, have};
use super::ssv;

pub use super::difference::{Difference, differences};

/// Most differences that are written out.
pub(super) const MOST_DIFFERENCES: usize = 20;

/// What the reader brings. Nothing is required.
#[derive(Default)]
pub struct Expectations<'a> {
    /// The ceremony that the transcript should be of.
    pub ceremony: Option<&'a Ceremony>,
    /// Deposit files: name and bytes of each, of the transcript's deposits and no others.
    pub deposit_files: &'a [(&'a str, &'a [u8])],
    /// Files of key shares for SSV (`keyshares.json`): name and bytes of each.
    pub keyshare_files: &'a [(&'a str, &'a [u8])],
    /// Files of proofs for SSV (`proofs.json`): name and bytes of each.
    pub proof_files: &'a [(&'a str, &'a [u8])],
    /// A cluster-lock.json, with its name: exactly the transcript's.
    pub lock: Option<(&'a str, &'a [u8])>,
    /// One operator's shares of all validators.
    pub shares: &'a [HeldShare],
    /// Whether everything is to be checked once more, one thing after the other: many times longer,
    /// and sound without randomness.
    pub exhaustive: bool,
    /// The transcripts that were given together, this one among them.
    pub family: Option<&'a Family>,
}

/// The public side of a share that the reader holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldShare {
    name: String,
    key: Option<G1>,
}

impl HeldShare {
    /// From the share; only its public key is kept. `name` is that of its file.
    pub fn new(name: &str, share: &SecretScalar) -> Self {
        Self { name: name.to_owned(), key: share.base_mult() }
    }

    /// From a public key whose secret the caller has seen, for instance that of a keystore which it
    /// has decrypted.
    pub fn from_public(name: &str, key: G1) -> Self {
        Self { name: name.to_owned(), key: Some(key) }
    }
}

/// Writes a line for each thing that the reader brought, but the ceremony file: that was compared
/// as soon as the spec was read.
pub(super) fn compare(
    expectations: &Expectations<'_>,
    ledger: &mut Ledger,
    audited: &Got<Audited>,
) {
    if !expectations.deposit_files.is_empty() {
        let _: Got<()> = ledger
            .check(Code::DepositData, || deposit_files(have(audited)?, expectations.deposit_files));
    }
    if !expectations.keyshare_files.is_empty() {
        let _: Got<()> = ledger.check(Code::KeyShares, || {
            let (files, proofs) = (expectations.keyshare_files, expectations.proof_files);
            ssv::keyshares(have(audited)?, files, proofs)
        });
    }
    if !expectations.proof_files.is_empty() {
        let _: Got<()> =
            ledger.check(Code::Proofs, || ssv::proofs(have(audited)?, expectations.proof_files));
    }
    if let Some((name, bytes)) = expectations.lock {
        let _: Got<()> =
            ledger.check(Code::LockFile, || super::lock::compare(have(audited)?, name, bytes));
    }
    if !expectations.shares.is_empty() {
        let _: Got<()> =
            ledger.check(Code::Shares, || one_seat(have(audited)?, expectations.shares));
    }
}

pub(super) type Checked = Result<((), String), Stop>;

pub(super) fn same_ceremony(expected: &Ceremony, found: &Ceremony) -> Checked {
    if expected.canonical() == found.canonical() {
        return Ok(((), format!("spec digest {}", found.digest())));
    }
    let differences = differences(expected, found);
    let shown = differences
        .iter()
        .take(MOST_DIFFERENCES)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    Err(match differences.len().saturating_sub(MOST_DIFFERENCES) {
        0 if differences.is_empty() => {
            "the signature of an operator card; names and keys match".to_owned()
        }
        0 => shown,
        more => format!("{shown}; and {more} more differences"),
    }
    .into())
}

/// Every file holds deposits of the transcript and no others; no deposit is in two files. What no
/// file has is said.
fn deposit_files(audited: &Audited, files: &[(&str, &[u8])]) -> Checked {
    let keys: Vec<G1> = audited.validators().iter().map(|validator| validator.public_key).collect();
    let unit = audited.ceremony().network().unit();
    let (mut seen, mut further) = (BTreeMap::new(), Vec::new());
    for (name, bytes) in files {
        let compared = compare_deposit_file(bytes, audited.ceremony(), &keys)
            .map_err(|error| format!("{name}: {error}"))?;
        for row in compared.deposits {
            if let Some(other) = seen.insert((row.message.pubkey, row.message.amount), name) {
                return Err(format!("{other} and {name} contain the same deposits").into());
            }
        }
        further.extend(compared.further);
    }
    let mut lacking: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (v, key) in keys.iter().enumerate() {
        let key = key.to_compressed();
        for amount in &audited.ceremony().validators()[v].amounts {
            if !seen.contains_key(&(key, *amount)) {
                lacking.entry(*amount).or_default().push(v);
            }
        }
    }
    let lacking: Vec<String> = lacking
        .iter()
        .map(|(amount, validators)| format!("{} for {}", unit.text(*amount), numbers(validators)))
        .collect();
    let lacking = match lacking.is_empty() {
        true => String::new(),
        false => format!("; not in any file: {}", lacking.join(", ")),
    };
    let mut later: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for message in &further {
        let validator = keys.iter().position(|key| key.to_compressed() == message.pubkey);
        later.entry(message.amount).or_default().extend(validator);
    }
    let later: Vec<String> = later
        .iter()
        .map(|(amount, validators)| format!("{} for {}", unit.text(*amount), numbers(validators)))
        .collect();
    let later = match later.is_empty() {
        true => String::new(),
        false => format!(
            "; signed later, and not by the ceremony, to the same withdrawal credentials: {}",
            later.join(", ")
        ),
    };
    let made = plural(audited.deposits().len(), "deposit");
    let seen = seen.len() - further.len();
    Ok((
        (),
        format!(
            "{seen} of the {made} that the ceremony signed, each exactly as signed{lacking}{later}"
        ),
    ))
}

/// The shares belong to one seat, one for each validator.
fn one_seat(audited: &Audited, shares: &[HeldShare]) -> Checked {
    let mut places = BTreeMap::new();
    for (v, validator) in audited.validators().iter().enumerate() {
        let receivers = audited.ceremony().receivers();
        for ((index, _), share) in receivers.zip(&validator.public_shares) {
            places.insert(share.to_compressed(), (v, index));
        }
    }
    let ceremony = Some(&**audited.ceremony());
    let mut seat = None;
    let mut held: BTreeMap<usize, &str> = BTreeMap::new();
    for HeldShare { name, key } in shares {
        let place = key.as_ref().and_then(|key| places.get(&key.to_compressed()));
        let (v, index) = place.ok_or_else(|| {
            format!("{name}: not a share of any operator and validator of this transcript")
        })?;
        let (first, owner) = *seat.get_or_insert((name, *index));
        if owner != *index {
            let (one, other) =
                (describe::operator(ceremony, owner), describe::operator(ceremony, *index));
            return Err(
                format!("{first} holds a share of {one}, but {name} a share of {other}").into()
            );
        }
        if let Some(other) = held.insert(*v, name) {
            return Err(format!("{other} and {name} hold the same share").into());
        }
    }
    let missing: Vec<String> = (0..audited.validators().len())
        .filter(|v| !held.contains_key(v))
        .map(|v| format!("validator {}", v + 1))
        .collect();
    match (seat, missing.len()) {
        (Some((_, index)), 0) => Ok((
            (),
            format!(
                "shares found: {}, one for each validator, all of {}",
                held.len(),
                describe::operator(ceremony, index)
            ),
        )),
        (_, count) => {
            let named = missing.into_iter().take(MOST_DIFFERENCES).collect::<Vec<_>>().join(", ");
            Err(format!("shares found: {}, missing: {count} ({named})", held.len()).into())
        }
    }
}
