//! Ceremonies that make an Obol cluster, in memory: honest ones and faulty ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate::audit::audit;
use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::{ClusterDefinition, Version};
use quorate::ethereum::obol::lock::ClusterLock;
use quorate::ethereum::obol::lock_check::check_lock;
use quorate::message::body::Final;
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::curve::G2;
use quorate::protocol::evidence::{Certainty, Class, Rule};
use quorate::protocol::judge::judge;
use quorate::protocol::obol::WrongNodeKey;
use quorate::protocol::participant::OwnSeat;
use quorate::simulation::machine::{Machine, bytes, honest, operators, run};
use quorate::spec::error::SpecError;
use quorate::spec::file::{CeremonyFile, OperatorEntry};
use quorate::spec::obol::{ClusterError, ceremony_file};
use quorate::spec::threshold::Index;
use quorate::spec::{Ceremony, show};
use quorate::transcript::container;

use crate::made::{address, check, node, sign, signed, unsigned};

pub(crate) fn file(definition: ClusterDefinition) -> CeremonyFile {
    let contracts = definition
        .operators
        .iter()
        .filter_map(|operator| operator.address)
        .filter(|a| a.as_bytes() == &[0xcc; 20]);
    let cluster = Cluster::check(definition.clone(), contracts.collect::<BTreeSet<_>>()).unwrap();
    let operator = |(i, operator): (usize, Arc<quorate::identity::Operator>)| OperatorEntry {
        card: operator.card().encode(),
        address: Some(format!("127.0.0.1:{}", 3600 + i)),
        ..OperatorEntry::default()
    };
    let entries = operators(4).into_iter().enumerate().map(operator).collect();
    ceremony_file(&cluster, "Four of us", &bytes("cluster"), entries).unwrap()
}

fn machines(definition: ClusterDefinition) -> Vec<Machine> {
    let ceremony = Arc::new(Ceremony::try_from(file(definition)).unwrap());
    let machine = |(i, operator)| {
        let mut machine = Machine::new(&ceremony, &operator);
        machine.seat = machine.seat.with_node_key(node(i)).unwrap();
        machine
    };
    operators(4).into_iter().enumerate().map(machine).collect()
}

pub(crate) fn finished(definition: ClusterDefinition) -> Vec<Machine> {
    let mut machines = machines(definition);
    run(&mut machines, &mut honest);
    assert!(machines.iter().all(|machine| machine.written));
    machines
}

pub(crate) fn lock() -> ClusterLock {
    finished(unsigned(Version::V1_10))[0].participant().lock().unwrap().clone()
}

fn transcript(machine: &Machine, change: impl Fn(&Statement) -> Statement) -> Vec<u8> {
    let statements: Vec<Statement> =
        machine.participant().inbox().statements().map(change).collect();
    container::encode(&machine.seat.ceremony, statements.iter()).unwrap()
}

/// What a forger does to its final.
type Forge = fn(&mut Final);

/// The final of operator 2, signed anew over what `forge` makes of it.
fn forged(statement: &Statement, machine: &Machine, forge: Forge) -> Statement {
    let envelope = &statement.envelope;
    if (envelope.round, envelope.sender.get()) != (Round::Final, 2) {
        return statement.clone();
    }
    let mut body = Final::decode(
        statement.body(),
        &Shape::of(&machine.seat.ceremony),
        statement.envelope.sender,
    )
    .unwrap();
    forge(&mut body);
    let key = machine.seat.operator.key();
    Statement::sign(
        key,
        envelope.sender,
        Round::Final,
        envelope.session,
        envelope.view_root,
        &body.encode(),
    )
}

#[test]
fn every_version_signed_or_not_gives_a_lock_that_holds() {
    for version in [Version::V1_8, Version::V1_9, Version::V1_10, Version::V1_11] {
        for definition in [unsigned(version), signed(version)] {
            let machines = finished(definition.clone());
            let lock = machines[0].participant().lock().unwrap();
            assert!(machines.iter().all(|machine| machine.participant().lock() == Some(lock)));
            assert_eq!(lock.definition, definition);
            check_lock(lock, BTreeSet::new()).unwrap();
            assert_eq!(ClusterLock::parse(&lock.to_json()).as_ref(), Ok(lock));

            let bytes = transcript(&machines[1], Statement::clone);
            let report = audit(&bytes, &Expectations::default());
            assert!(report.is_clean());
            assert_eq!(report.audited().unwrap().lock(), Some(lock));
            assert_eq!(
                report.line(Code::Cluster).unwrap().detail,
                "8 shares and 4 nodes have signed it"
            );
            let own = quorate::audit::own(machines[1].participant(), &bytes).unwrap();
            assert_eq!(own.lines(), report.lines());
        }
    }
}

