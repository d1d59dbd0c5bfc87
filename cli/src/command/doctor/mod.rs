//! `quorate doctor`: looks before the day at everything that a ceremony needs, on this machine and
//! on the way to the others. It signs nothing of the ceremony, and writes nothing that stays.

mod board;
mod found;
mod peers;

use std::sync::Arc;

use serde_json::json;

use self::found::Findings;
use self::peers::Way;
use super::addresses;
use super::export::now;
use super::run::listen_address;
use super::taking_part::begun;
use crate::args::DoctorArgs;
use crate::meeting::Meeting;
use crate::messages::{self, shown};
use crate::parent::{self, Attached};
use crate::progress::seat_name;
use crate::report::{CliError, Exit, Output};
use crate::{VERSION, node_key, packet, prompt, ssv_key};
use quorate::audit::facts::Audited;
use quorate::ethereum::network::Network;
use quorate::identity::Operator;
use quorate::message::shape::Shape;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::{Ceremony, Index};
use quorate_operator::longest_posting;
use quorate_operator::machine::{self, room_needed};
use quorate_operator::store::{CeremonyView, StateDir};

/// 2026-01-01: before this command was written. A clock that is behind it is wrong.
const EARLIEST: u64 = 1_767_225_600;
/// What the outputs of one validator take besides the log, generously: keystore, deposits, reports.
const OUTPUTS_EACH: u64 = 16 << 10;

/// Runs the command.
pub(crate) fn run(args: &DoctorArgs, out: &Output) -> Result<Exit, CliError> {
    let brought = packet::or_file(&args.file)?;
    let packed = brought.packed;
    let (_, ceremony) = addresses::moved(brought.file, brought.ceremony, &args.at)?;
    let (name, digest) = (ceremony.name().to_owned(), ceremony.digest());
    let mut findings = Findings::default();
    findings.good("program", format!("quorate {VERSION}"));
    findings.good("file", format!("{} is valid", shown(&args.file)));
    match clock(now(), ceremony.network()) {
        Ok(()) => findings.good("clock", "not obviously wrong; compared with the others below"),
        Err(error) => findings.bad("clock", error),
    }
    match own_side(args, ceremony, packed, &mut findings, out) {
        Some(Next::Call(way)) => peers::look(way, args.wait, &mut findings)?,
        Some(Next::Board) => findings.unknown("others", "not called: they come to the board"),
        None => findings.unknown("others", "not called: that needs what failed above"),
    }
    let exit = findings.exit();
    let fields = json!({
        "ceremony": name, "digest": digest.to_string(), "ready": exit == Exit::Done,
        "checks": findings.json(),
    });
    out.finish(exit, fields, &findings.text())
}

/// Whether a clock can be right: not before this program, nor before the network.
fn clock(now: u64, network: &Network) -> Result<(), CliError> {
    let known = Network::known(network.name()).and_then(|known| known.genesis_time());
    match now < EARLIEST.max(known.unwrap_or_default()) {
        true => Err(messages::clock_behind(now)),
        false => Ok(()),
    }
}

/// How the ceremony will go on from this machine.
enum Next {
    /// The others are called.
    Call(Way),
    /// Everybody comes to a board, which has been looked at.
    Board,
}

/// Looks at this machine; with everything that meeting the others needs, gives the way to them.
fn own_side(
    args: &DoctorArgs,
    ceremony: Ceremony,
    packed: Option<(Index, Vec<Vec<u8>>)>,
    findings: &mut Findings,
    out: &Output,
) -> Option<Next> {
    let (packed_for, transcripts) = packed.unzip();
    let opened = StateDir::open(&out.dir).map_err(messages::store);
    let state = findings.take("directory", opened)?;
    findings.good("directory", format!("{}, closed to other users", shown(state.path())));
    // Whoever takes part now has the connections: a second caller would take their place.
    let locked = findings.take("use", state.lock().map_err(messages::store));
    if locked.is_some() {
        findings.good("use", "no other quorate is at work in this directory");
    }
    disk(&state, &ceremony, findings);
    let found = findings.take("state", state.find(&ceremony.digest()).map_err(messages::store))?;
    let is_begun = findings.take("state", stands(&ceremony, found.as_ref()));
    if let Some(is_begun) = is_begun {
        let text = if is_begun { "this ceremony was begun here" } else { "not begun here" };
        findings.good("state", text);
    }
    let (ceremony, parent) = of_parent(args, ceremony, found.as_ref(), transcripts, findings)?;
    let ceremony = Arc::new(ceremony);
    let (operator, _) = findings.take("identity", prompt::open_identity(&state, out))?;
    findings.good("identity", "the passphrase opens it");
    let operator = Arc::new(operator);
    if let Some(seat) = packed_for {
        let (key, name) = (operator.key().public(), operator.name().as_str());
        let mine = messages::packed_for(&args.file, &ceremony, seat, &key, name);
        findings.take("packet", mine)?;
        findings.good("packet", "it is for you");
    }
    let seat = findings.take("seat", seat(args, &ceremony, &operator, &state))?;
    match seat.is_of_this_install() || is_begun == Some(true) {
        true => findings.good("seat", format!("you are {}", seat_name(&ceremony, seat.me))),
        false => findings.bad("seat", messages::other_install(state.path())),
    }
    if let Some(parent) = &parent
        && ceremony.parts().dealers.contains(seat.me)
    {
        old_shares(&state, parent, findings);
    }
    if let Some(meeting) = findings.take("board", Meeting::of(&args.meeting))? {
        board::look(&meeting, (&ceremony, seat.me), is_begun == Some(true), findings)?;
        return Some(Next::Board);
    }
    let listen = listen_address(args.listen.as_deref(), &ceremony, seat.me);
    let listen = findings.take("port", listen)?;
    match &listen {
        None => findings.unknown("port", "this operator has no address: it only calls"),
        // A run that is in progress has it.
        Some(_) if locked.is_none() => {}
        Some(listen) => match listen.check().map_err(messages::carrier) {
            Ok(()) => findings.good("port", format!("{listen} is free")),
            Err(error) => {
                findings.bad("port", error);
                return None;
            }
        },
    }
    Some(Next::Call(Way { seat, listen, proxy: args.socks5.clone(), lock: locked? }))
}

