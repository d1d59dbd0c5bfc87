//! Whether a set of statements holds a completed ceremony: certificate 2 with everything that it
//! names, from which a clean transcript can be made.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::envelope::{Kind, Round, Statement};
use crate::message::inbox::view;
use crate::message::shape::Shape;
use crate::primitives::hash::Digest;
use crate::protocol::evidence::{Certainty, Fault, Rule};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;
use crate::transcript::container;

use super::ledger::Ledger;
use super::replay;

/// Statements of this ceremony by digest.
type Known<'a> = BTreeMap<Digest, &'a Statement>;

/// The certificate of a completed ceremony that `statements` (all of this ceremony) hold: a final
/// of each operator over the same commits, and what these were made from, such that the transcript
/// of them is clean. `faults` are those that the statements prove. `None` if they do not show that
/// the ceremony was completed, which says nothing about whether it was: others may hold more.
pub fn completed(
    ceremony: &Ceremony,
    statements: &[&Statement],
    faults: &[Fault],
) -> Option<Digest> {
    let shape = Shape::of(ceremony);
    let known: Known<'_> =
        statements.iter().map(|statement| (statement.digest(), *statement)).collect();
    let mut sets = agreed(&shape, statements, &at_fault(faults));
    sets.retain(|_, finals| {
        shape.speakers(shape.last_round()).iter().all(|i| finals.contains_key(&i))
    });
    sets.into_values().find_map(|finals| {
        let one = finals.values().next()?.first()?;
        let before = past(&shape, &known, one)?;
        // Of an operator with several finals over these commits, one may pass where another fails.
        let most = finals.values().map(Vec::len).max()?;
        (0..most).find_map(|nth| {
            let last = finals.values().map(|of_one| of_one[nth.min(of_one.len() - 1)]);
            let minima = statements.iter().copied();
            let minima = minima.filter(|said| said.envelope.kind == Kind::Minima);
            let all = before.iter().copied().chain(last).chain(minima);
            let transcript = container::encode(ceremony, all).ok()?;
            // By itself: whether its parents are shown too is another question.
            let audited = replay::replay(&transcript, None, &mut Ledger::new(true));
            Some(audited.ok()?.certificate())
        })
    })
}

/// The finals that prove a fault by themselves: no clean transcript has one.
fn at_fault(faults: &[Fault]) -> BTreeSet<Digest> {
    let alone = |fault: &&Fault| {
        fault.rule.certainty() == Certainty::Proven
            && !matches!(fault.rule, Rule::Equivocation { .. })
    };
    let shown = faults.iter().filter(alone).flat_map(|fault| &fault.evidence);
    shown.map(Statement::digest).collect()
}

/// The finals over each set of commits, by operator, without those of `bad`.
fn agreed<'a>(
    shape: &Shape,
    statements: &[&'a Statement],
    bad: &BTreeSet<Digest>,
) -> BTreeMap<Vec<Digest>, BTreeMap<Index, Vec<&'a Statement>>> {
    let mut sets: BTreeMap<_, BTreeMap<Index, Vec<&Statement>>> = BTreeMap::new();
    for statement in statements {
        let envelope = &statement.envelope;
        let is_final = (envelope.kind, envelope.round) == (Kind::Ordinary, shape.last_round());
        if is_final
            && !bad.contains(&statement.digest())
            && let Some(view) = view(statement, shape)
        {
            let of_view = sets.entry(view).or_default();
            of_view.entry(envelope.sender).or_default().push(*statement);
        }
    }
    sets
}

/// Everything that `last` was made from, in order of rounds and senders: each round is named by the
/// first statement of the next. `None` if something is missing.
fn past<'a>(shape: &Shape, known: &Known<'a>, last: &'a Statement) -> Option<Vec<&'a Statement>> {
    let mut rounds: Vec<Vec<&Statement>> = Vec::new();
    let mut next = last;
    while next.envelope.round != Round::Hello {
        let named = view(next, shape)?;
        let here = named.iter().map(|digest| known.get(digest).copied());
        let here: Vec<&Statement> = here.collect::<Option<_>>()?;
        next = here.first()?;
        rounds.push(here);
    }
    Some(rounds.into_iter().rev().flatten().collect())
}
