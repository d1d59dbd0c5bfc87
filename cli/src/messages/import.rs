//! Messages about imports.

use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::report::{CliError, Exit};
use quorate::ethereum::deposit::CredentialsError;
use quorate::ethereum::keystore::KeystoreError;
use quorate::spec::SpecError;

/// An import that was to be made of flags.
pub(crate) fn import(error: &SpecError) -> CliError {
    let fix = match error {
        SpecError::AllRequired(_) => {
            "choose a lower --threshold; or add --allow-all-required, if all operators want that"
        }
        SpecError::CardVersion { .. } => {
            "ask this operator for its card (quorate identity show), and give it with --operator"
        }
        _ => "correct the flags; positions count from 0, in the order of --operator",
    };
    usage(format!("this import is invalid: {error}"), fix)
}

/// A keystore that is none, or that the password does not open.
pub(crate) fn keystore_to_import(path: &Path, error: &KeystoreError) -> CliError {
    let fix = match error {
        KeystoreError::Checksum => {
            "give the password of the keystores with --password-file, or put it in a file beside \
             each of them; nothing is signed"
        }
        _ => "give the keystores as the tools wrote them that made the keys; nothing is signed",
    };
    local(format!("{}: {error}", shown(path)), fix)
}

/// Two keystores of one key.
pub(crate) fn keystore_twice(one: &Path, other: &Path) -> CliError {
    usage(
        format!("{} and {} have the same key", shown(one), shown(other)),
        "give a folder that has each key once",
    )
}

/// A key that a beacon node's answer does not have.
pub(crate) fn not_on_chain(path: &Path, key: &[u8; 48]) -> CliError {
    usage(
        format!("{} does not have the validator 0x{}", shown(path), hex::encode(key)),
        "save the node's answer about all keys of the keystores; only validators that exist are \
         imported. To claim credentials without the chain, use --withdrawal and --compounding",
    )
}

/// Credentials that no ceremony has.
pub(crate) fn cannot_be_imported(
    path: &Path,
    key: &[u8; 48],
    error: &CredentialsError,
) -> CliError {
    usage(
        format!("{}: validator 0x{}: {error}", shown(path), hex::encode(key)),
        "give the validator a withdrawal address first, with the tools that made its key (BLS to \
         execution change); then import it",
    )
}

/// The operator that deals the keys, without them.
pub(crate) fn keys_needed(ceremony: &str) -> CliError {
    usage(
        format!("this operator holds the keys that {ceremony:?} deals, and has not dealt them yet"),
        "give their keystores with --keystores, until the program asks you to stop the validator \
         client",
    )
}

/// Keystores, for somebody who deals no keys.
pub(crate) fn deals_no_keys(ceremony: &str) -> CliError {
    usage(
        format!("--keystores: this operator deals no keys in {ceremony:?}"),
        "run the command without --keystores",
    )
}

/// A key of the file that no keystore has.
pub(crate) fn no_keystore_of(path: &Path, key: &[u8; 48], missing: usize) -> CliError {
    let more = match missing {
        0 | 1 => String::new(),
        _ => format!(", and of {} more keys of the import", missing - 1),
    };
    usage(
        format!("{} has no keystore of 0x{}{more}", shown(path), hex::encode(key)),
        "give the folder from which the file was drafted, or ask the coordinator for the right \
         file; nothing was decrypted, and nothing is signed",
    )
}

/// A deposit to credentials that nobody has proven.
pub(crate) fn claimed_credentials(request: Option<&Path>) -> CliError {
    let again = request.map_or_else(String::new, |request| format!(" ({})", quoted(request)));
    CliError::new(
        Exit::Finding,
        "these keys were imported: their withdrawal credentials are claimed, and nothing proves \
         them",
        format!(
            "save a beacon node's answer about the validators, and give it with --beacon{again}. A \
             deposit is signed only if the chain has them with these credentials"
        ),
    )
}

/// What a fault leaves of an import.
pub(crate) fn import_stopped(prepared: bool) -> &'static str {
    match prepared {
        true => {
            "Your shares stay stored. If the other operators complete the certificate, this import \
             can still finish: run the same command again. Until it has finished, nobody uses its \
             shares. The validators live on with the whole keys as long as these are not removed: \
             ask the dealer."
        }
        false => {
            "By the log in this folder, this operator never confirmed its shares. If no newer log \
             of it exists, this import cannot finish. The validators live on with the whole keys."
        }
    }
}

/// What an abandonment leaves of an import, before this operator's commit.
pub(crate) fn import_abandoned(prepared: bool) -> &'static str {
    match prepared {
        true => {
            "This operator has signed that its shares are stored. They stay sealed where they are. \
             If no newer log of it exists, nobody ever uses the shares of this import. The \
             validators live on with the whole keys as long as these are not removed: ask the \
             dealer. A removed key is loaded again only with the protection data that was stated \
             of it."
        }
        false => {
            "By the log in this folder, this operator never confirmed shares. If no newer log of \
             it exists, this import cannot finish. The validators live on with the whole keys."
        }
    }
}

/// What the stop of an import does.
pub(crate) fn import_stands() -> &'static str {
    "With this stop, the validators sign nothing until the shares run. It cannot be taken back in \
     this ceremony once the shares are final."
}

/// What the dealer of an import does once its outputs are written: only now can anything replace
/// the keys.
pub(crate) fn destroy_keystores() -> &'static str {
    "The shares replace the whole keys from now on. Destroy every copy of the keystores that you \
     dealt; nobody can check that you did."
}

/// A draft of an import: the loss of one of these leaves too few.
pub(crate) fn import_needs_to_the_end(names: &str) -> String {
    format!(
        "WARNING: each of these must last until the end: {names}. If one of them is lost after the \
         keys are removed, nobody can finish. Keep the keystores offline until the outputs are \
         written."
    )
}

/// The sentence of who removes whole keys.
pub(crate) const KEYS_REMOVED: &str = "these keys are removed from every validator client";

pub(crate) fn keys_not_removed_by_word() -> CliError {
    usage(
        format!("that is not the sentence: {KEYS_REMOVED}"),
        "if it is true, type it word for word. A client that is only stopped does not count: it \
         starts again by itself one night",
    )
}

/// The operator that holds the keys, left out of a next attempt.
pub(crate) fn import_needs_dealer() -> CliError {
    local(
        "--without: this operator holds the keys, and nobody else can deal them",
        "leave another operator out; or draft a new import with: quorate import new",
    )
}
