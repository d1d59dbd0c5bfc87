//! For each check of the protocol, an operator that only this check can stop. Every honest operator
//! must name it, and none may finish.
#![allow(clippy::unwrap_used)]

mod common;

use common::forger::{Forger, Hooks};
use common::{Machine, TWO_VALIDATORS, machines};
use quorate::audit::describe;
use quorate::message::body::{Commit, Deal, Prepare};
use quorate::message::envelope::{Kind, Round, Statement, view_root};
use quorate::message::shape::Shape;
use quorate::message::share_box::ShareBoxError;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::curve::{G1Sum, G2, G2Sum, Scalar, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, Digest};
use quorate::protocol::evidence::{Certainty, Class, Fault, Rule};
use quorate::protocol::judge::judge;
use quorate::spec::ceremony::Ceremony;
use quorate::spec::threshold::Index;
use quorate::transcript::stopped::{self, Stopped};

const FORGER: usize = 2;

/// Honest operators 1, 2 and 4 with a forger in seat 3 (of 4, threshold 3).
fn play(hooks: Hooks) -> (Vec<Machine>, Index) {
    play_for(hooks, TWO_VALIDATORS)
}

/// The same for other validators.
fn play_for(hooks: Hooks, validators: &str) -> (Vec<Machine>, Index) {
    let mut all = machines(4, 3, validators);
    let seat = all.remove(FORGER).seat;
    let culprit = seat.me;
    Forger::new(seat, hooks).play(&mut all);
    (all, culprit)
}

fn all_blame(hooks: Hooks, class: Class, expect: impl Fn(&Rule, Index) -> bool) {
    let (all, culprit) = play(hooks);
    for machine in &all {
        let participant = machine.participant();
        let fault = participant.fault().expect("every honest operator stops");
        assert!(expect(&fault.rule, culprit), "{:?}", fault.rule);
        assert_eq!(fault.rule.class(), Some(class));
        assert!(fault.rule.culprits().contains(&culprit));
        assert!(!participant.is_finished() && participant.outcome().is_none());
        if fault.rule.certainty() == Certainty::Proven {
            judged_by_strangers(fault, &machine.seat.ceremony);
        }
    }
}

/// Evidence is judged alike by whoever reads it: as a file, without having been there.
fn judged_by_strangers(fault: &Fault, ceremony: &Ceremony) {
    let file = stopped::encode(ceremony, &fault.evidence);
    let read = Stopped::parse(&file).unwrap();
    let rules: Vec<Rule> =
        judge(&read.ceremony, &read.statements).into_iter().map(|fault| fault.rule).collect();
    assert_eq!(
        rules,
        core::slice::from_ref(&fault.rule),
        "the evidence shows this fault and no other"
    );
}

/// The victim of a bad share opens its one-time key, and everybody sees the dealer's fault.
fn all_judge(hooks: Hooks, expect: impl Fn(&Rule, Index) -> bool) {
    let (all, culprit) = play(hooks);
    for (i, machine) in all.iter().enumerate() {
        let participant = machine.participant();
        let fault = participant.fault().expect("every honest operator sees the complaint");
        assert!(expect(&fault.rule, culprit), "{:?}", fault.rule);
        assert_eq!(
            (fault.rule.class(), fault.rule.certainty()),
            (Some(Class::E3), Certainty::Proven)
        );
        judged_by_strangers(fault, &machine.seat.ceremony);
        // The victim never prepares; the others have, and keep their shares.
        assert_eq!((participant.is_stopped(), participant.is_prepared()), (i == 0, i != 0));
        let complaint = participant.inbox().get(Round::Prepare, all[0].seat.me).unwrap();
        assert_eq!(complaint.envelope.kind, Kind::Complaint);
        assert!(participant.outcome().is_none());
    }
}

#[test]
fn a_forger_that_breaks_no_rule_finishes_with_everybody() {
    let (all, _) = play(Hooks::default());
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
}

