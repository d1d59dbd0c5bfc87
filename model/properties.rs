//! Properties that must hold in every reachable state.

use crate::judge::judge;
use crate::machine::Machine;
use crate::memory::{Record, Stage};
use crate::rules::{Cast, Scope};
use crate::settle::Fair;
use crate::statement::{
    Book, COMMIT, FINAL, Flaw, Id, JUNK, Kind, PREPARE, ROUNDS, Seats, View, among, contains,
};
use crate::world::{State, World};

/// How many there are.
pub(crate) const PROPERTIES: usize = 22;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Property {
    /// An honest operator signs one statement for each slot, ever; two of minima at most, of which
    /// the second is not lower.
    OneStatementPerSlot,
    /// Who commits, commits to the same deals; who says FINAL, says it over the same commits. Two
    /// completions have one certificate, without whomever they are.
    Agreement,
    /// I1: a COMMIT leaves an honest operator only if it holds certificate 1.
    CommitNeedsCertificate,
    /// I2: a PREPARE leaves an honest receiver only after its shares are on the disk.
    PrepareNeedsShares,
    /// I3: the shares of whoever has prepared stay on the disk.
    PreparedSharesStay,
    /// I4: outputs are written only with certificate 2, or with all of it but the finals of seats
    /// without which all others finish, and enough are left.
    WritingNeedsCertificate,
    /// Where an honest COMMIT exists, every honest operator has prepared over the same deals, and
    /// has its shares if it receives. In a key generation it takes one to sign the deposit, with
    /// the byzantine operator's.
    CommitMeansAllPrepared,
    /// The COMMIT of who has old shares leaves only after its person has stopped these, with its
    /// minima on the disk.
    StopBeforeCommit,
    /// A dealer commits only when everybody has that only receives.
    ReceiversFirst,
    /// A FINAL leaves, and outputs are written, only where every honest dealer has stopped; those
    /// that were not left out stay so.
    OutputsAfterStops,
    /// What an honest dealer has stated first counts for everybody that has said FINAL.
    MinimaCount,
    /// Where outputs are written, a quorum of old shares needs as many false stops as chapter 15
    /// says: one at least, and one for each dealer that is bound above `n_0 - t_0`.
    GenerationsApart,
    /// Who has signed FINAL does not abandon, and is in no other reshare; the note stands before
    /// anything that commits.
    OneChild,
    /// No honest operator is guilty: by all statements there are, or in the eyes of another honest
    /// operator.
    HonestNotGuilty,
    /// A log replays, to what its operator knew before the crash.
    RestartChangesNothing,
    /// What stops for good by a fault has not prepared.
    PreparedNeverStops,
    /// Where an honest operator has committed, every other honest one comes to certificate 1 by
    /// what honest operators hold that take part; and commits, if it has no old shares that run.
    CertificateWins,
    /// Where an honest operator has said FINAL, every other honest one that takes part comes to say
    /// it by what these hold.
    CommitsWin,
    /// Where an honest operator has written, every other honest one that takes part comes to write
    /// by what these hold.
    WrittenWins,
    /// Where the byzantine operator has not yet said what no honest one would, everybody finishes
    /// if it goes on like that; also where it has signed one content several times.
    HonestyFinishes,
    /// Where an honest operator has said FINAL and the byzantine one is lost, or another has
    /// abandoned, everybody else finishes without it, if enough are left.
    LossFinishes,
    /// From PREPARE on, what a later view names is the one sound statement over what it names.
    UniqueContent,
}

/// The statements of a certificate: one of each operator that owes one, sound, all over one view.
/// The view.
fn certified(
    cast: &Cast,
    book: &Book,
    held: &dyn Fn(Id) -> bool,
    set: View,
    round: usize,
) -> Option<View> {
    let mut views = cast.speakers(round).map(|sender| {
        let id = set[sender];
        let statement = (id < JUNK && held(id)).then(|| book.get(id))?;
        let right =
            statement.sender == sender && statement.round == round && statement.is_ordinary();
        (right && statement.flaw != Flaw::Public).then_some(statement.view)
    });
    let first = views.next()??;
    views.all(|view| view == Some(first)).then_some(first)
}

/// The deals under an own COMMIT, or under PREPARE.
fn deals(book: &Book, seat: usize, id: Id) -> View {
    let statement = book.get(id);
    match statement.round {
        PREPARE => statement.view,
        _ => book.get(statement.view[seat]).view,
    }
}

