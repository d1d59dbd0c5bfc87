//! Reads a secret from a file or a pipe: a line of text, or several, of a source that other users
//! cannot have changed.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::messages;
use super::report::{CliError, talk};
use quorate::primitives::secret::SecretBytes;

/// Most bytes of a secret's file.
pub(crate) const MOST_SECRET_BYTES: usize = 4096;
/// How long a pipe may stay silent.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// Why the content of a file is not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotASecret {
    /// Nothing on its first line.
    Empty,
    /// More than white space after its first line.
    SecondLine,
    /// In an encoding in which a keyboard's text is other bytes.
    Utf16,
}

/// A secret from `path`: its only line, without a byte order mark and without its line end. A file
/// must be this user's alone, or one that nobody can change, as containers mount their secrets. A
/// pipe is read to its end.
pub(crate) fn read(path: &Path) -> Result<SecretBytes, CliError> {
    let bytes = content(path, MOST_SECRET_BYTES)?;
    let line = only_line(&bytes).map_err(|error| messages::not_a_secret(path, error))?;
    Ok(SecretBytes::new(line.to_vec()))
}

/// A secret of several lines from such a file or pipe, of `most` bytes.
pub(crate) fn read_all(path: &Path, most: usize) -> Result<SecretBytes, CliError> {
    content(path, most).map(|bytes| SecretBytes::new(bytes.to_vec()))
}

fn content(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, CliError> {
    // NONBLOCK, so that a pipe without a writer does not make us wait for one.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from);
    let mut file = opened.map(File::from).map_err(|error| messages::reading(path, &error))?;
    let found = file.metadata().map_err(|error| messages::reading(path, &error))?;
    // Larger than what can come: a buffer that grows leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * most));
    if found.file_type().is_fifo() {
        drain(path, &mut file, &mut bytes, most)?;
    } else {
        private(path, &found)?;
        file.take(most as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| messages::reading(path, &error))?;
    }
    if bytes.len() > most {
        let length = if found.is_file() { found.len() } else { bytes.len() as u64 };
        return Err(messages::too_long(path, length, most));
    }
    Ok(bytes)
}

/// Refuses what other users can change, and what they can read where they could be kept from it.
fn private(path: &Path, found: &Metadata) -> Result<(), CliError> {
    if !found.is_file() {
        return Err(messages::not_a_file(path, found.is_dir()));
    }
    let mode = found.permissions().mode() & 0o7777;
    match mode {
        _ if mode & 0o077 == 0 => Ok(()),
        // How containers mount secrets. There, nobody can change the mode.
        0o440 | 0o444 => {
            talk(&messages::secret_file_mounted(path, mode));
            Ok(())
        }
        _ => Err(messages::secret_file_open(path, mode)),
    }
}

/// Reads a pipe to its end, or to one byte more than a secret has.
fn drain(path: &Path, pipe: &mut File, bytes: &mut Vec<u8>, most: usize) -> Result<(), CliError> {
    let failed = |error: Errno| messages::reading(path, &error.into());
    let mut chunk = Zeroizing::new([0; 512]);
    while bytes.len() <= most {
        let mut waiting = [PollFd::new(pipe, PollFlags::IN)];
        match poll(&mut waiting, Some(&PATIENCE)) {
            Ok(0) => return Err(messages::pipe_silent(path, PATIENCE.tv_sec)),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(failed(error)),
        }
        match rustix::io::read(&*pipe, &mut chunk[..]) {
            Ok(0) => return Ok(()),
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// The first line, if nothing but white space follows.
fn only_line(bytes: &[u8]) -> Result<&[u8], NotASecret> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(NotASecret::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (line, rest) = match bytes.iter().position(|b| *b == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end..]),
        None => (bytes, &[][..]),
    };
    match line.strip_suffix(b"\r").unwrap_or(line) {
        [] => Err(NotASecret::Empty),
        _ if !rest.trim_ascii().is_empty() => Err(NotASecret::SecondLine),
        line => Ok(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_line_without_its_end() {
        for (bytes, line) in [
            (&b"secret"[..], Ok(&b"secret"[..])),
            (b"secret\n", Ok(b"secret")),
            (b"secret\r\n", Ok(b"secret")),
            (b" secret \n\n", Ok(b" secret ")),
            (b"secret\r\n \r\n", Ok(b"secret")),
            (b"sec\rret", Ok(b"sec\rret")),
            (b"\xef\xbb\xbfsecret\r\n", Ok(b"secret")),
            (b"secret\nsecond", Err(NotASecret::SecondLine)),
            (b"\nsecond", Err(NotASecret::Empty)),
            (b"\xff\xfes\0e\0c\0", Err(NotASecret::Utf16)),
            (b"\xfe\xff\0s\0e\0c", Err(NotASecret::Utf16)),
            (b"\xef\xbb\xbf\n", Err(NotASecret::Empty)),
            (b"\n", Err(NotASecret::Empty)),
            (b"", Err(NotASecret::Empty)),
        ] {
            assert_eq!(only_line(bytes), line);
        }
    }
}
