//! The stop of a dealer in a reshare: its person removes the old shares from every validator
//! client, and says what they have signed last. From its commit on they never sign again.

use std::time::Duration;

use super::args::StopArgs;
use super::command::export::now;
use super::keymanager::KeyManager;
use super::report::{CliError, talk};
use super::{messages, prompt, protection, removal, secret_file};
use quorate::ethereum::interchange::Key;
use quorate::exchange::{Exchange, Moment};
use quorate::export::cut_over;
use quorate::message::shape::Shape;
use quorate::protocol::participant::{Participant, Refused};
use quorate::spec::CeremonyKind;
use quorate_operator::machine::Machine;

/// Takes a person's word that the old shares are stopped, and carries out what follows. Refused
/// before certificate 1: until then, the old shares are needed.
pub(crate) fn stop(
    args: &StopArgs,
    exchange: &mut Exchange,
    machine: &mut Machine,
) -> Result<(), CliError> {
    let participant = exchange.participant();
    let (ceremony, me) = (participant.seat().ceremony.clone(), participant.seat().me);
    let keys = old_keys(participant).ok_or_else(messages::stops_nothing)?;
    if participant.is_finished() {
        talk(
            "This operator has stopped, and the ceremony is finished: nothing is stated any more.",
        );
        return Ok(());
    }
    let before = participant.signed_last(me);
    if before.is_none() && !participant.awaits_stop() {
        return Err(messages::not_certified(ceremony.name()));
    }
    talk(&standing(participant));
    let network = ceremony.network();
    let (mut all, mut notes) = protection::joined(&args.protection, network)?;
    match &args.keymanager {
        Some(url) => {
            let token = args.token_file.as_deref();
            let token = token.ok_or_else(|| messages::internal("a token is required"))?;
            let manager = KeyManager::new(url, &secret_file::read(token)?, args.insecure_http)
                .map_err(|error| messages::push(url, &error))?;
            // The keys are removed for this reshare and no other.
            machine.note_child().map_err(messages::machine)?;
            let keep = |bytes: &[u8]| machine.dir().keep_protection(bytes).map_err(messages::store);
            let removed = removal::remove(&manager, url, &keys, network, keep)?;
            talk(&format!("What they have signed: {}", messages::shown(&removed.file)));
            all = all
                .join(&removed.signed)
                .map_err(|error| messages::internal(&error.to_string()))?;
            notes.extend(removed.notes);
        }
        None => {
            let what = match ceremony.kind() {
                CeremonyKind::Import => {
                    (messages::KEYS_REMOVED, messages::keys_not_removed_by_word as fn() -> CliError)
                }
                _ => (messages::REMOVED, messages::not_removed_by_word as fn() -> CliError),
            };
            prompt::sentence(what, args.yes_stopped.as_deref(), "--yes-stopped")?;
        }
    }
    if args.others_until_now {
        protection::until_now(&mut all, &keys, network, now())?;
    }
    let signed = protection::only(all, &args.protection, &keys, args.others_never_ran)?;
    notes.extend(protection::ahead_of_clock(&signed, network, now()));
    notes.iter().for_each(|note| talk(&format!("NOTE: {note}")));
    let internal = |error: &dyn core::fmt::Display| messages::internal(&error.to_string());
    let minima = cut_over::stated(&signed, &keys).map_err(|error| internal(&error))?;
    if let Some(before) = before {
        let before = cut_over::as_interchange(&before, network, &keys);
        signed.check_not_below(&before).map_err(|error| messages::stated_less(&error))?;
    }
    // Nobody is connected yet: peers ask for what this operator has said.
    let moment = Moment { now: Duration::ZERO, queued: Vec::new() };
    let taken = exchange.stop(minima, &moment, machine);
    match taken.map_err(|trouble| messages::machine(machine.error(trouble)))? {
        Ok(_) => {
            talk(match ceremony.kind() {
                CeremonyKind::Import => {
                    "This operator has stopped. The whole keys must never sign again. Keep the \
                     keystores offline until the outputs are written, and then destroy them."
                }
                _ => "This operator has stopped. Its old shares must never sign again.",
            });
            Ok(())
        }
        Err(Refused::NotCertified) => Err(messages::not_certified(ceremony.name())),
        Err(Refused::StoppedTwice) => Err(messages::stopped_twice()),
        Err(refused) => Err(internal(&refused)),
    }
}

/// The public keys of the shares that this operator stops, by validator; `None` if it stops none.
fn old_keys(participant: &Participant) -> Option<Vec<Key>> {
    let seat = participant.seat();
    if seat.ceremony.is_repair() {
        // Helpers go on signing with their shares.
        return None;
    }
    let shares = seat.ceremony.parent_shares()?.stopped_by(seat.me)?;
    Some(shares.iter().map(|share| share.to_compressed()).collect())
}

/// Who has stopped, and what one more stop does.
fn standing(participant: &Participant) -> String {
    let ceremony = &participant.seat().ceremony;
    let Some(reshare) = ceremony.reshare() else { return String::new() };
    let all = Shape::of(ceremony).stops();
    let stopped = all.iter().filter(|seat| participant.signed_last(*seat).is_some());
    let (stopped, all) = (stopped.count(), all.len());
    let Some(parent) = reshare.origin.parent().map(|parent| parent.threshold) else {
        return messages::import_stands().to_owned();
    };
    messages::stop_standing(stopped, all, parent.required(), parent.participants())
}
