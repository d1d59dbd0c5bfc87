//! Reshares in memory: honest, interrupted, and with somebody who breaks a rule.

use quorate::primitives::curve::{G1, G2, Scalar, SecretScalar};
use quorate::primitives::lagrange;
use quorate::protocol::record::RecordKind;
use quorate::simulation::reshare::{Part, minima, reshare};

use super::common::{Machine, TWO_VALIDATORS, honest, machines, run, statements};

/// A finished key generation of the first `n` of the eight operators.
pub(crate) fn parent(n: usize, t: usize) -> Vec<Machine> {
    let mut all = machines(n, t, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    all
}

/// Runs until nobody can go on without a person, then every dealer stops, then to the end.
pub(crate) fn complete(all: &mut [Machine]) {
    run(all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        let v = machine.seat.ceremony.v();
        let height = 100 + u64::from(machine.seat.me.get());
        machine.stop(minima(v, height)).unwrap().unwrap();
    }
    run(all, &mut honest);
}

/// What the shares of these machines combine to, at the points of their seats.
fn key_of(machines: &[&Machine], v: usize) -> Option<G1> {
    let point =
        |machine: &&Machine| machine.seat.ceremony.roster().get(machine.seat.me).unwrap().point;
    let points: Vec<u64> = machines.iter().map(point).collect();
    let mut secret = SecretScalar::zero();
    for (machine, coefficient) in
        machines.iter().zip(lagrange::coefficients_at_zero(&points).unwrap())
    {
        let share = &machine.participant().shares().unwrap()[v];
        secret.add_assign(&share.scaled(&coefficient));
    }
    secret.base_mult()
}

fn signs_under(machines: &[&Machine], v: usize, key: G1) -> bool {
    let point =
        |machine: &&Machine| machine.seat.ceremony.roster().get(machine.seat.me).unwrap().point;
    let points: Vec<u64> = machines.iter().map(point).collect();
    let coefficients: Vec<Scalar> = lagrange::coefficients_at_zero(&points).unwrap();
    let message = G2::hash(b"a block", quorate::primitives::hash::DST_ETHEREUM);
    let share =
        |machine: &&Machine| machine.participant().shares().unwrap()[v].sign(&message).unwrap();
    let partials: Vec<G2> = machines.iter().map(share).collect();
    let combined = lagrange::combine(&coefficients, &partials).unwrap();
    quorate::primitives::batch::verify_signature(&key, &message, &combined)
}

const BOTH: (bool, bool) = (true, true);
const DEALS: (bool, bool) = (true, false);
const RECEIVES: (bool, bool) = (false, true);

fn parts(of: &[(&'static str, (bool, bool))]) -> Vec<Part> {
    of.iter().map(|(name, (deals, receives))| (*name, *deals, *receives)).collect()
}

#[test]
fn every_use_of_a_reshare_ends_with_the_same_keys_under_new_shares() {
    let (a, b, c, d, e, f, g) = ("alice", "bob", "carol", "dave", "erin", "frank", "grace");
    let all = |part| move |name| (name, part);
    type Use<'a> = (&'a str, usize, Vec<(&'static str, (bool, bool))>);
    let uses: [Use<'_>; 7] = [
        ("refresh", 3, [a, b, c, d].map(all(BOTH)).to_vec()),
        ("add", 4, [[a, b, c, d].map(all(BOTH)).to_vec(), vec![(e, RECEIVES)]].concat()),
        ("remove, absent", 2, [a, c, d].map(all(BOTH)).to_vec()),
        ("replace", 3, [[a, b, c].map(all(BOTH)).to_vec(), vec![(e, RECEIVES)]].concat()),
        ("threshold", 4, [a, b, c, d].map(all(BOTH)).to_vec()),
        ("full replacement", 2, [[a, b, c].map(all(DEALS)), [e, f, g].map(all(RECEIVES))].concat()),
        (
            "one leaves and deals",
            3,
            [
                vec![(a, DEALS)],
                [b, c, d, e]
                    .map(|name| if name == e { (name, RECEIVES) } else { (name, BOTH) })
                    .to_vec(),
            ]
            .concat(),
        ),
    ];
    let old = parent(4, 3);
    let keys: Vec<G1> =
        old[0].participant().outcome().unwrap().validators.iter().map(|v| v.public_key).collect();
    for (use_of_it, t, seats) in uses {
        let mut all = reshare(&old, &parts(&seats), t, &[0, 1]);
        complete(&mut all);
        let first = statements(&all[0]);
        let outcome = all[0].participant().outcome().unwrap();
        for machine in &all {
            let participant = machine.participant();
            assert!(
                participant.is_finished() && machine.written,
                "{use_of_it}: {:?}",
                participant.waiting()
            );
            assert_eq!(statements(machine), first, "{use_of_it}");
            let own = participant.outcome().unwrap();
            assert_eq!(own.certificate, outcome.certificate, "{use_of_it}");
            let receives = machine.seat.ceremony.parts().receivers.contains(machine.seat.me);
            assert_eq!(participant.shares().is_some(), receives, "{use_of_it}");
            let stored = machine.log.iter().any(|(kind, _)| *kind == RecordKind::Shares);
            assert_eq!(stored, receives, "{use_of_it}");
            for gone in [RecordKind::Seed, RecordKind::OneTimeKeys, RecordKind::OwnShares] {
                assert!(machine.log.iter().all(|(kind, _)| *kind != gone), "{use_of_it}: {gone:?}");
            }
        }
        let receivers: Vec<&Machine> =
            all.iter().filter(|machine| machine.participant().shares().is_some()).collect();
        for (v, key) in keys.iter().enumerate() {
            assert_eq!(outcome.validators[v].public_key, *key, "{use_of_it}");
            let enough = &receivers[receivers.len() - t..];
            assert_eq!(key_of(enough, v), Some(*key), "{use_of_it}");
            assert!(signs_under(enough, v, *key), "{use_of_it}");
            assert!(!signs_under(&enough[1..], v, *key), "{use_of_it}");
            // One of the old generation among them.
            let mixed: Vec<&Machine> = enough[1..].iter().copied().chain([&old[3]]).collect();
            let points: std::collections::BTreeSet<u64> = mixed
                .iter()
                .map(|m| m.seat.ceremony.roster().get(m.seat.me).unwrap().point)
                .collect();
            if points.len() == mixed.len() {
                assert!(!signs_under(&mixed, v, *key), "{use_of_it}");
            }
            let shares = &outcome.validators[v].public_shares;
            let parent = all[0].seat.ceremony.parent_shares().unwrap();
            assert!(parent.all().all(|old| !shares.contains(&old)), "{use_of_it}");
        }
    }
}

#[test]
fn generations_follow_each_other_and_a_subset_may_go_on() {
    let both = |name| (name, true, true);
    let receives = |name| (name, false, true);
    let first = parent(4, 3);
    let key = first[0].participant().outcome().unwrap().validators[1].public_key;
    // 4 -> 5 -> 7 -> 4, the second validator alone from the second on.
    let five: Vec<Part> =
        ["alice", "bob", "carol", "dave"].map(both).into_iter().chain([receives("erin")]).collect();
    let mut second = reshare(&first, &five, 3, &[0, 1]);
    complete(&mut second);
    let seven: Vec<Part> = ["bob", "carol", "erin"]
        .map(both)
        .into_iter()
        .chain(["alice", "dave", "frank", "grace"].map(receives))
        .collect();
    let mut third = reshare(&second, &seven, 5, &[1]);
    complete(&mut third);
    let four: Vec<Part> =
        ["grace", "frank", "erin", "carol", "bob"].map(|name| (name, true, name != "bob")).to_vec();
    let mut fourth = reshare(&third, &four, 3, &[0]);
    complete(&mut fourth);
    for (all, v, t) in [(&second, 1, 3), (&third, 0, 5), (&fourth, 0, 3)] {
        assert!(all.iter().all(|machine| machine.participant().is_finished()));
        let holders: Vec<&Machine> =
            all.iter().filter(|machine| machine.participant().shares().is_some()).collect();
        assert!(signs_under(&holders[..t], v, key));
        assert!(!signs_under(&holders[..t - 1], v, key));
    }
}
