//! Reads files that a person names: regular files of bounded length only.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::messages;
use super::report::CliError;
use quorate::export::Artifact;
use quorate::spec::file::MOST_FILE_BYTES;
use quorate::spec::{Ceremony, CeremonyFile, SpecError};
use quorate::transcript::container::{HEADER_BYTES, MOST_SPEC_BYTES, expected_len};
use quorate_operator::store;

/// Bytes that a transcript may have too much and still be read, so that a report can say what is
/// wrong with it.
const SLACK: u64 = 1 << 20;

/// Opens a plain file, by way of symbolic links if there are any.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), CliError> {
    // NONBLOCK, so that a pipe in the place of a file does not make us wait for its other end;
    // NOCTTY, so that a terminal there does not become ours.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from);
    let file = opened.map(File::from).map_err(|error| messages::reading(path, &error))?;
    let found = file.metadata().map_err(|error| messages::reading(path, &error))?;
    if !found.is_file() {
        return Err(messages::not_a_file(path, found.is_dir()));
    }
    Ok((file, found))
}

/// A file's bytes, at most `most` of them.
pub(crate) fn read(path: &Path, most: usize) -> Result<Vec<u8>, CliError> {
    let (file, found) = open(path)?;
    let length = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if length > most {
        return Err(messages::too_long(path, found.len(), most));
    }
    // A file can grow while it is read.
    let mut bytes = Vec::with_capacity(length);
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| messages::reading(path, &error))?;
    if bytes.len() > most {
        return Err(messages::too_long(path, limit, most));
    }
    Ok(bytes)
}

/// A ceremony file: its bytes, and what it says.
pub(crate) fn ceremony(path: &Path) -> Result<(Vec<u8>, Ceremony), CliError> {
    let bytes = read(path, MOST_FILE_BYTES)?;
    let text = core::str::from_utf8(&bytes)
        .map_err(|error| messages::not_text(path, error.valid_up_to()))?;
    // Some editors put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ceremony = parse_ceremony(text).map_err(|error| messages::spec_file(path, &error))?;
    Ok((bytes, ceremony))
}

/// TOML, or JSON of the same shape: no TOML document begins with a brace.
pub(crate) fn parse_ceremony(text: &str) -> Result<Ceremony, SpecError> {
    let parse = if text.trim_start().starts_with('{') {
        CeremonyFile::parse_json
    } else {
        CeremonyFile::parse_toml
    };
    Ceremony::try_from(parse(text)?)
}

/// A transcript, whose length follows from its front; one of another length is read only if it is
/// not much longer.
pub(crate) fn transcript(path: &Path) -> Result<Vec<u8>, CliError> {
    let (mut file, found) = open(path)?;
    let mut bytes = Vec::new();
    let front = HEADER_BYTES as u64 + MOST_SPEC_BYTES as u64;
    read_up_to(&mut file, front, &mut bytes, path)?;
    if found.len() > front + SLACK {
        match expected_len(&bytes) {
            Err(error) => return Err(messages::not_a_transcript(path, &error)),
            Ok(expected) if found.len() > expected + SLACK => {
                return Err(messages::transcript_length(path, found.len(), expected));
            }
            Ok(_) => {}
        }
    }
    read_up_to(&mut file, found.len().saturating_sub(front), &mut bytes, path)?;
    Ok(bytes)
}

fn read_up_to(file: &mut File, most: u64, into: &mut Vec<u8>, path: &Path) -> Result<(), CliError> {
    file.take(most).read_to_end(into).map(drop).map_err(|error| messages::reading(path, &error))
}

/// Refuses a path where something is, or whose folder is not there, before work is done that would
/// be for nothing.
pub(crate) fn must_be_free(path: &Path) -> Result<(), CliError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match path.symlink_metadata() {
        Ok(_) => Err(messages::exists(path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match folder {
            Some(folder) if !folder.exists() => Err(messages::no_folder(path)),
            _ => Ok(()),
        },
        Err(error) => Err(messages::writing(path, &error)),
    }
}

/// As [`must_be_free`], of a file: its folder takes one, now.
pub(crate) fn can_be_written(path: &Path) -> Result<(), CliError> {
    must_be_free(path)?;
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(messages::names_a_folder(path));
    }
    match store::try_writing(path) {
        Err(store::StoreError::Missing { .. }) => Err(messages::no_file_here(path)),
        tried => tried.map_err(messages::store),
    }
}

/// As [`must_be_free`], of a folder: where it would be takes one, now.
pub(crate) fn folder_can_be_written(path: &Path) -> Result<(), CliError> {
    must_be_free(path)?;
    told(path, store::try_writing(path))
}

/// Writes a new folder whole or not at all, never over another.
pub(crate) fn write_folder(path: &Path, files: &[Artifact]) -> Result<(), CliError> {
    match store::write_folder(path, files) {
        Err(store::StoreError::Exists { .. }) => Err(messages::exists(path)),
        written => told(path, written),
    }
}

/// Writes a new public file: whole or not at all, never over another.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    write_with_mode(path, bytes, 0o644)
}

/// As [`write_new`], a file that only its owner can read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    write_with_mode(path, bytes, 0o600)
}

/// As [`write_private`], any number of times: the same bytes may be there.
pub(crate) fn write_private_once(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    told(path, store::write_once(path, bytes, 0o600))
}

fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CliError> {
    let absolute: PathBuf =
        std::path::absolute(path).map_err(|error| messages::writing(path, &error))?;
    told(path, store::write_new(&absolute, bytes, mode))
}

fn told(path: &Path, written: Result<(), store::StoreError>) -> Result<(), CliError> {
    match written {
        Err(store::StoreError::Missing { .. }) => Err(messages::no_folder(path)),
        written => written.map_err(messages::store),
    }
}
