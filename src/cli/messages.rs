//! Sentences for people, in pairs: what happened, what to do.

use std::io;
use std::path::Path;

use super::report::{CliError, Exit};
use crate::carrier::CarrierError;
use crate::ethereum::keystore::PasswordError;
use crate::protocol::record::ReplayError;
use crate::spec::SpecError;
use crate::store::{SealError, StoreError};

fn local(what: impl Into<String>, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Local, what, fix)
}

fn usage(what: impl Into<String>, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Usage, what, fix)
}

pub(crate) fn store(error: StoreError) -> CliError {
    local(error.to_string(), "see above")
}

pub(crate) fn carrier(error: CarrierError) -> CliError {
    local(error.to_string(), "choose another address with --listen, or stop the program that has this one")
}

pub(crate) fn replay(error: &ReplayError, dir: &Path) -> CliError {
    local(
        format!("{}: {error}", dir.display()),
        "the disk or the log is damaged: stop here, keep the directory as it is, and do not begin this ceremony anew",
    )
}

pub(crate) fn internal(what: &str) -> CliError {
    local(format!("a bug in this program: {what}"), "nothing is lost; please report it")
}

pub(crate) fn runtime(error: io::Error) -> CliError {
    local(format!("the network runtime does not start: {error}"), "check the limits of this machine (ulimit -a)")
}

pub(crate) fn no_seat(operator: &str, ceremony: &str) -> CliError {
    usage(
        format!("operator {operator} has no seat in the ceremony {ceremony:?}"),
        "check that the file holds your own card (quorate identity show), and that --dir is the right directory",
    )
}

pub(crate) fn wrong_fingerprint(expected: &str) -> CliError {
    usage("the fingerprint is not this ceremony's", format!("compare with the other operators; this file's is: {expected}"))
}

pub(crate) fn keystore_password(error: &PasswordError) -> CliError {
    usage(format!("the keystore password cannot be used: {error}"), "choose another")
}

pub(crate) fn newer_log(dir: &Path) -> CliError {
    local(format!("{}: the log holds a kind of record that this program does not know", dir.display()), "use the newer program")
}

pub(crate) fn no_own_address() -> CliError {
    usage("the ceremony file gives you no address to listen on", "give one with --listen, for example --listen 0.0.0.0:3610")
}

pub(crate) fn spec(error: &SpecError) -> CliError {
    usage(error.to_string(), "correct the ceremony file and check it with: quorate spec check FILE")
}

pub(crate) fn seal(error: &SealError) -> CliError {
    local(error.to_string(), "check the passphrase, and that the file is the one you made")
}

pub(crate) fn reading(path: &Path, error: &io::Error) -> CliError {
    local(format!("{} cannot be read: {error}", path.display()), "check the path and its permissions")
}

pub(crate) fn demo_exists(path: &Path) -> CliError {
    local(format!("{} exists", path.display()), "choose another folder with --out, or remove it")
}

pub(crate) fn no_port(error: io::Error) -> CliError {
    local(format!("no free port on 127.0.0.1: {error}"), "check that loopback networking works here")
}

pub(crate) fn no_process(name: &str, error: &io::Error) -> CliError {
    local(format!("the process of {name} does not start: {error}"), "check the limits of this machine (ulimit -u)")
}

pub(crate) fn demo_failed(names: &[String], root: &Path) -> CliError {
    local(
        format!("the demo's operators {} did not finish", names.join(", ")),
        format!("see their lines above; their files are in {}", root.display()),
    )
}

pub(crate) fn writing(path: &Path, error: &io::Error) -> CliError {
    local(format!("{} cannot be written: {error}", path.display()), "check the path, its permissions and the free space")
}
