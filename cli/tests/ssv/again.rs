//! Key shares made again after the ceremony: for another owner, with another nonce, by files and
//! online; and what is refused by name.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::export::ssv::{Registration, parse_keyshares};
use serde_json::{Value, json};

use crate::demo::{OWNER, rsa};
use crate::support::demo::{Demo, OBOL, OPERATORS, SSV};
use crate::support::files::private;
use crate::support::program::{Ended, names};

/// Another account.
pub(crate) const OTHER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// The demo with one operator replaced by another.
const RESHARED: (&str, &[&str]) = ("reshared", &["--reshare", "--kdf", "pbkdf2"]);
/// What a person types of a restored directory.
const NEWEST: &str = "no newer shares of these validators exist";

pub(crate) struct Place {
    pub(crate) demo: Demo,
    pub(crate) transcript: String,
}

impl Place {
    fn new() -> Self {
        Self::of(Demo::new(SSV))
    }

    pub(crate) fn of(demo: Demo) -> Self {
        let transcript = demo.out("alice").join("public/transcript.quorate");
        let place = Self { demo, transcript: transcript.to_str().unwrap().to_owned() };
        let keys = place.keys();
        for operator in OPERATORS {
            let text = format!(
                "key_shares = \"allow-list\"\nallow = {keys:?}\nowners = [{OTHER:?}, {OWNER:?}]\n"
            );
            place.policy(operator, &text);
        }
        place
    }

    pub(crate) fn policy(&self, operator: &str, text: &str) {
        private(self.demo.path(&format!("demo/{operator}/signing.toml")), text);
    }

    fn keys(&self) -> Vec<String> {
        let deposits = fs::read(self.demo.out("alice").join("public/deposit-data.json")).unwrap();
        let list: Vec<Value> = serde_json::from_slice(&deposits).unwrap();
        list.iter().map(|one| format!("0x{}", one["pubkey"].as_str().unwrap())).collect()
    }

    /// A request of alice's.
    fn ask(&self, owner: &str, nonce: &str, more: &[&str]) -> Ended {
        self.ask_for(owner, nonce, &[more, &["--public"]].concat())
    }

    /// The same; `more` says who gets the answers.
    pub(crate) fn ask_for(&self, owner: &str, nonce: &str, more: &[&str]) -> Ended {
        let _ = fs::remove_file(self.demo.path("request.json"));
        let args = ["ssv", "request", &self.transcript, "--owner", owner, "--nonce", nonce];
        let args = [&args[..], &["-o", "request.json", "--all"], more].concat();
        self.demo.by("alice", &args)
    }

    pub(crate) fn sign_with(&self, operator: &str, more: &[&str]) -> Ended {
        let output = format!("partial-{operator}.json");
        let _ = fs::remove_file(self.demo.path(&output));
        let args = ["ssv", "sign", "request.json", "--yes", "-o", &output];
        self.demo.by(operator, &[&args, more].concat())
    }

    /// With the RSA key of `whose`.
    pub(crate) fn sign(&self, operator: &str, whose: &str) -> Ended {
        let key = format!("demo/ssv/{whose}/encrypted_private_key.json");
        self.sign_with(operator, &["--ssv-key", &key, "--ssv-password-file", "demo/ssv/password"])
    }

    pub(crate) fn combine(&self, operators: &[&str], folder: &str) -> Ended {
        let partials: Vec<String> =
            operators.iter().map(|operator| format!("partial-{operator}.json")).collect();
        let partials: Vec<&str> = partials.iter().map(String::as_str).collect();
        let args = ["ssv", "combine", "request.json", "--transcript", &self.transcript];
        self.demo.by("dave", &[&args[..], &["-o", folder], &partials[..]].concat())
    }

    fn verify(&self, folder: &str) -> Ended {
        let args = ["--json", "ssv", "verify", folder, "--request", "request.json"];
        self.demo.run(&[&args[..], &["--transcript", &self.transcript]].concat())
    }

