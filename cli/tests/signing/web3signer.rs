//! Exits and registrations with shares that are in a Web3Signer: a stand-in that follows its
//! published API, since Web3Signer itself is in no registry of packages. It computes what it signs
//! from the message that it is given, as Web3Signer does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Arc, Mutex};
use std::thread;

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::exit::VoluntaryExit;
use quorate::ethereum::keystore::{Keystore, Password};
use quorate::ethereum::network::Network;
use quorate::ethereum::registration::Registration;
use quorate::ethereum::ssz::Domain;
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::SecretBytes;
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::files::{copy, private};
use crate::support::program::Ended;

const TO: &str = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB";

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Proper,
    /// The signature stands alone, as text.
    Plain,
    /// Signs with another of its keys.
    WrongKey,
    /// Signs another message.
    OtherMessage,
    /// The signature of nothing: the point at infinity.
    Infinity,
    /// Sends without end.
    Huge,
    /// Ends in the middle of its answer.
    Cut,
    Redirect,
    /// Has an error of its own.
    Fails,
    /// Says something else.
    Garbles,
    /// Lists something else than keys.
    NoList,
}

struct Signer {
    port: u16,
    /// What was asked of it: path and body.
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Signer {
    fn start(keys: BTreeMap<String, SecretScalar>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(BufReader::new(stream.unwrap()), &keys, manner, &shared);
            }
        });
        Self { port, asked }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }
}

/// What the message says, as Web3Signer computes it: by the fork that it is given, or for
/// registrations by the network it runs on.
fn root(body: &Value) -> Option<[u8; 32]> {
    let hex32 = |value: &Value| -> Option<[u8; 32]> {
        hex::decode(value.as_str()?.strip_prefix("0x")?).ok()?.try_into().ok()
    };
    let number = |value: &Value| value.as_str()?.parse::<u64>().ok();
    match body["type"].as_str()? {
        "VOLUNTARY_EXIT" => {
            let exit = VoluntaryExit {
                epoch: number(&body["voluntary_exit"]["epoch"])?,
                validator_index: number(&body["voluntary_exit"]["validator_index"])?,
            };
            let fork = &body["fork_info"]["fork"];
            let is_past = exit.epoch < number(&fork["epoch"])?;
            let version = if is_past { "previous_version" } else { "current_version" };
            let version = hex::decode(fork[version].as_str()?.strip_prefix("0x")?).ok()?;
            let validators_root = hex32(&body["fork_info"]["genesis_validators_root"])?;
            let domain = Domain::compute([4, 0, 0, 0], &version.try_into().ok()?, &validators_root);
            Some(domain.signing_root(exit.root()))
        }
        "VALIDATOR_REGISTRATION" => {
            let message = &body["validator_registration"];
            let pubkey = hex::decode(message["pubkey"].as_str()?.strip_prefix("0x")?).ok()?;
            let registration = Registration {
                fee_recipient: ExecutionAddress::parse_any(message["fee_recipient"].as_str()?)
                    .ok()?,
                gas_limit: number(&message["gas_limit"])?,
                timestamp: number(&message["timestamp"])?,
                pubkey: pubkey.try_into().ok()?,
            };
            Some(registration.signing_root(&Network::known("hoodi")?))
        }
        _ => None,
    }
}

fn serve<S: Read + Write>(
    mut stream: BufReader<S>,
    keys: &BTreeMap<String, SecretScalar>,
    manner: Manner,
    asked: &Mutex<Vec<(String, Value)>>,
) {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    assert!(head.iter().all(|line| !line.starts_with("Authorization")), "{head:?}");
    let length = head.iter().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = head[0].split(' ').nth(1).unwrap().to_owned();
    asked.lock().unwrap().push((head[0].clone(), body.clone()));
    let (mut code, mut answer) = match path.strip_prefix("/api/v1/eth2/sign/0x") {
        None if head[0] == "GET /api/v1/eth2/publicKeys HTTP/1.1" && manner == Manner::NoList => {
            (200, json!([{ "key": 1 }]).to_string())
        }
        None if head[0] == "GET /api/v1/eth2/publicKeys HTTP/1.1" => {
            let listed: Vec<String> = keys.keys().map(|key| format!("0x{key}")).collect();
            (200, json!(listed).to_string())
        }
        None => (404, "not found".to_owned()),
        Some(key) => match (keys.get(key), root(&body)) {
            (None, _) => (404, "Public Key not found".to_owned()),
            (_, None) => (400, "Bad request format".to_owned()),
            (_, Some(root)) if body["signingRoot"] != format!("0x{}", hex::encode(root)) => {
                (400, "Signing root mismatch".to_owned())
            }
            (Some(share), Some(root)) => {
                let other = keys.iter().find(|(other, _)| *other != key).map(|(_, share)| share);
                let signature = match manner {
                    Manner::WrongKey => bls_sign(other.unwrap(), &root),
                    Manner::OtherMessage => bls_sign(share, &[7; 32]),
                    _ => bls_sign(share, &root),
                };
                let text = match manner {
                    Manner::Infinity => format!("0xc0{}", "00".repeat(95)),
                    _ => format!("0x{}", hex::encode(signature.unwrap().to_compressed())),
                };
                match manner {
                    Manner::Plain => (200, text),
                    _ => (200, json!({ "signature": text }).to_string()),
                }
            }
        },
    };
    if path.contains("/sign/") {
        match manner {
            Manner::Fails => (code, answer) = (500, "Internal Web3Signer server error".to_owned()),
            Manner::Garbles => answer = "{\"signed\": true}".to_owned(),
            Manner::Redirect => code = 307,
            _ => {}
        }
    }
    let location = if code == 307 { "Location: http://192.0.2.1:9000/\r\n" } else { "" };
    let claimed = answer.len() + usize::from(path.contains("/sign/") && manner == Manner::Cut);
    let head = format!("HTTP/1.1 {code} OK\r\n{location}");
    let stream = stream.get_mut();
    if path.contains("/sign/") && manner == Manner::Huge {
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // Until the other side has had enough.
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
        return;
    }
    let text = format!("{head}Content-Length: {claimed}\r\n\r\n{answer}");
    stream.write_all(text.as_bytes()).unwrap();
}

