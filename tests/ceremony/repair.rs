//! Repairs in memory: every lost share, from every shape, interrupted anywhere.

use quorate::audit::chain::{LinkError, link};
use quorate::audit::expectation::Expectations;
use quorate::audit::family::Unrelated;
use quorate::audit::report::{Status, Verdict};
use quorate::audit::{audit, audit_all, code::Code, own};
use quorate::export::keystores::Holder;
use quorate::message::envelope::{Round, Statement};
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::{OwnSeat, Participant};
use quorate::protocol::record::{Record, RecordKind, ReplayError};
use quorate::protocol::seat::OldShares;
use quorate::simulation::import::import;
use quorate::simulation::machine::entropy;
use quorate::simulation::repair::{repair, repair_toml};
use quorate::simulation::reshare::reshare;
use quorate::spec::repair::RepairError;
use quorate::spec::reshare::ReshareError;
use quorate::spec::{Ceremony, CeremonyFile, Index, Place, SpecError};
use quorate::transcript::container;

use super::common::{Machine, honest, run, statements};
use super::reshare::{complete, parent};

/// Who holds a share after this ceremony, in order.
fn holders(all: &[Machine]) -> Vec<String> {
    let receivers = all[0].seat.ceremony.receivers();
    receivers.map(|(_, seat)| seat.card.name.to_string()).collect()
}

fn shares(machine: &Machine) -> Vec<[u8; 32]> {
    let shares = machine.participant().shares().unwrap();
    shares.iter().map(SecretScalar::to_be_bytes).map(|bytes| *bytes).collect()
}

/// The machine of this operator.
fn of<'a>(all: &'a [Machine], name: &str) -> &'a Machine {
    let named = |one: &&Machine| one.seat.operator.card().name.as_str() == name;
    all.iter().find(named).unwrap()
}

pub(crate) fn transcript(all: &[Machine]) -> Vec<u8> {
    let inbox = all[0].participant().inbox();
    let said = inbox.statements().chain(inbox.minima());
    container::encode(&all[0].seat.ceremony, said).unwrap()
}

/// The share of `lost` given again by `helpers`: exactly the old one, and nothing to anybody else.
pub(crate) fn regained(old: &[Machine], lost: &str, helpers: &[&str]) -> Vec<Machine> {
    let mut all = repair(old, lost, helpers);
    run(&mut all, &mut honest);
    let first = statements(&all[0]);
    for machine in &all {
        let participant = machine.participant();
        assert!(participant.is_finished(), "{lost}: {:?}", participant.waiting());
        assert!(machine.written && statements(machine) == first, "{lost}");
        let regains = machine.seat.operator.card().name.as_str() == lost;
        assert_eq!(participant.shares().is_some(), regains, "{lost}");
        let kinds: Vec<RecordKind> = machine.log.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds.contains(&RecordKind::Shares), regains, "{lost}");
        for gone in [RecordKind::Seed, RecordKind::OneTimeKeys, RecordKind::OwnShares] {
            assert!(!kinds.contains(&gone), "{lost}: {gone:?}");
        }
    }
    let recipient = of(&all, lost);
    assert_eq!(shares(recipient), shares(of(old, lost)), "{lost}");
    let outcome = recipient.participant().outcome().unwrap();
    let before = old[0].participant().outcome().unwrap();
    let seat = of(old, lost).seat.me;
    for (now, before) in outcome.validators.iter().zip(&before.validators) {
        assert_eq!(now.public_key, before.public_key);
        let lost = before.public_share(&old[0].seat.ceremony, seat).unwrap();
        assert_eq!(now.public_shares, [*lost]);
    }
    all
}

/// How many hold shares afterwards is not how many have seats, and a share keeps its number.
#[test]
fn shares_are_counted_by_their_holders() {
    let old = parent(5, 3);
    let all = repair(&old, "dave", &["alice", "bob", "erin"]);
    let ceremony = &all[0].seat.ceremony;
    let numbers = |ceremony: &Ceremony| -> Vec<Option<usize>> {
        ceremony.indices().map(|seat| ceremony.share_number(seat)).collect()
    };
    assert_eq!((ceremony.t(), ceremony.n(), ceremony.holders()), (3, 4, 5));
    assert_eq!(numbers(ceremony), [None, None, Some(4), None]);
    let holder = Holder::new(ceremony, Index::new(3).unwrap()).unwrap();
    assert_eq!((holder.number, holder.required, holder.participants), (4, 3, 5));
    assert!(Holder::new(ceremony, Index::new(1).unwrap()).is_none());

    let parts = [
        ("alice", true, false),
        ("bob", true, true),
        ("carol", false, false),
        ("dave", true, true),
        ("frank", false, true),
    ];
    let all = reshare(&old, &parts, 2, &[0]);
    let ceremony = &all[0].seat.ceremony;
    assert_eq!((ceremony.t(), ceremony.n(), ceremony.holders()), (2, 5, 3));
    assert_eq!(numbers(ceremony), [None, Some(1), None, Some(2), Some(3)]);
    let holder = Holder::new(ceremony, Index::new(5).unwrap()).unwrap();
    assert_eq!((holder.number, holder.required, holder.participants), (3, 2, 3));
}

