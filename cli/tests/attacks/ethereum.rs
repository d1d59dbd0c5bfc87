//! Attacks ETH on deposits.

use quorate::audit::code::Code;
use quorate::ethereum::bls::{bls_sign, bls_verify, message_point};
use quorate::ethereum::deposit::{CredentialsError, DepositMessage, WithdrawalCredentials};
use quorate::ethereum::network::{Network, NetworkError};
use quorate::ethereum::preregistration::Preregistration;
use quorate::message::body::Commit;
use quorate::message::envelope::{Reject, Round};
use quorate::message::shape::Shape;
use quorate::primitives::curve::G2;
use quorate::primitives::lagrange;
use quorate::protocol::evidence::{Class, Rule};
use quorate::protocol::items::{Item, items};
use quorate::protocol::participant::{Input, Refused};
use quorate::simulation::collusion::{Hooks, collude};
use quorate::simulation::machine::{TWO_VALIDATORS, honest, machines, run, statements};
use quorate::spec::show::describe;
use quorate::spec::{Ceremony, Place, SpecError};

use crate::auditor::{clean, told};
use crate::proofs::Dealt;
use crate::scene::{Scene, index, resigned};
use crate::session::{file, parsed, with};
use crate::support::program::quorate;
use crate::thresholds::Rehearsal;

/// The attacker's commit is another one, where preregistrations are asked for.
fn recommitted(change: impl Fn(&mut Vec<u8>)) -> Scene {
    let mut scene = Scene::preregistering();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Commit {
            sent.statement = resigned(forger, &sent.statement, |body| change(body));
        }
    });
    scene
}

/// A deposit for validator 1's key to the attacker's address.
fn hostile(ceremony: &Ceremony, key: &quorate::primitives::curve::G1) -> DepositMessage {
    let Item::Deposit(honest) = items(ceremony, 0, key).remove(0) else {
        panic!("the first item is a deposit")
    };
    let mut credentials = *honest.withdrawal_credentials.as_bytes();
    credentials[12..].fill(0xee);
    DepositMessage {
        withdrawal_credentials: WithdrawalCredentials::from_bytes(credentials).unwrap(),
        ..honest
    }
}

#[test]
fn attack_eth1_second_deposit() {
    // Two of four, where three are needed, sign another deposit; all that the honest ever sign is
    // the spec's.
    let dealt = Dealt::of(collude(4, 3, TWO_VALIDATORS, Hooks::default()));
    let ceremony = dealt.collusion.ceremony.clone();
    let key = dealt.sums.public_key(0);
    let root = hostile(&ceremony, &key).signing_root(ceremony.network());
    let partial = |seat: u16, root: &[u8; 32]| bls_sign(&dealt.shares(seat)[0], root).unwrap();
    let agreed = items(&ceremony, 0, &key)[0].signing_root(&ceremony);
    let combine = |points: &[u64], partials: &[G2]| {
        lagrange::combine(&lagrange::coefficients_at_zero(points).unwrap(), partials).unwrap()
    };
    let mine = [partial(3, &root), partial(4, &root)];
    assert!(!bls_verify(&key, &root, &combine(&[3, 4], &mine)), "two are too few");
    let borrowed = [partial(1, &agreed), mine[0], mine[1]];
    assert!(
        !bls_verify(&key, &root, &combine(&[1, 3, 4], &borrowed)),
        "what the honest signed is for something else"
    );
    let three = [partial(1, &root), mine[0], mine[1]];
    assert!(bls_verify(&key, &root, &combine(&[1, 3, 4], &three)), "three could");
    // Whatever comes, an operator signs once: started again from its log it says the same.
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let before = statements(&all[0]);
    all[0].participant = None;
    run(&mut all, &mut honest);
    assert_eq!(statements(&all[0]), before);
    let commit =
        Commit::decode(before[12].body(), &Shape::of(&ceremony), before[12].envelope.sender)
            .unwrap();
    assert_eq!(commit.partials.len(), 4, "three deposits and a registration");
    // An attacker that puts its partial signature on the other deposit into its commit.
    let rehearsal = Rehearsal::new();
    let scene = Scene::of_four();
    let root = hostile(scene.ceremony(), &rehearsal.sums.public_key(0))
        .signing_root(scene.ceremony().network());
    let shape = Shape::of(scene.ceremony());
    let bad = rehearsal.shares[0].sign(&message_point(&root)).unwrap();
    let scene = crate::curve::planted(Round::Commit, 32 * shape.n, &bad.to_uncompressed());
    scene.convicts(&Rule::Partial { operator: index(3), item: 0 }, Class::E5, 3);
    told("ETH1", &scene.dossier(), &[Code::V16, Code::V19], &[3]);
    // All together they can sign it; then the transcript shows it.
    let seats: Vec<G2> = (1..=4)
        .map(|seat| {
            let root = hostile(&ceremony, &key).signing_root(ceremony.network());
            partial(seat, &root)
        })
        .collect();
    let commit = move |seat: usize, body: &mut Commit| body.partials[0] = seats[seat];
    let transcript =
        collude(4, 3, TWO_VALIDATORS, Hooks { commit: Box::new(commit), ..Hooks::default() })
            .transcript();
    let report = told("ETH1-together", &transcript, &[Code::V15, Code::V16], &[1, 2, 3, 4]);
    assert!(report.line(Code::V15).unwrap().detail.contains("deposit 1 of validator 1"));
}