/// A crash anywhere changes nothing: shares are there until the final is signed, and both
/// signatures are the same each time.
#[test]
fn a_crash_anywhere_gives_the_same_lock() {
    let expected = lock();
    let mut whole = machines(unsigned(Version::V1_10));
    run(&mut whole, &mut honest);
    for after in whole[2].recorded - 8..=whole[2].recorded {
        let mut machines = machines(unsigned(Version::V1_10));
        machines[2].crash_after = Some(after);
        run(&mut machines, &mut honest);
        assert!(
            machines.iter().all(|machine| machine.participant().lock() == Some(&expected)),
            "after {after}"
        );
    }
}

#[test]
fn signatures_on_the_lock_that_are_not_the_operators() {
    let own = Index::new(2).unwrap();
    let cases: [(Rule, &str, Forge); 5] = [
        (
            Rule::LockShares { operator: own },
            "the signature by the shares of \"bob\" (operator 2) on the lock",
            |last| {
                last.lock.as_mut().unwrap().shares = G2::hash(b"something else", b"QUORATE-TEST");
            },
        ),
        (
            Rule::LockNode { operator: own },
            "is not signed by the node of \"bob\" (operator 2)",
            |last| {
                last.lock.as_mut().unwrap().node[10] ^= 1;
            },
        ),
        (
            Rule::LockNode { operator: own },
            "is not signed by the node of \"bob\" (operator 2)",
            |last| {
                last.lock.as_mut().unwrap().node = node(2).sign(&[7; 32]);
            },
        ),
        (
            Rule::LockNode { operator: own },
            "is not signed by the node of \"bob\" (operator 2)",
            |last| {
                // The other spelling of the recovery id.
                last.lock.as_mut().unwrap().node[64] += 27;
            },
        ),
        (
            Rule::LockNode { operator: own },
            "is not signed by the node of \"bob\" (operator 2)",
            |last| {
                last.lock.as_mut().unwrap().node = [0; 65];
            },
        ),
    ];
    let honestly = finished(unsigned(Version::V1_10));
    for (rule, words, forge) in cases {
        // To a stranger who holds the statements, and to the auditor of a transcript.
        let statements: Vec<Statement> = honestly[1]
            .participant()
            .inbox()
            .statements()
            .map(|statement| forged(statement, &honestly[1], forge))
            .collect();
        let faults = judge(&honestly[1].seat.ceremony, &statements);
        assert_eq!(
            faults.iter().map(|fault| fault.rule.clone()).collect::<Vec<_>>(),
            std::slice::from_ref(&rule)
        );
        assert_eq!(
            (rule.class(), rule.certainty(), rule.culprits()),
            (Some(Class::E5), Certainty::Proven, vec![own])
        );
        let again = judge(&honestly[1].seat.ceremony, &faults[0].evidence);
        assert_eq!(again[0].rule, rule, "the evidence alone proves it");

        let report = audit(
            &transcript(&honestly[1], |statement| forged(statement, &honestly[1], forge)),
            &Expectations::default(),
        );
        assert_eq!(report.failed(), [Code::Cluster]);
        assert!(
            report.line(Code::Cluster).unwrap().detail.contains(words),
            "{}",
            report.line(Code::Cluster).unwrap().detail
        );

        // To the others while the ceremony goes on: they publish nothing.
        let mut live = machines(unsigned(Version::V1_10));
        let forger = machines(unsigned(Version::V1_10)).remove(1);
        run(&mut live, &mut |_, _, frame| match frame {
            Frame::Statement(bytes) => match Statement::open(&bytes, &forger.seat.ceremony) {
                Ok(statement) => {
                    vec![Frame::Statement(forged(&statement, &forger, forge).bytes().to_vec())]
                }
                Err(_) => vec![Frame::Statement(bytes)],
            },
            other => vec![other],
        });
        for machine in [&live[0], &live[2], &live[3]] {
            assert!(!machine.written);
            assert_eq!(machine.participant().proven_fault().unwrap().rule, rule);
        }
    }
}

