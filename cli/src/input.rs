//! Reads files that a person names: regular files of bounded length only.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::report::{CliError, print_file};
use super::{messages, recognise};
use quorate::audit::audit_all;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Report;
use quorate::export::Artifact;
use quorate::spec::file::MOST_FILE_BYTES;
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind, SpecError};
use quorate::transcript::container::{
    ContainerKind, HEADER_BYTES, Header, MOST_SPEC_BYTES, expected_len,
};
use quorate_operator::store;

/// Bytes that a transcript may have too much and still be read, so that a report can say what is
/// wrong with it.
const SLACK: u64 = 1 << 20;

/// Most entries of a folder that are looked through for the file that is meant, and how deep.
const MOST_ENTRIES: usize = 1000;
const DEEPEST: usize = 5;

/// The folder of earlier transcripts, beside that of a reshare.
const HISTORY: &str = "history";

/// Opens a plain file, by way of symbolic links if there are any. `ending` is how the name of such
/// a file ends: where a folder is given, the file in it is named.
pub(crate) fn open(path: &Path, ending: &str) -> Result<(File, Metadata), CliError> {
    // NONBLOCK, so that a pipe in the place of a file does not make us wait for its other end;
    // NOCTTY, so that a terminal there does not become ours.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from);
    let file = opened.map(File::from).map_err(|error| messages::reading(path, &error))?;
    let found = file.metadata().map_err(|error| messages::reading(path, &error))?;
    if found.is_dir()
        && let Some(file) = probably_meant(path, ending)
    {
        return Err(messages::folder_with_file(path, &file));
    }
    if !found.is_file() {
        return Err(messages::not_a_file(path, found.is_dir()));
    }
    Ok((file, found))
}