    /// What is in the folder, as any other program's: format, signatures, sharing, proofs.
    pub(crate) fn registrations(
        &self,
        folder: &str,
        owner: &str,
        nonce: &str,
    ) -> Vec<Registration> {
        let (keyshares, proofs) =
            (format!("{folder}/keyshares.json"), format!("{folder}/proofs.json"));
        let args = ["verify", "keyshares", &keyshares, "--proofs", &proofs];
        self.demo.run(&[&args[..], &["--owner", owner, "--nonce", nonce]].concat()).done();
        self.verify(folder).done();
        let registrations =
            parse_keyshares(&fs::read(self.demo.path(&keyshares)).unwrap()).unwrap();
        let mut random = ChaCha20Rng::from_seed([5; 32]);
        for registration in &registrations {
            for (operator, own) in OPERATORS.iter().zip(&registration.operators) {
                let key = rsa(&self.demo.path("demo"), operator);
                let share = key.decrypt_share(&own.encrypted_share, &own.share_key, &mut random);
                assert!(share.is_ok(), "{operator}");
            }
        }
        registrations
    }
}

#[test]
fn another_owner_needs_every_operator_with_its_own_rsa_key() {
    let place = Place::new();
    let asked = place.ask(OTHER, "5", &[]).done();
    for text in [
        "KEY SHARES FOR SSV of 2 validators on hoodi",
        "it has to be removed there first",
        &format!("registered by      {OTHER}"),
        "with the nonces    5 to 6",
        "SSV operator 44: \"dave\", RSA key with SHA-256 ",
        "encrypted anew     the shares of \"alice\" (operator 1), \"bob\" (operator 2), ",
        "there is no forward secrecy",
    ] {
        assert!(
            asked.stderr.contains(text) || asked.stdout.contains(text),
            "{text}: {}",
            asked.stderr
        );
    }
    // Without its key, and with another operator's, nothing is signed.
    place
        .sign_with("bob", &[])
        .failed(2, &["encrypted to your operator's RSA key, which is missing"]);
    place.sign("bob", "alice").failed(1, &["this is not the RSA key that the request has for you"]);
    assert!(!place.demo.path("partial-bob.json").exists());
    for operator in ["alice", "bob", "carol"] {
        place.sign(operator, operator).done();
    }
    let three = place.combine(&["alice", "bob", "carol"], "shares");
    three.failed(5, &["no valid answer from \"dave\"", "nobody else can encrypt their shares"]);
    assert!(!place.demo.path("shares").exists());
    place.sign("dave", "dave").done();
    place.combine(&OPERATORS, "shares").done();
    let registrations = place.registrations("shares", OTHER, "5");
    let nonces: Vec<u64> = registrations.iter().map(|one| one.owner_nonce.nonce).collect();
    assert_eq!(nonces, [5, 6]);
    // The same request has the same answer.
    let before = fs::read(place.demo.path("partial-carol.json")).unwrap();
    let again = place.sign("carol", "carol").done();
    assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
    assert_eq!(fs::read(place.demo.path("partial-carol.json")).unwrap(), before);
    // An answer altered on the way is not counted, and so there are too few.
    let altered =
        String::from_utf8(before).unwrap().replacen("\"proof\": \"0x", "\"proof\": \"0x0", 1);
    fs::write(place.demo.path("partial-carol.json"), altered).unwrap();
    place
        .combine(&OPERATORS, "none")
        .failed(4, &["no valid answer from \"carol\"", "shares.proof"]);
    // A file that is not what was asked for.
    let path = place.demo.path("shares/keyshares.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"ownerNonce\":5", "\"ownerNonce\":4", 1)).unwrap();
    let refused = place.verify("shares");
    assert_eq!((refused.code, &refused.json()["field"]), (4, &json!("shares[0].data.ownerNonce")));
}