#[test]
fn a_node_key_is_the_one_of_the_definition() {
    let ceremony = Arc::new(Ceremony::try_from(file(unsigned(Version::V1_10))).unwrap());
    let seat = OwnSeat::find(ceremony, operators(4)[1].clone()).unwrap();
    assert_eq!(seat.node_expected(), Some(node(1).public()));
    let wrong = WrongNodeKey {
        operator: Index::new(2).unwrap(),
        expected: node(1).public(),
        found: node(2).public(),
        belongs_to: Index::new(3),
    };
    assert!(wrong.to_string().ends_with("for operator 2; it is that of operator 3"), "{wrong}");
    let nobodys = seat.clone().with_node_key(node(7)).err();
    assert_eq!(nobodys.map(|wrong| wrong.belongs_to), Some(None));
    assert_eq!(seat.clone().with_node_key(node(2)).err(), Some(wrong));
    assert!(seat.with_node_key(node(1)).unwrap().node_key().is_some());
}

#[test]
fn what_a_person_agrees_to() {
    let mut definition = signed(Version::V1_10);
    definition.operators[1].address = Some(address(0xcc));
    let ceremony = Ceremony::try_from(file(sign(definition.clone()))).unwrap();
    let text = show::describe(&ceremony);
    for part in [
        "Obol cluster \"Four of us\", definition v1.10.0",
        "  2. wallet 0xCCccCcCcCccCcCcccCcCCCCccCccCcccccCccCcC",
        "WARNING: operators[1].config_signature was NOT CHECKED",
    ] {
        assert!(
            text.contains(part)
                || part.contains("0xCC") && text.to_lowercase().contains(&part.to_lowercase()),
            "{part}\n{text}"
        );
    }
    assert!(text.contains("  consensus        qbft\n  made and signed by the wallet "), "{text}");
    // Nobody says of a contract that it has signed.
    let mut others = signed(Version::V1_10);
    others.creator.address = Some(address(0xcc));
    others.operators[0].address = Some(address(0xcc));
    let text = show::describe(&Ceremony::try_from(file(sign(others))).unwrap());
    assert!(
        text.contains(&format!(
            "  made by the wallet {}, as it states (not checked)\n",
            address(0xcc)
        )),
        "{text}"
    );
    assert!(
        text.contains("WARNING: creator.config_signature was NOT CHECKED")
            && !text.contains("made and signed"),
        "{text}"
    );
    // The file is written and read, and the canonical bytes are, to the same ceremony.
    let toml = CeremonyFile::from(&ceremony).to_toml();
    let named = !ceremony.obol().unwrap().contracts().is_empty();
    assert_eq!(toml.contains("contract_wallets"), named);
    assert!(
        !CeremonyFile::from(&Ceremony::try_from(file(unsigned(Version::V1_10))).unwrap())
            .to_toml()
            .contains("contract_wallets")
    );
    let again = Ceremony::try_from(CeremonyFile::parse_toml(&toml).unwrap()).unwrap();
    assert_eq!(again.canonical(), ceremony.canonical());
    assert_eq!(Ceremony::from_canonical(ceremony.canonical()).unwrap().digest(), ceremony.digest());
    assert_eq!(Ceremony::from_canonical(ceremony.canonical()).unwrap().obol(), ceremony.obol());
}

#[test]
fn canonical_bytes_have_one_spelling() {
    let ceremony = Ceremony::try_from(file(unsigned(Version::V1_10))).unwrap();
    let bytes = ceremony.canonical();
    let json = ceremony.obol().unwrap().definition().to_compact_json();
    let front = bytes.len() - json.len() - 2 - 4;
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.to_vec();
        change(&mut bytes);
        Ceremony::from_canonical(&bytes).unwrap_err()
    };
    assert!(matches!(changed(&|b| b[front + 3] ^= 1), SpecError::Layout(_)));
    assert!(
        matches!(changed(&|b| b[front + 5] = 1), SpecError::Obol(_)),
        "a contract wallet, and the JSON cut short by it"
    );
    // A blank in the JSON says the same with other bytes.
    let spaced = changed(&|b| {
        let length = u32::try_from(json.len() + 3).unwrap();
        b[front..front + 4].copy_from_slice(&length.to_be_bytes());
        b.push(b' ');
    });
    assert_eq!(spaced, SpecError::NotCanonical);
    // No amounts are `null`, and not the empty list that a file may have.
    let mut none = unsigned(Version::V1_10);
    none.deposit_amounts = None;
    let ceremony = Ceremony::try_from(file(none.with_hashes())).unwrap();
    let bytes = String::from_utf8_lossy(ceremony.canonical()).into_owned();
    assert!(bytes.contains("\"deposit_amounts\":null"));
    let mut other = ceremony.canonical().to_vec();
    let at = other.windows(6).position(|window| window == b":null,").unwrap();
    other.splice(at + 1..at + 5, *b"[]");
    let json = ceremony.obol().unwrap().definition().to_compact_json();
    let front = ceremony.canonical().len() - json.len() - 2 - 4;
    // Two for the number of contract wallets, and two less in the JSON.
    let length = u32::try_from(json.len()).unwrap();
    other[front..front + 4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(Ceremony::from_canonical(&other).unwrap_err(), SpecError::NotCanonical);
    // The same without the bit of the policy that announces it.
    assert!(matches!(changed(&|b| b[7] &= !4), SpecError::Layout(_)));
}