/// What a machine breaks by itself.
pub(crate) fn local(scope: &Scope, book: &Book, machine: &Machine, seat: usize) -> Vec<Property> {
    use Property::*;
    let (cast, disk) = (&scope.cast, &machine.disk);
    let mut found = Vec::new();
    let mut breaks = |broken: bool, property| {
        if broken {
            found.push(property);
        }
    };
    let of_round = |round: usize| {
        machine.sent().filter(move |id| book.get(*id).round == round && book.get(*id).in_slot())
    };
    let twice = (0..ROUNDS).any(|round| of_round(round).count() > 1);
    breaks(twice, OneStatementPerSlot);
    let value = |id: Id| match book.get(id).kind {
        Kind::Minima(value) if book.get(id).sender == seat => Some(value),
        _ => None,
    };
    let minima: Vec<u8> = disk.statements().filter_map(value).collect();
    let said: Vec<u8> = machine.sent().filter_map(value).collect();
    breaks(said.len() > 2 || said.iter().any(|value| !minima.contains(value)), StopBeforeCommit);
    let held = |id: Id| disk.statements().any(|held| held == id);
    let prepare = machine.said(book, PREPARE).filter(|id| book.get(*id).is_ordinary());
    let lost = prepare.is_some() && cast.receives(seat) && !disk.holds(Record::Shares);
    // Shares that were there when PREPARE left and are not now were deleted.
    let deleted = machine.memory.stage == Stage::Stopped;
    breaks(lost && !deleted, PrepareNeedsShares);
    breaks(lost && deleted, PreparedSharesStay);
    if let Some(commit) = machine.said(book, COMMIT) {
        let named = book.get(commit).view;
        let over = certified(cast, book, &held, named, PREPARE);
        let wrong = over.is_none()
            || Some(named[seat]) != prepare
            || over.is_some_and(|over| over != deals(book, seat, commit));
        breaks(wrong, CommitNeedsCertificate);
        breaks(cast.stops(seat) && minima.is_empty(), StopBeforeCommit);
        let first = |pure: usize| {
            disk.statements().any(|id| {
                let held = book.get(id);
                held.round == COMMIT && held.sender == pure && held.view == named
            })
        };
        let pure = |other: &usize| contains(cast.pure(), *other);
        let waited = cast.seats().filter(pure).all(first);
        breaks(cast.stops(seat) && !waited, ReceiversFirst);
    }
    if disk.written {
        breaks(!may_write(cast, book, machine, seat), WritingNeedsCertificate);
    }
    breaks(prepare.is_some() && machine.memory.stage == Stage::Stopped, PreparedNeverStops);
    breaks(machine.memory.stage == Stage::Damaged, RestartChangesNothing);
    let bound = disk.is_bound(book, seat);
    breaks(bound && (disk.abandoned || disk.elsewhere), OneChild);
    breaks(cast.parent.is_some() && disk.commits(book, seat) && !disk.note, OneChild);
    found
}

/// Whether a machine that has written may have: by what is on its disk.
fn may_write(cast: &Cast, book: &Book, machine: &Machine, seat: usize) -> bool {
    let (disk, lost) = (&machine.disk, machine.disk.without);
    let held = |id: Id| disk.statements().any(|held| held == id);
    let Some(own) = machine.said(book, FINAL).map(|id| book.get(id)) else { return false };
    let of = |sender: usize| {
        let sent = move |id: &Id| book.get(*id).sender == sender;
        disk.statements().filter(sent).map(|id| book.get(id))
    };
    let is_final = |sender: usize| {
        of(sender).any(|held| {
            held.round == FINAL
                && held.is_ordinary()
                && held.flaw == Flaw::Sound
                && held.view == own.view
        })
    };
    let Some(prepares) = certified(cast, book, &held, own.view, COMMIT) else { return false };
    let certificate = certified(cast, book, &held, prepares, PREPARE);
    let without = |sender: usize| {
        of(sender).fold(0, |all, held| match held.kind {
            Kind::Without(seats) if Some(held.view) == certificate => all | seats,
            _ => all,
        })
    };
    let minima = |dealer: usize| {
        of(dealer).any(|held| matches!(held.kind, Kind::Minima(_)) && held.flaw == Flaw::Sound)
    };
    let left = |sender: &usize| !contains(lost, *sender);
    certificate.is_some()
        && !contains(lost, seat)
        && cast.seats().filter(left).all(is_final)
        && cast.seats().filter(left).all(|sender| lost & !without(sender) == 0)
        && cast.seats().filter(|seat| cast.stops(*seat)).all(minima)
        && (lost == 0 || cast.enough(lost))
}

