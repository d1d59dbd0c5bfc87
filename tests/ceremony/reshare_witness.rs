//! Reshares with a witness: an operator of the parent that deals nothing, stops with the others,
//! and counts where one of them is lost.

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::render::{Author, to_html, transcript_json};
use quorate::audit::report::{Status, Verdict};
use quorate::audit::{audit, audit_all, own};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::message::without::TooFew;
use quorate::protocol::evidence::Rule;
use quorate::protocol::participant::Refused;
use quorate::simulation::reshare::{Part, minima, reshare};
use quorate::spec::Index;
use quorate::spec::seats::Seats;
use quorate::transcript::container::{self, Container};

use super::common::{Machine, honest, run};
use super::repair::regained;
use super::reshare::{complete, parent};
use super::reshare_without::{agree, alone, committed, lossy, seats, transcript};

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Three of the parent's four deal and go on; dave witnesses.
fn witnessed() -> Vec<Part> {
    NAMES.map(|name| (name, name != "dave", name != "dave")).to_vec()
}

fn dave() -> Index {
    Index::new(4).unwrap()
}

#[test]
fn a_witness_stops_and_gets_the_outputs_without_a_share() {
    let old = parent(4, 3);
    let mut all = reshare(&old, &witnessed(), 2, &[0]);
    let shape = Shape::of(&all[0].seat.ceremony);
    // What it owes in each round: beside the nonce and the anchor, what it has seen.
    let owed = Round::ALL.map(|round| shape.owes(dave(), round));
    assert_eq!(owed, [Some(64), None, Some(96), Some(128), Some(160)]);
    assert_eq!(shape.bytes_of(dave(), Kind::Minima, Round::Commit), Some(172 + 25));
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().awaits_stop()));
    // All have stopped but the witness: nobody signs its final.
    for machine in &mut all[..3] {
        machine.stop(minima(1, 100)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| !machine.participant().has_said(Round::Final)));
    assert!(!all[3].participant().has_said(Round::Commit));
    assert_eq!(all[0].participant().waiting().everybody(), [dave()]);
    all[3].stop(minima(1, 400)).unwrap().unwrap();
    run(&mut all, &mut honest);
    for machine in &all {
        let participant = machine.participant();
        assert!(participant.is_finished() && machine.written);
        assert_eq!(participant.inbox().minima().count(), 4);
        assert_eq!(participant.shares().is_some(), machine.seat.me != dave());
        let stated = participant.signed_last(dave()).unwrap();
        assert_eq!(stated, minima(1, 400));
        let bytes = transcript(machine);
        assert_eq!(bytes, transcript(&all[0]));
        let (ours, theirs) = (own(participant, &bytes).unwrap(), alone(&bytes));
        assert_eq!(ours.line(Code::V14), theirs.line(Code::V14));
        assert_eq!(theirs.verdict(), Verdict::Unlinked);
    }
    let files = [transcript(&old[0]), transcript(&all[3])];
    let files = [files[0].as_slice(), &files[1]];
    let report = audit_all(&files, &Expectations::default()).unwrap();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.lines());
    let exactly = Expectations { exhaustive: true, ..Expectations::default() };
    let report = audit_all(&files, &exactly).unwrap();
    assert_eq!(report.verdict(), Verdict::Sound);
    // What three have dealt to three of whom two sign: their constants are the parent's.
    let counted = "3 points, 0 proofs of possession, 5 sums, 3 possession proofs, 0 partial and 0 \
                   combined signatures";
    assert_eq!(report.line(Code::Exhaustive).unwrap().detail, counted);
    // The witness's minima are as necessary as a dealer's.
    let inbox = all[0].participant().inbox();
    let of_others = inbox.minima().filter(|held| held.envelope.sender != dave());
    let held = inbox.statements().chain(of_others);
    assert!(container::encode(&all[0].seat.ceremony, held).is_err());
}

