//! Everything that is wrong with views, and all that hellos and deals repeat: every fault, where
//! the checks of [`super::checks`] stop at the first.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use crate::message::body::{Deal, Hello};
use crate::message::envelope::{Round, Statement, view_root};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::checks::Signed;
use super::evidence::{Fault, Rule};

/// Whether a hello's view is empty.
pub(crate) fn follows_nothing(hello: &Statement) -> Result<(), Box<Fault>> {
    let rule = Rule::ViewRoot { operator: hello.envelope.sender, round: Round::Hello };
    match hello.envelope.view_root {
        Digest::ZERO => Ok(()),
        _ => Err(Fault::new(rule, [hello])),
    }
}

/// What hellos repeat: of each two operators, and of each operator by itself, the first.
pub(crate) fn repetitions(hellos: &[&Signed<Hello>]) -> Vec<Fault> {
    let mut seen: BTreeMap<[u8; 32], &Signed<Hello>> = BTreeMap::new();
    let mut known: BTreeSet<[Index; 2]> = BTreeSet::new();
    let mut faults = Vec::new();
    for hello in hellos {
        let body = &hello.body;
        let keys = body.one_time_keys.iter().map(|key| (*key.as_bytes(), "a one-time key"));
        let commitment = body.commitment.map(|commitment| (commitment.0, "a commitment"));
        let own = [(body.nonce, "a nonce")].into_iter().chain(commitment);
        for (value, what) in own.chain(keys) {
            if let Some(other) = seen.insert(value, hello) {
                let operators = [other.sender(), hello.sender()];
                if known.insert(operators) {
                    let rule = Rule::CopiedHello { operators, what };
                    faults.push(*Fault::new(rule, [&other.statement, &hello.statement]));
                }
            }
        }
    }
    faults
}

/// Every way in which a statement with this `view` was not computed from the statements `before`
/// (`None` for those that are not here), or contradicts itself.
pub(crate) fn view_faults<'a>(
    before: impl Iterator<Item = Option<&'a Statement>>,
    statement: &Statement,
    view: &[Digest],
) -> Vec<Fault> {
    let (operator, round) = (statement.envelope.sender, statement.envelope.round);
    let contradiction = Rule::ViewRoot { operator, round };
    if view_root(view) != statement.envelope.view_root {
        return vec![*Fault::new(contradiction, [statement])];
    }
    let pairs = before.zip(view).filter_map(|(held, named)| Some((held?, named)));
    let mut differing = pairs.filter(|(held, named)| held.digest() != **named).map(|pair| pair.0);
    if round == Round::Deal {
        // The session already names the hellos, so another view of them contradicts the
        // statement's own envelope.
        let first = differing.next().map(|held| *Fault::new(contradiction, [statement, held]));
        return first.into_iter().collect();
    }
    let about = |held: &Statement| Rule::View { operator, round, about: held.envelope.sender };
    differing.map(|held| *Fault::new(about(held), [statement, held])).collect()
}

/// The constant terms that occur again: of each two dealers, and of each dealer by itself, the
/// first in the order of dealers and validators, with the one before it that it equals.
pub(crate) fn equal_constants<D: Borrow<Signed<Deal>>>(deals: &[D]) -> Vec<Fault> {
    // In a reshare the constants are of the parent.
    let deals = deals.iter().map(Borrow::borrow);
    let deals: Vec<&Signed<Deal>> = deals.filter(|deal| deal.body.proof.is_some()).collect();
    let constants = deals.iter().enumerate().flat_map(|(d, deal)| {
        let own = deal.body.commitments.constants().enumerate();
        own.map(move |(v, constant)| (constant.to_compressed(), d, v))
    });
    let mut all: Vec<([u8; 48], usize, usize)> = constants.collect();
    all.sort_unstable();
    let mut again: Vec<[(usize, usize); 2]> = all
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .map(|pair| [(pair[0].1, pair[0].2), (pair[1].1, pair[1].2)])
        .collect();
    again.sort_unstable_by_key(|[other, this]| (*this, *other));
    let mut known: BTreeSet<[usize; 2]> = BTreeSet::new();
    again.retain(|[other, this]| known.insert([other.0, this.0]));
    let fault = |[(other, other_v), (d, v)]: [(usize, usize); 2]| {
        let rows = [(deals[other].sender(), other_v), (deals[d].sender(), v)];
        let evidence = if other == d {
            vec![&deals[d].statement]
        } else {
            vec![&deals[other].statement, &deals[d].statement]
        };
        *Fault::new(Rule::EqualConstants { rows }, evidence)
    };
    again.into_iter().map(fault).collect()
}
