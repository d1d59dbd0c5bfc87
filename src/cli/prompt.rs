//! Secrets and answers from people: from the terminal or a private file, never from an argument.
use super::messages;
use super::report::{CliError, Output};
use crate::identity::Operator;
use crate::primitives::secret::SecretBytes;
use crate::store::{IDENTITY_FILE, StateDir, open_with_passphrase};
use std::path::Path;

pub(crate) fn secret_file(path: &Path) -> Result<SecretBytes, CliError> {
    let mut bytes = std::fs::read(path).map_err(|e| messages::reading(path, &e))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(SecretBytes::new(bytes))
}
pub(crate) fn line(prompt: &str) -> Result<String, CliError> {
    super::report::talk(prompt);
    let mut s = String::new();
    std::io::stdin().read_line(&mut s).map_err(|e| messages::reading(Path::new("stdin"), &e))?;
    Ok(s)
}
pub(crate) fn open_identity(state: &StateDir, out: &Output) -> Result<(Operator, SecretBytes), CliError> {
    let sealed = state.read_identity().map_err(messages::store)?;
    let pass = secret_file(out.passphrase_file.as_deref().unwrap_or(Path::new("/dev/null")))?;
    let opened = open_with_passphrase(&sealed, &pass, IDENTITY_FILE).map_err(|e| messages::seal(&e))?;
    let operator = Operator::from_secret_bytes(&opened).map_err(|e| messages::internal(&e.to_string()))?;
    Ok((operator, pass))
}
