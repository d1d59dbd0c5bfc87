//! Locks made after the ceremony: of the same shares with other nodes, in memory; and of a reshare,
//! on real processes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::{ClusterDefinition, Version};
use quorate::ethereum::obol::enr;
use quorate::ethereum::obol::lock::ClusterLock;
use quorate::ethereum::obol::lock_check::check_lock;
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::Secret32;
use quorate::signing::combine::{CombineError, combine};
use quorate::signing::lock::{ClusterLockError, verify};
use quorate::signing::partial::{Partial, PartialError, PartialFile};
use quorate::signing::{Cleared, Delivery, Items, Parent, Request, RequestError};
use quorate::simulation::machine::{Machine, operators};
use quorate::spec::Index;
use quorate::spec::obol::ClusterError;
use serde_json::{Value, json};

use crate::ceremony::finished;
use crate::made::{node, unsigned};
use crate::support::demo::{Demo, OBOL};
use crate::support::files::{files, private};
use crate::support::program::Ended;

/// The definition of the same operators, with the nodes of these numbers.
fn with_nodes(nodes: [usize; 4]) -> ClusterDefinition {
    let mut definition = unsigned(Version::V1_10);
    for (operator, number) in definition.operators.iter_mut().zip(nodes) {
        operator.enr = enr::write(&node(number));
    }
    definition.with_hashes()
}

fn cluster(definition: ClusterDefinition) -> Cluster {
    Cluster::check(definition, BTreeSet::new()).unwrap()
}

fn keys(parent: &Parent) -> Vec<[u8; 48]> {
    parent.validators().iter().map(|one| one.public_key.to_compressed()).collect()
}

fn clear(parent: &Parent, definition: ClusterDefinition) -> Result<Cleared, RequestError> {
    let items = Items::lock(keys(parent), cluster(definition)).unwrap();
    let request = parent.request_all(items, Delivery::Public);
    let read = Request::from_json(&request.to_json()).unwrap();
    assert_eq!(read, request);
    parent.clear(request)
}

/// The answer of a machine's operator, with the key of this node.
fn sign(cleared: &Cleared, machine: &Machine, number: usize) -> Partial {
    let shares: Vec<&SecretScalar> = machine.participant().shares().unwrap().iter().collect();
    let seat = (&*machine.seat.operator, machine.seat.me);
    Partial::sign_lock(cleared, seat, &shares, &node(number)).unwrap()
}

/// As a file, and read again by somebody else.
fn open(cleared: &Cleared, parent: &Parent, answer: &Partial) -> Result<Partial, PartialError> {
    let operator = operators(4).swap_remove(answer.operator.position());
    let file = answer.to_json(cleared, &operator, Secret32::new(&mut [7; 32]));
    PartialFile::from_json(&file).unwrap().open(cleared, parent, None)
}

#[test]
fn a_lock_with_other_nodes_is_signed_by_all_of_them() {
    let machines = finished(unsigned(Version::V1_10));
    let parent = Parent::finished(machines[0].participant()).unwrap();
    let cleared = clear(&parent, with_nodes([10, 11, 12, 13])).unwrap();
    assert_eq!(cleared.required.len(), 4);
    let answers: Vec<Partial> = machines
        .iter()
        .zip(10..)
        .map(|(machine, number)| open(&cleared, &parent, &sign(&cleared, machine, number)).unwrap())
        .collect();
    // A threshold makes no lock.
    let three = combine(&cleared, &parent, &answers[..3]);
    assert_eq!(three, Err(CombineError::Required(vec![Index::new(4).unwrap()])));
    // Nor is a threshold spoken of where fewer have answered.
    let two = combine(&cleared, &parent, &answers[..2]);
    assert_eq!(two, Err(CombineError::Required([3, 4].map(|n| Index::new(n).unwrap()).to_vec())));
    let lock = combine(&cleared, &parent, &answers).unwrap().lock.unwrap();
    check_lock(&lock, BTreeSet::new()).unwrap();
    let first = machines[0].participant().lock().unwrap();
    assert_eq!(lock.validators, first.validators);
    assert_ne!(lock.lock_hash, first.lock_hash);
    assert_eq!(verify(&cleared, &lock.to_json()).unwrap(), *lock);
    // The lock of the ceremony holds too, and is another.
    let other = verify(&cleared, &first.to_json()).unwrap_err();
    assert_eq!(other.0, "cluster_definition");
    let mut altered = (*lock).clone();
    altered.validators[1].public_shares.swap(0, 1);
    let altered = verify(&cleared, &altered.to_json()).unwrap_err();
    assert_eq!(altered.0, "distributed_validators[1]");
    let mut altered = (*lock).clone();
    altered.node_signatures.swap(0, 1);
    assert_eq!(verify(&cleared, &altered.to_json()).unwrap_err().0, "node_signatures[0]");
}

