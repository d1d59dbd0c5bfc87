//! The outputs of finished demos. Each kind is made once, beneath cargo's folder for temporary
//! files, by whichever program of tests needs it first; every test has a copy of its own.
//!
//! The folder is named after the program's bytes, its environment and the demos' arguments, so that
//! no outputs of another program are taken for this one's. A demo is made under another name, with
//! a lock, and renamed when it is whole: a run that is killed leaves nothing that is believed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::files::{copy, only, tree};
use super::program::{Ended, QUORATE, command, end, quorate};
use super::running::Running;

/// The operators of a demo that are not called otherwise.
pub(crate) const OPERATORS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// What is made: its name, and the arguments after `quorate demo --out demo --json`.
type Kind = (&'static str, &'static [&'static str]);

/// Three of four on hoodi, with two validators.
pub(crate) const PLAIN: Kind = ("plain", &[]);
/// The same on mainnet, without keystores.
pub(crate) const MAINNET: Kind = ("mainnet", &["--network", "mainnet", "--no-keystores"]);
/// The same on sepolia, with one validator.
pub(crate) const SEPOLIA: Kind =
    ("sepolia", &["--network", "sepolia", "--no-keystores", "--validators", "1"]);
/// Two of three, with three validators; keystores as Charon has them, with their passwords.
pub(crate) const CHARON: Kind = (
    "charon",
    &[
        "--operators",
        "3",
        "--threshold",
        "2",
        "--validators",
        "3",
        "--profile",
        "charon",
        "--password-files",
    ],
);
/// Two of three, with one validator.
pub(crate) const SMALL: Kind =
    ("small", &["--operators", "3", "--threshold", "2", "--validators", "1"]);
/// The same, after a repair of carol's share.
pub(crate) const REPAIRED: Kind =
    ("repaired", &["--operators", "3", "--threshold", "2", "--validators", "1", "--repair"]);
/// An Obol cluster, three of four, with two validators.
pub(crate) const OBOL: Kind = ("obol", &["--obol"]);
/// For SSV, three of four, with two validators and no keystores.
pub(crate) const SSV: Kind = ("ssv", &["--ssv", "--no-keystores"]);

const KINDS: [Kind; 8] = [PLAIN, MAINNET, SEPOLIA, CHARON, SMALL, REPAIRED, OBOL, SSV];

/// This program's folder, and the lock that keeps others from removing it.
static MADE: LazyLock<(PathBuf, File)> = LazyLock::new(|| {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demos");
    let mut key = Sha256::new_with_prefix(fs::read(QUORATE).unwrap());
    let started = command::<&str>(&all, &[]);
    key.update(format!("{KINDS:?} {:?}", started.get_envs().collect::<Vec<_>>()));
    let folder = all.join(hex::encode(&key.finalize()[..16]));
    fs::create_dir_all(&all).unwrap();
    // One at a time comes, or removes what others have left.
    let _turn = locked(&all.join("turn"));
    fs::create_dir_all(&folder).unwrap();
    let used = open(&folder.join("used"));
    used.lock_shared().unwrap();
    for entry in fs::read_dir(&all).unwrap() {
        let other = entry.unwrap().path();
        if other.is_dir() && other != folder && open(&other.join("used")).try_lock().is_ok() {
            // First the name, so that nothing that is half removed is ever believed.
            let gone = other.with_extension("gone");
            if fs::rename(&other, &gone).is_ok() {
                // A demo of a run that was killed may still write there; the next run tries again.
                let _ = fs::remove_dir_all(gone);
            }
        }
    }
    (folder, used)
});

fn open(path: &Path) -> File {
    File::options().create(true).truncate(false).write(true).open(path).unwrap()
}

/// Waits for the lock. It is let go of when the file is closed, also by the end of the process.
fn locked(path: &Path) -> File {
    let file = open(path);
    file.lock().unwrap();
    file
}

/// The folder in which a demo of this kind was made, as its folder `demo`, with what it said.
fn made((name, args): Kind) -> PathBuf {
    let made = MADE.0.join(name);
    let _turn = locked(&MADE.0.join(format!("{name}.turn")));
    if !made.exists() {
        // In a folder of its own: the demo of a run that was killed may still write into its.
        let prefix = format!("{name}-");
        for entry in fs::read_dir(&MADE.0).unwrap() {
            let left = entry.unwrap();
            if left.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = fs::remove_dir_all(left.path());
            }
        }
        let home = tempfile::Builder::new().prefix(&prefix).tempdir_in(&MADE.0).unwrap();
        let front = ["demo", "--out", "demo", "--json"];
        let ended = quorate(home.path(), &[&front[..], args].concat()).done();
        fs::write(home.path().join("stdout"), ended.stdout).unwrap();
        fs::write(home.path().join("stderr"), ended.stderr).unwrap();
        fs::rename(home.keep(), &made).unwrap();
    }
    made
}

/// A copy of a finished demo, for one test to change.
pub(crate) struct Demo {
    root: TempDir,
    /// How the demo had ended.
    pub(crate) ended: Ended,
}

impl Demo {
    pub(crate) fn new(kind: Kind) -> Self {
        let made = made(kind);
        let root = TempDir::new().unwrap();
        copy(&made.join("demo"), &root.path().join("demo"));
        let text = |name: &str| fs::read_to_string(made.join(name)).unwrap();
        let ended = Ended { code: 0, stdout: text("stdout"), stderr: text("stderr") };
        Self { root, ended }
    }

    /// What another program left, as a demo: a folder of operators and their passphrase, private as
    /// it was there.
    pub(crate) fn left(folder: &Path) -> Self {
        let root = TempDir::new().unwrap();
        let demo = root.path().join("demo");
        copy(folder, &demo);
        for (path, found) in tree(&demo) {
            let private = if found.mode & 0o170_000 == 0o040_000 { 0o700 } else { 0o600 };
            fs::set_permissions(demo.join(path), fs::Permissions::from_mode(private)).unwrap();
        }
        let ended = Ended { code: 0, stdout: String::new(), stderr: String::new() };
        Self { root, ended }
    }

    /// The folder that the demo's folder `demo` is in.
    pub(crate) fn home(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The folder of an operator's only ceremony.
    pub(crate) fn ceremony(&self, operator: &str) -> PathBuf {
        only(self.path("demo").join(operator).join("ceremonies"))
    }

    /// An operator's outputs.
    pub(crate) fn out(&self, operator: &str) -> PathBuf {
        self.ceremony(operator).join("out")
    }

    pub(crate) fn run<S: AsRef<str>>(&self, args: &[S]) -> Ended {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        end(command(self.home(), &args))
    }

    /// As an operator, with its state and passphrase.
    pub(crate) fn by(&self, operator: &str, args: &[&str]) -> Ended {
        self.start(operator, args).ended()
    }

    /// As [`Demo::by`], without waiting for its end.
    pub(crate) fn start(&self, operator: &str, args: &[&str]) -> Running {
        let dir = format!("demo/{operator}");
        let front = ["--json", "--dir", &dir, "--passphrase-file", "demo/passphrase"];
        Running::start(command(self.home(), &[&front[..], args].concat()))
    }
}
