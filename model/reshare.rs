//! A small exhaustive model of the two-part rounds of a reshare: three or four seats, of which some
//! deal and some receive, one operator byzantine, people who stop dealers, abandon and finish
//! without others, crashes, and a network that loses, repeats and reorders. It runs through the
//! same files as key generation, and has the same abstractions; what `main.rs` says is not said
//! again.
//!
//! # What is modelled besides
//!
//! | rule | mirrors | here |
//! |---|---|---|
//! | who owes what in which round; who deals to whom | `message/shape.rs` | `rules.rs` (`Cast`) |
//! | who only deals stores no share, and signs what it has seen | `protocol/prepare.rs` | `rounds.rs` |
//! | a dealer commits once it is stopped and those that only receive have committed, by the views of their commits | `protocol/stop.rs` | `rounds.rs`, `people.rs` |
//! | minima stand in no slot; the first two that decode are kept, one that does not is evidence; none is taken after FINAL | `message/inbox.rs`, `protocol/stop.rs` | `inbox.rs` |
//! | a second statement of minima is not lower | `cli/stop.rs` | `people.rs` |
//! | FINAL follows all commits, and minima of each dealer | `protocol/commit.rs` | `rounds.rs` |
//! | words without seats: whose they are, when they count, what they add up to, who is left out, whether enough are left | `message/without.rs`, `protocol/without.rs` | `inbox.rs`, `people.rs` |
//! | an abandonment ends a log, and none follows a FINAL | `cli/command/abandon.rs`, `protocol/replay.rs` | `people.rs`, `machine.rs` |
//! | the note of one child stands before what commits, and keeps from another | `protocol/child.rs`, `operator/child.rs`, `operator/machine.rs` | `machine.rs`, `people.rs` |
//! | outputs that are there stay as they are | `operator/outputs.rs` | `machine.rs` |
//!
//! **Casts.** *Refresh*: three operators deal to themselves. *Replace*: two of the parent's three
//! deal to themselves and to a third; the one without a seat still runs. *Hand over*: two of the
//! parent's three deal to one of them and to two others, so that one seat only deals. Thresholds
//! are two. With these, at most one seat can be done without.
//!
//! **People** stop a dealer at any time after certificate 1, raise what they said, abandon between
//! minima or COMMIT and FINAL, name anybody as lost that the rule lets them name, whether or not it
//! is, and begin another reshare of the same shares. Old shares run until they are stopped, and
//! again after an abandonment. **The byzantine operator** says besides: minima, as many as it likes
//! and malformed ones, words without anybody, and as a receiver a wrong COMMIT over the right view.
//!
//! # What makes it small, and why nothing is lost
//!
//! * An operator abandons only once its minima or COMMIT are on the disk. Before that its old
//!   shares run, nobody has its COMMIT, and it is as one that stays silent.
//! * Minima that decode arrive when commits are awaited, or later: nobody looks at them before, and
//!   whoever passes them on has fewer of them so. `ordered` lets them come at any time.
//! * `certified` begins where everybody holds certificate 1. Whoever is behind has said its
//!   PREPARE, or there was no certificate; nothing is awaited of it before its COMMIT, so it is as
//!   one that does nothing yet.
//! * `in_order` lets commits and minima arrive by seat, and finals when they are awaited: nobody
//!   acts on some of them before all are here. *Hand over* is explored so; the others without it.
//! * Of words those are said that name one seat, which can be done without. Others add up from
//!   these, or help nobody to finish.
//! * Who has finished takes nothing more: a final that comes late is passed on and changes nothing.
//!
//! # What is not modelled
//!
//! What the model of key generation leaves out; besides, clocks (a receiver whose clock denies what
//! is stated signs no FINAL), logs that were put back, and two children complete at once (an
//! operator that goes to another is lost to this one).
//!
//! # What was found
//!
//! No violation. Where not enough are left the reshare ends with some that have signed FINAL and
//! some that have abandoned, as chapter 14 says: then an exit is the way out. A word needs the
//! FINALs of all whom it does not name; so who has said one is never kept from finishing by
//! somebody honest who abandons, for there is nobody left that may.
//!
//! Times are those of an optimised build on a busy core; a test build takes eight times as long.
//!
//! | exploration | states | steps | seconds |
//! |---|---|---|---|
//! | refresh, people | 2,314 | 15,282 | 0 |
//! | refresh, bad boxes | 5,830 | 46,316 | 1 |
//! | replace, a dealer, wrong ones and words | 4,387 | 33,641 | 0 |
//! | long: replace, the new one, two of each wrong | 24,842 | 153,369 | 1 |
//! | long: hand over, somebody is lost | 9,533 | 67,378 | 2 |
//! | long: hand over, people and words | 185,859 | 1,707,551 | 33 |
//! | long: refresh, early | 299,608 | 1,971,088 | 15 |

use std::collections::BTreeSet;

