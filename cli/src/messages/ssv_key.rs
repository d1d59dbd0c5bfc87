//! Messages about an operator's RSA key for SSV.

use std::path::Path;

use super::{local, shown, usage};
use crate::report::CliError;
use quorate::ethereum::keystore::{KeystoreError, PasswordError};
use quorate::ethereum::ssv::KeyFileError;

pub(crate) fn ssv_key_unneeded(ceremony: &str) -> CliError {
    usage(
        format!("\"{ceremony}\" is not for SSV and does not use --ssv-key"),
        "leave the flag out, or check that this is the right ceremony file",
    )
}

pub(crate) fn ssv_key_needed(ceremony: &str) -> CliError {
    usage(
        format!("\"{ceremony}\" is for SSV: your shares are encrypted to your operator's RSA key"),
        "give its key file with --ssv-key encrypted_private_key.json, and the password with \
         --ssv-password-file",
    )
}

pub(crate) fn ssv_password(error: &PasswordError) -> CliError {
    local(
        format!("the password of the SSV key cannot be used: {error}"),
        "give the password with which the key file was created",
    )
}

pub(crate) fn ssv_key_file(path: &Path, error: &KeyFileError) -> CliError {
    let fix = match error {
        KeyFileError::Keystore(KeystoreError::Checksum) => {
            "check the password, or use the key file from your backup"
        }
        _ => "use the encrypted_private_key.json of your SSV operator node",
    };
    local(format!("{}: {error}", shown(path)), fix)
}

pub(crate) fn ssv_key_another(path: &Path) -> CliError {
    local(
        format!("{}: this is not the RSA key that the ceremony file has for you", shown(path)),
        "give the key of the SSV operator in the ceremony file; or have the coordinator correct \
         the file before anybody starts",
    )
}

/// Of a request for key shares.
pub(crate) fn ssv_key_of_another(path: &Path) -> CliError {
    local(
        format!("{}: this is not the RSA key that the request has for you", shown(path)),
        "nothing was signed; give the key of your SSV operator, or ask for a request with the \
         right key",
    )
}