#[test]
fn another_nonce_needs_a_threshold_and_no_rsa_key() {
    let _ports = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo-ports"))
        .and_then(|file| file.lock().map(|()| file))
        .unwrap();
    let place = Place::new();
    place.ask(OWNER, "0", &[]).failed(2, &["the ceremony itself made these key shares"]);
    let asked = place.ask(OWNER, "9", &[]).done();
    assert!(asked.stderr.contains("no share: those of the ceremony serve"), "{}", asked.stderr);
    // By files.
    for operator in ["alice", "bob"] {
        place.sign_with(operator, &[]).done();
    }
    place.combine(&["alice", "bob"], "none").failed(5, &["valid answers: 2 (of ", "required: 3"]);
    place.sign_with("dave", &[]).done();
    place.combine(&["dave", "alice", "bob"], "by-files").done();
    place.registrations("by-files", OWNER, "9");
    // Online: the same bytes. Dave comes late, when the others have what they need.
    let start = |operator: &str| {
        let folder = format!("online-{operator}");
        let args = ["ssv", "run", "request.json", "--yes", "--wait", "600", "-o", &folder];
        place.demo.start(operator, &args)
    };
    let three = ["alice", "bob", "carol"];
    let mut early = three.map(start);
    early.iter_mut().for_each(|running| running.until("Wrote online-"));
    start("dave").ended().done();
    for (operator, running) in three.iter().zip(early) {
        assert_eq!(names(&running.ended().done().json()["signed_by"]), json!(three));
        for file in ["keyshares.json", "proofs.json"] {
            let read =
                |folder: &str| fs::read(place.demo.path(&format!("{folder}/{file}"))).unwrap();
            assert_eq!(read(&format!("online-{operator}")), read("by-files"), "{file}");
        }
    }
    // A lower nonce only if a person says that the earlier one was a mistake.
    place.ask(OWNER, "8", &[]).done();
    let lower = ["already consented to the nonce 9 of ", "--lower-nonce"];
    place.sign_with("alice", &[]).failed(1, &lower);
    place.sign_with("carol", &[]).failed(1, &lower);
    place.sign_with("alice", &["--lower-nonce"]).done();
}

#[test]
fn a_new_rsa_key_needs_its_operator() {
    let place = Place::new();
    let info = fs::read(place.demo.path("demo/ssv/operators_info.json")).unwrap();
    let with = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut list: Vec<Value> = serde_json::from_slice(&info).unwrap();
        change(&mut list);
        fs::write(place.demo.path("info.json"), json!(list).to_string()).unwrap();
        place.ask(OWNER, "3", &["--ssv-operators", "info.json"])
    };
    // Of operators that are not there, twice there, or share a key.
    with(&|list| drop(list.remove(2))).failed(2, &["info.json: there is no operator 33"]);
    with(&|list| list[1]["id"] = json!(11)).failed(2, &["operator 11 occurs more than once"]);
    with(&|list| list[1]["public_key"] = list[0]["public_key"].clone())
        .failed(2, &["RSA keys 1 and 2 are the same"]);
    // Carol's node has a new key: one of another demo's.
    let key = fs::read_to_string(crate::support::repository(
        "test-vectors/ssv-ceremony/operators_info.json",
    ));
    let other: Vec<Value> = serde_json::from_str(&key.unwrap()).unwrap();
    let asked = with(&|list| list[2]["public_key"] = other[0]["public_key"].clone()).done();
    assert!(
        asked.stderr.contains(
            "encrypted anew     the shares of \"carol\" (operator 3), whose answers are required"
        ),
        "{}",
        asked.stderr
    );
    // The key of the ceremony is no longer hers.
    place.sign("carol", "carol").failed(1, &["not the RSA key that the request has for you"]);
}

#[test]
fn who_may_register_is_on_a_list_or_confirmed_and_no_validator_is_left_out() {
    let place = Place::new();
    place.ask(OTHER, "0", &[]).done();
    let keys = place.keys();
    let policy = |rule: &str, allow: &[String], owner: &str| {
        place.policy(
            "bob",
            &format!("key_shares = {rule:?}\nallow = {allow:?}\nowners = [{owner:?}]\n"),
        );
        place.sign("bob", "bob")
    };
    policy("never", &keys, OTHER).failed(1, &["policy is to sign no key shares"]);
    policy("ask", &keys, OTHER).failed(2, &["does not allow key shares without a question"]);
    policy("allow-list", &keys, OWNER)
        .failed(1, &[&format!("the owner {OTHER} is not on the list")]);
    let one = policy("allow-list", &keys[..1], OTHER);
    one.failed(1, &["for all validators of a request or for none", &keys[1]]);
    assert!(!place.demo.path("partial-bob.json").exists());
    policy("allow-list", &keys, OTHER).done();
}

