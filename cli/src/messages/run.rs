//! Messages about taking part in a ceremony.

use std::io;

use super::{local, quoted, shown, usage};
use crate::report::CliError;
use quorate::spec::Ceremony;
use quorate::spec::canonical::FingerprintError;
use quorate::spec::show::plural;
use quorate_operator::carrier::CarrierError;
use quorate_operator::store::CeremonyDir;

pub(crate) fn no_seat(operator: &str, ceremony: &str) -> CliError {
    usage(
        format!("operator {operator:?} has no seat in the ceremony {ceremony:?}"),
        "check that the file holds your own card (quorate identity show) and that --dir is the \
         right directory",
    )
}

/// Twelve words of the list, of which this one is the first that differs; counted from 1.
pub(crate) fn wrong_fingerprint(number: usize, word: &str) -> CliError {
    usage(
        format!(
            "this is not the fingerprint of this ceremony: word {number} is not \"{word}\" here"
        ),
        "if somebody else told you these words, your ceremony file is not theirs: sign nothing, \
         and \
         get the file again from the coordinator. quorate spec show shows the words of a file",
    )
}

pub(crate) fn not_a_fingerprint(error: &FingerprintError) -> CliError {
    usage(
        format!("this is not the fingerprint of this ceremony: {error}"),
        "type the twelve words that all operators have compared; quorate spec show shows those \
         of a \
         file",
    )
}

pub(crate) fn nobody_reachable() -> CliError {
    usage(
        "no operator has an address in the ceremony file, so nobody can call anybody",
        "one operator that all others can reach is enough: give its address with --at \
         OPERATOR=HOST:PORT; if it is you, listen with --listen [::]:3610. Or meet at a shared \
         folder (quorate step --board DIR) or a NATS server (quorate run --via nats://HOST:PORT)",
    )
}

pub(crate) fn carrier(error: CarrierError) -> CliError {
    match error {
        CarrierError::Bind { ref address, why } => {
            let (what, fix) = match why {
                io::ErrorKind::AddrInUse => (
                    "another program already listens there",
                    "stop it, or choose another port, as in --listen [::]:3620; then the others \
                     give it \
                     with --at NAME=HOST:3620",
                ),
                io::ErrorKind::AddrNotAvailable => (
                    "this machine does not have this address",
                    "use --listen [::]:PORT to listen on all of its addresses",
                ),
                io::ErrorKind::PermissionDenied => {
                    ("not allowed", "choose a port above 1023 with --listen")
                }
                io::ErrorKind::InvalidInput => ("not an address", "write it as HOST:PORT"),
                _ => {
                    return local(
                        format!("cannot listen on {address}: {why}"),
                        "check the address, written HOST:PORT",
                    );
                }
            };
            local(format!("cannot listen on {address}: {what}"), fix)
        }
        CarrierError::Alone => nobody_reachable(),
        error @ (CarrierError::Repeated { .. } | CarrierError::FrameLimit(_)) => {
            internal(&error.to_string())
        }
    }
}

pub(crate) fn runtime(error: io::Error) -> CliError {
    local(
        format!("the network runtime did not start: {error}"),
        "check the limits of this machine (ulimit -a)",
    )
}

pub(crate) fn internal(what: &str) -> CliError {
    local(format!("a bug in this program: {what}"), "nothing is lost; please report it")
}

/// What was made, what to back up, and the next command.
/// What an operator holds of a finished ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Keystores are among the outputs.
    Keystores,
    /// Shares, in the log alone.
    InLog,
    /// Shares, in the log alone, that were dealt anew since.
    Superseded,
    /// No share: it has dealt its own, and left.
    Nothing,
}

impl Held {
    /// For programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keystores => "keystores",
            Self::InLog | Self::Superseded => "log",
            Self::Nothing => "none",
        }
    }
}

/// This operator has its outputs, and stays for the others.
pub(crate) const WRITTEN: &str =
    "Outputs are written. Staying until the others have everything; Ctrl-C is safe.";

pub(crate) fn made(ceremony: &Ceremony, dir: &CeremonyDir, held: Held) -> String {
    let (folder, out) = (dir.view().path(), dir.view().out());
    // DIR/ceremonies/NAME
    let state = folder.ancestors().nth(2).unwrap_or(folder);
    let secret = match held {
        Held::Keystores => format!("{}, this operator's keystores", shown(&out.join("secret"))),
        Held::InLog => "no keystores; the shares are in the log".to_owned(),
        Held::Superseded => "no keystores: these shares are superseded".to_owned(),
        Held::Nothing if ceremony.is_repair() => "none: its shares stay as they are".to_owned(),
        Held::Nothing => "none: this operator holds no new share".to_owned(),
    };
    format!(
        "Made\n  keys    {}, on {}\n  public  {}\n  secret  {secret}\n\nBack up\n  keys and \
         shares: quorate --dir {} backup make FILE\n  outputs: {}\n  your passphrase, in another \
         place\nNever copy log.sealed by itself: a copy that is put back could sign twice. Never \
         run the shares in two places.\n\nNext\n  quorate audit {} \
         --expect {}",
        plural(ceremony.v(), "validator"),
        ceremony.network().name(),
        shown(&out.join("public")),
        quoted(state),
        shown(&out),
        quoted(&out.join("public/transcript.quorate")),
        quoted(&folder.join("ceremony.toml")),
    )
}