#[test]
fn attack_eth2_other_network_or_amount() {
    let text = file(3, 2);
    let custom = |version: &str, name: &str| {
        let table = format!(
            "[network]\nname = \"{name}\"\ngenesis_fork_version = \
             \"{version}\"\ngenesis_validators_root = \"{}\"\ngenesis_time = \
             1700000000\n[[operators]]",
            "07".repeat(32)
        );
        with(&with(&text, "network = \"hoodi\"\n", ""), "[[operators]]", &table)
    };
    let refused = |version: &str, name: &str| match parsed(&custom(version, name)).unwrap_err() {
        SpecError::Network(why) => why,
        other => panic!("{other}"),
    };
    assert_eq!(refused("0x00000000", "devnet"), NetworkError::KnownForkVersion("mainnet"));
    assert_eq!(refused("0x10000910", "devnet"), NetworkError::KnownForkVersion("hoodi"));
    assert_eq!(refused("0x10000038", "mainnet"), NetworkError::KnownName("mainnet"));
    let devnet = parsed(&custom("0x10000038", "devnet")).unwrap();
    assert!(describe(&devnet).contains("not built in"));
    // Prefixes, amounts: refused, or shown and signed.
    let ceremony = parsed(&text).unwrap();
    let at = ceremony
        .canonical()
        .windows(12)
        .position(|window| window == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        .unwrap();
    for prefix in [0, 3, 0xff] {
        let mut bytes = ceremony.canonical().to_vec();
        bytes[at] = prefix;
        let place = Place::validator(0, "withdrawal");
        let why = SpecError::Credentials { place, source: CredentialsError::Prefix(prefix) };
        assert_eq!(Ceremony::from_canonical(&bytes).unwrap_err(), why);
    }
    assert!(matches!(
        parsed(&with(&text, "\"1\", \"32\"", "\"0.5\", \"32\"")),
        Err(SpecError::Amount { .. })
    ));
    assert!(matches!(
        parsed(&with(&text, "\"1\", \"32\"", "\"1\", \"2049\"")),
        Err(SpecError::Amount { .. })
    ));
    let others = [
        with(&text, "\"1\", \"32\"", "\"1\", \"31\""),
        with(&text, "\"hoodi\"", "\"sepolia\""),
        with(&text, "compounding = false", "compounding = true"),
    ];
    for other in others {
        let other = parsed(&other).unwrap();
        assert_ne!(other.digest(), ceremony.digest());
        assert_ne!(
            describe(&other).lines().take(12).collect::<Vec<_>>(),
            describe(&ceremony).lines().take(12).collect::<Vec<_>>()
        );
    }
}

#[test]
fn attack_eth3_exchanged_withdrawal_addresses() {
    // The addresses stand in the spec, by position; exchanged, it is another spec.
    let text = file(4, 3);
    let (first, second) = (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    );
    let exchanged = text.replace(first, "?").replace(second, first).replace('?', second);
    assert_ne!(parsed(&text).unwrap().digest(), parsed(&exchanged).unwrap().digest());
    // An attacker that, once it knows the keys, signs each key's deposit with the other's address.
    let rehearsal = Rehearsal::new();
    let scene = Scene::of_four();
    let ceremony = scene.ceremony();
    let mut other = items(ceremony, 0, &rehearsal.sums.public_key(0)).remove(0);
    let Item::Deposit(theirs) = items(ceremony, 1, &rehearsal.sums.public_key(1)).remove(0) else {
        panic!()
    };
    if let Item::Deposit(deposit) = &mut other {
        deposit.withdrawal_credentials = theirs.withdrawal_credentials;
    }
    let partial = rehearsal.shares[0].sign(&message_point(&other.signing_root(ceremony))).unwrap();
    let place = 32 * Shape::of(ceremony).n;
    let scene = crate::curve::planted(Round::Commit, place, &partial.to_uncompressed());
    scene.convicts(&Rule::Partial { operator: index(3), item: 0 }, Class::E5, 3);
    told("ETH3", &scene.dossier(), &[Code::V16, Code::V19], &[3]);
}

#[test]
fn attack_eth4_deposit_before_shares_stored() {
    // One operator stores nothing: it falls silent before its prepare, or says something else in
    // its place.
    for silent in [true, false] {
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == Round::Prepare {
                sent.to = silent.then(Vec::new);
                // The flag that says that the shares are stored.
                sent.statement =
                    resigned(forger, &sent.statement, |body| *body.last_mut().unwrap() = 0);
            }
        });
        for machine in &scene.machines {
            let inbox = machine.participant().inbox();
            assert!(
                inbox.get(Round::Commit, machine.seat.me).is_none(),
                "no honest partial signature exists"
            );
            assert!(
                machine.participant().is_prepared()
                    && machine.participant().outcome().is_none()
                    && !machine.staged
            );
        }
        if silent {
            scene.all_wait(Round::Prepare, &[3], &[]);
        } else {
            let error = quorate::primitives::codec::DecodeError::Invalid {
                what: "flags",
                why: "not the flag for stored shares",
            };
            scene.convicts(
                &Rule::Malformed { operator: index(3), round: Round::Prepare, error },
                Class::E2,
                3,
            );
            told("ETH4", &scene.dossier(), &[Code::V12, Code::V19], &[3]);
        }
    }
}