#[test]
fn a_ceremony_that_contradicts_its_definition() {
    let refused = |change: &dyn Fn(&mut CeremonyFile)| {
        let mut file = file(unsigned(Version::V1_10));
        change(&mut file);
        match Ceremony::try_from(file).unwrap_err() {
            SpecError::Obol(ClusterError::Differs { field, .. }) => field,
            other => panic!("{other}"),
        }
    };
    assert_eq!(
        refused(&|f| (f.operators.truncate(3), f.policy.allow_all_required = true).1),
        "operators"
    );
    assert_eq!(refused(&|f| (f.threshold, f.policy.allow_all_required) = (4, true)), "threshold");
    assert_eq!(
        refused(&|f| f.network = quorate::spec::file::NetworkEntry::Known("sepolia".to_owned())),
        "network"
    );
    // One's own network, in the definition too.
    let mut odd = unsigned(Version::V1_10);
    odd.fork_version = [0x10, 0x00, 0x00, 0x38];
    let odd = String::from_utf8(odd.with_hashes().to_compact_json()).unwrap();
    let own = quorate::spec::file::NetworkTable {
        name: "our-net".to_owned(),
        genesis_fork_version: "10000038".to_owned(),
        capella_fork_version: None,
        genesis_validators_root: "11".repeat(32),
        genesis_time: Some(1_742_213_400),
    };
    let both = |f: &mut CeremonyFile| {
        f.network = quorate::spec::file::NetworkEntry::Custom(own.clone());
        f.obol.as_mut().unwrap().definition = odd.clone();
    };
    assert_eq!(refused(&both), "network");
    assert_eq!(refused(&|f| f.operators[3].point = Some(9)), "operators[3].point");
    assert_eq!(refused(&|f| f.validators[0].count = 2), "validators");
    assert_eq!(refused(&|f| f.validators.swap(0, 1)), "validators[0].withdrawal");
    assert_eq!(refused(&|f| f.validators[1].compounding = true), "validators[1].compounding");
    assert_eq!(
        refused(&|f| f.validators[1].amounts =
            Some(vec![quorate::spec::file::AmountText("16".to_owned())])),
        "validators[1].amounts"
    );
    assert_eq!(
        refused(&|f| f.validators[0].fee_recipient = Some(address(0xaa).to_string())),
        "validators[0].fee_recipient"
    );
    assert_eq!(
        refused(&|f| (f.validators[0].fee_recipient, f.validators[0].gas_limit) = (None, None)),
        "validators[0].fee_recipient"
    );
    assert_eq!(
        refused(&|f| f.validators[1].gas_limit = Some(30_000_000)),
        "validators[1].gas_limit"
    );
    // And one with the definition of others.
    assert!(check(unsigned(Version::V1_10)).is_ok());
    // A share that signs for two clusters.
    let theirs =
        CeremonyFile::parse_toml(include_str!("../../../test-vectors/ssv-ceremony/ceremony.toml"))
            .unwrap();
    let mut both = file(unsigned(Version::V1_10));
    both.ssv = theirs.ssv;
    for (operator, theirs) in both.operators.iter_mut().zip(theirs.operators) {
        (operator.ssv_key, operator.point) = (theirs.ssv_key, theirs.point);
    }
    assert_eq!(Ceremony::try_from(both).unwrap_err(), SpecError::Obol(ClusterError::WithSsv));
}
