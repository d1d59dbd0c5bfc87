//! How much a file of statements may ask of whoever judges it: the bound, on either side of it, and
//! the work that the judge does within.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;

use common::forger::{Forger, Hooks};
use common::{TWO_VALIDATORS, ceremony, honest, machines, operators, run};
use quorate::message::body::Prepare;
use quorate::message::complaint::{Abandon, Awaited};
use quorate::message::envelope::{ENVELOPE_BYTES, Kind, Round, Statement, view_root};
use quorate::message::inbox::digests;
use quorate::message::shape::Shape;
use quorate::primitives::curve::G2;
use quorate::primitives::hash::{DST_POSSESSION, Digest};
use quorate::protocol::evidence::Rule;
use quorate::protocol::judge::{judge, judge_counting};
use quorate::simulation::flood::{Crowd, statements};
use quorate::spec::ceremony::Ceremony;
use quorate::spec::threshold::Index;
use quorate::transcript::container::{self, ContainerError};
use quorate::transcript::stopped::{Stopped, encode};

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// A statement of operator 2 with a body that means nothing, told apart by `label`.
fn junk(ceremony: &Ceremony, kind: Kind, round: Round, session: Digest, label: u8) -> Statement {
    let length = Shape::of(ceremony).bytes_of(index(2), kind, round).unwrap() - ENVELOPE_BYTES;
    let body = vec![label; length];
    let operators = operators(4);
    let key = operators[1].key();
    Statement::sign_kind(kind, key, index(2), round, session, Digest::ZERO, &body)
}

fn parsed(ceremony: &Ceremony, statements: &[Statement]) -> Result<Stopped, ContainerError> {
    Stopped::parse(&encode(ceremony, statements))
}

#[test]
fn a_slot_takes_what_an_operator_can_hold_and_not_one_more() {
    let ceremony = ceremony(&operators(4), 3, TWO_VALIDATORS);
    let session = Digest([7; 32]);
    let slots = [
        (Kind::Ordinary, Round::Hello, ceremony.digest(), 2),
        (Kind::Ordinary, Round::Deal, session, 2),
        (Kind::Ordinary, Round::Prepare, session, 10),
        (Kind::Complaint, Round::Prepare, session, 10),
        (Kind::Ordinary, Round::Commit, session, 3),
        (Kind::Ordinary, Round::Final, session, 3),
    ];
    for (kind, round, session, most) in slots {
        let all: Vec<Statement> =
            (0..=most).map(|label| junk(&ceremony, kind, round, session, label)).collect();
        let most = usize::from(most);
        assert_eq!(parsed(&ceremony, &all[..most]).unwrap().statements.len(), most);
        let refused = parsed(&ceremony, &all).unwrap_err();
        assert!(
            matches!(refused, ContainerError::Crowd { at, sender, round: Some(of), most: bound }
                if at == most + 1 && sender == index(2) && of == round && bound == most),
            "{refused}"
        );
    }
    // Complaints and prepares share a slot.
    let mixed: Vec<Statement> = (0..6)
        .map(|label| junk(&ceremony, Kind::Ordinary, Round::Prepare, session, label))
        .chain((0..5).map(|label| junk(&ceremony, Kind::Complaint, Round::Prepare, session, label)))
        .collect();
    assert!(parsed(&ceremony, &mixed[1..]).is_ok());
    let refused = parsed(&ceremony, &mixed).unwrap_err().to_string();
    assert_eq!(refused, "statement 11: more than 10 of operator 2 for round 2");
}

/// No more is read for a slot than may stand in it: only one round has complaints.
#[test]
fn a_slot_is_as_long_as_what_it_may_hold() {
    let shape = Shape::of(&ceremony(&operators(4), 3, TWO_VALIDATORS));
    let ordinary = |round| shape.statement_bytes(index(2), round).unwrap();
    let complaint = shape.bytes_of(index(2), Kind::Complaint, Round::Prepare).unwrap();
    assert!(complaint > ordinary(Round::Hello));
    assert_eq!(shape.longest_in(Round::Hello, index(2)), ordinary(Round::Hello));
    let longest = ordinary(Round::Prepare).max(complaint);
    assert_eq!(shape.longest_in(Round::Prepare, index(2)), longest);
}

