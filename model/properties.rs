//! Properties that must hold in every reachable state.

use crate::judge::judge;
use crate::machine::{Event, Machine};
use crate::memory::{Record, Stage};
use crate::statement::{Book, COMMIT, FINAL, Flaw, Id, JUNK, N, PREPARE, ROUNDS, View};
use crate::world::{Action, State, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Property {
    /// An honest operator signs one statement for each slot, ever.
    OneStatementPerSlot,
    /// Who commits, commits to the same deals; who writes, writes the same outputs.
    Agreement,
    /// I1: a COMMIT leaves an honest operator only if it holds certificate 1.
    CommitNeedsCertificate,
    /// I2: a PREPARE leaves an honest operator only after its shares are on the disk.
    PrepareNeedsShares,
    /// I3: the shares of whoever has prepared stay on the disk.
    PreparedSharesStay,
    /// I4: outputs are written only with certificate 2.
    WritingNeedsCertificate,
    /// Where t partial signatures exist, every honest operator has prepared over the same deals and
    /// has its shares.
    DepositMeansAllPrepared,
    /// No honest operator is guilty: by all statements there are, or in the eyes of another honest
    /// operator.
    HonestNotGuilty,
    /// A log replays, to what its operator knew before the crash.
    RestartChangesNothing,
    /// What stops for good has not prepared.
    PreparedNeverStops,
    /// Where an honest operator has committed, every other honest one comes to commit by what
    /// honest operators hold.
    CertificateWins,
    /// Where an honest operator has said FINAL, every other honest one comes to say it by what
    /// honest operators hold.
    CommitsWin,
    /// Where an honest operator has written, every other honest one comes to write them by what
    /// honest operators hold.
    WrittenWins,
    /// Where the byzantine operator has not yet said what no honest one would, everybody finishes
    /// if it goes on like that; also where it has signed one content several times.
    HonestyFinishes,
    /// From PREPARE on, what a later view names is the one sound statement over what it names.
    UniqueContent,
}

/// The statements of a certificate: one of each operator, sound, all over one view. The view.
fn certified(book: &Book, held: &dyn Fn(Id) -> bool, set: View, round: usize) -> Option<View> {
    let mut views = set.into_iter().enumerate().map(|(sender, id)| {
        let statement = (id < JUNK && held(id)).then(|| book.get(id))?;
        let right =
            statement.sender == sender && statement.round == round && statement.is_ordinary();
        (right && statement.flaw != Flaw::Public).then_some(statement.view)
    });
    let first = views.next()??;
    views.all(|view| view == Some(first)).then_some(first)
}

/// The deals under an honest COMMIT, or under PREPARE.
fn deals(book: &Book, seat: usize, id: Id) -> View {
    let statement = book.get(id);
    match statement.round {
        PREPARE => statement.view,
        _ => book.get(statement.view[seat]).view,
    }
}

/// The properties that do not hold, of those that a state shows by itself.
pub(crate) fn violated(world: &World, state: &State) -> Vec<Property> {
    let mut found = Vec::new();
    let (book, scope, machines) = (&world.book, &world.scope, world.machines(state));
    for (machine, seat) in machines.iter().zip(world.honest) {
        violated_by(book, machine, seat, &mut found);
    }
    let committed = machines.map(|machine| machine.said(book, COMMIT));
    if let [Some(one), Some(two)] = committed
        && deals(book, world.honest[0], one) != deals(book, world.honest[1], two)
    {
        found.push(Property::Agreement);
    }
    let written = machines.iter().all(|machine| machine.disk.written);
    if let ([Some(one), Some(two)], true) =
        (machines.map(|machine| machine.said(book, FINAL)), written)
        && book.get(one).view != book.get(two).view
    {
        found.push(Property::Agreement);
    }
    // t = 2: the byzantine operator's partial and one more.
    for (operator, commit) in committed.into_iter().enumerate() {
        let Some(commit) = commit else { continue };
        let key = deals(book, world.honest[operator], commit);
        let prepared = |machine: &&Machine| {
            let prepare = machine.said(book, PREPARE).filter(|id| book.get(*id).is_ordinary());
            prepare.is_some_and(|id| book.get(id).view == key) && machine.disk.holds(Record::Shares)
        };
        if !machines.iter().all(prepared) {
            found.push(Property::DepositMeansAllPrepared);
        }
    }
    let sound = |id: &&Id| {
        let statement = book.get(**id);
        matches!(statement.round, PREPARE | COMMIT)
            && statement.is_ordinary()
            && statement.flaw == Flaw::Sound
    };
    let used = world.used(state);
    let mut named: Vec<(usize, usize, View)> = used
        .iter()
        .filter(sound)
        .map(|id| (book.get(*id).round, book.get(*id).sender, book.get(*id).view))
        .collect();
    named.sort_unstable();
    if named.windows(2).any(|pair| pair[0] == pair[1]) {
        found.push(Property::UniqueContent);
    }
    let honest = world.honest.into_iter().fold(0, |all, seat| all | 1 << seat);
    let blamed = machines.iter().fold(0, |all, machine| all | machine.memory.blamed);
    let mut statements: Vec<Id> = machines.iter().flat_map(|machine| machine.sent()).collect();
    statements.extend(used);
    statements.sort_unstable();
    statements.dedup();
    if (judge(scope, book, &statements) | blamed) & honest != 0 {
        found.push(Property::HonestNotGuilty);
    }
    found
}

fn violated_by(book: &Book, machine: &Machine, seat: usize, found: &mut Vec<Property>) {
    for round in 0..ROUNDS {
        if machine.sent().filter(|id| book.get(*id).round == round).count() > 1 {
            found.push(Property::OneStatementPerSlot);
        }
    }
    let held = |id: Id| machine.disk.statements().any(|held| held == id);
    let prepare = machine.said(book, PREPARE).filter(|id| book.get(*id).is_ordinary());
    let shares = machine.disk.holds(Record::Shares);
    if prepare.is_some() && !shares {
        // Shares that were there when PREPARE left and are not now were deleted.
        let deleted = machine.memory.stage == Stage::Stopped;
        found.push(if deleted {
            Property::PreparedSharesStay
        } else {
            Property::PrepareNeedsShares
        });
    }
    if let Some(commit) = machine.said(book, COMMIT) {
        let named = book.get(commit).view;
        let over = certified(book, &held, named, PREPARE);
        if over.is_none()
            || Some(named[seat]) != prepare
            || over.is_some_and(|over| over != deals(book, seat, commit))
        {
            found.push(Property::CommitNeedsCertificate);
        }
    }
    if machine.disk.written {
        let finals = |sender: usize| {
            machine
                .disk
                .statements()
                .filter(move |id| (book.get(*id).sender, book.get(*id).round) == (sender, FINAL))
        };
        let complete = machine.said(book, FINAL).is_some_and(|own| {
            let agrees = |id: Id| {
                book.get(id).flaw == Flaw::Sound && book.get(id).view == book.get(own).view
            };
            (0..N).all(|sender| finals(sender).any(agrees))
                && certified(book, &held, book.get(own).view, COMMIT).is_some()
        });
        if !complete {
            found.push(Property::WritingNeedsCertificate);
        }
    }
    if prepare.is_some() && machine.memory.stage == Stage::Stopped {
        found.push(Property::PreparedNeverStops);
    }
    if machine.memory.stage == Stage::Damaged {
        found.push(Property::RestartChangesNothing);
    }
}

/// A restart, without another failure, leads back to the same state.
fn restart_differs(world: &mut World, state: &State) -> bool {
    (0..2).any(|operator| {
        let up = world.machine(state[operator]).memory.stage != Stage::Down;
        up && world.outcomes(state, Action { operator, event: Event::Start })[0] != *state
    })
}

/// The properties that do not hold, of those about what may come.
pub(crate) fn violated_later(world: &mut World, state: &State) -> Vec<Property> {
    let mut found = Vec::new();
    let say = |world: &World, state: &State, round: usize| {
        let says = |machine: &&&Machine| machine.said(&world.book, round).is_some();
        world.machines(state).iter().filter(says).count()
    };
    let commits = |world: &World, state: &State| say(world, state, COMMIT);
    let finals = |world: &World, state: &State| say(world, state, FINAL);
    let writes = |world: &World, state: &State| {
        world.machines(state).iter().filter(|machine| machine.disk.written).count()
    };
    let written = writes(world, state);
    if commits(world, state) == 1 || finals(world, state) == 1 || written == 1 {
        let ways = [false, true].map(|latest_first| world.settle(state, false, latest_first));
        if ways.iter().all(|settled| commits(world, settled) != 2) {
            found.push(Property::CertificateWins);
        }
        if finals(world, state) == 1 && ways.iter().all(|settled| finals(world, settled) != 2) {
            found.push(Property::CommitsWin);
        }
        if written == 1 && ways.iter().all(|settled| writes(world, settled) != 2) {
            found.push(Property::WrittenWins);
        }
    }
    if written < 2 && world.seems_honest(state) {
        let settled = world.settle(state, true, false);
        if writes(world, &settled) != 2 {
            found.push(Property::HonestyFinishes);
        }
    }
    if restart_differs(world, state) {
        found.push(Property::RestartChangesNothing);
    }
    found
}

/// How a state is told to people: what each honest operator does.
pub(crate) fn stages(world: &World, state: &State) -> [Stage; 2] {
    let mut stages = world.machines(state).map(|machine| machine.memory.stage);
    stages.sort_unstable();
    stages
}
