//! Deposit files, as the staking launchpad and Ethereum's deposit tool read and write them, and
//! builder registrations, as the beacon and builder APIs take them; and preregistrations, a draft.

mod ceremony;

mod deposit_read;

mod deposit_write;

mod entry;

mod preregistrations;

mod registrations;

pub use ceremony::{
    CeremonyDeposits, CeremonyFileError, OutcomeError, compare_deposit_file, deposit_files, files,
    preregistrations_file, registrations_file, signed_deposits, verify_deposit_file,
    verify_registrations_file,
};
pub use deposit_read::{DepositFileError, Fault, parse_deposits, verify_deposits};
pub use deposit_write::{deposit_artifacts, write_deposits};
pub use preregistrations::{
    PreregistrationFileError, SignedPreregistration, verify_preregistrations,
    write_preregistrations,
};
pub use registrations::{
    CHARON_REGISTRATIONS, RegistrationFileError, SignedRegistration, verify_registrations,
    write_charon_registrations, write_registrations,
};

use serde::Serialize;

use crate::ethereum::deposit::DepositMessage;
use crate::primitives::curve::G2;

/// Most entries of a file: 8192 validators with 8 deposits each.
const MOST_ENTRIES: usize = 8192 * 8;
/// Most bytes of an entry, spaces and line ends included.
const ENTRY_BYTES: usize = 1024;

/// A deposit message with its signature: a row of a deposit file. The signature is a point, but not
/// yet known to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedDeposit {
    /// What is signed.
    pub message: DepositMessage,
    /// The signature by the key in the message.
    pub signature: G2,
}

/// Most bytes of a file.
const LARGEST: usize = MOST_ENTRIES * ENTRY_BYTES;

/// Indented JSON with a line end: always the same bytes for the same entries.
fn json_lines<T: Serialize>(entries: &[T]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(entries).expect("texts and numbers are always JSON");
    bytes.push(b'\n');
    bytes
}
