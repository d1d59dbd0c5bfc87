//! Whole ceremonies for SSV, in memory.

use std::sync::Arc;

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Status;
use quorate::audit::{audit, own, render};
use quorate::ethereum::bls::bls_verify;
use quorate::ethereum::ssv::ShareProof;
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::lagrange;
use quorate::protocol::items::{Item, items};
use quorate::protocol::outcome::ValidatorOutcome;
use quorate::protocol::participant::Participant;
use quorate::protocol::record::ReplayError;
use quorate::transcript::container;

use super::common::{Machine, bytes, entropy, honest, run};
use super::{IDS, OWNER, machines, rsa};

fn outcome(machine: &Machine) -> &[ValidatorOutcome] {
    &machine.participant().outcome().unwrap().validators
}

fn transcript(machine: &Machine) -> Vec<u8> {
    container::encode(&machine.seat.ceremony, machine.participant().inbox().statements()).unwrap()
}

/// Everything that is published about a cluster's validators holds.
fn holds(machines: &[Machine], t: usize) {
    let n = machines.len();
    let ceremony = &machines[0].seat.ceremony;
    let shape = Shape::of(ceremony);
    assert_eq!((shape.items, shape.sealed), (4, 2));
    for seat in ceremony.indices() {
        assert_eq!(shape.owes(seat, Round::Commit), Some(32 * n + 192 * 4));
        assert_eq!(shape.owes(seat, Round::Final), Some(32 * n + 32 + 512 * 2));
    }
    for machine in machines {
        assert!(machine.participant().is_finished() && machine.written);
        assert_eq!(outcome(machine), outcome(&machines[0]));
    }
    for (v, made) in outcome(&machines[0]).iter().enumerate() {
        let items = items(ceremony, v, &made.public_key);
        let Some(Item::OwnerNonce(consent)) = items.last() else {
            panic!("the consent is the last message")
        };
        assert_eq!(consent.text(), format!("{OWNER}:{}", 7 + v));
        let signature = made.signatures.last().unwrap();
        assert!(bls_verify(&made.public_key, &consent.digest(), signature));
        assert_eq!((made.public_shares.len(), made.sealed.len(), made.signatures.len()), (n, n, 2));
        for (position, (share, sealed)) in made.public_shares.iter().zip(&made.sealed).enumerate() {
            let proof = ShareProof {
                validator: made.public_key.to_compressed(),
                encrypted_share: sealed.ciphertext,
                share_key: share.to_compressed(),
                owner: consent.owner,
            };
            assert!(rsa(position).public().verify(&proof.root(), &sealed.proof));
            assert!(!rsa((position + 1) % n).public().verify(&proof.root(), &sealed.proof));
            let mut random = <chacha20::ChaCha20Rng as chacha20::rand_core::SeedableRng>::from_seed(
                bytes("blinding"),
            );
            let opened =
                rsa(position).decrypt_share(&sealed.ciphertext, share, &mut random).ok().unwrap();
            assert_eq!(
                *opened.to_be_bytes(),
                *machines[position].participant().shares().unwrap()[v].to_be_bytes()
            );
        }
        // The points are the operators' numbers: any t public shares give the key, as SSV's tools
        // interpolate.
        for start in [0, n - t] {
            let points = &IDS[start..start + t];
            let at_zero = lagrange::coefficients_at_zero(points).unwrap();
            let sum = quorate::primitives::curve::G1Sum::msm(
                &made.public_shares[start..start + t],
                &at_zero,
            );
            assert_eq!(sum.finish(), Some(made.public_key));
        }
    }
}

