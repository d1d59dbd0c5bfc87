//! Attacks on the way from one generation of shares to the next, on what a real reshare has left:
//! its file sent again, and old and new quorums that sign at once.

use std::fs;
use std::path::{Path, PathBuf};

use quorate::ethereum::bls::{bls_sign, bls_verify};
use quorate::ethereum::interchange::{Interchange, Vote};
use quorate::ethereum::keystore::{Keystore, Password};
use quorate::ethereum::network::Network;
use quorate::primitives::curve::{G1, G2, SecretScalar};
use quorate::primitives::hash::sha256;
use quorate::primitives::lagrange::{coefficients_at_zero, combine};
use quorate::primitives::secret::SecretBytes;

use crate::support::demo::Demo;
use crate::support::files::{only, tree};
use crate::support::running::Signal;

/// Two of three; carol leaves and dave comes.
const HANDED_OVER: (&str, &[&str]) =
    ("handed-over", &["--reshare", "--operators", "3", "--threshold", "2", "--validators", "1"]);
const FILE: &str = "demo/reshare.toml";
const PARENT: &str = "demo/ceremony.toml";
const OLD: [&str; 3] = ["alice", "bob", "carol"];
const NEW: [&str; 3] = ["alice", "bob", "dave"];

/// An operator's outputs of the ceremony of a file.
fn outputs(demo: &Demo, operator: &str, file: &str) -> PathBuf {
    let digest = demo.run(&["--json", "spec", "check", file]).done().json();
    let folder = digest["digest"].as_str().unwrap()[..16].to_owned();
    demo.path("demo").join(operator).join("ceremonies").join(folder).join("out")
}

#[test]
fn attack_s10_reshare_file_sent_again() {
    let demo = Demo::new(HANDED_OVER);
    // The same file is the same ceremony: who took part has it already, and says nothing else.
    for operator in ["alice", "carol", "dave"] {
        let public = outputs(&demo, operator, FILE).join("public");
        let before = tree(&public);
        let mut again = demo.start(operator, &["run", FILE]);
        again.until("Outputs are written");
        again.signal(Signal::INT);
        again.ends_with(0);
        assert_eq!(tree(&public), before, "{operator}");
    }
    // Nor does it begin anything for somebody else.
    demo.by("zoe", &["identity", "new", "--name", "zoe", "--kdf-cost", "10"]).done();
    let from = outputs(&demo, "alice", PARENT).join("public/transcript.quorate");
    let from = from.to_str().unwrap();
    demo.by("zoe", &["run", FILE, "--from", from]).failed(2, &["has no seat in the ceremony"]);
    // The same wish in another file is another ceremony of one parent, whose dealers are bound.
    let text = fs::read_to_string(demo.path(FILE)).unwrap();
    let id = text.lines().find(|line| line.starts_with("id = ")).unwrap();
    let other = text.replace(id, &format!("id = \"{}\"", "5a".repeat(32)));
    assert_ne!(other, text);
    fs::write(demo.path("other.toml"), other).unwrap();
    let check = demo.run(&["--json", "spec", "check", "other.toml"]).done().json();
    let words = check["fingerprint"].as_str().unwrap();
    for operator in OLD {
        let run = ["run", "other.toml", "--from", from, "--yes-fingerprint", words];
        demo.by(operator, &run).failed(1, &["to another reshare", "quorate abandon "]);
        let begun = outputs(&demo, operator, "other.toml").with_file_name("log.sealed");
        assert!(!begun.exists(), "{operator}");
    }
}

/// A validator client with one share, and what it remembers as EIP-3076 has it at least.
struct Client {
    point: u64,
    share: SecretScalar,
    /// The greatest epochs that it has signed, or was told of; `None` if it refuses nothing.
    signed: Option<Vote>,
    /// It says that it has stopped, and goes on without looking at its record.
    lies: bool,
}

impl Client {
    /// With a share, at this point, and the record of it in a file.
    fn new(point: u64, share: SecretScalar, record: &Path) -> Self {
        let root = Network::known("hoodi").unwrap().genesis_validators_root();
        let (record, remarks) = Interchange::parse(&fs::read(record).unwrap(), &root).unwrap();
        assert!(remarks.is_empty(), "{remarks:?}");
        let key = share.base_mult().unwrap().to_compressed();
        let signed = record.signed(&key).unwrap().vote;
        Self { point, share, signed, lies: false }
    }

    /// Whether it can have signed this before it stopped, or does now if it lies.
    fn has_signed(&self, vote: Vote) -> bool {
        let before = |last: Vote| vote.source <= last.source && vote.target <= last.target;
        self.lies || self.signed.is_some_and(before)
    }

    /// Whether it signs this, as the first that it is asked for.
    fn signs(&self, vote: Vote) -> bool {
        self.signed.is_none_or(|last| vote.source >= last.source && vote.target > last.target)
    }
}