use crate::memory::Stage;
use crate::properties::PROPERTIES;
use crate::properties::Property::{self, *};
use crate::rules::{self, Bug, Cast, HAND_OVER, REFRESH, REPLACE, Scope};
use crate::{Planted, breaks, holds};

/// People stop when they are asked to.
const QUIET: Scope = Scope { cast: REFRESH, ..rules::QUIET };
/// People abandon, and finish without anybody.
const PEOPLE: Scope = Scope { abandons: true, without: true, words: true, ..QUIET };
/// The same after certificate 1, for casts with three honest operators.
const AFTER: Scope = Scope {
    cast: HAND_OVER,
    certified: true,
    in_order: true,
    abandons: true,
    without: true,
    ..QUIET
};
/// Everything that can go wrong before certificate 1.
const EARLY: Scope = Scope { bad_deals: true, complaints: true, wrong: [1, 0, 0], ..QUIET };
/// Minima that are repeated, raised, too many and malformed.
const MINIMA: Scope = Scope { certified: true, minima: 3, bad_minima: true, raises: true, ..QUIET };
/// Two wrong commits and finals besides right ones.
const WRONG: Scope = Scope { certified: true, in_order: true, wrong: [0, 2, 2], ..QUIET };

/// Each cast and byzantine seat that differs from the others in more than names.
const SEATS: [(&str, Cast, usize); 3] = [
    ("refresh", REFRESH, 2),
    ("replace, a dealer", REPLACE, 0),
    ("replace, the new one", REPLACE, 2),
];

fn everywhere(name: &str, scope: Scope) {
    for (who, cast, byzantine) in SEATS {
        holds(&format!("reshare, {who}, {name}"), Scope { cast, byzantine, ..scope }, &[]);
    }
}

#[test]
fn after_mere_silence_everybody_finishes() {
    let finish = |scope: Scope| {
        let report = holds("reshare, silent at worst", scope, &[]);
        let all = vec![Stage::Finished; scope.cast.n - 1];
        assert_eq!(report.ends.into_iter().collect::<Vec<_>>(), [(all, 1)]);
    };
    for (_, cast, byzantine) in SEATS {
        finish(Scope { cast, byzantine, ..QUIET });
    }
    for byzantine in 0..4 {
        finish(Scope { byzantine, abandons: false, without: false, ..AFTER });
    }
}

#[test]
fn what_people_do() {
    everywhere("people", PEOPLE);
    for byzantine in [0, 2] {
        holds("reshare, hand over, abandoned", Scope { byzantine, without: false, ..AFTER }, &[]);
    }
}

#[test]
fn what_goes_wrong_early() {
    holds("reshare, refresh, bad boxes", Scope { bad_deals: true, ..QUIET }, &[]);
    let [_, _, (_, cast, byzantine)] = SEATS;
    holds("reshare, the new one, early", Scope { cast, byzantine, ..EARLY }, &[]);
}

#[test]
fn what_goes_wrong_late() {
    everywhere("minima", Scope { in_order: true, ..MINIMA });
    everywhere("signed twice", Scope { certified: true, variants: [2, 2, 2], ..QUIET });
    let words = Scope { abandons: true, without: true, words: true, ..WRONG };
    let (cast, wrong) = (REPLACE, [0, 1, 1]);
    holds("reshare, wrong ones and words", Scope { cast, wrong, byzantine: 0, ..words }, &[]);
}

#[test]
fn one_child_only() {
    everywhere("another reshare", Scope { others: true, abandons: true, ..QUIET });
}

#[test]
fn the_order_of_a_log_does_not_matter() {
    let [_, (_, cast, byzantine), _] = SEATS;
    let orders = Scope { cast, byzantine, certified: true, ordered: true, ..QUIET };
    holds("reshare, every order", orders, &[]);
}

