//! Opens the RSA key that a ceremony for SSV needs from its operator.

use std::path::Path;
use std::sync::Arc;

use crate::report::CliError;
use crate::{input, messages, prompt};
use quorate::ethereum::keystore::{KeystoreError, Password};
use quorate::ethereum::ssv::{KeyFileError, RsaSecret, read_key_file};
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;

/// Longest key file that is looked at; its own bound is lower.
const MOST_FILE_BYTES: usize = 64 << 10;

/// The seat with its RSA key, which must be the one that the ceremony file has for it: found out
/// before anything is signed. A ceremony that is not for SSV takes none.
pub(crate) fn seated(
    seat: OwnSeat,
    file: Option<&Path>,
    password: Option<&Path>,
) -> Result<OwnSeat, CliError> {
    let (ssv, file) = match (seat.ceremony.ssv(), file) {
        (None, None) => return Ok(seat),
        (None, Some(_)) => return Err(messages::ssv_key_unneeded(seat.ceremony.name())),
        (Some(_), None) => return Err(messages::ssv_key_needed(seat.ceremony.name())),
        (Some(ssv), Some(file)) => (ssv, file),
    };
    let expected = ssv.keys[seat.me.position()].clone();
    let key = opened(file, password)?;
    if *key.public() != expected {
        return Err(messages::ssv_key_another(file));
    }
    Ok(seat.with_ssv_key(Arc::new(key)))
}

/// The key in a file.
pub(crate) fn opened(file: &Path, password: Option<&Path>) -> Result<RsaSecret, CliError> {
    let bytes = input::read(file, MOST_FILE_BYTES)?;
    let open = |secret: SecretBytes| {
        let password = match Password::new(&secret) {
            Ok(password) => password,
            Err(error) => return Ok(Err(messages::ssv_password(&error))),
        };
        match read_key_file(&bytes, &password) {
            Ok(key) => Ok(Ok(key)),
            // What a wrong password looks like.
            Err(error @ KeyFileError::Keystore(KeystoreError::Checksum)) => {
                Ok(Err(messages::ssv_key_file(file, &error)))
            }
            Err(error) => Err(messages::ssv_key_file(file, &error)),
        }
    };
    match password {
        Some(_) => open(prompt::ssv_password(file, password)?)?,
        None => prompt::again(|| prompt::ssv_password(file, None), open),
    }
}