/// An operator's share of the ceremony of a file, out of its keystore.
fn share(demo: &Demo, operator: &str, file: &str) -> SecretScalar {
    let keystore = only(outputs(demo, operator, file).join("secret/validator_keys"));
    let keystore = Keystore::from_json(&fs::read(keystore).unwrap()).unwrap();
    let passphrase = fs::read_to_string(demo.path("demo/passphrase")).unwrap();
    let passphrase = SecretBytes::new(passphrase.trim_end().into());
    keystore.decrypt(&Password::new(&passphrase).unwrap()).unwrap()
}

/// Whether a validator that signs both is slashed, whatever blocks they are for.
fn slashable(one: Vote, two: Vote) -> bool {
    let surrounds = |a: Vote, b: Vote| a.source < b.source && b.target < a.target;
    one.target == two.target || surrounds(one, two) || surrounds(two, one)
}

/// What `t` shares make of this vote, for one of two chains.
fn signature(clients: &[&Client], vote: Vote, chain: u8) -> ([u8; 32], G2) {
    let root = sha256(&[&vote.source.to_be_bytes(), &vote.target.to_be_bytes(), &[chain]]);
    let points: Vec<u64> = clients.iter().map(|client| client.point).collect();
    let partials: Vec<G2> =
        clients.iter().map(|client| bls_sign(&client.share, &root).unwrap()).collect();
    (root, combine(&coefficients_at_zero(&points).unwrap(), &partials).unwrap())
}

/// A vote of the old shares and one of the new ones for which the validator is slashed.
fn slashed(old: &[Client], new: &[Client], votes: &[Vote]) -> Option<(Vote, Vote)> {
    let enough = |count: usize| count >= 2;
    let by_old = |vote: &Vote| enough(old.iter().filter(|one| one.has_signed(*vote)).count());
    let by_new = |vote: &Vote| enough(new.iter().filter(|one| one.signs(*vote)).count());
    let (before, after): (Vec<Vote>, Vec<Vote>) = (
        votes.iter().copied().filter(by_old).collect(),
        votes.iter().copied().filter(by_new).collect(),
    );
    assert!(!before.is_empty() && !after.is_empty(), "both generations sign something");
    let mut pairs = before.iter().flat_map(|one| after.iter().map(|two| (*one, *two)));
    pairs.find(|(one, two)| slashable(*one, *two))
}

/// Clients with the shares and the records of a real reshare, in every vote around the hand-over:
/// whatever one false old operator goes on signing, nothing of both generations is slashable
/// together. With two (chapter 15: as many as the stops that have to be true), or without the
/// records, something is, and it verifies under the validator's key.
#[test]
fn attack_eth7_old_and_new_quorum_sign_at_once() {
    let demo = Demo::new(HANDED_OVER);
    let stated = |name: &str| demo.path("demo").join(format!("{name}-protection.json"));
    let told = |name: &str| outputs(&demo, name, FILE).join("secret/slashing-protection.json");
    let mut points = 1..;
    let mut old = OLD
        .map(|name| Client::new(points.next().unwrap(), share(&demo, name, PARENT), &stated(name)));
    let mut points = 1..;
    let mut new =
        NEW.map(|name| Client::new(points.next().unwrap(), share(&demo, name, FILE), &told(name)));
    let last = old.iter().map(|client| client.signed.unwrap().target).max().unwrap();
    let epochs = last - 5..last + 8;
    let votes: Vec<Vote> = epochs
        .clone()
        .flat_map(|source| (source + 1..epochs.end).map(move |target| Vote { source, target }))
        .collect();

    assert_eq!(slashed(&old, &new, &votes), None, "all have stopped");
    old[2].lies = true;
    assert_eq!(slashed(&old, &new, &votes), None, "carol goes on");

    // One more, and two old shares are a quorum beside the new ones.
    old[1].lies = true;
    let (one, two) = slashed(&old, &new, &votes).expect("bob goes on too");
    let deposits = outputs(&demo, "alice", PARENT).join("public/deposit-data.json");
    let deposits: serde_json::Value = serde_json::from_slice(&fs::read(deposits).unwrap()).unwrap();
    let key = hex::decode(deposits[0]["pubkey"].as_str().unwrap()).unwrap();
    let key = G1::from_compressed(&key.try_into().unwrap()).unwrap();
    for (clients, vote, chain) in
        [([&old[1], &old[2]], one, 1), ([&new[0], &new[1]], two, 2), ([&new[1], &new[2]], two, 2)]
    {
        let (root, signature) = signature(&clients, vote, chain);
        assert!(bls_verify(&key, &root, &signature));
    }
    // Shares of both generations together are nothing.
    let (root, mixed) = signature(&[&old[2], &new[0]], one, 1);
    assert!(!bls_verify(&key, &root, &mixed));

    // Without what comes with the new keystores it takes nobody who lies.
    old.iter_mut().for_each(|client| client.lies = false);
    new.iter_mut().for_each(|client| client.signed = None);
    assert!(slashed(&old, &new, &votes).is_some());
}