/// The model can fail: each rule that is broken breaks the property it is there for.
#[test]
fn every_planted_bug_is_found() {
    let lost = Scope { cast: REPLACE, byzantine: 1, ..PEOPLE };
    let new = Scope { cast: REPLACE, ..QUIET };
    let two_deals = Scope { deals: 2, ..QUIET };
    let two_prepares = Scope { variants: [2, 1, 1], wrong: [1, 0, 0], ..QUIET };
    let three_prepares = Scope { wrong: [2, 0, 0], ..QUIET };
    let three_commits = Scope { wrong: [0, 2, 0], ..WRONG };
    let three_finals = Scope { wrong: [0, 0, 2], ..WRONG };
    let signed_twice = Scope { variants: [2, 2, 1], ..QUIET };
    let raised = Scope { raises: true, ..QUIET };
    let others = Scope { others: true, ..QUIET };
    let table: [Planted; 32] = [
        (Bug::SendBeforePersist, QUIET, OneStatementPerSlot, &[]),
        (Bug::PrepareWithoutShares, QUIET, PrepareNeedsShares, &[]),
        (Bug::StopAfterPrepare, two_prepares, PreparedNeverStops, &[]),
        (Bug::StopAfterPrepare, two_prepares, CertificateWins, &[PreparedNeverStops]),
        (Bug::DeleteAfterPrepare, two_prepares, PreparedSharesStay, &[]),
        (Bug::FirstCounts, two_prepares, CertificateWins, &[]),
        (Bug::FirstTwoOnly, three_prepares, CertificateWins, &[]),
        (Bug::FirstTwoOnly, three_commits, CommitsWin, &[]),
        (Bug::FirstTwoOnly, three_finals, WrittenWins, &[LossFinishes]),
        (Bug::FirstFinalTakesSlot, three_finals, WrittenWins, &[LossFinishes]),
        (Bug::CommitEarly, QUIET, CommitNeedsCertificate, &[HonestyFinishes]),
        (
            Bug::ViewsUnchecked,
            two_deals,
            Agreement,
            &[CommitNeedsCertificate, CommitMeansAllPrepared],
        ),
        (Bug::ViewsUnchecked, two_deals, CommitMeansAllPrepared, &[CommitNeedsCertificate]),
        (Bug::ViewIsProof, two_deals, HonestNotGuilty, &[]),
        (Bug::NamesSignatures, signed_twice, UniqueContent, &[]),
        (Bug::NamesSignatures, signed_twice, HonestyFinishes, &[UniqueContent]),
        (Bug::CommitUnstopped, QUIET, StopBeforeCommit, &[HonestyFinishes]),
        (Bug::ReceiversLast, new, ReceiversFirst, &[]),
        (Bug::MinimaLate, QUIET, StopBeforeCommit, &[]),
        (Bug::MinimaUnawaited, QUIET, MinimaCount, &[]),
        (Bug::MinimaLowered, raised, MinimaCount, &[]),
        (Bug::MinimaInSlot, raised, HonestNotGuilty, &[]),
        (Bug::MinimaNotPassedOn, QUIET, CommitsWin, &[]),
        (Bug::WriteEarly, QUIET, WritingNeedsCertificate, &[]),
        (Bug::OneWordIsEnough, PEOPLE, WritingNeedsCertificate, &[]),
        (Bug::FewAreEnough, lost, GenerationsApart, &[WritingNeedsCertificate]),
        (Bug::WordNotStored, PEOPLE, LossFinishes, &[]),
        (Bug::WordNotStored, PEOPLE, RestartChangesNothing, &[LossFinishes]),
        (Bug::AbandonAfterFinal, PEOPLE, OutputsAfterStops, &[OneChild]),
        (Bug::AbandonmentForgotten, PEOPLE, OneChild, &[RestartChangesNothing]),
        (Bug::TwoChildren, others, OneChild, &[]),
        (Bug::NoteLate, others, OneChild, &[]),
    ];
    for planted in table {
        breaks(&format!("reshare, {:?}", planted.0), planted);
    }
    let broken: BTreeSet<Property> = table.iter().map(|(_, _, property, _)| *property).collect();
    assert_eq!(broken.len(), PROPERTIES);
    // The same scopes without the bugs have no such violations.
    for scope in [lost, new, two_prepares, signed_twice, raised, others] {
        holds("reshare, without a bug", scope, &[]);
    }
    for scope in [two_deals, three_commits, three_finals] {
        holds("reshare, without a bug", scope, &[]);
    }
}

/// What takes minutes: `QUORATE_MODEL=long`.
#[test]
fn long_explorations() {
    if !crate::is_long() {
        println!("skipped: set QUORATE_MODEL=long");
        return;
    }
    for byzantine in 0..4 {
        let name = |what: &str| format!("long: reshare, hand over, byzantine {byzantine}, {what}");
        let over = Scope { byzantine, words: true, ..AFTER };
        holds(&name("people"), over, &[]);
        holds(&name("somebody is lost"), Scope { abandons: false, words: false, ..over }, &[]);
        let quiet = Scope { cast: HAND_OVER, byzantine, ..QUIET };
        holds(&name("silent at worst"), quiet, &[]);
    }
    everywhere("long: people and wrong ones", Scope { wrong: [1, 1, 1], ..PEOPLE });
    everywhere("long: early, two deals", Scope { deals: 2, hellos: 2, ..EARLY });
    let [_, (_, cast, byzantine), _] = SEATS;
    let orders = Scope { cast, byzantine, certified: true, ordered: true, without: true, ..QUIET };
    holds("long: reshare, every order", orders, &[]);
    everywhere("long: minima", MINIMA);
    everywhere("long: early", EARLY);
    everywhere("long: two of each wrong", WRONG);
    everywhere("long: wrong, in any order", Scope { certified: false, in_order: false, ..WRONG });
    everywhere("long: three prepares", Scope { wrong: [2, 0, 0], ..QUIET });
    everywhere("long: people and minima", Scope { minima: 3, raises: true, ..PEOPLE });
}