#[test]
fn attack_eth8_signing_raw_roots() {
    // All that an operator can be told; none of it is a message to sign. A new input has to be
    // added here.
    let takes = |input: &Input| match input {
        Input::Statement(_)
        | Input::ShareBox { .. }
        | Input::PeerHolds { .. }
        | Input::Done(_)
        | Input::Reread(_)
        | Input::Staged
        | Input::Stopped(_)
        | Input::Without(_)
        | Input::Waited
        | Input::PeerLeft(_) => (),
    };
    takes(&Input::Staged);
    // Nor has the program a command that signs what it is given.
    let text = quorate(std::path::Path::new("/"), &["--help"]).stdout;
    let commands: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    assert!(commands.len() > 4);
    assert!(commands.iter().all(|line| !line.trim_start().starts_with("sign")), "{commands:?}");
    // 32 bytes that are no statement are dropped.
    let mut scene = Scene::of_four();
    scene.run();
    let told =
        scene.machines[0].receive(quorate::message::sync::Frame::Statement(vec![7; 32])).unwrap();
    assert!(told.is_err());
}

#[test]
fn attack_eth9_false_or_missing_preregistration() {
    // Of validator 1: a deposit, and its preregistration.
    let scene = Scene::preregistering();
    let (ceremony, shape) = (scene.ceremony(), Shape::of(scene.ceremony()));
    let rehearsal = Rehearsal::of(Scene::preregistering);
    let own = items(ceremony, 0, &rehearsal.sums.public_key(0));
    let Item::Preregistration(honest, draft) = own[1] else { panic!("the second item is one") };
    // The attacker, once it knows the key, signs it for validator 2's credentials; or for those
    // that were agreed, on another network; or leaves it out, with its deposit in that place.
    let withdrawal_credentials = ceremony.validators()[1].withdrawal;
    assert_ne!(honest.withdrawal_credentials, withdrawal_credentials);
    let other = Preregistration { withdrawal_credentials, ..honest };
    let mainnet = Network::known("mainnet").unwrap();
    let roots = [
        ("ETH9", other.signing_root(ceremony.network(), draft)),
        ("ETH9-network", honest.signing_root(&mainnet, draft)),
        ("ETH9-deposit", own[0].signing_root(ceremony)),
    ];
    let place = 32 * shape.n + 192;
    for (name, root) in roots {
        let partial = rehearsal.shares[0].sign(&message_point(&root)).unwrap().to_uncompressed();
        let scene =
            recommitted(|body| body[place..place + partial.len()].copy_from_slice(&partial));
        scene.convicts(&Rule::Partial { operator: index(3), item: 1 }, Class::E5, 3);
        told(name, &scene.dossier(), &[Code::V16, Code::V19], &[3]);
    }
    // The right one in the same place is taken.
    let root = own[1].signing_root(ceremony);
    let partial = rehearsal.shares[0].sign(&message_point(&root)).unwrap().to_uncompressed();
    let scene = recommitted(|body| body[place..place + partial.len()].copy_from_slice(&partial));
    clean(&scene.all_finish());
    // A commit without it has another length: it counts for nothing, and its sender is awaited.
    let scene = recommitted(|body| drop(body.drain(place..place + 192)));
    let expected = shape.statement_bytes(index(3), Round::Commit).unwrap();
    let length = Reject::Length { expected, actual: expected - 192 };
    let refused = [1, 2, 4].map(|me| (Round::Commit, me, Refused::Reject(length.clone())));
    assert_eq!(scene.refused, refused);
    scene.all_wait(Round::Commit, &[3], &[]);
}