#[test]
fn a_witness_makes_the_majority_where_one_is_lost() {
    let old = parent(4, 3);
    let lost = seats(&[1]);
    // Three of four deal: without one of them, half are left.
    let mut fewer = committed(&old, &witnessed()[..3], 2);
    run(&mut fewer, &mut lossy(lost, false));
    let few = TooFew { bound: 2, operators: 4, receivers: 2, threshold: 2 };
    assert_eq!(fewer[1].finish_without(lost).unwrap().err(), Some(Refused::TooFew(few)));
    for lost in [seats(&[1]), seats(&[3]), seats(&[4])] {
        let mut all = committed(&old, &witnessed(), 2);
        run(&mut all, &mut lossy(lost, false));
        agree(&mut all, lost, &mut lossy(lost, false));
        for machine in all.iter().filter(|machine| !lost.contains(machine.seat.me)) {
            assert!(machine.participant().is_finished() && machine.written, "{lost:?}");
            assert_eq!(machine.participant().finished_without(), lost);
            let report = alone(&transcript(machine));
            assert_eq!(report.verdict(), Verdict::Unlinked, "{:?}", report.lines());
        }
    }
    // Two of the four are half, whoever they are.
    let mut all = committed(&old, &witnessed(), 2);
    let two = seats(&[1, 4]);
    run(&mut all, &mut lossy(two, false));
    assert_eq!(all[1].finish_without(two).unwrap().err(), Some(Refused::TooFew(few)));
    // And who has lost its share, and witnesses and receives, counts once in each.
    let shape = Shape::of(&all[0].seat.ceremony);
    assert_eq!(shape.stops(), Seats::first(4));
}

/// Without its word nothing is complete, for which its vote is needed.
#[test]
fn a_transcript_without_the_word_of_its_witness_fails() {
    let lost = seats(&[1]);
    let mut all = committed(&parent(4, 3), &witnessed(), 2);
    run(&mut all, &mut lossy(lost, false));
    agree(&mut all, lost, &mut lossy(lost, false));
    let good = transcript(&all[3]);
    let words = Container::parse(&good).unwrap().withouts().len();
    assert_eq!(words, 3);
    let inbox = all[3].participant().inbox();
    let said = inbox.withouts().filter(|word| word.envelope.sender != dave());
    let held = inbox.statements().chain(inbox.minima()).chain(said);
    // With its final, and without its word: half of the parent's operators do without alice.
    let failed = match container::encode(&all[3].seat.ceremony, held) {
        Err(_) => true,
        Ok(bytes) => alone(&bytes).line(Code::V14).unwrap().status == Status::Failed,
    };
    assert!(failed);
}

/// A witness's final over other outputs is proven and fills no slot; and its commit counts for
/// nobody as long as it has not said what its keys have signed.
#[test]
fn attack_rs13_a_witness_that_has_not_seen_or_not_stopped_counts_for_nothing() {
    let (old, lost) = (parent(4, 3), seats(&[1]));
    let mut all = committed(&old, &witnessed(), 2);
    let mut lying = |from: Index, to: Index, frame: Frame| match &frame {
        Frame::Statement(bytes) if from == dave() && bytes[6..10] == [1, 4, 0, 4] => Vec::new(),
        _ => lossy(lost, false)(from, to, frame),
    };
    run(&mut all, &mut lying);
    let seat = all[3].seat.clone();
    let honest_final = all[3].participant().inbox().all(Round::Final, dave()).next().unwrap();
    let mut body = honest_final.body().to_vec();
    *body.last_mut().unwrap() ^= 1;
    let envelope = &honest_final.envelope;
    let (session, root) = (envelope.session, envelope.view_root);
    let key = seat.operator.key();
    let lie = Statement::sign_kind(Kind::Ordinary, key, dave(), Round::Final, session, root, &body);
    for machine in &mut all[1..3] {
        let _ = machine.receive(Frame::Statement(lie.bytes().to_vec())).unwrap();
        let fault = machine.participant().proven_fault().unwrap();
        assert_eq!(fault.rule, Rule::Outputs { operator: dave() });
        assert!(machine.participant().inbox().get(Round::Final, dave()).is_none());
        let refused = machine.finish_without(lost).unwrap().err();
        assert_eq!(refused, Some(Refused::FinalsMissing(vec![dave()])));
    }
    let mut all = reshare(&old, &witnessed(), 2, &[0]);
    run(&mut all, &mut honest);
    for machine in &mut all {
        machine.stop(minima(1, 100)).unwrap().unwrap();
    }
    // Whoever carries them: its minima reach nobody.
    let mut mute = |_: Index, to: Index, frame: Frame| match &frame {
        Frame::Statement(bytes) if to != dave() && bytes[6..10] == [4, 3, 0, 4] => Vec::new(),
        _ => vec![frame],
    };
    run(&mut all, &mut mute);
    for machine in &all[..3] {
        let participant = machine.participant();
        assert!(participant.inbox().get(Round::Commit, dave()).is_some());
        assert!(!participant.has_said(Round::Final));
        assert_eq!(participant.waiting().everybody(), [dave()]);
    }
}