/// The file in or below a folder whose name ends like this, nearest to it, if there is one such
/// file and no other as near.
fn probably_meant(folder: &Path, ending: &str) -> Option<PathBuf> {
    let (mut level, mut left) = (vec![folder.to_owned()], MOST_ENTRIES);
    for _ in 0..DEEPEST {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in level.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten() {
            left = left.checked_sub(1)?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
        let mut files = files.into_iter().filter(|path| {
            path.file_name()
                .is_some_and(|name| name.as_encoded_bytes().ends_with(ending.as_bytes()))
        });
        match (files.next(), files.next()) {
            (None, _) => level = folders,
            (only, None) => return only,
            (Some(_), Some(_)) => return None,
        }
    }
    None
}

/// A JSON file's bytes, at most `most` of them.
pub(crate) fn read(path: &Path, most: usize) -> Result<Vec<u8>, CliError> {
    read_named(path, ".json", most)
}

/// The bytes of a file whose name usually ends like this, at most `most` of them.
pub(crate) fn read_named(path: &Path, ending: &str, most: usize) -> Result<Vec<u8>, CliError> {
    let (file, found) = open(path, ending)?;
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

/// The file of a key generation: its bytes, and what it says.
pub(crate) fn ceremony(path: &Path) -> Result<(Vec<u8>, Ceremony), CliError> {
    let (bytes, ceremony) = any_ceremony(path)?;
    match ceremony.kind() {
        CeremonyKind::Dkg => Ok((bytes, ceremony)),
        kind => Err(messages::not_for_kind(path, kind)),
    }
}

/// A ceremony file of any kind: its bytes, and what it says.
pub(crate) fn any_ceremony(path: &Path) -> Result<(Vec<u8>, Ceremony), CliError> {
    let bytes = read_named(path, ".toml", MOST_FILE_BYTES)?;
    let parsed = text(path, &bytes)
        .and_then(|text| parse_ceremony(text).map_err(|error| messages::spec_file(path, &error)));
    let ceremony = parsed.map_err(|error| match recognise::kind(&bytes) {
        Some(kind) if kind != recognise::CEREMONY_FILE => messages::not_a_ceremony(path, kind),
        _ => error,
    })?;
    Ok((bytes, ceremony))
}

/// The text of a file, without the byte order mark that some editors put in front.
pub(crate) fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, CliError> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(messages::utf16(path));
    }
    let text = core::str::from_utf8(bytes)
        .map_err(|error| messages::not_text(path, error.valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// TOML, or JSON of the same shape.
pub(crate) fn parse_ceremony(text: &str) -> Result<Ceremony, SpecError> {
    Ceremony::try_from(CeremonyFile::parse(text)?)
}

/// As [`statements`], where it has to be a transcript.
pub(crate) fn transcript(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = statements(path)?;
    match other_kind(&bytes) {
        Some(kind) => Err(messages::no_transcript(path, kind)),
        None => Ok(bytes),
    }
}

/// A transcript or evidence, whose length follows from its front; one of another length is read
/// only if it is not much longer.
pub(crate) fn statements(path: &Path) -> Result<Vec<u8>, CliError> {
    let (mut file, found) = open(path, ".quorate")?;
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

/// What a file is instead of a transcript or another set of statements, if it is of a kind that
/// people mix up with these.
pub(crate) fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    recognise::kind(bytes).filter(|kind| *kind != recognise::TRANSCRIPT)
}

/// Transcripts with their paths: those that are given, and of a reshare or repair among them also
/// those in the folder `history` beside it, where this program keeps its parents.
pub(crate) fn with_history(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        files.push((path.clone(), transcript(path)?));
    }
    let reshared = |bytes: &[u8]| {
        use ContainerKind::{Repaired, Reshared, Without};
        let has_parent = |kind| matches!(kind, Reshared | Without | Repaired);
        Header::parse(bytes).is_ok_and(|header| has_parent(header.kind()))
    };
    let folders = files.iter().filter(|(_, bytes)| reshared(bytes));
    let folders = folders.map(|(path, _)| path.with_file_name(HISTORY));
    let mut earlier = Vec::new();
    for folder in folders.collect::<Vec<_>>() {
        let Ok(entries) = folder.read_dir() else { continue };
        let entries = entries.take(MOST_ENTRIES).flatten().map(|entry| entry.path());
        let mut kept: Vec<PathBuf> = entries
            .filter(|path| path.extension().is_some_and(|ending| ending == "quorate"))
            .collect();
        kept.sort();
        for path in kept {
            let bytes = transcript(&path)?;
            let known = files.iter().chain(&earlier).any(|(_, known)| *known == bytes);
            if !known {
                earlier.push((path, bytes));
            }
        }
    }
    files.extend(earlier);
    Ok(files)
}

/// The report on a transcript that has nothing wrong; of a reshare, with its parents, as
/// [`with_history`] finds them.
pub(crate) fn audited(path: &Path) -> Result<Report, CliError> {
    let (paths, files): (Vec<PathBuf>, Vec<Vec<u8>>) =
        with_history(&[path.to_owned()])?.into_iter().unzip();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let report = audit_all(&files, &Expectations::default())
        .map_err(|error| messages::unrelated(&paths, &error))?;
    match report.is_clean() {
        true if report.is_of_repair() => Err(messages::no_generation(path)),
        true => Ok(report),
        false => Err(messages::not_audited(path)),
    }
}

fn read_up_to(file: &mut File, most: u64, into: &mut Vec<u8>, path: &Path) -> Result<(), CliError> {
    file.take(most).read_to_end(into).map(drop).map_err(|error| messages::reading(path, &error))
}

/// Where a file that a person asked for goes: `-` is stdout.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses a path where something is, or whose folder is not there, before work is done that would
/// be for nothing.
pub(crate) fn must_be_free(path: &Path) -> Result<(), CliError> {
    if is_stdout(path) {
        return Ok(());
    }
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
    if is_stdout(path) {
        return Ok(());
    }
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
    if is_stdout(path) {
        return Err(messages::folder_on_stdout());
    }
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
    if is_stdout(path) {
        return print_file(bytes);
    }
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
