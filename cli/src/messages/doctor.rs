//! What doctor says: what is wrong, and who can mend it how.

use std::io::ErrorKind;
use std::path::Path;

use super::{local, shown};
use crate::report::CliError;
use quorate_operator::carrier::LinkError;
use quorate_operator::carrier::socks5::ProxyError;

/// A clock that is behind what has happened already.
pub(crate) fn clock_behind(now: u64) -> CliError {
    local(
        format!("this machine's clock is wrong: it says {now} s after 1970-01-01, in the past"),
        "set it, and have it set by the network (timedatectl set-ntp true)",
    )
}

/// A disk on which a ceremony has no room.
pub(crate) fn little_space(dir: &Path, free: u64, needed: u64) -> CliError {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    local(
        format!("{}: {} MiB are free; this ceremony needs {}", shown(dir), free >> 20, mib(needed)),
        "free some space; or move the directory to a larger disk, and give it with --dir",
    )
}

/// A server to which there is no connection.
pub(crate) fn server_not_reached(at: &Path, why: ErrorKind) -> CliError {
    let fix = match why {
        ErrorKind::ConnectionRefused => {
            "nothing listens there: ask whoever keeps the server to start it, and for its port; \
             NATS servers have 4222 unless told otherwise"
        }
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            "ask whoever keeps the server to open its port in the firewall; and try from another \
             network: yours may let out nothing to that port"
        }
        _ => {
            "something between you and the server breaks connections, or it was stopped just now: \
             run it again, or try another network"
        }
    };
    local(format!("{}: the server is not reached: {why}", shown(at)), fix)
}

/// Two operators of whom nobody can call the other.
pub(crate) fn only_through_others() -> &'static str {
    "no direct connection is possible: neither side has an address. What it says comes through \
     the others"
}

/// The time was over before it was called.
pub(crate) fn too_short() -> (String, String) {
    (
        "it was not reached in this time".to_owned(),
        "give it more time, as in --wait 60, while the operator runs quorate doctor".to_owned(),
    )
}

/// Nobody called, and there is nobody to call.
pub(crate) fn never_called() -> (String, String) {
    (
        "it has no address in the ceremony file, and has not called".to_owned(),
        "ask it to run quorate doctor at the same time. If it does, your port is closed to it: \
         open it in your firewall and router"
            .to_owned(),
    )
}

pub(crate) fn clocks_differ(reached: &str, ahead: i64) -> (String, String) {
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    (
        format!("{reached}; its clock is {} s {way} yours", ahead.unsigned_abs()),
        "one of the two is wrong: both of you compare yours with a time server, and have it set \
         by the network (timedatectl set-ntp true)"
            .to_owned(),
    )
}

pub(crate) fn versions_differ(reached: &str, theirs: &str, ours: &str) -> (String, String) {
    (
        format!("{reached}; it is quorate {theirs}, and this is quorate {ours}"),
        "agree on one release, and use the same release everywhere".to_owned(),
    )
}

/// Why there is no connection to an operator at `place`, and who can do what about it.
pub(crate) fn not_reached(place: &str, why: &LinkError, proxy: Option<&str>) -> (String, String) {
    use LinkError::*;
    let fix = match why {
        Proxy(error) => return (format!("{place}: {why}"), through_proxy(error, proxy)),
        Io(ErrorKind::ConnectionRefused) => {
            "nothing listens there: ask the operator to run quorate doctor or quorate run now, and \
             to check its port and the forwarding of its router"
        }
        Io(_) | NoAnswer(_) => {
            "ask the operator to open its port in its firewall and router; if it has moved, give \
             its address with --at OPERATOR=HOST:PORT"
        }
        Onion => "an onion service is called through a proxy: --socks5 127.0.0.1:9050",
        Resolve => {
            "check the name in the ceremony file and your own name server; the right address can \
             be given with --at OPERATOR=HOST:PORT"
        }
        NotAChannel => {
            "another program answers there: ask the operator for the right port; then give it with \
             --at OPERATOR=HOST:PORT"
        }
        OtherVersion { .. } => "agree on one release, and use the same release everywhere",
        OtherCeremony { .. } => {
            "compare the twelve words (quorate spec show); whoever has the wrong file gets it \
             again from the coordinator"
        }
        InCeremony { .. } | OtherRequest { .. } => {
            "agree with the operator on the command that both of you run"
        }
        OtherOperator { .. } => {
            "the address is another operator's: ask both for theirs, and give the right ones with \
             --at OPERATOR=HOST:PORT"
        }
        NotACaller { .. } | Refusal | Confirmation | Handshake | WeakKey(_) | OtherKey { .. } => {
            "ask the operator to compare its card (quorate identity show) with the one in the \
             ceremony file (quorate spec show)"
        }
        Closed
        | ClosedInHandshake
        | HandshakeTime(_)
        | Crowded
        | Decrypt
        | MessageLength(_)
        | FrameTooLong { .. }
        | FrameShape { .. }
        | Silent(_)
        | Crossed
        | Replaced
        | Behind
        | HungUp
        | Stopping => {
            "run it again; if it stays, something between the two of you breaks connections: try \
             another network"
        }
    };
    (format!("{place}: {why}"), fix.to_owned())
}

fn through_proxy(error: &ProxyError, proxy: Option<&str>) -> String {
    let proxy = proxy.unwrap_or("the proxy");
    match error {
        ProxyError::Refused(_) => {
            "the proxy works, and does not get through to the operator: ask it to run quorate \
             doctor or quorate run now, and whether the address is right"
                .to_owned()
        }
        ProxyError::Authentication => {
            "use a proxy that demands no authentication; Quorate has none to give".to_owned()
        }
        ProxyError::Resolve
        | ProxyError::Unreachable(_)
        | ProxyError::Silent(_)
        | ProxyError::Closed
        | ProxyError::NotSocks5 => {
            format!("start the proxy, or correct --socks5: now it is {proxy}")
        }
    }
}
