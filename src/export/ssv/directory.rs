//! The folder of a key generation for SSV: one folder for each validator, named by nonce and key,
//! with three files; with several validators, also three files for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::keyshares_read::check_registrations;
use super::{
    KeyshareError, Registration, SignedProof, Stamp, parse_keyshares, parse_proofs, verify_proofs,
    write_keyshares, write_proofs,
};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::network::Network;
use crate::ethereum::ssv::OwnerNonce;
use crate::export::launchpad::{
    DepositFileError, SignedDeposit, parse_deposits, verify_deposits, write_deposits,
};
use crate::export::{Artifact, Audience};

const DEPOSITS: &str = "deposit_data.json";
const KEYSHARES: &str = "keyshares.json";
const PROOFS: &str = "proofs.json";
/// What is in each folder, and nothing else.
const NAMES: [&str; 3] = [DEPOSITS, KEYSHARES, PROOFS];
/// Least and most gwei of a deposit: SSV's validators are activated by one.
const AMOUNTS: core::ops::RangeInclusive<u64> = 32_000_000_000..=2_048_000_000_000;

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryFile {
    /// Its name from the folder on, `/` between folders.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a folder must be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The network of the deposits.
    pub network: Network,
    /// Owner, and the nonce of the first validator.
    pub first: OwnerNonce,
    /// Where the deposits are withdrawn to.
    pub withdrawal: ExecutionAddress,
    /// How many validators there are.
    pub validators: usize,
}

/// Why a folder is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A deposit of an amount that does not activate a validator.
    #[error("{path}: amount: {amount} is not one deposit of 32 to 2048 ETH")]
    Amount {
        /// The file.
        path: String,
        /// The amount, with its unit.
        amount: String,
    },
    /// Another number of validators.
    #[error("{found} folders of validators instead of {expected}")]
    Count {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A deposit file is refused.
    #[error("{path}: {error}")]
    Deposit {
        /// The file.
        path: String,
        /// Why.
        error: DepositFileError,
    },
    /// A file for all validators does not say what those of each say.
    #[error("{path}: does not combine the files of the single validators in their order")]
    Differs {
        /// The file.
        path: String,
    },
    /// A file of key shares or proofs is refused.
    #[error("{path}: {error}")]
    Keyshare {
        /// The file.
        path: String,
        /// Why.
        error: KeyshareError,
    },
    /// A file that must be there is not.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A file holds more than one validator, or a folder's name does not say what is in its files.
    #[error("{path}: {found} instead of {expected}")]
    Name {
        /// The file.
        path: String,
        /// What the folder says.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// Something that other tools would refuse the folder for.
    #[error("{path} does not belong in this folder")]
    Unexpected {
        /// The file.
        path: String,
    },
    /// Deposits that are withdrawn to another address.
    #[error("{path}: withdrawal_credentials: {found} instead of {expected}")]
    Withdrawal {
        /// The file.
        path: String,
        /// The address that was expected.
        expected: ExecutionAddress,
        /// The address in the file.
        found: ExecutionAddress,
    },
}

impl DirectoryError {
    /// The field at fault, or the file.
    pub fn field(&self) -> String {
        match self {
            Self::Amount { .. } => "amount".to_owned(),
            Self::Count { .. } => "folders".to_owned(),
            Self::Deposit { error, .. } => error.field().to_owned(),
            Self::Keyshare { error, .. } => error.field().to_owned(),
            Self::Differs { path }
            | Self::Missing { path }
            | Self::Name { path, .. }
            | Self::Unexpected { path } => path.clone(),
            Self::Withdrawal { .. } => "withdrawal_credentials".to_owned(),
        }
    }
}

/// The name of a validator's folder: six digits at least, so that names sort as numbers.
fn folder(nonce: u64, validator: &[u8; 48]) -> String {
    format!("{nonce:06}-0x{}", hex::encode(validator))
}

/// All files, in a folder named by the time. Each validator has one registration, its proofs, and
/// one deposit, in the same order.
///
/// # Panics
/// If there are not as many of each.
pub fn directory_artifacts(
    created: Stamp,
    network: &Network,
    registrations: &[Registration],
    proofs: &[Vec<SignedProof>],
    deposits: &[SignedDeposit],
) -> Vec<Artifact> {
    assert!(
        registrations.len() == proofs.len() && proofs.len() == deposits.len(),
        "one of each for a validator"
    );
    let public = |name: String, bytes| Artifact {
        name: format!("{}/{name}", created.folder()),
        audience: Audience::Public,
        bytes,
    };
    let mut files = Vec::new();
    for (i, registration) in registrations.iter().enumerate() {
        let folder =
            folder(registration.owner_nonce.nonce, &registration.validator.to_compressed());
        let one = i..i + 1;
        files.push(public(
            format!("{folder}/{DEPOSITS}"),
            write_deposits(network, &deposits[one.clone()]),
        ));
        files.push(public(
            format!("{folder}/{KEYSHARES}"),
            write_keyshares(created, &registrations[one.clone()]),
        ));
        files.push(public(format!("{folder}/{PROOFS}"), write_proofs(&proofs[one], false)));
    }
    if registrations.len() > 1 {
        files.push(public(DEPOSITS.to_owned(), write_deposits(network, deposits)));
        files.push(public(KEYSHARES.to_owned(), write_keyshares(created, registrations)));
        files.push(public(PROOFS.to_owned(), write_proofs(proofs, true)));
    }
    files
}

/// The files of a folder by name, with those of the operating system left out.
struct Files<'a>(BTreeMap<&'a str, &'a [u8]>);

impl Files<'_> {
    fn get(&self, path: &str) -> Result<&[u8], DirectoryError> {
        self.0.get(path).copied().ok_or_else(|| DirectoryError::Missing { path: path.to_owned() })
    }
}