#[test]
fn each_seat_regains_exactly_its_share() {
    for (n, t) in [(3, 2), (4, 3), (7, 5)] {
        let old = parent(n, t);
        let names = holders(&old);
        for (at, lost) in names.iter().enumerate() {
            // The helpers that come next, around the table.
            let helpers = (1..=t).map(|next| names[(at + next) % n].as_str());
            let helpers: Vec<&str> = helpers.collect();
            regained(&old, lost, &helpers);
        }
    }
}

/// After a reshare shares are at other points, and some operators have none.
#[test]
fn a_share_of_a_reshare_is_regained_and_the_chain_is_audited() {
    let first = parent(4, 3);
    let parts = [
        ("dave", true, true),
        ("erin", false, true),
        ("bob", true, false),
        ("alice", true, true),
        ("frank", false, true),
    ];
    let mut second = reshare(&first, &parts, 3, &[0]);
    complete(&mut second);
    assert_eq!(holders(&second), ["dave", "erin", "alice", "frank"]);
    let third = regained(&second, "erin", &["dave", "alice", "frank"]);
    let files = [&third, &first, &second].map(|all| transcript(all));
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let expected = Expectations {
        ceremony: Some(&third[0].seat.ceremony),
        exhaustive: true,
        ..Expectations::default()
    };
    let report = audit_all(&files, &expected).unwrap();
    let broken = report.lines().iter().find(|line| line.status == Status::Failed);
    assert_eq!(broken, None);
    assert_eq!(report.verdict(), Verdict::Verified);
    assert!(report.is_of_repair() && report.before_deposit().is_empty());
    assert_eq!(report.after_reshare().len(), 3);
    for (code, title) in [
        (Code::V7, "none: in a repair there are no polynomials"),
        (Code::V10, "none: in a repair there are no polynomials"),
        (Code::V16, "none: a repair signs nothing with the shares"),
        (
            Code::V20,
            "of the 3 transcripts given, no two are children of one parent with a validator in \
             common",
        ),
    ] {
        assert_eq!(report.line(code).unwrap().detail, title);
    }
    // Its own operator says the same of it, and without its parents it is unlinked.
    let own = own(third[0].participant(), files[0]).unwrap();
    let of = |code: Code| own.line(code).map(|line| (line.status, line.detail.clone()));
    for line in report.lines().iter().filter(|line| line.code < Code::V18) {
        assert_eq!(of(line.code), Some((line.status, line.detail.clone())), "{}", line.code);
    }
    assert_eq!(audit(files[0], &Expectations::default()).verdict(), Verdict::Unlinked);
    // A repair makes no generation: beside a reshare of its parent it is no fork, and no relation.
    let parts = ["dave", "alice", "frank"].map(|name| (name, true, true));
    let mut next = reshare(&second, &parts, 2, &[0]);
    complete(&mut next);
    let next = transcript(&next);
    let unrelated = audit_all(&[files[0], &next, files[1], files[2]], &Expectations::default());
    let unrelated = unrelated.err().unwrap();
    assert_eq!(unrelated, Unrelated { first: 0, second: 1, broken: None, common: true });
    let words = "files 1 and 2 have a key in common, and neither hangs on the other";
    assert_eq!(unrelated.to_string(), words);
}

/// After an import shares are of keys that were whole, and are lost like any others: that of the
/// dealer too.
#[test]
fn a_share_of_an_import_is_regained_and_the_audit_says_whose_keys_were_whole() {
    let four = ["alice", "bob", "carol", "dave"];
    let mut first = import(&four, (0, true), 3, &["one", "two"]);
    complete(&mut first);
    regained(&first, "alice", &["bob", "carol", "dave"]);
    let second = regained(&first, "carol", &["alice", "bob", "dave"]);
    let files = [&second, &first].map(|all| transcript(all));
    let expected =
        Expectations { ceremony: Some(&second[0].seat.ceremony), ..Expectations::default() };
    let report = audit_all(&[&files[0], &files[1]], &expected).unwrap();
    assert_eq!(report.verdict(), Verdict::Verified);
    assert!(report.is_of_repair());
    let chain = &report.line(Code::V18).unwrap().detail;
    assert!(chain.contains("which is an import: the keys were whole in the hands of"), "{chain}");
    assert_eq!(audit(&files[0], &Expectations::default()).verdict(), Verdict::Unlinked);
}

