//! Addresses that are given on the command line, in the place of those in the ceremony file.

use super::spec_next::seat;
use crate::messages;
use crate::report::CliError;
use quorate::spec::{Ceremony, CeremonyFile, Endpoint, Index};

/// The operators of `--at OPERATOR=HOST:PORT`, each at most once.
pub(super) fn given(
    texts: &[String],
    ceremony: &Ceremony,
) -> Result<Vec<(Index, Endpoint)>, CliError> {
    let mut at: Vec<(Index, Endpoint)> = Vec::new();
    for text in texts {
        let (who, place) =
            text.rsplit_once('=').ok_or_else(|| messages::at(text, "not OPERATOR=HOST:PORT"))?;
        let place =
            Endpoint::parse(place).map_err(|error| messages::at(text, &error.to_string()))?;
        let index = seat("--at", who, ceremony)?;
        if at.iter().any(|(other, _)| *other == index) {
            return Err(messages::at(text, "a second address of this operator"));
        }
        at.push((index, place));
    }
    Ok(at)
}

/// A ceremony and its file with these addresses: the same bytes, if none are given.
pub(super) fn moved(
    file: Vec<u8>,
    ceremony: Ceremony,
    texts: &[String],
) -> Result<(Vec<u8>, Ceremony), CliError> {
    let at = given(texts, &ceremony)?;
    if at.is_empty() {
        return Ok((file, ceremony));
    }
    let ceremony = ceremony.with_addresses(at).map_err(|error| messages::same_address(&error))?;
    Ok((CeremonyFile::from(&ceremony).to_toml().into_bytes(), ceremony))
}
