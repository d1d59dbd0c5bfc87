//! Operators that publish false proofs. Others cannot see what a ciphertext holds; that is
//! documented and tested.

use std::collections::{BTreeMap, BTreeSet};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::audit::audit;
use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::ethereum::ssv::ShareProof;
use quorate::export::ssv::ssv_folder;
use quorate::message::body::{EncryptedShare, Final};
use quorate::message::envelope::{Envelope, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::protocol::evidence::{Certainty, Class, Rule};
use quorate::protocol::judge::judge;
use quorate::transcript::container;
use quorate::transcript::stopped::{self, Stopped};

use super::common::forger::{Forger, Hooks};
use super::common::{Machine, honest, run};
use super::{machines, rsa};

/// Honest operators 1, 2 and 4 with a forger in seat 3.
fn play(last: fn(&mut Final)) -> Vec<Machine> {
    let mut all = machines(4, 3);
    let seat = all.remove(2).seat;
    Forger::new(seat, Hooks { last, ..Hooks::default() }).play(&mut all);
    all
}

fn all_blame(last: fn(&mut Final), validator: usize) {
    let all = play(last);
    for machine in &all {
        let participant = machine.participant();
        let fault = participant.fault().expect("every honest operator sees it");
        let operator = quorate::spec::Index::new(3).unwrap();
        assert_eq!(fault.rule, Rule::EncryptedShare { operator, validator });
        assert_eq!(
            (fault.rule.class(), fault.rule.certainty()),
            (Some(Class::E5), Certainty::Proven)
        );
        assert_eq!(fault.rule.culprits(), [operator]);
        assert!(!participant.is_finished() && !machine.written);
        // From the evidence alone, without having been there.
        let file = stopped::encode(&machine.seat.ceremony, &fault.evidence);
        let read = Stopped::parse(&file).unwrap();
        let rules: Vec<Rule> =
            judge(&read.ceremony, &read.statements).into_iter().map(|fault| fault.rule).collect();
        assert_eq!(rules, core::slice::from_ref(&fault.rule));
        let report = audit(&file, &Expectations::default());
        assert_eq!(
            report.failed(),
            [Code::Sealed, Code::V19]
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert_eq!(report.culprits(), Some(&[operator][..]));
    }
}

/// An operator that encrypts its share twice, with a valid proof each time, and shows one operator
/// another final than the others.
#[test]
fn two_encryptions_of_one_share_leave_one_certificate() {
    let mut undisturbed = machines(4, 3);
    run(&mut undisturbed, &mut honest);
    let cheat = undisturbed[2].seat.clone();
    let participant = undisturbed[2].participant();
    let outcome = participant.outcome().unwrap();
    let right = participant.inbox().get(Round::Final, cheat.me).unwrap().clone();
    let mut body = Final::decode(right.body(), &Shape::of(&cheat.ceremony), cheat.me).unwrap();
    let mut random = ChaCha20Rng::from_seed([7; 32]);
    let share = &participant.shares().unwrap()[0];
    let ciphertext = rsa(2).public().encrypt_share(share, &mut random);
    assert_ne!(ciphertext, body.sealed[0].ciphertext);
    let proof = ShareProof {
        validator: outcome.validators[0].public_key.to_compressed(),
        encrypted_share: ciphertext,
        share_key: outcome.validators[0].public_shares[2].to_compressed(),
        owner: cheat.ceremony.ssv().unwrap().owner,
    };
    body.sealed[0] = EncryptedShare { ciphertext, proof: rsa(2).sign(&proof.root(), &mut random) };
    let Envelope { session, view_root, .. } = right.envelope;
    let key = cheat.operator.key();
    let other = Statement::sign(key, cheat.me, Round::Final, session, view_root, &body.encode());

    let mut all = machines(4, 3);
    run(&mut all, &mut |_, to, frame| match &frame {
        Frame::Statement(bytes) if bytes == right.bytes() && to.get() == 2 => {
            vec![Frame::Statement(other.bytes().to_vec()), frame]
        }
        _ => vec![frame],
    });
    let transcript = |machine: &Machine| {
        let inbox = machine.participant().inbox();
        container::encode(&cheat.ceremony, inbox.statements()).unwrap()
    };
    let mut certificates = BTreeSet::new();
    for machine in &all {
        let participant = machine.participant();
        assert!(participant.is_finished() && machine.written);
        certificates.insert(participant.outcome().unwrap().certificate);
        let report = audit(&transcript(machine), &Expectations::default());
        assert!(report.is_clean());
        certificates.insert(report.audited().unwrap().certificate());
    }
    assert_eq!(certificates, BTreeSet::from([outcome.certificate]));
    assert_eq!(all[1].participant().inbox().get(Round::Final, cheat.me), Some(&other));
    assert!(transcript(&all[0]) != transcript(&all[1]));
    let fault = all[1].participant().proven_fault().unwrap();
    assert_eq!(fault.rule, Rule::Equivocation { operator: cheat.me, round: Round::Final });

    // Key shares of the one, beside the transcript of the other: with the proofs they are taken.
    let files: BTreeMap<String, Vec<u8>> =
        ssv_folder(&cheat.ceremony, &all[1].participant().outcome().unwrap().validators)
            .unwrap()
            .into_iter()
            .filter_map(|file| Some((file.name.rsplit_once('/')?.1.to_owned(), file.bytes)))
            .collect();
    let (keyshares, proofs) = (&files["keyshares.json"][..], &files["proofs.json"][..]);
    let compared = |proof_files: &[(&str, &[u8])]| {
        let expectations = Expectations {
            keyshare_files: &[("keyshares.json", keyshares)],
            proof_files,
            ..Expectations::default()
        };
        audit(&transcript(&all[0]), &expectations)
    };
    let report = compared(&[("proofs.json", proofs)]);
    assert!(report.is_clean());
    for code in [Code::KeyShares, Code::Proofs] {
        let detail = &report.line(code).unwrap().detail;
        let said = "1 not as in this transcript, but proven by the operator (validator 1, operator \
                    33)";
        assert!(detail.ends_with(said), "{detail}");
    }
    let detail = &compared(&[]).line(Code::KeyShares).unwrap().detail.clone();
    assert!(detail.contains("not the ciphertext published by operator 33, and no proof"));
}

#[test]
fn a_forger_that_breaks_no_rule_finishes_with_everybody() {
    assert!(play(|_| ()).iter().all(|machine| machine.participant().is_finished()));
}

#[test]
fn a_wrong_proof_is_a_proven_fault() {
    all_blame(|last| last.sealed[1].proof[255] ^= 1, 1);
}

#[test]
fn a_proof_of_another_ciphertext_is_a_proven_fault() {
    all_blame(|last| last.sealed[0].ciphertext[0] ^= 1, 0);
}

#[test]
fn proofs_of_two_validators_cannot_change_places() {
    all_blame(|last| last.sealed.swap(0, 1), 0);
}
