//! Messages of the audit.

use std::path::Path;

use super::{local, shown};
use crate::report::{CliError, Exit};
use quorate::ethereum::keystore::KeystoreError;
use quorate::ethereum::network::listed;
use quorate::transcript::container::ContainerError;

pub(crate) fn not_a_transcript(path: &Path, error: &ContainerError) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{}: {error}", shown(path)),
        "do not deposit; ask for transcript.quorate again",
    )
}

/// `kind` as in a sentence that begins with "this is".
pub(crate) fn no_transcript(path: &Path, kind: &str) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{} is not a transcript: this is {kind}", shown(path)),
        "give transcript.quorate, from out/public of any operator of the ceremony",
    )
}

pub(crate) fn transcript_length(path: &Path, found: u64, expected: u64) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{}: {found} bytes, but its header announces {expected}", shown(path)),
        "do not deposit; ask for transcript.quorate again",
    )
}

pub(crate) fn no_keystores(path: &Path, inner: &[&str]) -> CliError {
    local(
        format!(
            "{}: no keystores (keystore*.json) in this folder or in its folders {}",
            shown(path),
            listed(inner.iter().copied(), "or")
        ),
        "give the folder with the keystores: after quorate run, out/secret of the ceremony",
    )
}

pub(crate) fn too_many_keystores(path: &Path, most: usize) -> CliError {
    local(format!("{}: more than {most} keystores", shown(path)), "give the folder of one ceremony")
}

pub(crate) fn keystore(path: &Path, error: &KeystoreError) -> CliError {
    let fix = match error {
        KeystoreError::Checksum => {
            "give the password of the keystores with --keystore-password-file, or as the \
             passphrase"
        }
        _ => "check that the folder holds the keystores of one ceremony and nothing else",
    };
    local(format!("{}: {error}", shown(path)), fix)
}