/// The properties that do not hold, of those that a state shows by itself.
pub(crate) fn violated(world: &World, state: &State) -> Vec<Property> {
    let mut found = Vec::new();
    let (book, scope) = (&world.book, &world.scope);
    let machines: Vec<(usize, &Machine)> = world.machines(state).collect();
    agreement(world, &machines, &mut found);
    stops(world, &machines, &mut found);
    let used = world.used(state);
    if is_named_twice(book, &used) {
        found.push(Property::UniqueContent);
    }
    let honest: Seats = world.honest.iter().fold(0, |all, seat| all | 1 << seat);
    let blamed = machines.iter().fold(0, |all, (_, machine)| all | machine.memory.blamed);
    let mut statements: Vec<Id> = machines.iter().flat_map(|(_, machine)| machine.sent()).collect();
    statements.extend(used);
    statements.sort_unstable();
    statements.dedup();
    if (judge(scope, book, &statements) | blamed) & honest != 0 {
        found.push(Property::HonestNotGuilty);
    }
    found
}

fn agreement(world: &World, machines: &[(usize, &Machine)], found: &mut Vec<Property>) {
    let (book, cast) = (&world.book, &world.scope.cast);
    let differ = |values: &[View]| values.windows(2).any(|pair| pair[0] != pair[1]);
    let committed: Vec<View> = machines
        .iter()
        .filter_map(|(seat, machine)| Some(deals(book, *seat, machine.said(book, COMMIT)?)))
        .collect();
    let finals: Vec<View> = machines
        .iter()
        .filter_map(|(_, machine)| Some(book.get(machine.said(book, FINAL)?).view))
        .collect();
    if differ(&committed) || differ(&finals) {
        found.push(Property::Agreement);
    }
    let prepared = |key: &View, (seat, machine): &(usize, &Machine)| {
        let prepare = machine.said(book, PREPARE).filter(|id| book.get(*id).is_ordinary());
        let stored = !cast.receives(*seat) || machine.disk.holds(Record::Shares);
        stored && prepare.is_some_and(|id| book.get(id).view == *key)
    };
    let all_prepared = |key: &View| machines.iter().all(|machine| prepared(key, machine));
    if !committed.iter().all(all_prepared) {
        found.push(Property::CommitMeansAllPrepared);
    }
}

fn stops(world: &World, machines: &[(usize, &Machine)], found: &mut Vec<Property>) {
    let (book, cast) = (&world.book, &world.scope.cast);
    let Some(parent) = cast.parent else { return };
    let dealers = || machines.iter().filter(|(seat, _)| cast.deals(*seat));
    let finals = machines.iter().filter(|(_, machine)| machine.said(book, FINAL).is_some());
    for (_, machine) in finals {
        if dealers().any(|(seat, dealer)| !dealer.disk.has_stopped(book, *seat)) {
            found.push(Property::OutputsAfterStops);
        }
        let counts_less = |(seat, dealer): &(usize, &Machine)| {
            let first = dealer.disk.statements().find_map(|id| match book.get(id).kind {
                Kind::Minima(value) if book.get(id).sender == *seat => Some(value),
                _ => None,
            });
            machine.memory.signed_last(book, *seat) < first
        };
        if machine.takes_part() && dealers().any(counts_less) {
            found.push(Property::MinimaCount);
        }
    }
    // Old shares run until their person has stopped them, and again after an abandonment.
    let runs = |(seat, machine): &(usize, &Machine)| {
        !machine.disk.has_stopped(book, *seat) || machine.disk.abandoned
    };
    let byzantine = world.scope.byzantine;
    for (_, writer) in machines.iter().filter(|(_, machine)| machine.disk.written) {
        let lost = writer.disk.without;
        if dealers().any(|dealer| !contains(lost, dealer.0) && runs(dealer)) {
            found.push(Property::OutputsAfterStops);
        }
        let bound = among(cast.dealers & !lost);
        // One that was left out is bound to nothing, and breaks no rule if it goes on.
        let free = cast.deals(byzantine) && contains(lost, byzantine);
        let cheats = usize::from(cast.deals(byzantine) && !free);
        let rightly = parent.holders - among(cast.dealers)
            + dealers().filter(|dealer| runs(dealer)).count()
            + usize::from(free);
        let needed = (bound + parent.threshold).saturating_sub(parent.holders);
        let alive = rightly + cheats >= parent.threshold;
        if rightly >= parent.threshold || (alive && cheats < needed) {
            found.push(Property::GenerationsApart);
        }
    }
}