#[test]
fn a_hello_with_a_view_is_refused() {
    let hooks = Hooks {
        view_root: |round, root| if round == Round::Hello { Digest([1; 32]) } else { root },
        ..Hooks::default()
    };
    all_blame(hooks, Class::E2, |rule, who| {
        *rule == Rule::ViewRoot { operator: who, round: Round::Hello }
    });
}

#[test]
fn one_key_twice_in_a_hello_is_refused() {
    let hooks = Hooks {
        hello: |hello| hello.one_time_keys[0] = hello.one_time_keys[1],
        ..Hooks::default()
    };
    let same = |rule: &Rule, who| {
        *rule == Rule::CopiedHello { operators: [who, who], what: "a one-time key" }
    };
    all_blame(hooks, Class::E2, same);
}

#[test]
fn a_deal_with_another_view_root_is_refused() {
    let hooks = Hooks {
        view_root: |round, root| if round == Round::Deal { Digest([1; 32]) } else { root },
        ..Hooks::default()
    };
    all_blame(hooks, Class::E2, |rule, who| {
        *rule == Rule::ViewRoot { operator: who, round: Round::Deal }
    });
}

#[test]
fn a_deal_over_another_set_of_hellos_is_refused() {
    let hooks = Hooks { deal: |deal| deal.view[0] = Digest([1; 32]), ..Hooks::default() };
    all_blame(hooks, Class::E2, |rule, who| {
        *rule == Rule::ViewRoot { operator: who, round: Round::Deal }
    });
}

#[test]
fn a_deal_that_does_not_open_its_commitment_is_refused() {
    let hooks = Hooks {
        deal: |deal| deal.salt.iter_mut().for_each(|salt| salt[0] ^= 1),
        ..Hooks::default()
    };
    all_blame(hooks, Class::E2, |rule, who| *rule == Rule::Opening { dealer: who });
}

#[test]
fn polynomials_that_share_a_constant_term_are_refused() {
    let same = |v: usize, k: usize| (Hooks::default().coefficient)(if k == 0 { 0 } else { v }, k);
    let hooks = Hooks { coefficient: same, ..Hooks::default() };
    all_blame(hooks, Class::E2, |rule, who| {
        *rule == Rule::EqualConstants { rows: [(who, 0), (who, 1)] }
    });
}

#[test]
fn a_false_proof_of_possession_is_refused() {
    let hooks = Hooks {
        deal: |deal| deal.proof.as_mut().unwrap().z = deal.proof.unwrap().z + Scalar::one(),
        ..Hooks::default()
    };
    all_blame(hooks, Class::E2, |rule, who| *rule == Rule::ProofOfPossession { dealer: who });
    let negated = |deal: &mut quorate::message::body::Deal| {
        deal.proof.as_mut().unwrap().r =
            G1Sum::from(deal.proof.unwrap().r).negated().finish().unwrap();
    };
    let hooks = Hooks { deal: negated, ..Hooks::default() };
    all_blame(hooks, Class::E2, |rule, who| *rule == Rule::ProofOfPossession { dealer: who });
}

#[test]
fn a_bad_share_for_one_validator_is_found_by_its_victim() {
    let bad = |to: Index, shares: &mut Vec<SecretScalar>| {
        if to.get() == 1 {
            shares[1].add_assign(&SecretScalar::reduce(&[1; 48]));
        }
    };
    let hooks = Hooks { shares: bad, ..Hooks::default() };
    all_judge(hooks, |rule, who| *rule == Rule::Share { dealer: who, validator: 1 });
}

#[test]
fn errors_that_cancel_in_a_plain_sum_are_found() {
    let bad = |to: Index, shares: &mut Vec<SecretScalar>| {
        if to.get() == 1 {
            let delta = SecretScalar::reduce(&[1; 48]);
            shares[0].add_assign(&delta);
            shares[1].add_assign(&delta.scaled(&-Scalar::one()));
        }
    };
    let hooks = Hooks { shares: bad, ..Hooks::default() };
    all_judge(hooks, |rule, who| *rule == Rule::Share { dealer: who, validator: 0 });
}