/// Statements stand by round and sender, and a container of another kind is none of statements.
#[test]
fn a_file_has_one_order() {
    let ceremony = ceremony(&operators(4), 3, TWO_VALIDATORS);
    let of = |label| junk(&ceremony, Kind::Ordinary, Round::Deal, Digest([1; 32]), label);
    let good = encode(&ceremony, &[of(1), of(2)]);
    assert!(Stopped::parse(&good).is_ok());
    let size = of(1).bytes().len();
    let (front, all) = good.split_at(good.len() - 2 * size);
    let (first, second) = all.split_at(size);
    for wrong in [[second, first], [first, first]] {
        let wrong = [&[front], &wrong[..]].concat().concat();
        assert!(matches!(Stopped::parse(&wrong), Err(ContainerError::Order(2))));
    }
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let statements = all[0].participant().inbox().statements();
    let whole = container::encode(&ceremony, statements).unwrap();
    assert!(matches!(Stopped::parse(&whole), Err(ContainerError::NotStopped)));
}

#[test]
fn an_operator_gives_up_once() {
    let ceremony = ceremony(&operators(4), 3, TWO_VALIDATORS);
    let gives_up = |round: Round| junk(&ceremony, Kind::Abandon, round, ceremony.digest(), 1);
    assert!(parsed(&ceremony, &[gives_up(Round::Deal)]).is_ok());
    let twice = [gives_up(Round::Hello), gives_up(Round::Deal)];
    let refused = parsed(&ceremony, &twice).unwrap_err();
    assert!(
        matches!(refused, ContainerError::Crowd { at: 2, round: None, most: 1, .. }),
        "{refused}"
    );
    assert_eq!(refused.to_string(), "statement 2: more than 1 of operator 2 that give up");
}

#[test]
fn a_file_holds_one_session() {
    let ceremony = ceremony(&operators(4), 3, TWO_VALIDATORS);
    let of = |round, session| junk(&ceremony, Kind::Ordinary, round, Digest([session; 32]), 1);
    let hello = junk(&ceremony, Kind::Ordinary, Round::Hello, ceremony.digest(), 1);
    let gives_up = junk(&ceremony, Kind::Abandon, Round::Commit, ceremony.digest(), 1);
    let one = [hello, gives_up, of(Round::Deal, 1), of(Round::Prepare, 1), of(Round::Final, 1)];
    assert!(parsed(&ceremony, &one).is_ok());
    let two = [of(Round::Deal, 1), of(Round::Prepare, 1), of(Round::Commit, 2)];
    assert!(matches!(parsed(&ceremony, &two), Err(ContainerError::Sessions(3))));
}

/// Everything that four operators can leave: what the judge does grows with the file.
#[test]
fn the_fullest_file_is_judged_with_bounded_work() {
    let operators = operators(4);
    for validators in [1usize, 2, 4] {
        let text = format!(
            "[[validators]]\ncount = {validators}\nwithdrawal = \
             \"0x1111111111111111111111111111111111111111\"\ncompounding = false\n"
        );
        let ceremony = ceremony(&operators, 3, &text);
        let mut all = statements(&ceremony, &operators, Crowd::most(4));
        let body = Abandon { awaited: vec![Awaited::default(); 4] }.encode();
        all.extend(ceremony.indices().zip(&operators).map(|(sender, operator)| {
            let (kind, round) = (Kind::Abandon, Round::Commit);
            let session = ceremony.digest();
            Statement::sign_kind(kind, operator.key(), sender, round, session, Digest::ZERO, &body)
        }));
        let file = encode(&ceremony, &all);
        let read = Stopped::parse(&file).unwrap();
        // The count that the specification allows, but for a third commit of each.
        assert_eq!(read.statements.len(), 13 * 4 + 2 * 4 * 4 - 4);
        let (faults, work) = judge_counting(&read.ceremony, &read.statements);
        assert_eq!((work.deals, work.commits, work.sums), (8, 8, 8));
        assert!((1..=8).contains(&work.combined), "{work:?}");
        let points = work.points(&Shape::of(&ceremony));
        assert!(points <= (3 * 4 + 1) * file.len() / 96, "{points} for {} bytes", file.len());
        // Nothing is lost by it: everybody is at fault, in every round.
        let at_fault = |wanted: Round| -> BTreeSet<Index> {
            let of = |rule: &Rule| match *rule {
                Rule::Equivocation { operator, round } if round == wanted => Some(operator),
                _ => None,
            };
            faults.iter().filter_map(|fault| of(&fault.rule)).collect()
        };
        for round in Round::ALL {
            assert_eq!(at_fault(round), ceremony.indices().collect(), "{round:?}");
        }
        for operator in ceremony.indices() {
            let rules: Vec<&Rule> = faults.iter().map(|fault| &fault.rule).collect();
            assert!(rules.contains(&&Rule::Outputs { operator }), "{operator}");
            let false_complaint = |rule: &&Rule| match rule {
                Rule::FalseComplaint { operator: of, .. } => *of == operator,
                _ => false,
            };
            assert_eq!(rules.into_iter().filter(false_complaint).count(), 3);
        }
        // What the first prepares and the commits say holds.
        assert!(!faults.iter().any(|fault| matches!(
            fault.rule,
            Rule::Partial { .. } | Rule::Possession { .. } | Rule::Malformed { .. }
        )));
    }
}