/// The key of a node is the operator's word alone: who signs with another is named.
#[test]
fn an_answer_by_another_node_is_its_operators_fault() {
    let machines = finished(unsigned(Version::V1_10));
    let parent = Parent::finished(machines[0].participant()).unwrap();
    let cleared = clear(&parent, with_nodes([10, 11, 12, 13])).unwrap();
    let wrong = open(&cleared, &parent, &sign(&cleared, &machines[1], 12)).unwrap_err();
    assert_eq!((wrong.culprit(), &wrong), (Index::new(2), &PartialError::WrongNode(2)));
    // Another spelling of the right one, which nobody signed.
    let good = sign(&cleared, &machines[1], 11);
    let mut spelled = good.clone();
    spelled.node.as_mut().unwrap()[64] += 27;
    let altered = open(&cleared, &parent, &spelled);
    assert_eq!(altered, Err(PartialError::Signature(2)));
    // Without one there is no such file, and of another request there is no place for one.
    let operator = operators(4).swap_remove(1);
    let file = good.to_json(&cleared, &operator, Secret32::new(&mut [7; 32]));
    let mut file: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(file["version"], 4);
    let node = file.as_object_mut().unwrap().remove("node").unwrap();
    assert!(PartialFile::from_json(file.to_string().as_bytes()).is_err());
    file["node"] = node;
    file["version"] = json!(3);
    assert!(PartialFile::from_json(file.to_string().as_bytes()).is_err());
}