#[test]
fn a_box_that_does_not_open_is_reported() {
    let bad = |to: Index, sealed: &mut Vec<u8>| {
        if to.get() == 1 {
            *sealed.last_mut().unwrap() ^= 1;
        }
    };
    let hooks = Hooks { sealed: bad, ..Hooks::default() };
    all_judge(hooks, |rule, who| {
        *rule == Rule::ShareBox { dealer: who, error: ShareBoxError::Sealed }
    });
}

#[test]
fn a_root_that_does_not_follow_from_the_deals_is_refused() {
    let hooks = Hooks {
        prepare: |prepare| prepare.stored.as_mut().unwrap().sums_root = Digest([1; 32]),
        ..Hooks::default()
    };
    all_blame(hooks, Class::E6, |rule, who| *rule == Rule::SumsRoot { operator: who });
}

#[test]
fn a_prepare_over_other_deals_is_refused() {
    let hooks = Hooks { prepare: |prepare| prepare.view[0] = Digest([1; 32]), ..Hooks::default() };
    all_blame(hooks, Class::E6, |rule, who| {
        matches!(rule, Rule::View { operator, round: Round::Prepare,
        about } if *operator == who && about.get() == 1)
    });
}

#[test]
fn a_false_possession_proof_is_refused() {
    let hooks = Hooks {
        prepare: |prepare| {
            prepare.stored.as_mut().unwrap().possession = G2::hash(b"another", DST_ETHEREUM)
        },
        ..Hooks::default()
    };
    all_blame(hooks, Class::E5, |rule, who| *rule == Rule::Possession { operator: who });
}

#[test]
fn shares_not_stored_are_not_prepared() {
    let hooks =
        Hooks { prepare: |prepare| prepare.stored.as_mut().unwrap().flags = 0, ..Hooks::default() };
    let error = DecodeError::Invalid { what: "flags", why: "not the flag for stored shares" };
    all_blame(hooks, Class::E2, move |rule, who| {
        *rule == Rule::Malformed { operator: who, round: Round::Prepare, error: error.clone() }
    });
}

#[test]
fn a_false_partial_signature_is_refused_even_from_an_index_that_is_not_combined() {
    let hooks =
        Hooks { commit: |commit| commit.partials[2] = commit.partials[1], ..Hooks::default() };
    all_blame(hooks, Class::E5, |rule, who| *rule == Rule::Partial { operator: who, item: 2 });
}

/// A preregistration binds a key to where its money goes: one for other credentials is proven.
#[test]
fn a_false_preregistration_is_refused() {
    let validators = format!("[preregistration]\ndraft = \"2026-08-17\"\n{TWO_VALIDATORS}");
    // Items: deposit and preregistration of the first validator; two deposits, registration and
    // preregistration of the second.
    let hooks =
        Hooks { commit: |commit| commit.partials[5] = commit.partials[1], ..Hooks::default() };
    let (all, culprit) = play_for(hooks, &validators);
    for machine in &all {
        let fault = machine.participant().fault().expect("every honest operator stops");
        assert_eq!(fault.rule, Rule::Partial { operator: culprit, item: 5 });
        let ceremony = &machine.seat.ceremony;
        judged_by_strangers(fault, ceremony);
        let said = describe::fault(&fault.rule, Some(ceremony));
        assert!(said.contains("the preregistration of validator 2"), "{said}");
    }
}

#[test]
fn partial_signatures_whose_errors_cancel_are_refused() {
    let cancelling = |commit: &mut quorate::message::body::Commit| {
        let delta = G2Sum::from(G2::hash(b"delta", DST_ETHEREUM));
        for (item, delta) in [(0, delta), (1, delta.negated())] {
            let mut sum = G2Sum::from(commit.partials[item]);
            sum.add_sum(&delta);
            commit.partials[item] = sum.finish().unwrap();
        }
    };
    let hooks = Hooks { commit: cancelling, ..Hooks::default() };
    all_blame(hooks, Class::E5, |rule, who| *rule == Rule::Partial { operator: who, item: 0 });
}