fn is_named_twice(book: &Book, used: &[Id]) -> bool {
    let sound = |id: &&Id| {
        let statement = book.get(**id);
        matches!(statement.round, PREPARE | COMMIT)
            && statement.is_ordinary()
            && statement.flaw == Flaw::Sound
    };
    let mut named: Vec<(usize, usize, View)> = used
        .iter()
        .filter(sound)
        .map(|id| (book.get(*id).round, book.get(*id).sender, book.get(*id).view))
        .collect();
    named.sort_unstable();
    named.windows(2).any(|pair| pair[0] == pair[1])
}

/// A restart, without another failure, leads back to the same state.
fn restart_differs(world: &mut World, state: &State) -> bool {
    use crate::explore::Model as _;
    use crate::machine::Event;
    use crate::world::Action;
    (0..world.honest.len()).any(|operator| {
        let up = world.machine(state[operator]).memory.stage != Stage::Down;
        up && world.outcomes(state, Action { operator, event: Event::Start })[0] != *state
    })
}

/// The properties that do not hold, of those about what may come.
pub(crate) fn violated_later(world: &mut World, state: &State) -> Vec<Property> {
    let mut found = Vec::new();
    let running = |world: &World, state: &State, holds: &dyn Fn(&World, &Machine) -> bool| {
        let all: Vec<bool> =
            world.running(state).map(|(_, machine)| holds(world, machine)).collect();
        (all.contains(&true), !all.contains(&false))
    };
    let commits = |world: &World, machine: &Machine| machine.said(&world.book, COMMIT).is_some();
    let certified = |world: &World, machine: &Machine| {
        let stage = machine.memory.stage;
        stage == Stage::Stop
            || (stage > Stage::Stop && stage <= Stage::Finished && commits(world, machine))
    };
    let finals = |world: &World, machine: &Machine| machine.said(&world.book, FINAL).is_some();
    let writes = |_: &World, machine: &Machine| machine.disk.written;
    let (committed, _) = running(world, state, &commits);
    let (said, all_said) = running(world, state, &finals);
    let (written, all_written) = running(world, state, &writes);
    let (_, all_certified) = running(world, state, &certified);
    if (committed && !all_certified) || (said && !all_said) || (written && !all_written) {
        let ways = [false, true]
            .map(|latest_first| world.settle(state, Fair { latest_first, ..Fair::NETWORK }));
        let come = |world: &World, holds: &dyn Fn(&World, &Machine) -> bool| {
            ways.iter().any(|settled| running(world, settled, holds).1)
        };
        let wins = [
            (committed && !come(world, &certified), Property::CertificateWins),
            (said && !come(world, &finals), Property::CommitsWin),
            (written && !come(world, &writes), Property::WrittenWins),
        ];
        found.extend(wins.into_iter().filter(|(lost, _)| *lost).map(|(_, property)| property));
    }
    let cast = world.scope.cast;
    let (gone, byzantine) = (world.abandoned(state), world.scope.byzantine);
    if !all_written {
        let fair = world.seems_honest(state);
        if gone == 0 && fair {
            let settled = world.settle(state, Fair { helps: true, ..Fair::NETWORK });
            if !running(world, &settled, &writes).1 {
                found.push(Property::HonestyFinishes);
            }
        }
        let losses = [(gone == 0, false, 1 << byzantine), (gone != 0 && fair, true, gone)];
        for (_, helps, lost) in losses.into_iter().filter(|(happens, ..)| *happens) {
            if said && cast.enough(lost) {
                let settled = world.settle(state, Fair { helps, lost, ..Fair::NETWORK });
                if !running(world, &settled, &writes).1 {
                    found.push(Property::LossFinishes);
                }
            }
        }
    }
    if restart_differs(world, state) {
        found.push(Property::RestartChangesNothing);
    }
    found
}
