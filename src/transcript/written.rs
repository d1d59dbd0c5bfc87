//! Writes the transcript of a complete ceremony: the format of [`super::container`].

use std::collections::BTreeMap;

use crate::message::envelope::{Kind, Statement};
use crate::message::minima::{MINIMA_ROUND, Minima};
use crate::message::shape::Shape;
use crate::message::without::{Without, left_out, write_seats};
use crate::primitives::codec::Writer;
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::container::{Container, ContainerKind, Counts, Header, Incomplete};

/// The container of a complete ceremony: `statements` are all of them, in order of rounds and
/// senders; behind them in any order the minima of a reshare, of which those that do not decode are
/// left out, and the words of those who finish without others. Of a reshare, finals may be missing:
/// of seats without which, by these words, it was finished.
pub fn encode<'a>(
    ceremony: &Ceremony,
    statements: impl IntoIterator<Item = &'a Statement>,
) -> Result<Vec<u8>, Incomplete> {
    let shape = Shape::of(ceremony);
    let mut statements = statements.into_iter().peekable();
    let (mut here, mut missing) = (Vec::new(), None);
    for (round, sender) in shape.slots() {
        let place = (Kind::Ordinary, round, sender);
        let next = statements.next_if(|next| {
            (next.envelope.kind, next.envelope.round, next.envelope.sender) == place
        });
        match next {
            Some(next) => here.push(next),
            None if shape.may_lack() && round == shape.last_round() => {
                missing = missing.or(Some(Incomplete { round, sender }));
            }
            None => return Err(Incomplete { round, sender }),
        }
    }
    let (minima, words): (Vec<&Statement>, Vec<&Statement>) = statements
        .filter(|statement| matches!(statement.envelope.kind, Kind::Minima | Kind::Without))
        .partition(|statement| statement.envelope.kind == Kind::Minima);
    let lacking = match missing {
        None => Seats::default(),
        Some(missing) => lacking(&shape, &here, &words).ok_or(missing)?,
    };
    let kind = match ceremony.kind() {
        CeremonyKind::Dkg => ContainerKind::Complete,
        CeremonyKind::Repair => ContainerKind::Repaired,
        CeremonyKind::Reshare | CeremonyKind::Import if lacking.is_empty() => {
            ContainerKind::Reshared
        }
        CeremonyKind::Reshare | CeremonyKind::Import => ContainerKind::Without,
    };
    let mut writer = Header::write(kind, ceremony);
    if kind == ContainerKind::Without {
        writer = write_seats(writer, Seats::first(shape.n).minus(lacking), shape.n);
    }
    let counts = Counts { lacking, ..Counts::default() };
    let place = |statement: &Statement| (statement.envelope.round, statement.envelope.sender);
    here.retain(|statement| counts.holds(&shape, &place(statement)));
    writer = writer.each(here, |w, statement| w.bytes(statement.bytes()));
    if matches!(kind, ContainerKind::Complete | ContainerKind::Repaired) {
        return Ok(writer.finish());
    }
    let minima: BTreeMap<(Index, Digest), &Statement> = minima
        .into_iter()
        .filter(|statement| Minima::fault(statement, &shape).is_none())
        .map(|statement| ((statement.envelope.sender, statement.digest()), statement))
        .collect();
    let silent = |dealer: &Index| !minima.keys().any(|(sender, _)| sender == dealer);
    if let Some(sender) = shape.stops().iter().find(silent) {
        return Err(Incomplete { round: MINIMA_ROUND, sender });
    }
    writer = write_all(writer, minima.into_values().collect());
    match kind {
        ContainerKind::Without => Ok(write_all(writer, needed(&shape, lacking, words)).finish()),
        _ => Ok(writer.finish()),
    }
}

/// Their number, and then each.
fn write_all(writer: Writer, statements: Vec<&Statement>) -> Writer {
    let count = u16::try_from(statements.len()).expect("two of each dealer, or n/2 of n/2 seats");
    writer.u16(count).each(statements, |w, said| w.bytes(said.bytes()))
}

/// Whether two transcripts of one ceremony differ in last statements and in words without others,
/// and in nothing else: somebody came back, or named more seats later.
pub fn is_same_completion(old: &Container<'_>, new: &Container<'_>) -> bool {
    let both = new.shape().slots().filter(|(round, sender)| {
        [old, new].iter().all(|one| one.speakers(*round).contains(*sender))
    });
    let mut both =
        both.map(|(round, sender)| old.statement(round, sender) == new.statement(round, sender));
    old.ceremony().digest() == new.ceremony().digest()
        && (old.lacking() != new.lacking() || old.withouts() != new.withouts())
        && old.minima() == new.minima()
        && both.all(|same| same)
}

/// Whether a word names one of `lacking` that its operator has not `named` before; it has then.
pub(crate) fn adds(shape: &Shape, named: &mut Seats, lacking: Seats, word: &Statement) -> bool {
    let Ok(said) = Without::of(word, shape) else { return false };
    let more = said.seats.both(lacking).minus(*named);
    *named = named.joined(more);
    !more.is_empty()
}

/// The seats without which a reshare was finished, by its finals and by what others say.
fn lacking(shape: &Shape, statements: &[&Statement], words: &[&Statement]) -> Option<Seats> {
    let last = statements.iter().filter(|held| held.envelope.round == shape.last_round());
    let finals: Seats = last.map(|held| held.envelope.sender).collect();
    let mut said: BTreeMap<Index, Seats> = BTreeMap::new();
    for word in words {
        adds(shape, said.entry(word.envelope.sender).or_default(), Seats::first(shape.n), word);
    }
    left_out(shape, finals, &said)
}

/// Of the words of those that are left, in order, those that name one more lost seat.
fn needed<'a>(shape: &Shape, lacking: Seats, words: Vec<&'a Statement>) -> Vec<&'a Statement> {
    let sorted: BTreeMap<(Index, Digest), &Statement> =
        words.into_iter().map(|word| ((word.envelope.sender, word.digest()), word)).collect();
    let mut named: BTreeMap<Index, Seats> = BTreeMap::new();
    let left = sorted.into_iter().filter(|((sender, _), _)| !lacking.contains(*sender));
    left.filter(|((sender, _), word)| adds(shape, named.entry(*sender).or_default(), lacking, word))
        .map(|(_, word)| word)
        .collect()
}
