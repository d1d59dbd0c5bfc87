//! Messages of the demo.

use std::io;
use std::path::Path;

use super::{local, shown, usage};
use crate::report::{CliError, printable};

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

/// Nobody is left to give a share back.
pub(crate) fn demo_repair_needs_another(threshold: u16) -> CliError {
    usage(
        format!("--repair where all {threshold} operators are required to sign"),
        "a lost share is given back by as many others as sign: give --operators more, or \
         --threshold less",
    )
}

/// The chain's preset has so many slots in an epoch.
pub(crate) fn duties_too_few(validators: u16, least: u16) -> CliError {
    usage(
        format!("--duties with {validators} validators: each slot of an epoch needs one"),
        format!("give --validators {least} or more, or leave it out"),
    )
}

pub(crate) fn duties_network(name: &str) -> CliError {
    usage(
        format!("--duties: the executable specification has no fork versions of {name}"),
        "use mainnet, hoodi or sepolia",
    )
}

/// `why` is the last line that Python said.
pub(crate) fn duties_need(python: &Path, why: &str, packages: &str) -> CliError {
    local(
        format!(
            "--duties needs Python 3.11 or newer with the executable consensus specification; {}: \
             {}",
            shown(python),
            printable(why)
        ),
        format!(
            "install it beside your system's Python, then add --python specs/bin/python: python3 \
             -m venv specs && specs/bin/pip install {packages}"
        ),
    )
}

pub(crate) fn duties_failed(python: &Path, why: &str, root: &Path) -> CliError {
    local(
        format!("the validators' chain did not end as it should ({}: {why})", shown(python)),
        format!("read the lines above; the demo's files are in {}", shown(root)),
    )
}