/// Verifies a folder completely: names, deposits, key shares, proofs, that they belong together,
/// and that they are what is `expected`. What is encrypted only the operators can see. The
/// registrations, in order.
pub fn verify_directory(
    files: &[DirectoryFile],
    expected: &Expected,
) -> Result<Vec<Registration>, DirectoryError> {
    let litter = |path: &str| path.ends_with(".DS_Store") || path.ends_with("Thumbs.db");
    let files = Files(
        files
            .iter()
            .map(|file| (file.path.as_str(), file.bytes.as_slice()))
            .filter(|(path, _)| !litter(path))
            .collect(),
    );
    let folders: BTreeSet<&str> =
        files.0.keys().filter_map(|path| path.split_once('/').map(|(folder, _)| folder)).collect();
    if folders.len() != expected.validators {
        return Err(DirectoryError::Count { expected: expected.validators, found: folders.len() });
    }
    for path in files.0.keys() {
        let name = path.split_once('/').map_or(*path, |(_, name)| name);
        let aggregate = name == *path;
        if !NAMES.contains(&name) || (aggregate && expected.validators == 1) {
            return Err(DirectoryError::Unexpected { path: (*path).to_owned() });
        }
    }
    let mut registrations = Vec::with_capacity(folders.len());
    let mut proofs = Vec::with_capacity(folders.len());
    let mut deposits = Vec::with_capacity(folders.len());
    for folder in folders {
        let Validator { registration, signed, deposit } = validator(&files, folder, expected)?;
        registrations.push(registration);
        proofs.push(signed);
        deposits.push(deposit);
    }
    // Of the whole: that nonces follow one another is told by the names, as is that no key occurs
    // twice.
    let keyshare = |error| DirectoryError::Keyshare { path: KEYSHARES.to_owned(), error };
    check_registrations(&registrations, Some(expected.first)).map_err(keyshare)?;
    if expected.validators > 1 {
        let differs = |path: &str| DirectoryError::Differs { path: path.to_owned() };
        let error = |error| DirectoryError::Deposit { path: DEPOSITS.to_owned(), error };
        // Their signatures have been verified one by one.
        if parse_deposits(files.get(DEPOSITS)?, &expected.network).map_err(error)? != deposits {
            return Err(differs(DEPOSITS));
        }
        if parse_keyshares(files.get(KEYSHARES)?).map_err(keyshare)? != registrations {
            return Err(differs(KEYSHARES));
        }
        let error = |error| DirectoryError::Keyshare { path: PROOFS.to_owned(), error };
        if parse_proofs(files.get(PROOFS)?).map_err(error)? != proofs {
            return Err(differs(PROOFS));
        }
    }
    Ok(registrations)
}

/// What the three files of a folder say.
struct Validator {
    registration: Registration,
    signed: Vec<SignedProof>,
    deposit: SignedDeposit,
}

fn validator(
    files: &Files<'_>,
    name: &str,
    expected: &Expected,
) -> Result<Validator, DirectoryError> {
    let path = |file: &str| format!("{name}/{file}");
    let other = |file: &str, expected: String, found: String| DirectoryError::Name {
        path: path(file),
        expected,
        found,
    };
    let single = |file: &str, found: usize| {
        other(file, "one validator".to_owned(), format!("{found} validators"))
    };
    let error = |error| DirectoryError::Keyshare { path: path(KEYSHARES), error };
    let registrations = parse_keyshares(files.get(&path(KEYSHARES))?).map_err(error)?;
    let [registration] = registrations.as_slice() else {
        return Err(single(KEYSHARES, registrations.len()));
    };
    let validator = registration.validator.to_compressed();
    let named = folder(registration.owner_nonce.nonce, &validator);
    if named != name {
        return Err(other(KEYSHARES, name.to_owned(), named));
    }
    check_registrations(&registrations, None).map_err(error)?;

    let error = |error| DirectoryError::Keyshare { path: path(PROOFS), error };
    let proofs = parse_proofs(files.get(&path(PROOFS))?).map_err(error)?;
    verify_proofs(&registrations, &proofs).map_err(error)?;
    let [signed] = proofs.as_slice() else { return Err(single(PROOFS, proofs.len())) };

    let error = |error| DirectoryError::Deposit { path: path(DEPOSITS), error };
    let deposits =
        verify_deposits(files.get(&path(DEPOSITS))?, &expected.network, None).map_err(error)?;
    let [deposit] = deposits.as_slice() else { return Err(single(DEPOSITS, deposits.len())) };
    let message = &deposit.message;
    if message.pubkey != validator {
        return Err(other(DEPOSITS, hex::encode(validator), hex::encode(message.pubkey)));
    }
    if !AMOUNTS.contains(&message.amount) {
        let amount = expected.network.unit().text(message.amount);
        return Err(DirectoryError::Amount { path: path(DEPOSITS), amount });
    }
    let found = message.withdrawal_credentials.address();
    if found != expected.withdrawal {
        return Err(DirectoryError::Withdrawal {
            path: path(DEPOSITS),
            expected: expected.withdrawal,
            found,
        });
    }
    Ok(Validator { registration: registration.clone(), signed: signed.clone(), deposit: *deposit })
}
