//! Files a person names.
use super::messages;
use super::report::CliError;
use crate::spec::{Ceremony, CeremonyFile};
use std::path::Path;
pub(crate) fn ceremony(path: &Path) -> Result<(Vec<u8>, Ceremony), CliError> {
    let bytes = std::fs::read(path).map_err(|e| messages::reading(path, &e))?;
    let text = String::from_utf8(bytes.clone()).map_err(|_| messages::internal("utf8"))?;
    let c = CeremonyFile::parse_toml(&text).and_then(Ceremony::try_from).map_err(|e| messages::spec(&e))?;
    Ok((bytes, c))
}
