//! The report that a participant writes with its own transcript, without making a check twice.

use quorate::audit::expectation::Expectations;
use quorate::audit::render::{Author, to_html, to_json, transcript_json};
use quorate::audit::report::Report;
use quorate::audit::{NotOwn, audit, own};
use quorate::message::envelope::{ENVELOPE_BYTES, Round, Statement};
use quorate::message::sync::Frame;
use quorate::protocol::participant::Participant;
use quorate::spec::threshold::Index;
use quorate::transcript::container::{self, Container, ContainerError, Header};

use crate::common::{Machine, TWO_VALIDATORS, honest, machines, run};

fn finished(n: usize, t: usize) -> Vec<Machine> {
    let mut all = machines(n, t, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    all
}

fn transcript(participant: &Participant) -> Vec<u8> {
    container::encode(&participant.seat().ceremony, participant.inbox().statements()).unwrap()
}

#[test]
fn it_says_what_an_audit_says() {
    for (n, t) in [(3, 2), (4, 3), (7, 5)] {
        for machine in finished(n, t) {
            let participant = machine.participant();
            let bytes = transcript(participant);
            let (ours, theirs) =
                (own(participant, &bytes).unwrap(), audit(&bytes, &Expectations::default()));
            assert!(ours.is_clean() && ours.culprits().is_none());
            assert_eq!(ours.lines(), theirs.lines());
            assert_eq!(to_json(&ours), to_json(&theirs));
            assert_eq!(to_html(&ours, Author::Auditor), to_html(&theirs, Author::Auditor));
            let facts = |report: &Report| transcript_json(report.audited().unwrap());
            assert_eq!(facts(&ours), facts(&theirs));
        }
    }
}

#[test]
fn it_is_of_the_bytes_that_were_checked_and_of_no_others() {
    let all = finished(3, 2);
    let participant = all[1].participant();
    let good = transcript(participant);
    let refused = |bytes: &[u8]| own(participant, bytes).err().unwrap();
    let parsed = Container::parse(&good).unwrap();
    for round in Round::ALL {
        assert_eq!(parsed.statement(round, Index::new(4).unwrap()), None, "there are three");
        for sender in participant.seat().ceremony.indices() {
            let at =
                parsed.statement(round, sender).unwrap().as_ptr() as usize - good.as_ptr() as usize;
            let length = parsed.statement(round, sender).unwrap().len();
            for offset in [0, ENVELOPE_BYTES - 1, ENVELOPE_BYTES, length - 1] {
                let mut bytes = good.clone();
                bytes[at + offset] ^= 1;
                let told = refused(&bytes);
                assert!(
                    matches!(told, NotOwn::Statement { round: r, sender: s } if (r, s) == (round,
                    sender)),
                    "{round:?} {sender:?} {offset}: {told}"
                );
            }
        }
    }
    let spec = Header::parse(&good).unwrap().prefix_bytes() - 1;
    let mut bytes = good.clone();
    bytes[spec] ^= 1;
    assert!(matches!(refused(&bytes), NotOwn::Spec));
    assert!(matches!(
        refused(&good[..good.len() - 1]),
        NotOwn::Container(ContainerError::Length { .. })
    ));
    assert!(matches!(
        refused(&[&good[..], &[0]].concat()),
        NotOwn::Container(ContainerError::Length { .. })
    ));
    assert!(matches!(refused(b""), NotOwn::Container(ContainerError::Cut(_))));
    // Everything is there, and it says of itself that it is a set of statements.
    let mut bytes = good.clone();
    bytes[6] = 2;
    assert!(matches!(refused(&bytes), NotOwn::Container(ContainerError::NotComplete)));
    assert!(matches!(refused(&transcript(finished(4, 3)[1].participant())), NotOwn::Spec));
}

#[test]
fn who_has_not_checked_everything_reports_nothing() {
    let good = transcript(finished(3, 2)[0].participant());
    let mut all = machines(3, 2, TWO_VALIDATORS);
    let ceremony = all[0].seat.ceremony.clone();
    let is_final = |frame: &Frame| match frame {
        Frame::Statement(bytes) => {
            Statement::open(bytes, &ceremony).unwrap().envelope.round == Round::Final
        }
        _ => false,
    };
    run(&mut all, &mut |_, to, frame| {
        if to.get() == 1 && is_final(&frame) { Vec::new() } else { vec![frame] }
    });
    assert!(all[0].participant().outcome().is_some() && !all[0].participant().is_finished());
    assert!(matches!(own(all[0].participant(), &good).err().unwrap(), NotOwn::Unfinished));
    assert_eq!(transcript(all[1].participant()), good);
    assert!(own(all[1].participant(), &good).is_ok());
}
