//! Crowds of statements over each other, by operators who sign whatever the fuzzer says: files that
//! are made to cost their judge time, and the count of what it did.

use std::collections::BTreeSet;

use quorate::message::body::{Commit, Deal, Final, Prepare};
use quorate::message::complaint::{Claim, Complaint, Shown};
use quorate::message::envelope::{Kind, Round, Statement, view_root};
use quorate::primitives::hash::Digest;
use quorate::protocol::evidence::Fault;
use quorate::protocol::judge::judge_counting;
use quorate::spec::Index;
use quorate::transcript::stopped::{Stopped, encode};

use super::seeds::WHOLE;
use super::{CEREMONY, OPERATORS, SHAPE};

/// Judges a file of `length` bytes, and asserts that what it took grows with the file.
pub fn judged(file: &Stopped, length: usize) -> Vec<Fault> {
    let (faults, work) = judge_counting(&file.ceremony, &file.statements);
    let n = file.ceremony.n();
    let of =
        |round: Round| file.statements.iter().filter(|one| one.envelope.round == round).count();
    assert!(work.deals <= of(Round::Deal) && work.commits <= of(Round::Commit), "{work:?}");
    assert!(work.sums <= of(Round::Prepare).min(2 * n), "{work:?}");
    assert!(work.combined <= of(Round::Final).min(2 * n), "{work:?}");
    let shape = quorate::message::shape::Shape::of(&file.ceremony);
    assert!(work.points(&shape) <= (3 * n + 1) * length / 96, "{work:?} for {length} bytes");
    faults
}

/// Statements of one round so far, by seat; the first of each is honest.
type Held = Vec<Vec<Statement>>;

fn honest(round: Round) -> Held {
    let inbox = WHOLE.alice.inbox();
    let of = |index| vec![inbox.get(round, index).expect("a whole ceremony").clone()];
    CEREMONY.indices().map(of).collect()
}

/// Which of the statements of each seat a view names: two bits for each seat.
fn view(of: &Held, choice: u8) -> Vec<Digest> {
    let one = |(seat, held): (usize, &Vec<Statement>)| {
        held[usize::from(choice >> (2 * seat) & 3) % held.len()].digest()
    };
    of.iter().enumerate().map(one).collect()
}

fn sign(kind: Kind, round: Round, seat: usize, view: &[Digest], body: &[u8]) -> Statement {
    let session = WHOLE.alice.inbox().session().expect("a whole ceremony");
    let index = Index::from_position(seat).expect("four seats");
    let key = OPERATORS[seat].key();
    Statement::sign_kind(kind, key, index, round, session, view_root(view), body)
}

/// The file that these words of four bytes make: what is signed, by whom (never the first
/// operator), over which statements, and a label that makes it another.
pub fn file(bytes: &[u8]) -> Vec<u8> {
    let (hellos, mut deals) = (honest(Round::Hello), honest(Round::Deal));
    let (mut prepares, mut commits) = (honest(Round::Prepare), honest(Round::Commit));
    let mut others: Vec<Statement> = Vec::new();
    for word in bytes.as_chunks::<4>().0 {
        let [what, sender, choice, label] = *word;
        let seat = 1 + usize::from(sender % 3);
        let own = |held: &Held| held[seat][0].clone();
        match what % 5 {
            0 => {
                let last = own(&deals);
                let from = last.envelope.sender;
                let mut body = Deal::decode(last.body(), &SHAPE, from).expect("honest");
                body.salt.iter_mut().for_each(|salt| salt[0] = label);
                let statement = sign(Kind::Ordinary, Round::Deal, seat, &body.view, &body.encode());
                deals[seat].push(statement);
            }
            1 => {
                let last = own(&prepares);
                let from = last.envelope.sender;
                let mut body = Prepare::decode(last.body(), &SHAPE, from).expect("honest");
                body.view = view(&deals, choice);
                body.stored.as_mut().expect("a receiver").sums_root.0[0] ^= label;
                let statement =
                    sign(Kind::Ordinary, Round::Prepare, seat, &body.view, &body.encode());
                prepares[seat].push(statement);
            }
            2 => {
                let last = own(&commits);
                let from = last.envelope.sender;
                let mut body = Commit::decode(last.body(), &SHAPE, from).expect("honest");
                body.view = view(&prepares, choice);
                let statement =
                    sign(Kind::Ordinary, Round::Commit, seat, &body.view, &body.encode());
                commits[seat].push(statement);
            }
            3 => {
                let last = honest(Round::Final)[seat][0].clone();
                let from = last.envelope.sender;
                let mut body = Final::decode(last.body(), &SHAPE, from).expect("honest");
                body.view = view(&commits, choice);
                body.outputs.0[0] ^= label;
                others.push(sign(Kind::Ordinary, Round::Final, seat, &body.view, &body.encode()));
            }
            _ => {
                let dealer = Index::from_position(usize::from(label % 4)).expect("four seats");
                let body = Complaint {
                    view: view(&deals, choice),
                    dealer,
                    claim: Claim::Mismatch { validator: 0 },
                    shown: Shown::Box {
                        opened: [label; 32],
                        sealed: vec![label; SHAPE.box_bytes()],
                    },
                };
                let kind = Kind::Complaint;
                others.push(sign(kind, Round::Prepare, seat, &body.view, &body.encode()));
            }
        }
    }
    let all = [hellos, deals, prepares, commits].concat().concat().into_iter().chain(others);
    let mut seen = BTreeSet::new();
    let all: Vec<Statement> = all.filter(|one| seen.insert(one.digest())).collect();
    encode(&CEREMONY, &all)
}

/// Words for as much as a file takes: second deals and commits, and prepares and finals over many
/// of them.
pub fn seed() -> Vec<u8> {
    let mut words: Vec<[u8; 4]> = (0..3).map(|seat| [0, seat, 0, 1]).collect();
    let many = |what: u8, count: u8| {
        (0..3).flat_map(move |seat| {
            (0..count).map(move |i| [what, seat, i.wrapping_mul(37) ^ seat, i + 1])
        })
    };
    words.extend(many(1, 9));
    words.extend(many(2, 1));
    words.extend(many(3, 10));
    words.concat()
}