#[test]
fn a_definition_says_what_the_ceremony_and_its_key_generation_say() {
    let machines = finished(unsigned(Version::V1_10));
    let parent = Parent::finished(machines[0].participant()).unwrap();
    let refused = |change: &dyn Fn(&mut ClusterDefinition)| {
        let mut definition = with_nodes([10, 11, 12, 13]);
        change(&mut definition);
        match clear(&parent, definition.with_hashes()) {
            Err(RequestError::Lock(error)) => error,
            other => panic!("{:?}", other.map(|_| ())),
        }
    };
    let field = |error: ClusterLockError| match error {
        ClusterLockError::Cluster(ClusterError::Differs { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(&|it| it.operators = unsigned(Version::V1_10).operators),
        ClusterLockError::Made
    );
    assert_eq!(field(refused(&|it| drop(it.operators.pop()))), "operators");
    assert_eq!(field(refused(&|it| it.threshold = 4)), "threshold");
    assert_eq!(field(refused(&|it| it.fork_version = [0; 4])), "network");
    assert_eq!(field(refused(&|it| it.compounding = true)), "validators[0].compounding");
    let amounts = field(refused(&|it| it.deposit_amounts = None));
    assert_eq!(amounts, "validators[0].amounts");
    let limit = field(refused(&|it| it.target_gas_limit += 1));
    assert_eq!(limit, "validators[0].gas_limit");
    let fees = field(refused(&|it| it.validators[1].fee_recipient = crate::made::address(9)));
    assert_eq!(fees, "validators[1].fee_recipient");
    let to = field(refused(&|it| it.validators[1].withdrawal = crate::made::address(9)));
    assert_eq!(to, "validators[1].withdrawal");
    let fewer = refused(&|it| {
        it.validators.pop();
        it.num_validators -= 1;
    });
    assert_eq!(field(fewer), "validators");
    // All validators of the ceremony are in it.
    let some = keys(&parent)[1..].to_vec();
    let items = Items::lock(some, cluster(with_nodes([10, 11, 12, 13]))).unwrap();
    let error = parent.clear(parent.request_all(items, Delivery::Public)).map(|_| ()).unwrap_err();
    let all = keys(&parent).len();
    let fewer = ClusterLockError::Validators { expected: all, found: all - 1 };
    assert_eq!(error, RequestError::Lock(fewer));
}

/// Alice, bob, carol and erin have a cluster after dave has left.
const RESHARED: (&str, &[&str]) = ("obol-reshared", &["--obol", "--reshare", "--kdf", "pbkdf2"]);
const CLUSTER: [&str; 4] = ["alice", "bob", "carol", "erin"];

fn reshare(demo: &Demo, operator: &str) -> PathBuf {
    let checked = demo.run(&["--json", "spec", "check", "demo/reshare.toml"]).done().json();
    let digest = checked["digest"].as_str().unwrap()[..16].to_owned();
    demo.path(&format!("demo/{operator}/ceremonies/{digest}/out"))
}

fn lock(path: &Path) -> ClusterLock {
    ClusterLock::parse(&fs::read(path).unwrap()).unwrap()
}

fn request(demo: &Demo, transcript: &Path, definition: &str) -> Ended {
    let _ = fs::remove_file(demo.path("request.json"));
    let args = ["obol", "request", transcript.to_str().unwrap(), "--all", "--public"];
    let more = ["--definition", definition, "-o", "request.json"];
    demo.by("alice", &[&args[..], &more].concat())
}

fn sign_by(demo: &Demo, operator: &str) -> Ended {
    let output = format!("partial-{operator}.json");
    demo.by(operator, &["obol", "sign", "request.json", "--yes", "-o", &output])
}

#[test]
fn the_lock_of_a_reshare_with_another_operator() {
    let demo = Demo::new(RESHARED);
    let made = demo.path("demo/cluster-lock.json");
    demo.run(&["verify", "cluster-lock", made.to_str().unwrap()]).done();
    let transcript = reshare(&demo, "erin").join("public/transcript.quorate");
    let judge = |request: &str| {
        let args = ["obol", "verify", made.to_str().unwrap(), "--request", request];
        demo.run(&[&args[..], &["--transcript", transcript.to_str().unwrap()]].concat())
    };
    judge("demo/lock-request.json").done();
    // The same keys, with what was signed when they were made; other shares, and other nodes.
    let parent = fs::read_dir(demo.path("demo/dave/ceremonies"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("out/public/cluster-lock.json"))
        .find(|path| path.exists())
        .unwrap();
    let (old, new) = (lock(&parent), lock(&made));
    for (old, new) in old.validators.iter().zip(&new.validators) {
        assert_eq!((old.public_key, &old.deposits), (new.public_key, &new.deposits));
        assert_eq!(old.registration, new.registration);
        assert!(old.public_shares.iter().all(|share| !new.public_shares.contains(share)));
    }
    assert_eq!(old.definition.operators[..3], new.definition.operators[..3]);
    assert_ne!(old.definition.operators[3], new.definition.operators[3]);

    // What each operator's Charon reads, and when its shares may run.
    for operator in CLUSTER {
        let folder = files(&demo.path(&format!("demo/{operator}/charon")));
        let names: Vec<&str> = folder.keys().map(String::as_str).collect();
        let expected = [
            "charon-enr-private-key",
            "cluster-definition.json",
            "cluster-lock.json",
            "cut-over.json",
            "slashing-protection.json",
            "validator_keys/keystore-0.json",
            "validator_keys/keystore-0.txt",
            "validator_keys/keystore-1.json",
            "validator_keys/keystore-1.txt",
        ];
        assert_eq!(names, expected, "{operator}");
        assert_eq!(folder["cluster-lock.json"], fs::read(&made).unwrap());
        let key = fs::read(demo.path(&format!("demo/{operator}/charon-enr-private-key"))).unwrap();
        assert_eq!(folder["charon-enr-private-key"], key);
    }
    // A lock of other shares is refused, and the folder of old shares is not written any more.
    let args = ["export", "obol", "demo/reshare.toml", "--lock", parent.to_str().unwrap()];
    demo.by("alice", &[&args[..], &["--out", "none"]].concat())
        .failed(2, &["a lock of other validators or other shares"]);
    demo.by("alice", &["export", "obol", "demo/ceremony.toml", "--out", "none"])
        .failed(1, &["superseded"]);
    assert!(!demo.path("none").exists());
}

#[test]
fn a_lock_needs_every_operator_and_its_own_node() {
    let demo = Demo::new(RESHARED);
    let transcript = reshare(&demo, "erin").join("public/transcript.quorate");
    // The definition of the old cluster has dave's node where erin is.
    request(&demo, &transcript, "demo/cluster-definition.json").done();
    let asked = fs::read_to_string(demo.path("request.json")).unwrap();
    assert!(asked.contains("\"cluster_lock\""), "{asked}");
    sign_by(&demo, "erin").failed(1, &["not the key of your node in the cluster definition"]);
    // Dave has no share.
    assert!(sign_by(&demo, "dave").code != 0 && !demo.path("partial-dave.json").exists());
    for operator in ["alice", "bob", "carol"] {
        sign_by(&demo, operator).done();
    }
    let args = ["obol", "combine", "request.json", "--transcript", transcript.to_str().unwrap()];
    let partials = ["partial-alice.json", "partial-bob.json", "partial-carol.json"];
    demo.by("carol", &[&args[..], &["-o", "lock.json"], &partials].concat())
        .failed(5, &["no valid answer from \"erin\""]);
    let two = demo.by("carol", &[&args[..], &["-o", "lock.json"], &partials[..2]].concat());
    two.failed(
        5,
        &["no valid answer from \"", "\"erin\"", "\"carol\"", "all operators with shares"],
    );
    assert!(!two.stderr.contains("required: 3"), "{}", two.stderr);
    assert!(!demo.path("lock.json").exists());
    // The policy is asked.
    private(demo.path("demo/bob/signing.toml"), "locks = \"never\"\n");
    let again = demo.by("bob", &["obol", "sign", "request.json", "--yes", "-o", "again.json"]);
    again.failed(1, &["policy is to sign no cluster locks"]);
    // Whose shares sign in a cluster of Obol's sign for no cluster of SSV.
    let ssv = Demo::new(crate::support::demo::SSV);
    let info = fs::read(ssv.path("demo/ssv/operators_info.json")).unwrap();
    let mut info: Vec<Value> = serde_json::from_slice(&info).unwrap();
    (1..).zip(&mut info).for_each(|(id, one)| one["id"] = json!(id));
    fs::write(demo.path("info.json"), json!(info).to_string()).unwrap();
    let owner = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let args =
        ["ssv", "request", transcript.to_str().unwrap(), "--all", "--public", "--nonce", "0"];
    let more = ["--owner", owner, "--ssv-operators", "info.json", "-o", "ssv.json"];
    demo.by("alice", &[&args[..], &more].concat()).done();
    let facts = reshare(&demo, "erin").join("public/transcript.json");
    let facts: Value = serde_json::from_slice(&fs::read(facts).unwrap()).unwrap();
    let keys: Vec<&str> = facts["validators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["public_key"].as_str().unwrap())
        .collect();
    let policy = format!("key_shares = \"allow-list\"\nallow = {keys:?}\nowners = [{owner:?}]\n");
    private(demo.path("demo/alice/signing.toml"), &policy);
    demo.by("alice", &["ssv", "sign", "ssv.json", "--yes", "-o", "none.json"])
        .failed(1, &["has already signed for the lock of an Obol cluster"]);
}

/// Whoever has had enough of waiting is told whose answers a lock needs: of everybody.
#[test]
fn who_stops_waiting_for_a_lock_hears_of_no_threshold() {
    let demo = Demo::new(RESHARED);
    let args = ["obol", "run", "demo/lock-request.json", "--yes", "--wait", "1", "-o", "none"];
    let ended = demo.start("alice", &args).ends_with(5);
    let said = ended.json();
    assert_eq!((&said["counted"], &said["needed"]), (&json!(1), &json!(4)));
    let shown = said.to_string();
    assert!(!shown.contains("are required"), "{shown}");
    for who in ["bob", "carol", "erin"] {
        assert!(said["waiting_for"].to_string().contains(who), "{shown}");
    }
    assert!(!demo.path("none").exists());
}

#[test]
fn operators_who_are_online_write_the_same_lock() {
    let demo = Demo::new(RESHARED);
    let start = |operator: &str| {
        let output = format!("online-{operator}.json");
        let args =
            ["obol", "run", "demo/lock-request.json", "--yes", "--wait", "600", "-o", &output];
        demo.start(operator, &args)
    };
    let mut running = CLUSTER.map(start);
    // Each counts to all four: no three of them make a lock.
    running[0].until("answers, 4 needed.");
    let made = fs::read(demo.path("demo/cluster-lock.json")).unwrap();
    for (operator, running) in CLUSTER.iter().zip(running) {
        running.ended().done();
        assert_eq!(fs::read(demo.path(&format!("online-{operator}.json"))).unwrap(), made);
    }
}

#[test]
fn the_lock_that_a_ceremony_made_is_not_made_again() {
    let demo = Demo::new(OBOL);
    let transcript = demo.out("alice").join("public/transcript.quorate");
    request(&demo, &transcript, "demo/cluster-definition.json")
        .failed(2, &["the ceremony itself made the lock of this definition"]);
    // A ceremony that signed no registration gives none.
    let plain = Demo::new(crate::support::demo::PLAIN);
    let transcript = plain.out("alice").join("public/transcript.quorate");
    let definition = demo.path("demo/cluster-definition.json");
    request(&plain, &transcript, definition.to_str().unwrap())
        .failed(2, &["signed no builder registration of validator 1"]);
}
