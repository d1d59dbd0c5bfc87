//! Messages about Obol clusters.

use std::path::Path;

use super::{local, shown, usage};
use crate::report::CliError;
use quorate::ethereum::obol::check::DefinitionError;
use quorate::ethereum::secp256k1::Secp256k1Error;
use quorate::protocol::obol::WrongNodeKey;

pub(crate) fn node_key(path: &Path, error: Secp256k1Error) -> CliError {
    local(
        format!("{}: {error}", shown(path)),
        "give a charon-enr-private-key file: 64 hexadecimal digits, as written by charon create \
         enr or quorate identity obol-key new",
    )
}

pub(crate) fn no_node_key(expected: &str) -> CliError {
    local(
        format!(
            "this ceremony makes an Obol cluster, but the key of this operator's node \
             (0x{expected}) is missing"
        ),
        "import it with: quorate identity obol-key import FILE; or use --charon-enr-private-key \
         FILE",
    )
}

pub(crate) fn wrong_node_key(path: &Path, error: &WrongNodeKey) -> CliError {
    local(
        format!("{}: {error}", shown(path)),
        "use the key whose record you gave for the cluster definition; if it is lost, the cluster \
         needs a new definition",
    )
}

pub(crate) fn no_cluster(path: &Path) -> CliError {
    usage(
        format!("{}: this ceremony does not make an Obol cluster", shown(path)),
        "leave this file out; to write a ceremony file for a cluster: quorate spec new \
         --obol-definition cluster-definition.json",
    )
}

pub(crate) fn definition(path: &Path, error: &DefinitionError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "ask the person who made the definition for a valid one; nothing in it can be changed by \
         hand",
    )
}

pub(crate) fn contradicts(flag: &str, given: &str, definition: &str) -> CliError {
    usage(
        format!("{flag} {given}, but the cluster definition has {definition}"),
        format!("leave {flag} out; the definition decides it"),
    )
}
