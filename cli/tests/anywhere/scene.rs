//! Operators with a directory each, and a ceremony file whose addresses a test chooses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use quorate::spec::CeremonyFile;
use tempfile::TempDir;

use crate::support::files::{only, private};
use crate::support::ports::free_port;
use crate::support::program::{Ended, command, end};
use crate::support::running::Running;

pub(crate) const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// A ceremony of three to five operators.
pub(crate) struct Scene {
    root: TempDir,
    /// Where each operator listens, or would.
    pub(crate) ports: Vec<u16>,
    words: String,
}

impl Scene {
    /// `n` operators; those of these positions have an address in the file.
    pub(crate) fn new(n: usize, reachable: &[usize]) -> Self {
        let root = TempDir::new().unwrap();
        let ports = (0..n).map(|_| free_port()).collect();
        let mut scene = Self { root, ports, words: String::new() };
        let mut args: Vec<String> =
            ["spec", "new", "--name", "Anywhere", "--network", "hoodi", "--threshold"]
                .map(str::to_owned)
                .to_vec();
        args.extend([(n / 2 + 1).to_string(), "-o".to_owned(), "ceremony.toml".to_owned()]);
        let validators = [
            "--validators",
            "1",
            "--withdrawal",
            "0x1111111111111111111111111111111111111111",
            "--compounding",
            "false",
        ];
        args.extend(validators.map(str::to_owned));
        for (i, name) in NAMES[..n].iter().enumerate() {
            private(scene.here().join(format!("{name}.pass")), &format!("the words of {name}\n"));
            let made = end(scene.by(i, &["identity", "new", "--name", name, "--kdf-cost", "10"]));
            let card = made.done().stdout;
            let card = card.split_whitespace().find(|word| word.starts_with("quorate1")).unwrap();
            let address = match reachable.contains(&i) {
                true => format!("@{}", scene.address(i)),
                false => String::new(),
            };
            args.extend(["--operator".to_owned(), format!("{card}{address}")]);
        }
        end(command(scene.here(), &args)).done();
        scene.words = scene.words_of("ceremony.toml");
        scene
    }

    /// The fingerprint of a ceremony file.
    pub(crate) fn words_of(&self, file: &str) -> String {
        let shown = end(command(self.here(), &["--json", "spec", "check", file]));
        shown.done().json()["fingerprint"].as_str().unwrap().to_owned()
    }

    pub(crate) fn here(&self) -> &Path {
        self.root.path()
    }

    /// The fingerprint of the ceremony.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    pub(crate) fn address(&self, i: usize) -> String {
        format!("127.0.0.1:{}", self.ports[i])
    }

    /// The folder of an operator's only ceremony.
    pub(crate) fn ceremony(&self, i: usize) -> PathBuf {
        only(self.here().join(NAMES[i]).join("ceremonies"))
    }

    /// An operator's transcript.
    pub(crate) fn transcript(&self, i: usize) -> Vec<u8> {
        fs::read(self.ceremony(i).join("out/public/transcript.quorate")).unwrap()
    }

    /// The file that an operator keeps of the ceremony.
    pub(crate) fn kept(&self, i: usize) -> CeremonyFile {
        let text = fs::read_to_string(self.ceremony(i).join("ceremony.toml")).unwrap();
        CeremonyFile::parse_toml(&text).unwrap()
    }

    /// The program with an operator's directory and passphrase.
    pub(crate) fn by(&self, i: usize, args: &[&str]) -> Command {
        let name = NAMES[i];
        let pass = format!("{name}.pass");
        let of = ["--dir", name, "--passphrase-file", &pass];
        command(self.here(), &[&of, args].concat())
    }

    /// An operator that takes part, with a ceremony file and further arguments.
    pub(crate) fn run(&self, i: usize, file: &str, more: &[&str]) -> Running {
        self.run_with(i, file, &self.words, more)
    }

    /// As [`Scene::run`], of a file with these words.
    pub(crate) fn run_with(&self, i: usize, file: &str, words: &str, more: &[&str]) -> Running {
        let args = ["run", file, "--yes-fingerprint", words, "--no-keystores"];
        Running::start(self.by(i, &[&args, more].concat()))
    }

    /// An operator that takes part and listens where its address says.
    pub(crate) fn listen(&self, i: usize, more: &[&str]) -> Running {
        let address = self.address(i);
        self.run(i, "ceremony.toml", &[&["--listen", &address], more].concat())
    }

    /// A visit of an operator to a board.
    pub(crate) fn step(&self, i: usize, board: &str, more: &[&str]) -> Ended {
        let args = ["--json", "step", "ceremony.toml", "--board", board, "--no-keystores"];
        let words = ["--yes-fingerprint", &self.words];
        end(self.by(i, &[&args[..], &words, more].concat()))
    }

    /// What `status` says of an operator.
    pub(crate) fn status(&self, i: usize) -> Ended {
        end(self.by(i, &["status"]))
    }
}