#[test]
fn four_operators() {
    let mut machines = machines(4, 3);
    run(&mut machines, &mut honest);
    holds(&machines, 3);

    let transcript = transcript(&machines[0]);
    let report = audit(&transcript, &Expectations::default());
    assert!(report.is_clean(), "{}", render::to_text(&report));
    let line = report.line(Code::Sealed).unwrap();
    assert_eq!(line.status, Status::Passed);
    assert!(line.detail.starts_with("8 proofs by the operators' RSA keys"), "{}", line.detail);
    let audited = report.audited().unwrap();
    assert_eq!(audited.validators(), outcome(&machines[0]));
    // An operator says of itself what an auditor says.
    let own = own(machines[2].participant(), &transcript).unwrap();
    assert_eq!(render::to_text(&own), render::to_text(&report));
    assert_eq!(render::to_json(&own), render::to_json(&report));
    let text = render::to_text(&report);
    assert!(text.contains("no forward secrecy") && text.contains("SSV operator 44"), "{text}");
    let page = render::to_html(&report);
    assert!(page.contains("no forward secrecy") && page.contains(OWNER));
    let json: serde_json::Value =
        serde_json::from_slice(&render::transcript_json(audited)).unwrap();
    assert_eq!(json["spec"]["ssv"]["owner"], OWNER);
    assert_eq!(json["validators"][1]["ssv"]["text"], format!("{OWNER}:8"));
    let sealed = format!("0x{}", hex::encode(outcome(&machines[0])[1].sealed[3].ciphertext));
    assert_eq!(json["validators"][1]["public_shares"][3]["encrypted"], sealed);
}

#[test]
fn thirteen_operators() {
    let mut machines = machines(13, 9);
    run(&mut machines, &mut honest);
    holds(&machines, 9);
    assert!(audit(&transcript(&machines[12]), &Expectations::default()).is_clean());
}

#[test]
fn a_crash_before_or_after_the_commit_gives_the_same_bytes() {
    let mut machines_of_one_run = machines(4, 3);
    run(&mut machines_of_one_run, &mut honest);
    let first = transcript(&machines_of_one_run[0]);
    let records = machines_of_one_run[1].recorded;
    for crash_after in records - 6..records {
        let mut machines = machines(4, 3);
        machines[1].crash_after = Some(crash_after);
        run(&mut machines, &mut honest);
        assert!(machines[1].crash_after.is_none(), "it has crashed");
        assert!(transcript(&machines[0]) == first, "crash after record {crash_after}");
    }
}

#[test]
fn without_its_rsa_key_a_log_replays_and_nothing_more_is_signed() {
    let mut undisturbed = machines(4, 3);
    run(&mut undisturbed, &mut honest);

    let mut all = machines(4, 3);
    let (ceremony, me) = (all[1].seat.ceremony.clone(), all[1].seat.me);
    run(&mut all, &mut |_, to, frame| match &frame {
        Frame::Statement(bytes) if to == me => {
            match Statement::open(bytes, &ceremony).unwrap().envelope.round {
                Round::Prepare => Vec::new(),
                _ => vec![frame],
            }
        }
        _ => vec![frame],
    });
    let key = all[1].seat.ssv_key.take();
    all[1].start().unwrap();
    for sender in ceremony.indices().filter(|sender| *sender != me) {
        let prepare =
            all[0].participant().inbox().get(Round::Prepare, sender).unwrap().bytes().to_vec();
        let Ok(Ok(_)) = all[1].receive(Frame::Statement(prepare)) else {
            panic!("a statement is taken without the key")
        };
    }
    run(&mut all, &mut honest);
    // It has certificate 1, and waits for nobody but its key.
    let participant = all[1].participant();
    assert!(participant.inbox().complete(Round::Prepare).is_some() && participant.is_prepared());
    assert!(participant.waiting().everybody().is_empty() && participant.fault().is_none());
    assert!(participant.inbox().get(Round::Commit, me).is_none());

    all[1].seat.ssv_key = key;
    all[1].start().unwrap();
    run(&mut all, &mut honest);
    assert!(transcript(&all[1]) == transcript(&undisturbed[1]));
    // With the commit in its log it is not asked for the key again.
    all[1].seat.ssv_key = None;
    all[1].start().unwrap();
    assert!(all[1].participant().is_finished());
}

#[test]
fn nobody_begins_without_its_rsa_key() {
    let machine = machines(4, 3).remove(1);
    let start = |seat| Participant::start(seat, Vec::new(), || entropy("never used")).err();
    let mut without = machine.seat.clone();
    without.ssv_key = None;
    assert_eq!(start(without), Some(ReplayError::SsvKey));
    assert_eq!(
        start(machine.seat.clone().with_ssv_key(Arc::new(rsa(2)))),
        Some(ReplayError::SsvKey)
    );
    assert_eq!(start(machine.seat), None);
}
