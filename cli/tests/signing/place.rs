//! Finished ceremonies and operators with their state, for these tests.

use std::fs;
use std::ops::Deref;

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::identity::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate::signing::Parent;
use quorate_operator::store::{IDENTITY_FILE, open_with_passphrase};
use serde_json::Value;

use crate::support::demo::{Demo, MAINNET, OBOL, OPERATORS, PLAIN, SEPOLIA};
use crate::support::files::private;
use crate::support::program::Ended;

/// A finished ceremony, 3 of 4 with 2 validators, to be changed by one test.
pub(crate) struct Place {
    demo: Demo,
    pub(crate) network: &'static str,
}

impl Deref for Place {
    type Target = Demo;

    fn deref(&self) -> &Demo {
        &self.demo
    }
}

impl Place {
    pub(crate) fn new(network: &'static str) -> Self {
        let kind = match network {
            "hoodi" => PLAIN,
            "mainnet" => MAINNET,
            "sepolia" => SEPOLIA,
            _ => panic!("no demo is made on {network}"),
        };
        Self { demo: Demo::new(kind), network }
    }

    /// The ceremony of an Obol cluster.
    pub(crate) fn obol() -> Self {
        Self { demo: Demo::new(OBOL), network: "hoodi" }
    }

    pub(crate) fn transcript(&self) -> String {
        self.out("alice").join("public/transcript.quorate").to_str().unwrap().to_owned()
    }

    pub(crate) fn parent(&self) -> Parent {
        let report = audit(&fs::read(self.transcript()).unwrap(), &Expectations::default());
        Parent::audited(report.audited().unwrap())
    }

    pub(crate) fn key(&self) -> String {
        format!("0x{}", hex::encode(self.parent().validators()[0].public_key.to_compressed()))
    }

    pub(crate) fn card(&self, operator: &str) -> String {
        self.by(operator, &["identity", "show"]).done().json()["card"].as_str().unwrap().to_owned()
    }

    /// The card of somebody who is no operator of the ceremony.
    pub(crate) fn stranger(&self, name: &str) -> String {
        let state = ["--json", "--dir", "stranger", "--passphrase-file", "demo/passphrase"];
        let new = ["identity", "new", "--name", name, "--kdf-cost", "10"];
        let made = self.run(&[&state[..], &new].concat()).done();
        made.json()["card"].as_str().unwrap().to_owned()
    }

    /// Allows everybody to answer without a question.
    pub(crate) fn allow(&self) {
        for operator in OPERATORS {
            let text = format!(
                "exits = \"allow-list\"\ndeposits = \"allow-list\"\nallow = [\"{}\"]\n",
                self.key()
            );
            self.policy(operator, &text);
        }
    }

    pub(crate) fn policy(&self, operator: &str, text: &str) {
        private(self.path(&format!("demo/{operator}/signing.toml")), text);
    }

    /// A request of alice's.
    pub(crate) fn request(&self, more: &[&str]) -> Ended {
        let (transcript, key) = (self.transcript(), self.key());
        let args = [
            "exit",
            "request",
            &transcript,
            "--public-key",
            &key,
            "--index",
            "1804776",
            "-o",
            "request.json",
        ];
        self.by("alice", &[&args, more].concat())
    }

    /// A request of alice's for a further deposit, of this many ETH.
    pub(crate) fn deposit_request(&self, amount: &str) -> Ended {
        let (transcript, key) = (self.transcript(), self.key());
        let args = [
            "deposit",
            "request",
            &transcript,
            "--public-key",
            &key,
            "--amount",
            amount,
            "--public",
            "-o",
            "request.json",
        ];
        self.by("alice", &args)
    }

    pub(crate) fn sign(&self, operator: &str, kind: &str) -> Ended {
        let output = format!("partial-{operator}.json");
        self.by(operator, &[kind, "sign", "request.json", "--yes", "-o", &output])
    }

    pub(crate) fn combine(&self, by: &str, kind: &str, operators: &[&str], output: &str) -> Ended {
        let transcript = self.transcript();
        let partials: Vec<String> =
            operators.iter().map(|operator| format!("partial-{operator}.json")).collect();
        let partials: Vec<&str> = partials.iter().map(String::as_str).collect();
        let args = [kind, "combine", "request.json", "--transcript", &transcript, "-o", output];
        self.by(by, &[&args, &partials[..]].concat())
    }

    /// An operator's keys.
    pub(crate) fn operator(&self, name: &str) -> Operator {
        let sealed = fs::read(self.path(&format!("demo/{name}/{IDENTITY_FILE}"))).unwrap();
        let passphrase = fs::read_to_string(self.path("demo/passphrase")).unwrap();
        let passphrase = SecretBytes::new(passphrase.trim().as_bytes().to_vec());
        Operator::from_secret_bytes(
            &open_with_passphrase(&sealed, &passphrase, IDENTITY_FILE).unwrap(),
        )
        .unwrap()
    }

    /// Changes one value of a JSON file.
    pub(crate) fn change(&self, name: &str, pointer: &str, value: Value) {
        let path = self.path(name);
        let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        *file.pointer_mut(pointer).unwrap() = value;
        fs::write(path, serde_json::to_vec(&file).unwrap()).unwrap();
    }
}