/// Whether the disk does what a ceremony needs, and has room for it.
fn disk(state: &StateDir, ceremony: &Ceremony, findings: &mut Findings) {
    let tried = findings.take("disk", state.try_writing().map_err(messages::store));
    let free = findings.take("disk", state.free_space().map_err(messages::store));
    let (Some(()), Some(free)) = (tried, free) else { return };
    let outputs = OUTPUTS_EACH.saturating_mul(ceremony.v() as u64);
    let needed = room_needed(&Shape::of(ceremony)).saturating_add(outputs);
    match free < needed {
        true => findings.bad("disk", messages::little_space(state.path(), free, needed)),
        false => findings.good("disk", "writes, syncs and reads back; there is room"),
    }
}

/// Whether there is a log to go on from; an error if this ceremony cannot go on here.
fn stands(ceremony: &Ceremony, found: Option<&CeremonyView>) -> Result<bool, CliError> {
    machine::check_version(ceremony, found).map_err(messages::machine)?;
    found.map_or(Ok(false), begun)
}

/// The ceremony with what it takes from its parent, if it is a reshare.
fn of_parent(
    args: &DoctorArgs,
    ceremony: Ceremony,
    found: Option<&CeremonyView>,
    transcripts: Option<Vec<Vec<u8>>>,
    findings: &mut Findings,
) -> Option<(Ceremony, Option<Audited>)> {
    let (has_parent, longest) = (ceremony.has_parent(), longest_posting(&ceremony));
    let attached = match transcripts {
        Some(transcripts) if has_parent => parent::packed(&args.file, ceremony, transcripts),
        _ => parent::attach(ceremony, &args.from, found),
    };
    let Some(Attached { ceremony, parent, .. }) = findings.take("parent", attached) else {
        // What a server is asked does not depend on the parent.
        let meeting = findings.take("board", Meeting::of(&args.meeting))??;
        board::answers(&meeting, longest, findings);
        return None;
    };
    if has_parent {
        findings.good("parent", "its transcript, and those before it, pass the audit");
    }
    Some((ceremony, parent))
}

/// This operator's seat, with the keys of others that it needs.
fn seat(
    args: &DoctorArgs,
    ceremony: &Arc<Ceremony>,
    operator: &Arc<Operator>,
    state: &StateDir,
) -> Result<OwnSeat, CliError> {
    let seat = OwnSeat::find(ceremony.clone(), operator.clone())
        .ok_or_else(|| messages::no_seat(operator.name().as_str(), ceremony.name()))?;
    let seat = ssv_key::seated(seat, args.ssv_key.as_deref(), args.ssv_password_file.as_deref())?;
    node_key::with_node_key(seat, state, args.charon_enr_private_key.as_deref())
}

/// Whether the log is here that has the shares which a dealer deals. It is not read.
fn old_shares(state: &StateDir, parent: &Audited, findings: &mut Findings) {
    let digest = parent.ceremony().digest();
    let log = state.find(&digest).and_then(|view| view.map_or(Ok(false), |view| view.has_log()));
    match findings.take("shares", log.map_err(messages::store)) {
        Some(true) => findings.good("shares", "the log with the shares that you deal is here"),
        Some(false) => {
            let name = parent.ceremony().name();
            findings.bad("shares", messages::no_old_shares(state.path(), name));
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right() {
        let hoodi = Network::known("hoodi").unwrap();
        for (now, fine) in [(0, false), (EARLIEST - 1, false), (EARLIEST, true)] {
            let error = clock(now, &hoodi).err();
            assert_eq!(error.is_none(), fine, "{now}");
            assert!(error.is_none_or(|error| error.fix.contains("timedatectl")));
        }
    }
}
