//! Messages of the demo.

use std::io;
use std::path::Path;

use super::{local, shown, usage};
use crate::report::CliError;

pub(crate) fn demo_exists(path: &Path) -> CliError {
    local(
        format!("{} already exists", shown(path)),
        "choose another folder with --out, or remove this one",
    )
}

pub(crate) fn no_port(error: io::Error) -> CliError {
    local(
        format!("no free port on 127.0.0.1: {error}"),
        "check that loopback networking works on this machine",
    )
}

pub(crate) fn no_process(name: &str, error: &io::Error) -> CliError {
    local(
        format!("the process of {name} did not start: {error}"),
        "check the limits of this machine (ulimit -u)",
    )
}

pub(crate) fn demo_failed(names: &[String], root: &Path) -> CliError {
    local(
        format!("these operators of the demo did not finish: {}", names.join(", ")),
        format!("read their lines above; their files are in {}", shown(root)),
    )
}

/// A demo that went otherwise than it should: what it promises to show does not hold here.
pub(crate) fn demo_differs(fault: &str, what: &str, root: &Path) -> CliError {
    local(
        format!("the demo of {fault} did not go as announced: {what}"),
        format!("please report this with the lines above; the files are in {}", shown(root)),
    )
}

/// The demo's cheat, outside of a demo.
pub(crate) fn not_a_demo() -> CliError {
    usage(
        "this command breaks the rules on purpose and works only in the ceremony of a demo",
        "see: quorate demo --help",
    )
}