/// What is left of bob's: his operator keys in a new directory, a transcript, and a Web3Signer.
fn lost(place: &Place) {
    let new = place.path("new");
    fs::DirBuilder::new().mode(0o700).create(&new).unwrap();
    fs::copy(place.path("demo/bob/identity.sealed"), new.join("identity.sealed")).unwrap();
    copy(&place.out("bob").join("public"), &place.path("public"));
    let listed = keys(place);
    let text = format!(
        "exits = \"allow-list\"\ndeposits = \"allow-list\"\nregistrations = \"allow-list\"\n\
         fee_recipients = [\"{TO}\"]\nallow = {}\n",
        json!(listed)
    );
    private(new.join("signing.toml"), &text);
}

fn keys(place: &Place) -> Vec<String> {
    let key = |one: &quorate::protocol::outcome::ValidatorOutcome| {
        format!("0x{}", hex::encode(one.public_key.to_compressed()))
    };
    place.parent().validators().iter().map(key).collect()
}

/// An operator's shares by public share, out of its keystores.
fn shares(place: &Place, operator: &str) -> BTreeMap<String, SecretScalar> {
    let passphrase = fs::read_to_string(place.path("demo/passphrase")).unwrap();
    let passphrase = SecretBytes::new(passphrase.trim().as_bytes().to_vec());
    let folder = place.out(operator).join("secret/validator_keys");
    let open = |entry: std::io::Result<fs::DirEntry>| {
        let keystore = Keystore::from_json(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let secret = keystore.decrypt(&Password::new(&passphrase).unwrap()).unwrap();
        (hex::encode(keystore.pubkey().to_compressed()), secret)
    };
    fs::read_dir(folder).unwrap().map(open).collect()
}

fn sign(place: &Place, kind: &str, url: &str, output: &str) -> Ended {
    let args = ["--json", "--dir", "new", "--passphrase-file", "demo/passphrase", kind, "sign"];
    let rest = ["request.json", "--yes", "-o", output];
    let from = ["--web3signer", url, "--transcript", "public/transcript.quorate"];
    place.run(&[&args[..], &rest, &from].concat())
}

/// Exits of both validators.
fn ask_exits(place: &Place) {
    let (transcript, all) = (place.transcript(), keys(place));
    let args = ["exit", "request", &transcript, "--public", "-o", "request.json"];
    let validators = ["--public-key", &all[0], "--index", "7", "--public-key", &all[1]];
    place.by("alice", &[&args[..], &validators, &["--index", "9"]].concat()).done();
}

#[test]
fn a_web3signer_answers_as_the_log_does() {
    let place = Place::new("hoodi");
    lost(&place);
    ask_exits(&place);
    for operator in ["alice", "bob", "carol"] {
        place.policy(operator, &fs::read_to_string(place.path("new/signing.toml")).unwrap());
        place.sign(operator, "exit").done();
    }
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    for manner in [Manner::Proper, Manner::Plain] {
        let signer = Signer::start(shares(&place, "bob"), manner);
        let output = format!("{manner:?}.json");
        let made = sign(&place, "exit", &signer.url(), &output).done();
        let said = made.json();
        assert_eq!((&said["web3signer"], &said["keystores_alone"]), (&json!(true), &json!(false)));
        assert_eq!(read(&output), read("partial-bob.json"));
        // The fork of exits on hoodi, for ever; and one list, then one question for each.
        let asked = signer.asked();
        assert_eq!(asked.len(), 3);
        let fork = json!({ "previous_version": "0x40000910", "current_version": "0x40000910",
            "epoch": "0" });
        assert_eq!(asked[1].1["fork_info"]["fork"], fork);
        assert_eq!(asked[2].1["voluntary_exit"], json!({ "epoch": "0", "validator_index": "9" }));
        if manner == Manner::Proper {
            let note = "NOTE: signed by Web3Signer alone. Only ";
            assert!(made.stderr.contains(note), "{}", made.stderr);
        } else {
            // It is remembered, in a log of its own.
            let note = "has already answered this request";
            assert!(made.stderr.contains(note), "{}", made.stderr);
        }
    }
    assert!(place.path("new/signatures").is_dir() && !place.path("new/ceremonies").exists());
    place.combine("alice", "exit", &["alice", "bob", "carol"], "exits").done();
    // Registrations.
    fs::remove_file(place.path("request.json")).unwrap();
    let transcript = place.transcript();
    let args = ["registration", "request", &transcript, "--all", "--fee-recipient", TO];
    let rest = ["--gas-limit", "45000000", "--timestamp", "1790000000", "--public"];
    place.by("alice", &[&args[..], &rest, &["-o", "request.json"]].concat()).done();
    let signer = Signer::start(shares(&place, "bob"), Manner::Proper);
    sign(&place, "registration", &signer.url(), "registration.json").done();
    fs::remove_file(place.path("partial-bob.json")).unwrap();
    place.sign("bob", "registration").done();
    assert_eq!(read("registration.json"), read("partial-bob.json"));
    // Deposits are signed by shares that are here alone.
    fs::remove_file(place.path("request.json")).unwrap();
    place.deposit_request("8").done();
    let refused = sign(&place, "deposit", &signer.url(), "deposit.json");
    refused.failed(2, &["no deposit is signed by a Web3Signer, only exits and registrations"]);
    // Where the log is, it answers.
    fs::remove_file(place.path("request.json")).unwrap();
    ask_exits(&place);
    copy(&place.path("demo/bob/ceremonies"), &place.path("new/ceremonies"));
    let refused = sign(&place, "exit", &signer.url(), "x.json");
    refused.failed(2, &["the log of this ceremony is here", "leave out --keystores or --web3"]);
}

/// A list of some: the others are left out.
#[test]
fn a_share_that_is_not_listed_is_left_out() {
    let place = Place::new("hoodi");
    lost(&place);
    ask_exits(&place);
    let mut held = shares(&place, "bob");
    let parent = place.parent();
    let me = parent.ceremony().roster().find(&place.operator("bob").key().public()).unwrap();
    let second = parent.validators()[1].public_share(parent.ceremony(), me).unwrap();
    assert!(held.remove(&hex::encode(second.to_compressed())).is_some());
    let signer = Signer::start(held, Manner::Proper);
    let made = sign(&place, "exit", &signer.url(), "partial.json").done().json();
    assert_eq!(made["signed"], 1);
    assert_eq!(made["left_out"][0]["why"], "Web3Signer does not list its share");
}

#[test]
fn what_a_web3signer_gets_wrong_is_named_and_nothing_is_sent() {
    use Manner::*;
    let place = Place::new("hoodi");
    lost(&place);
    ask_exits(&place);
    let refused = |url: &str, code, reasons: &[&str]| {
        sign(&place, "exit", url, "partial.json").failed(code, reasons);
        assert!(!place.path("partial.json").exists());
        assert!(!place.path("new/signatures").exists(), "nothing was signed");
    };
    for (manner, code, reason) in [
        (WrongKey, 4, "does not verify: it is another key's, or of another message"),
        (OtherMessage, 4, "does not verify: it is another key's, or of another message"),
        (Infinity, 1, "this is not an answer of Web3Signer with a signature"),
        (Huge, 1, "this is not an answer of Web3Signer: longer than the limit"),
        (Cut, 1, "this is not an answer of Web3Signer: shorter than it says"),
        (Redirect, 1, "it answers 307, a redirect; redirects are not followed"),
        (Fails, 1, "Web3Signer says 500: Internal Web3Signer server error"),
        (Garbles, 1, "this is not an answer of Web3Signer with a signature"),
        (NoList, 1, "this is not Web3Signer's list of keys"),
    ] {
        let signer = Signer::start(shares(&place, "bob"), manner);
        refused(&signer.url(), code, &[reason]);
    }
    // Somebody else's shares, and none of the ceremony.
    let signer = Signer::start(shares(&place, "carol"), Proper);
    let reason = "it lists shares of \"carol\" (operator 3), but the operator keys here are those \
                  of \"bob\" (operator 2)";
    refused(&signer.url(), 4, &[reason]);
    let signer = Signer::start(BTreeMap::new(), Proper);
    refused(&signer.url(), 4, &["it lists no share of the ceremony \"Demo cluster\""]);
    // Not on this machine, with TLS, and nobody there.
    for (url, code, reason) in [
        ("http://192.0.2.1:9000", 2, "192.0.2.1 is not this machine, and plain HTTP lets anyone"),
        ("https://127.0.0.1:9000", 2, "this program does not support TLS"),
        ("127.0.0.1:9000", 2, "not a URL like http://127.0.0.1:9000"),
        ("http://127.0.0.1:1", 1, "no connection: "),
    ] {
        refused(url, code, &[reason]);
    }
}