/// Two children of one parent, each finished thanks to the same witness, with changed software.
#[test]
fn attack_rs14_a_witness_of_two_children_shows_in_both() {
    let (old, lost) = (parent(4, 3), seats(&[1]));
    let finished = |t: usize| {
        let mut all = committed(&old, &witnessed(), t);
        run(&mut all, &mut lossy(lost, false));
        agree(&mut all, lost, &mut lossy(lost, false));
        assert!(all[3].participant().is_finished());
        transcript(&all[3])
    };
    let files = [transcript(&old[0]), finished(2)];
    let mut other = reshare(&old, &witnessed(), 3, &[0]);
    complete(&mut other);
    let other = transcript(&other[3]);
    let all = [files[0].as_slice(), &files[1], &other];
    let report = audit_all(&all, &Expectations::default()).unwrap();
    let line = report.line(Code::V20).unwrap();
    assert_eq!(line.status, Status::Failed, "{:?}", report.lines());
    // Its FINAL is in each of them.
    for bytes in [&files[1], &other] {
        let parsed = Container::parse(bytes).unwrap();
        assert!(parsed.statement(Round::Final, dave()).is_some());
        assert!(audit(bytes, &Expectations::default()).failed().is_empty());
    }
}

/// What the report that `machine` makes at the end shows of shares: of each validator, whose they
/// are, at which point, and which; and which operators could sign, on the page.
fn reported(machine: &Machine) -> (Vec<Vec<[String; 3]>>, String) {
    let report = own(machine.participant(), &transcript(machine)).unwrap();
    let facts = transcript_json(report.audited().unwrap());
    let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let row =
        |row: &serde_json::Value| ["operator", "point", "public_key"].map(|at| text(&row[at]));
    let rows = |validator: &serde_json::Value| {
        validator["public_shares"].as_array().unwrap().iter().map(row).collect()
    };
    let shown = facts["validators"].as_array().unwrap().iter().map(rows).collect();
    let page = String::from_utf8(to_html(&report, Author::Auditor).into()).unwrap();
    let sentence = page.split("</code>). ").nth(1).and_then(|rest| rest.split("</p>").next());
    let v2 = report.line(Code::V2).unwrap().detail.clone();
    (shown, format!("{} {v2}", sentence.unwrap()))
}

/// The same by the shares themselves.
fn held(all: &[Machine]) -> Vec<Vec<[String; 3]>> {
    let v = all[0].seat.ceremony.v();
    let row = |machine: &Machine, v: usize| {
        let shares = machine.participant().shares()?;
        let seat = machine.seat.ceremony.roster().get(machine.seat.me).unwrap();
        let key = hex::encode(shares[v].base_mult().unwrap().to_compressed());
        Some([seat.card.name.to_string(), seat.point.to_string(), format!("0x{key}")])
    };
    (0..v).map(|v| all.iter().filter_map(|machine| row(machine, v)).collect()).collect()
}

/// Wherever the seats stand that get none.
#[test]
fn a_share_is_reported_under_the_name_of_who_holds_it() {
    let old = parent(4, 3);
    for first in [("alice", false, false), ("alice", true, false)] {
        let parts: Vec<Part> =
            NAMES.map(|name| if name == "alice" { first } else { (name, true, true) }).to_vec();
        let mut all = reshare(&old, &parts, 2, &[0, 1]);
        complete(&mut all);
        let (shown, signs) = reported(&all[0]);
        assert_eq!(shown, held(&all));
        assert_eq!(shown[1].len(), 3);
        assert_eq!(
            signs,
            "Any 2 of 3 operators with shares can sign. 4 operators, any 2 of the 3 with shares \
             can sign, 2 validators; all parameters are valid"
        );
    }
    // Where everybody gets one.
    let mut all = reshare(&old, &NAMES.map(|name| (name, true, true)), 3, &[0]);
    complete(&mut all);
    let (shown, signs) = reported(&all[0]);
    assert_eq!(shown, held(&all));
    assert_eq!(
        signs,
        "Any 3 of 4 operators can sign. 4 operators, any 3 of them can sign, 1 validator; all \
         parameters are valid"
    );
    // Carol gets her own back, from alice, bob and dave.
    let all = regained(&old, "carol", &["alice", "bob", "dave"]);
    let (shown, signs) = reported(&all[0]);
    assert_eq!(shown, held(&all));
    assert!(signs.starts_with("Any 3 of 4 operators can sign."), "{signs}");
}

/// A machine of the witness that was interrupted at any time goes on from its log.
#[test]
fn a_witness_resumes_from_its_log() {
    let mut all = reshare(&parent(4, 3), &witnessed(), 2, &[0]);
    let again = |machine: &mut Machine| machine.start().unwrap();
    run(&mut all, &mut honest);
    again(&mut all[3]);
    assert!(all[3].participant().awaits_stop());
    complete(&mut all);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    again(&mut all[3]);
    assert!(all[3].participant().is_finished());
}
