//! Messages about files that a person names.

use std::io;
use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::report::CliError;

/// What the operating system says, in words where it has a number.
pub(super) fn system(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "part of the path is not a directory".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "this file system is read-only".to_owned(),
        io::ErrorKind::StorageFull => "no space left".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether a person gave the address of a web page.
fn is_url(path: &Path) -> bool {
    let schemes = ["http://", "https://", "file://", "ipfs://"];
    let text = path.to_string_lossy().to_ascii_lowercase();
    schemes.iter().any(|scheme| text.starts_with(scheme))
}

pub(crate) fn reading(path: &Path, error: &io::Error) -> CliError {
    if is_url(path) {
        return usage(
            format!("{}: an address (URL), but the path of a file is required", shown(path)),
            "download the file, look at what it says, then give its path",
        );
    }
    if path.as_os_str() == "-" {
        return usage(
            "-: standard input is not read",
            "save it to a file, and give the path of the file",
        );
    }
    let fix = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "check the path",
        io::ErrorKind::PermissionDenied => {
            "give this user access to it, or run the command as a user who has access"
        }
        _ => "check that it is a regular file on a working disk",
    };
    local(format!("{} cannot be read: {}", shown(path), system(error)), fix)
}

pub(crate) fn writing(path: &Path, error: &io::Error) -> CliError {
    local(
        format!("{} cannot be written: {}", shown(path), system(error)),
        "choose a path that this user can write to",
    )
}

pub(crate) fn open_log(path: &Path, mode: u32) -> CliError {
    local(
        format!("{}: other users can read this log (mode {mode:04o})", shown(path)),
        format!("choose another path; or, to continue this log: chmod 600 {}", quoted(path)),
    )
}

pub(crate) fn exists(path: &Path) -> CliError {
    local(
        format!("{}: already exists and will not be overwritten", shown(path)),
        "choose another path, or move the existing file away",
    )
}

pub(crate) fn no_folder(path: &Path) -> CliError {
    local(
        format!("{}: the folder that would contain it does not exist", shown(path)),
        "create the folder, or choose another path",
    )
}

pub(crate) fn names_a_folder(path: &Path) -> CliError {
    local(
        format!("{}: this is a folder name, but a file name is required", shown(path)),
        "remove the trailing slash, or add a file name",
    )
}

pub(crate) fn no_file_here(path: &Path) -> CliError {
    local(format!("{}: no file can be created in this folder", shown(path)), "choose another path")
}

pub(crate) fn not_a_file(path: &Path, directory: bool) -> CliError {
    let found = if directory { "a directory" } else { "a pipe or a device" };
    local(
        format!("{}: {found}, but a regular file is required", shown(path)),
        "give the path of a regular file; if this is a pipe, save its content to a file first",
    )
}

/// A folder, in which this file is probably meant.
pub(crate) fn folder_with_file(folder: &Path, file: &Path) -> CliError {
    local(
        format!("{}: a directory, but a regular file is required", shown(folder)),
        format!("give the path of the file in it, probably {}", quoted(file)),
    )
}

pub(crate) fn too_long(path: &Path, found: u64, most: usize) -> CliError {
    local(
        format!("{}: {found} bytes; the limit is {most}", shown(path)),
        "check that this is the right file",
    )
}

pub(crate) fn two_on_stdout() -> CliError {
    usage("--json and -o - both write to stdout", "give a file with -o, or leave --json out")
}

pub(crate) fn stdout(error: &io::Error) -> CliError {
    local(
        format!("the result cannot be written to stdout: {}", system(error)),
        "check where the output goes, then run the command again",
    )
}

pub(crate) fn toy_curve(notice: &str) -> CliError {
    local(
        format!(
            "{notice}. This program was built with --cfg quorate_toy_curve, for simulations only"
        ),
        "rebuild it without that flag; check RUSTFLAGS and cargo's configuration files",
    )
}
