//! A small exhaustive model of the ceremony: five rounds and the complaint, three operators, a
//! threshold of two, one operator byzantine, crashes, and a network that loses, repeats and
//! reorders. Every reachable state is visited, breadth first, and every property of `properties.rs`
//! is asked of each. See CONTRIBUTING.md for how to run it. Reshares run through the same files;
//! `reshare.rs` says what they add, and has their tests.
//!
//! # What is modelled
//!
//! | rule | mirrors | here |
//! |---|---|---|
//! | a step is: persist, erase, send, ask, in this order | `exchange/carry_out.rs`, `operator/machine.rs` | `machine.rs` |
//! | a digest names a content: a second signature is the same statement | `message/envelope.rs` | `rules.rs` |
//! | the first statement of a slot counts, the second is kept, a third only if it is a prepare that a held commit names, or a commit or final that passes where two do not | `message/inbox.rs`, `protocol/stage.rs` | `inbox.rs` |
//! | the slot of a final is filled by the first that passes | `protocol/finalize.rs` | `inbox.rs` |
//! | certificates are looked for among what held later statements name, one's own first, then firsts, then seconds | `message/inbox.rs` | `inbox.rs` |
//! | proof of a fault stops whoever has not prepared, and nobody else | `protocol/participant/mod.rs` | `memory.rs` |
//! | each round's statement is made once, and recalled from the log after a restart | `protocol/world.rs`, `replay.rs` | `memory.rs` |
//! | a bad box is complained of in the slot of PREPARE; shares are stored and read back before PREPARE | `protocol/deal.rs`, `prepare.rs` | `rounds.rs` |
//! | COMMIT follows certificate 1, FINAL all commits, publication certificate 2 | `protocol/prepare.rs`, `commit.rs`, `finalize.rs` | `rounds.rs` |
//! | who is guilty is a function of a set of statements | `protocol/judge.rs` | `judge.rs` |
//!
//! **Statements** are a sender, a round, a kind, the session, the statements of the round before by
//! number, a variant, and whether the content is right. **The byzantine operator** says, to whom it
//! likes and when it likes, anything in any slot over any statements that exist: the variants of a
//! right statement, wrong ones, complaints that are false or that nobody can judge, deals with bad
//! boxes for either or both of the others. It says different things to different operators, and
//! withholds boxes. **The network** delivers anything that has left a machine to anybody, at any
//! time, any number of times, or never; relays are part of that. **Power** fails between any two
//! operations of a disk or the network, also while starting. What is in memory is lost; the log
//! stays.
//!
//! Of PREPARE and COMMIT there is one right content, so variants of them are signatures, which no
//! digest covers; `UniqueContent` asks for it. Two variants of a right FINAL are enough: two
//! operators are honest, and each fills a slot once. Wrong statements are for filling slots.
//!
//! # What makes it small, and why nothing is lost
//!
//! * The byzantine operator and the network have no state: what could be said or delivered once can
//!   be said or delivered later.
//! * Variants are used in order, and the honest operators may change places (not with the byzantine
//!   one in the middle seat: candidates are tried by index). What is lost is only names.
//! * A second statement in a slot that is behind its holder is not delivered: nothing looks at it
//!   again. `ordered` delivers it.
//! * Boxes of honest dealers come with their deals; `boxes_apart` lets them come at any time.
//! * Orders of a log that lead to the same memory are one state, and each new memory is compared
//!   with what a restart from (one of) its logs gives. `ordered` tells all orders of one operator's
//!   log apart.
//! * An operator that stopped listens for evidence only, and one that finished for nothing. Neither
//!   is modelled.
//!
//! # What is not modelled
//!
//! Cryptography (a wrong statement is seen to be wrong, a right one is right); malformed hellos,
//! which are like wrong deals; abandonment; disks that lose what was synced; the carrier, clocks
//! and who asks whom for what. Simulation has most of these.
//!
//! # What was found
//!
//! No violation. Whoever signs two contents for one slot can keep everybody from finishing, at
//! every stage up to COMMIT, and at the price of evidence; it never makes two honest operators
//! disagree, never has one commit and the other stop, and never has one write and the other wait
//! for ever. How many states nothing leads out of, by the stages of the honest operators, is
//! printed.
//!
//! Times are those of a test build on one core of a busy machine.
//!
//! | exploration | states | steps | seconds |
//! |---|---|---|---|
//! | silent at worst | 192 | 969 | 0 |
//! | early: two hellos, two good deals, four bad, complaints, wrong prepares | 231,786 | 1,533,342 | 2.2 |
//! | late: two signatures on each PREPARE and COMMIT, two valid FINALs | 317 | 1,652 | 0 |
//! | two of each wrong, one PREPARE | 63,269 | 532,469 | 0.6 |
//! | late with wrong ones, byzantine in seat 0 | 9,569 | 73,174 | 0.1 |
//! | late with wrong ones, byzantine in seat 1 | 16,581 | 129,770 | 0.2 |
//! | every order of one log | 40,353 | 168,262 | 0.7 |
//! | boxes apart | 90,939 | 673,642 | 0.9 |