#[test]
fn a_repair_is_nobodys_parent() {
    let old = parent(3, 2);
    let repaired = regained(&old, "bob", &["alice", "carol"]);
    let report = |all: &[Machine]| audit(&transcript(all), &Expectations::default());
    let (first, second) = (report(&old), {
        let files = [&repaired, &old].map(|all| transcript(all));
        audit_all(&[&files[0], &files[1]], &Expectations::default()).unwrap()
    });
    let (first, second) = (first.audited().unwrap(), second.audited().unwrap());
    let ceremony = &repaired[0].seat.ceremony;
    assert!(link(first, ceremony).is_ok());
    // A file that names the repair as its parent.
    let text = repair_toml(&old, "bob", &["alice", "carol"])
        .replace(&first.certificate().to_string(), &second.certificate().to_string());
    let child = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
    let found = second.certificate();
    assert_eq!(link(second, &child).err(), Some(LinkError::Repair { found }));
    assert!(matches!(link(first, &child), Err(LinkError::Certificate { .. })));
    // All validators of the parent, and the operator that had the share.
    let text = repair_toml(&old, "bob", &["alice", "carol"]);
    let at = text.rfind("[[validators]]").unwrap();
    let fewer = CeremonyFile::parse_toml(&text[..at]).unwrap();
    let fewer = Ceremony::try_from(fewer).unwrap();
    assert_eq!(link(first, &fewer).err(), Some(LinkError::Count { parent: 2, child: 1 }));
}

/// Somebody who claims a share that another operator has lost: it is only given to the identity
/// that held it.
#[test]
fn attack_rs9_share_of_another_operator() {
    let old = parent(3, 2);
    let report = audit(&transcript(&old), &Expectations::default());
    let text = repair_toml(&old, "bob", &["alice", "carol"]);
    let swapped = text.replace("deals = 1", "regains = 9").replace("regains = 2", "deals = 1");
    let swapped = CeremonyFile::parse_toml(&swapped.replace("regains = 9", "regains = 2")).unwrap();
    let swapped = Ceremony::try_from(swapped).unwrap();
    let (first, second) = (Index::new(1).unwrap(), Index::new(2).unwrap());
    let error = link(report.audited().unwrap(), &swapped).err();
    assert_eq!(error, Some(LinkError::Dealer { seat: first, old: second }));
}

#[test]
fn a_crash_after_any_record_of_any_part_changes_nothing() {
    let old = parent(4, 3);
    let fresh = || repair(&old, "carol", &["alice", "bob", "dave"]);
    let mut reference = fresh();
    run(&mut reference, &mut honest);
    let expected = statements(&reference[0]);
    let records = reference.iter().map(|machine| machine.recorded).max().unwrap();
    // A helper, and the one that has lost its share.
    for victim in [0, 2] {
        for at in 0..=records {
            let mut all = fresh();
            all[victim].crash_after = Some(at);
            run(&mut all, &mut honest);
            for machine in &all {
                let participant = machine.participant();
                let waiting = participant.waiting();
                assert!(participant.is_finished(), "{victim}, after record {at}: {waiting:?}");
                assert_eq!(statements(machine), expected, "{victim}, after record {at}");
            }
        }
    }
}

/// Everything is there before anything is signed.
#[test]
fn helpers_need_their_shares_and_everybody_the_parents_rows() {
    let old = parent(4, 3);
    let all = repair(&old, "carol", &["alice", "bob", "dave"]);
    let start = |seat: OwnSeat| Participant::start(seat, Vec::new(), || entropy("x")).err();
    let (seat, ceremony) = (&all[0].seat, &all[0].seat.ceremony);
    let bare = |ceremony| OwnSeat::find(ceremony, seat.operator.clone()).unwrap();
    assert_eq!(start(bare(ceremony.clone())), Some(ReplayError::OldShares));
    let without = Ceremony::from_canonical(ceremony.canonical()).unwrap();
    assert_eq!(start(bare(without.into())), Some(ReplayError::NoParent));
    // Another's shares are not its own.
    let log = of(&old, "bob").log.iter();
    let record = |(kind, body): &(RecordKind, Vec<u8>)| Record {
        kind: *kind,
        body: SecretBytes::new(body.clone()),
    };
    let records: Vec<Record> = log.map(record).collect();
    let bobs = OldShares::of(&records, 2, ceremony.reshare().unwrap()).unwrap();
    let mixed = bare(ceremony.clone()).with_old_shares(bobs.into());
    assert_eq!(start(mixed), Some(ReplayError::OldShares));
}

fn refused(text: &str) -> SpecError {
    CeremonyFile::parse_toml(text).and_then(Ceremony::try_from).expect_err("it is refused")
}