/// What is given to a node of SSV runs there, like what is loaded into a validator client.
#[test]
fn key_shares_of_a_reshare_wait_for_their_first_epoch_and_those_before_it_are_not_given() {
    let (demo, ssv) = (Demo::new(RESHARED), Demo::new(SSV));
    let mut list: Vec<Value> =
        serde_json::from_slice(&fs::read(ssv.path("demo/ssv/operators_info.json")).unwrap())
            .unwrap();
    (1..).zip(&mut list).for_each(|(id, one)| one["id"] = json!(id));
    fs::write(demo.path("info.json"), json!(list).to_string()).unwrap();
    let public = demo.out("erin").join("public");
    let mut history = fs::read_dir(public.join("history")).unwrap();
    let parent = history.next().unwrap().unwrap().path();
    let deposits: Value =
        serde_json::from_slice(&fs::read(public.join("transcript.json")).unwrap()).unwrap();
    let keys: Vec<&str> = deposits["validators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["public_key"].as_str().unwrap())
        .collect();
    let policy = format!("key_shares = \"allow-list\"\nallow = {keys:?}\nowners = [{OTHER:?}]\n");
    private(demo.path("demo/alice/signing.toml"), &policy);
    fs::create_dir(demo.path("rsa")).unwrap();
    for name in ["alice/encrypted_private_key.json", "password"] {
        let to = demo.path("rsa").join(name.rsplit('/').next().unwrap());
        private(to, &fs::read_to_string(ssv.path(&format!("demo/ssv/{name}"))).unwrap());
    }
    let sign = |transcript: &Path| {
        let _ = fs::remove_file(demo.path("request.json"));
        let args = ["ssv", "request", transcript.to_str().unwrap(), "--owner", OTHER];
        let more = ["--nonce", "0", "--all", "--public", "-o", "request.json"];
        let operators = ["--ssv-operators", "info.json"];
        demo.by("alice", &[&args[..], &more, &operators].concat()).done();
        let rsa = ["--ssv-key", "rsa/encrypted_private_key.json", "--ssv-password-file"];
        let args = ["ssv", "sign", "request.json", "--yes", "-o", "partial.json"];
        demo.by("alice", &[&args[..], &rsa, &["rsa/password"]].concat())
    };
    sign(&public.join("transcript.quorate")).failed(5, &["the new shares sign nothing before"]);
    sign(&parent).failed(1, &["these shares are superseded by the reshare"]);
    assert!(!demo.path("partial.json").exists());
}

/// A restored directory does not know whether newer shares exist.
#[test]
fn a_restored_directory_gives_key_shares_after_a_sentence() {
    let place = Place::new();
    place.ask(OTHER, "5", &[]).done();
    let demo = &place.demo;
    // Not secret: an editor left it as files are.
    let policy = demo.path("demo/alice/signing.toml");
    fs::set_permissions(policy, fs::Permissions::from_mode(0o644)).unwrap();
    demo.by("alice", &["backup", "make", "alice.backup", "--kdf-cost", "10"]).done();
    demo.by("back", &["backup", "restore", "alice.backup"]).done();
    let key = "demo/ssv/alice/encrypted_private_key.json";
    let rsa = ["--ssv-key", key, "--ssv-password-file", "demo/ssv/password"];
    place.sign_with("back", &rsa).failed(2, &["--yes-newest"]);
    assert!(!demo.path("partial-back.json").exists());
    place.sign_with("back", &[&rsa[..], &["--yes-newest", NEWEST]].concat()).done();
}

/// A share that signs in two networks is slashed.
#[test]
fn of_an_obol_cluster_no_key_shares_are_made() {
    let (obol, ssv) = (Demo::new(OBOL), Demo::new(SSV));
    let mut list: Vec<Value> =
        serde_json::from_slice(&fs::read(ssv.path("demo/ssv/operators_info.json")).unwrap())
            .unwrap();
    (1..).zip(&mut list).for_each(|(id, one)| one["id"] = json!(id));
    fs::write(obol.path("info.json"), json!(list).to_string()).unwrap();
    let transcript = obol.out("alice").join("public/transcript.quorate");
    let args = ["ssv", "request", transcript.to_str().unwrap(), "--owner", OTHER, "--nonce", "0"];
    let more = ["--all", "--public", "-o", "request.json"];
    let without = obol.by("alice", &[&args[..], &more].concat());
    without.failed(2, &["has no RSA keys of the operators", "--ssv-operators"]);
    let refused = obol.by("alice", &[&args[..], &more, &["--ssv-operators", "info.json"]].concat());
    refused.failed(2, &["the ceremony makes an Obol cluster"]);
}