#[test]
fn a_commit_over_another_certificate_is_refused() {
    let hooks = Hooks { commit: |commit| commit.view[3] = Digest([1; 32]), ..Hooks::default() };
    all_blame(hooks, Class::E6, |rule, _| {
        matches!(rule, Rule::View { round: Round::Commit, about,
        .. } if about.get() == 4)
    });
}

#[test]
fn another_output_digest_is_refused() {
    let (all, culprit) =
        play(Hooks { last: |last| last.outputs = Digest([1; 32]), ..Hooks::default() });
    for machine in &all {
        assert_eq!(
            machine.participant().fault().unwrap().rule,
            Rule::Outputs { operator: culprit }
        );
        assert!(!machine.written, "outputs must not appear without certificate 2");
    }
}

#[test]
fn two_hellos_of_one_operator_are_evidence_whatever_the_order() {
    for swap in [false, true] {
        let mut all = machines(4, 3, TWO_VALIDATORS);
        let seat = all.remove(FORGER).seat;
        let culprit = seat.me;
        let second = Hooks { hello: |hello| hello.nonce[0] ^= 1, ..Hooks::default() };
        let first = Forger::new(seat.clone(), Hooks::default()).hello();
        let second = Forger::new(seat, second).hello();
        common::run(&mut all, &mut |_, _, _| Vec::new());
        for (i, machine) in all.iter_mut().enumerate() {
            let hello = if (i == 0) == swap { &first } else { &second };
            let frame = quorate::message::sync::Frame::Statement(hello.bytes().to_vec());
            machine.receive(frame).unwrap().unwrap();
        }
        common::run(&mut all, &mut common::honest);
        for machine in &all {
            let fault =
                machine.participant().fault().expect("proof of equivocation reaches everybody");
            assert_eq!(fault.rule, Rule::Equivocation { operator: culprit, round: Round::Hello });
            assert_eq!(fault.rule.certainty(), Certainty::Proven);
            assert_eq!(fault.evidence.len(), 2);
        }
    }
}

/// A cheat signs a prepare whose envelope names the honest deals and whose body names others, so
/// that a judge who took the one for the other would measure an honest operator's signatures by
/// wrong keys.
#[test]
fn a_crafted_prepare_frames_nobody() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    common::run(&mut all, &mut common::honest);
    let (cheat, ceremony) = (&all[0].seat, &all[0].seat.ceremony);
    let shape = Shape::of(ceremony);
    let of = |round| all[1].participant().inbox().complete(round).unwrap();
    let (hellos, deals, prepares, commits) =
        (of(Round::Hello), of(Round::Deal), of(Round::Prepare), of(Round::Commit));
    let session = deals[0].envelope.session;
    let sign = |round, root, body: Vec<u8>| {
        Statement::sign(cheat.operator.key(), cheat.me, round, session, root, &body)
    };

    let mut deal = Deal::decode(deals[0].body(), &shape, deals[0].envelope.sender).unwrap();
    deal.commitments =
        Deal::decode(deals[1].body(), &shape, deals[1].envelope.sender).unwrap().commitments;
    let deal = sign(Round::Deal, deals[0].envelope.view_root, deal.encode());
    let mut prepare =
        Prepare::decode(prepares[0].body(), &shape, prepares[0].envelope.sender).unwrap();
    prepare.view[0] = deal.digest();
    let prepare = sign(Round::Prepare, prepares[0].envelope.view_root, prepare.encode());
    let mut commit = Commit::decode(commits[0].body(), &shape, commits[0].envelope.sender).unwrap();
    commit.view[0] = prepare.digest();
    let commit = sign(Round::Commit, view_root(&commit.view), commit.encode());

    let crafted = [
        vec![deal, prepare, commit],
        deals[1..].to_vec(),
        prepares[1..].to_vec(),
        commits[1..].to_vec(),
    ]
    .concat();
    let faults = judge(ceremony, &[hellos, crafted].concat());
    assert!(!faults.is_empty());
    assert!(faults.iter().all(|fault| fault.rule.culprits() == [cheat.me]), "{faults:?}");
}