#[test]
fn of_many_prepares_two_are_looked_into_and_those_of_commits_come_first() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    let me = index(3);
    let forger = Forger::new(all.remove(2).seat, Hooks::default());
    run(&mut all, &mut honest);
    let signed = forger.play(&mut all);
    let inbox = all[0].participant().inbox();
    let complete = |round| inbox.complete(round).unwrap();
    let (hellos, deals, prepares) =
        (complete(Round::Hello), complete(Round::Deal), complete(Round::Prepare));
    let ceremony = &forger.seat.ceremony;
    let shape = Shape::of(ceremony);
    let sound = Prepare::decode(signed[2].body(), &shape, signed[2].envelope.sender).unwrap();
    let session = deals[0].envelope.session;
    let sign = |round, view: &[Digest], body: &[u8]| {
        let key = forger.seat.operator.key();
        Statement::sign(key, me, round, session, view_root(view), body)
    };
    let prepare = |body: &Prepare| sign(Round::Prepare, &body.view, &body.encode());
    let (said, view) = (sound.stored.clone().unwrap(), || sound.view.clone());
    // Two with a root that is none, and one with a proof that is none, after them by its digest.
    let roots =
        [1u8, 2].map(|root| prepare(&Prepare::of(view(), Digest([root; 32]), said.possession)));
    let last = roots.iter().map(Statement::digest).max().unwrap();
    let unproven = (0u8..)
        .map(|i| G2::hash(&[i], DST_POSSESSION))
        .map(|possession| prepare(&Prepare::of(view(), said.sums_root, possession)))
        .find(|prepare| prepare.digest() > last)
        .unwrap();
    let three = [roots.to_vec(), vec![unproven.clone()]].concat();
    let rules = |statements: &[&[Statement]]| -> Vec<Rule> {
        let faults = judge(ceremony, &statements.concat());
        faults.into_iter().map(|fault| fault.rule).collect()
    };
    let twice = |round| Rule::Equivocation { operator: me, round };
    let (root, proof) = (Rule::SumsRoot { operator: me }, Rule::Possession { operator: me });
    let equivocation = twice(Round::Prepare);
    assert_eq!(rules(&[&hellos, &deals, &three]), [equivocation.clone(), root.clone()]);
    // Both are judged where there are two.
    let two = [roots[0].clone(), unproven.clone()];
    let found = rules(&[&hellos, &deals, &two]);
    assert_eq!(found, [equivocation.clone(), root.clone(), proof.clone()]);
    // A commit of the sender that names it brings it to the front.
    let mut view = digests(&prepares);
    view[me.position()] = unproven.digest();
    let commit = Statement::clone(&signed[3]);
    let mut body = commit.body().to_vec();
    body[..32 * 4].copy_from_slice(&view.iter().flat_map(|digest| digest.0).collect::<Vec<u8>>());
    let commit = sign(Round::Commit, &view, &body);
    let found = rules(&[&hellos, &deals, &three, &[commit]]);
    assert_eq!(found, [equivocation, root, proof]);
}

/// What an operator comes to hold of others who sign whatever they like is within the bound.
#[test]
fn whatever_an_operator_keeps_is_within_the_bound() {
    let operators = operators(4);
    let text = "[[validators]]\nwithdrawal = \"0x1111111111111111111111111111111111111111\"\n\
                compounding = false\n";
    let ceremony = ceremony(&operators, 3, text);
    let mut machine = common::Machine::new(&ceremony, &operators[0]);
    machine.start().unwrap();
    let own = machine.participant().inbox().get(Round::Hello, index(1)).unwrap().clone();
    let mut all = statements(&ceremony, &operators, Crowd::most(4));
    all.retain(|statement| statement.envelope.sender != index(1));
    // The session that these are of is another; what is kept is counted all the same.
    let mut inbox = quorate::message::inbox::Inbox::new(ceremony.clone());
    inbox.set_session(
        all.iter().find(|s| s.envelope.round == Round::Deal).unwrap().envelope.session,
    );
    inbox.file(own);
    for order in 0..2 {
        let sent: Vec<&Statement> =
            if order == 0 { all.iter().collect() } else { all.iter().rev().collect() };
        for statement in sent {
            let _ = inbox.file(statement.clone());
        }
    }
    let held: Vec<Statement> = inbox.everything().cloned().collect();
    assert!(held.len() > 2 * 5 * 3, "second statements are kept");
    assert_eq!(parsed(&ceremony, &held).unwrap().statements.len(), held.len());
}
