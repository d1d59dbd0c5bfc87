//! Finished ceremonies and operators with their state, for these tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::identity::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate::signing::Parent;
use quorate_operator::store::{IDENTITY_FILE, open_with_passphrase};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const OPERATORS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Finished ceremonies, 3 of 4 with 2 validators, made once for all tests: state is copied from
/// here.
struct Made {
    root: TempDir,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let root = TempDir::new().unwrap();
    for network in ["hoodi", "mainnet"] {
        let args = ["demo", "--network", network, "--no-keystores", "--out", network];
        let ended = quorate(root.path(), &args);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    Made { root }
});

pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|_| panic!("{}{}", self.stdout, self.stderr))
    }

    /// It failed with this code, for a reason that has these parts.
    pub(crate) fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        parts
            .iter()
            .for_each(|part| assert!(self.stderr.contains(part), "{part:?} in:\n{}", self.stderr));
    }

    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }
}

fn quorate(here: &Path, args: &[&str]) -> Ended {
    ended(start(here, args))
}

fn start(here: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command
        .args(args)
        .current_dir(here)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What became of a process.
pub(crate) fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A copy of a finished ceremony, to be changed by one test.
pub(crate) struct Place {
    root: TempDir,
    pub(crate) network: &'static str,
}

impl Place {
    pub(crate) fn new(network: &'static str) -> Self {
        let root = TempDir::new().unwrap();
        copy(&MADE.root.path().join(network), &root.path().join("demo"));
        Self { root, network }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        quorate(self.root.path(), args)
    }

    /// As an operator, with its state and passphrase.
    pub(crate) fn by(&self, operator: &str, args: &[&str]) -> Ended {
        ended(self.start(operator, args))
    }

    /// As [`Place::by`], without waiting for its end.
    pub(crate) fn start(&self, operator: &str, args: &[&str]) -> Child {
        let dir = format!("demo/{operator}");
        start(
            self.root.path(),
            &[&["--json", "--dir", &dir, "--passphrase-file", "demo/passphrase"], args].concat(),
        )
    }

    pub(crate) fn transcript(&self) -> String {
        let ceremonies = self.path("demo/alice/ceremonies");
        let ceremony = fs::read_dir(ceremonies).unwrap().next().unwrap().unwrap().path();
        ceremony.join("out/public/transcript.quorate").to_str().unwrap().to_owned()
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
        let path = self.path(&format!("demo/{operator}/signing.toml"));
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
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

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            fs::copy(&path, &target).map(drop).unwrap()
        }
    }
}