mod byzantine;
mod disk;
mod explore;
mod inbox;
mod judge;
mod machine;
mod memory;
mod people;
mod properties;
mod reduction;
mod reshare;
mod rounds;
mod rules;
mod settle;
mod statement;
mod world;

use explore::{Report, explore};
use memory::Stage;
use properties::Property::{self, *};
use rules::{Bug, QUIET, Scope};
use world::World;

/// Everything that can go wrong before certificate 1.
const EARLY: Scope =
    Scope { hellos: 2, deals: 2, bad_deals: true, complaints: true, wrong: [1, 0, 0], ..QUIET };
/// Everything that can go wrong later.
const LATE: Scope = Scope { variants: [2, 2, 2], ..QUIET };

/// Several minutes instead of seconds.
fn is_long() -> bool {
    std::env::var("QUORATE_MODEL").is_ok_and(|value| value == "long")
}

/// Everything holds, everywhere; but for what is excused.
fn holds(name: &str, scope: Scope, excused: &[Property]) -> Report<Property, Vec<Stage>> {
    let report = explore(World::new(scope), excused, usize::MAX);
    report.print(name);
    assert_eq!(report.violation.as_ref().map(|violation| violation.property), None, "{name}");
    assert!(report.exhausted, "{name}");
    // Whoever commits has everybody's PREPARE, and whoever has prepared does not stop.
    let committed =
        |stage: &Stage| matches!(stage, Stage::Commits | Stage::Finals | Stage::Finished);
    let split =
        |stages: &Vec<Stage>| stages.contains(&Stage::Stopped) && stages.iter().any(committed);
    assert!(!report.ends.keys().any(split), "{name}");
    report
}