#[test]
fn a_file_that_is_no_repair_is_refused_with_the_reason() {
    use RepairError::*;
    let text = repair_toml(&parent(4, 3), "dave", &["alice", "bob", "carol"]);
    let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
    // It gives itself again, as a file and as bytes.
    let again = CeremonyFile::from(&ceremony);
    let read = CeremonyFile::parse_toml(&again.to_toml()).unwrap();
    assert_eq!(Ceremony::try_from(read).unwrap().canonical(), ceremony.canonical());
    let read = Ceremony::from_canonical(ceremony.canonical()).unwrap();
    assert!(read.is_repair() && read.digest() == ceremony.digest());
    let operator = |at, field| Place::operator(at, field);
    let helpers = text.split("[[operators]]").take(3).collect::<Vec<_>>().join("[[operators]]");
    let two = helpers + "[[operators]]" + text.split("[[operators]]").nth(4).unwrap();
    let cases: [(String, RepairError); 13] = [
        (text.replace("\"destroyed\"", "\"in a drawer\""), OldMachine("in a drawer".into())),
        (
            text.replace("threshold = 3\n[parent]", "threshold = 2\n[parent]"),
            Threshold { found: 2, parent: 3 },
        ),
        (text.replace("deals = 3", "regains = 3"), Recipients(2)),
        (text.replace("regains = 4", "deals = 4"), Recipients(0)),
        (
            text.replace("deals = 3", "deals = 3\nregains = 3"),
            Both { place: operator(2, "regains") },
        ),
        (two, Helpers { found: 2, required: 3 }),
        (
            text.replace("first = 2", "first = 3"),
            Validators { place: Place::validator(1, "first"), number: 3 },
        ),
        (text.replace("deals = 3", ""), NoPart { place: operator(2, "deals") }),
        (
            text.replace("deals = 3", "deals = 3\nreceives = false"),
            Field { field: "operators[2].receives".into() },
        ),
        (
            text.replace("[parent]", "[policy]\nallow_all_required = true\n[parent]"),
            Field { field: "policy.allow_all_required".into() },
        ),
        (
            text.replace("[parent]", "[preregistration]\ndraft = \"2026-08-17\"\n[parent]"),
            Field { field: "preregistration".into() },
        ),
        (
            text.replace("first = 2", "first = 2\namounts = [\"32\"]"),
            Field { field: "validators[1].amounts".into() },
        ),
        (
            text.replace("[repair]\nold_machine = \"destroyed\"\n", ""),
            Alone { place: operator(3, "regains") },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(&text), SpecError::from(ReshareError::Repair(expected)));
    }
    let lost = text.replace("regains = 4", "regains = 1");
    let twice = ReshareError::OldIndexTwice { place: operator(3, "deals"), index: 1, first: 0 };
    assert_eq!(refused(&lost), twice.into());
    let beyond = text.replace("regains = 4", "regains = 5");
    let most = ReshareError::OldIndex { place: operator(3, "deals"), found: 5, most: 4 };
    assert_eq!(refused(&beyond), most.into());
    // Bytes that say something else of a seat, and a policy that no repair has.
    let bytes = ceremony.canonical();
    let mut policy = bytes.to_vec();
    policy[7] = 1;
    assert_eq!(Ceremony::from_canonical(&policy).err(), Some(SpecError::Policy(1)));
    let card = |at: usize| {
        let key = *ceremony.roster().iter().nth(at).unwrap().1.card.key.as_bytes();
        bytes.windows(32).position(|window| *window == key).unwrap()
    };
    let mut part = bytes.to_vec();
    part[card(1) - 11] = 3;
    let error = Ceremony::from_canonical(&part).err().unwrap().to_string();
    assert!(error.contains("part"), "{error}");
}

/// A lost log may be put back to an earlier state, as in every kind of ceremony.
#[test]
fn a_log_that_was_put_back_takes_what_others_hold() {
    let old = parent(4, 3);
    let mut all = repair(&old, "carol", &["alice", "bob", "dave"]);
    run(&mut all, &mut honest);
    let finished: Vec<Statement> = statements(&all[0]);
    for seat in [0, 2] {
        let own = all[seat].seat.me;
        // Everything up to its own prepare, as a copy of that moment has it.
        let ceremony = all[seat].seat.ceremony.clone();
        let until = all[seat].log.iter().position(|(kind, body)| {
            *kind == RecordKind::Statement && {
                let said = Statement::open(body, &ceremony).unwrap().envelope;
                (said.round, said.sender) == (Round::Prepare, own)
            }
        });
        let whole = all[seat].log.clone();
        all[seat].log.truncate(until.unwrap() + 1);
        all[seat].participant = None;
        run(&mut all, &mut honest);
        assert!(all[seat].participant().is_finished());
        assert_eq!(statements(&all[seat]), finished);
        all[seat].log = whole;
    }
}
