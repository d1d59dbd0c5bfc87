//! Messages about Obol clusters.

use std::path::Path;

use super::{local, shown, usage};
use crate::recognise::LOCK;
use crate::report::CliError;
use quorate::ethereum::obol::check::DefinitionError;
use quorate::ethereum::secp256k1::Secp256k1Error;
use quorate::identity::card::NameError;
use quorate::protocol::obol::WrongNodeKey;

pub(crate) fn node_key(path: &Path, error: Secp256k1Error) -> CliError {
    local(
        format!("{}: {error}", shown(path)),
        "give a charon-enr-private-key file: 64 hexadecimal digits, as written by charon create \
         enr or quorate identity obol-key new",
    )
}

/// `record` is that of the node in the cluster definition (`enr:...`).
pub(crate) fn no_node_key(record: &str) -> CliError {
    local(
        format!(
            "this ceremony makes an Obol cluster, but the key of this operator's node is missing; \
             its record is {record}"
        ),
        "import it with: quorate identity obol-key import FILE; or use --charon-enr-private-key \
         FILE",
    )
}

/// `record` is that of the node in the cluster definition (`enr:...`).
pub(crate) fn wrong_node_key(path: &Path, error: &WrongNodeKey, record: &str) -> CliError {
    let fix = match error.belongs_to {
        Some(_) => "make the ceremony file again, with the operators in the order of the cluster \
                    definition; or, if the order is right, use your own node's key"
            .to_owned(),
        None => format!(
            "use the key whose record you gave for the cluster definition ({record}); if it is \
             lost, the cluster needs a new definition"
        ),
    };
    local(format!("{}: {error}", shown(path)), fix)
}

pub(crate) fn cluster_operators(path: &Path, given: usize, expected: usize) -> CliError {
    usage(
        format!(
            "{}: the cluster definition has {expected} operators, but --operator is given {given} \
             times",
            shown(path)
        ),
        "give the card of each operator with --operator, in the order of the definition",
    )
}

pub(crate) fn cluster_name(path: &Path, name: &str, error: &NameError) -> CliError {
    let why = match name {
        "" => "the cluster definition has no name, which a ceremony must have".to_owned(),
        name => format!("the name {name:?} of the cluster definition: {error}"),
    };
    usage(
        format!("{}: {why}", shown(path)),
        "give the ceremony a name of its own with --name; the cluster keeps its name in the lock",
    )
}

/// A lock without some of its validators.
pub(crate) fn lock_whole(left: &str) -> CliError {
    local(
        format!("a lock is signed for all validators of its cluster or not at all. {left}"),
        "nothing was signed; allow all of them, or leave the request unanswered",
    )
}

/// The key of another node than the one that the request has for this operator.
pub(crate) fn not_the_node(path: &Path, record: &str) -> CliError {
    local(
        format!(
            "{}: not the key of your node in the cluster definition, whose record is {record}",
            shown(path)
        ),
        "use the key of that node; or ask for a definition with the record of yours: quorate \
         identity obol-key show",
    )
}

/// A lock that is not this ceremony's.
pub(crate) fn other_lock(path: &Path, why: &str) -> CliError {
    usage(
        format!("{}: {why}", shown(path)),
        "give the lock that was made of this ceremony's shares: quorate obol combine",
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

/// `kind` as in a sentence that begins with "this is".
pub(crate) fn no_definition(path: &Path, kind: &str) -> CliError {
    let fix = match kind {
        LOCK => {
            "its cluster has its keys already; for new keys, make a new definition with Charon or \
             on Obol's launchpad, and give cluster-definition.json"
        }
        _ => "give cluster-definition.json, as Charon or Obol's launchpad makes it",
    };
    usage(format!("{} is not a cluster definition: this is {kind}", shown(path)), fix)
}

pub(crate) fn contradicts(flag: &str, given: &str, definition: &str) -> CliError {
    usage(
        format!("{flag} {given}, but the cluster definition has {definition}"),
        format!("leave {flag} out; the definition decides it"),
    )
}