/// A broken rule, where, and the first property that it breaks but for these.
type Planted = (Bug, Scope, Property, &'static [Property]);

/// The planted bug is found, and the shortest way to it is printed.
fn breaks(name: &str, (bug, scope, property, excused): Planted) {
    let report = explore(World::new(Scope { bug: Some(bug), ..scope }), excused, usize::MAX);
    report.print(name);
    assert_eq!(report.violation.map(|violation| violation.property), Some(property), "{name}");
}

#[test]
fn after_mere_silence_everybody_finishes() {
    let report = holds("silent at worst", QUIET, &[]);
    assert_eq!(report.ends.into_iter().collect::<Vec<_>>(), [(vec![Stage::Finished; 2], 1)]);
}

#[test]
fn what_goes_wrong_early() {
    holds("early", EARLY, &[]);
}

#[test]
fn what_goes_wrong_late() {
    holds("late", LATE, &[]);
}

#[test]
fn seats_do_not_matter() {
    holds(
        "late, byzantine in seat 0",
        Scope { byzantine: 0, variants: [2, 2, 2], wrong: [1, 1, 1], ..QUIET },
        &[],
    );
    holds(
        "late, byzantine in seat 1",
        Scope { byzantine: 1, variants: [2, 2, 1], wrong: [1, 1, 1], ..QUIET },
        &[],
    );
}

#[test]
fn the_order_of_a_log_does_not_matter() {
    holds("every order of one log", Scope { ordered: true, ..QUIET }, &[]);
    holds(
        "boxes apart",
        Scope { boxes_apart: true, bad_deals: true, complaints: true, ..QUIET },
        &[],
    );
}

/// Two wrong commits or finals and the right one, in whatever order and to whomever: where one
/// honest operator has written, the other comes to write. And two valid finals are two ways to the
/// same outputs.
#[test]
fn what_three_commits_and_three_finals_do() {
    holds("three commits", Scope { wrong: [0, 2, 0], ..QUIET }, &[]);
    holds("three finals", Scope { wrong: [0, 0, 2], ..QUIET }, &[]);
    holds("two valid finals", Scope { variants: [1, 1, 2], wrong: [0, 0, 1], ..QUIET }, &[]);
    holds("two of each wrong", Scope { wrong: [1, 2, 2], ..QUIET }, &[]);
}

/// However often one content is signed, nobody is kept from finishing, and nobody is at fault.
#[test]
fn what_second_signatures_do() {
    let report = holds("signed twice", Scope { variants: [2, 2, 1], ..QUIET }, &[]);
    assert_eq!(report.ends.into_iter().collect::<Vec<_>>(), [(vec![Stage::Finished; 2], 1)]);
}

/// The model can fail: each rule that is broken breaks the property it is there for.
#[test]
fn every_planted_bug_is_found() {
    let two_deals = Scope { deals: 2, ..QUIET };
    let two_prepares = Scope { variants: [2, 1, 1], wrong: [1, 0, 0], ..QUIET };
    let three_prepares = Scope { wrong: [2, 0, 0], ..QUIET };
    let three_commits = Scope { wrong: [0, 2, 0], ..QUIET };
    let three_finals = Scope { wrong: [0, 0, 2], ..QUIET };
    let signed_twice = Scope { variants: [2, 2, 1], ..QUIET };
    let table: [Planted; 19] = [
        (Bug::SendBeforePersist, QUIET, OneStatementPerSlot, &[]),
        (Bug::SignAgain, QUIET, OneStatementPerSlot, &[RestartChangesNothing]),
        (Bug::PrepareWithoutShares, QUIET, PrepareNeedsShares, &[]),
        (Bug::StopAfterPrepare, two_prepares, PreparedNeverStops, &[]),
        (Bug::StopAfterPrepare, two_prepares, CertificateWins, &[PreparedNeverStops]),
        (Bug::DeleteAfterPrepare, two_prepares, PreparedSharesStay, &[]),
        (Bug::FirstCounts, two_prepares, CertificateWins, &[]),
        (Bug::FirstTwoOnly, three_prepares, CertificateWins, &[]),
        (Bug::OfferOnce, three_prepares, CertificateWins, &[]),
        (Bug::CommitEarly, QUIET, CommitNeedsCertificate, &[HonestyFinishes]),
        (
            Bug::ViewsUnchecked,
            two_deals,
            Agreement,
            &[CommitNeedsCertificate, CommitMeansAllPrepared],
        ),
        (Bug::WriteEarly, QUIET, WritingNeedsCertificate, &[HonestyFinishes]),
        (Bug::ViewIsProof, two_deals, HonestNotGuilty, &[]),
        (Bug::FirstTwoOnly, three_commits, CommitsWin, &[]),
        (Bug::FirstTwoOnly, three_finals, WrittenWins, &[]),
        (Bug::FirstFinalTakesSlot, three_finals, WrittenWins, &[]),
        (Bug::NamesSignatures, signed_twice, UniqueContent, &[]),
        (Bug::NamesSignatures, signed_twice, HonestyFinishes, &[UniqueContent]),
        (Bug::FreeCommit, signed_twice, UniqueContent, &[]),
    ];
    for planted in table {
        let (bug, scope, ..) = planted;
        breaks(&format!("{bug:?}"), planted);
        // The same scope without the bug has no such violation.
        holds("    without it", scope, &[]);
    }
}

/// What takes minutes: `QUORATE_MODEL=long`.
#[test]
fn long_explorations() {
    if !is_long() {
        println!("skipped: set QUORATE_MODEL=long");
        return;
    }
    for byzantine in [0, 1, 2] {
        let late = Scope { byzantine, complaints: true, wrong: [1, 1, 1], ..LATE };
        holds(&format!("long: late with wrong ones, byzantine in seat {byzantine}"), late, &[]);
        holds(
            &format!("long: early and late, byzantine in seat {byzantine}"),
            Scope { byzantine, variants: [2, 1, 1], ..EARLY },
            &[],
        );
    }
    holds(
        "long: orders of one log, two prepares",
        Scope { ordered: true, variants: [2, 1, 1], ..QUIET },
        &[],
    );
}
