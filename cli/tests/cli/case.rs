//! One command-line case: files before, arguments, output, and files afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::export::Artifact;
use quorate::export::launchpad::deposit_files;
use quorate::spec::CeremonyFile;
use serde::Deserialize;
use tempfile::TempDir;

use crate::support::files::{Found, tree};
use crate::support::program::{Ended, QUORATE, command_of, end, quorate};
use crate::support::repository;

/// A user without rights, for when the tests are run by one with all of them.
const NOBODY: u32 = 65534;
/// In the texts of a case: the directory that it runs in.
const HERE: &str = "$HERE";

/// A file of `cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows, in a sentence.
    pub(crate) about: String,
    /// What is there before.
    #[serde(default)]
    before: Vec<Before>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// To be run by a user whom permissions hold back.
    #[serde(default)]
    unprivileged: bool,
    /// What is typed after `quorate`.
    pub(crate) args: Vec<String>,
    pub(crate) exit: i32,
    /// What happened and what to do, word for word, of a command that failed.
    pub(crate) what: Option<String>,
    #[serde(rename = "do")]
    fix: Option<String>,
    /// Parts of the result. Without any, stdout is empty.
    #[serde(default)]
    stdout: Vec<String>,
    /// Parts of the talk before the error. Without any, there is none.
    #[serde(default)]
    stderr: Vec<String>,
    /// The result for programs, or part of it.
    #[serde(default)]
    json: serde_json::Map<String, serde_json::Value>,
    /// Paths that are new afterwards. Everything else is as it was before.
    #[serde(default)]
    written: Vec<String>,
}

/// Something that is there before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    path: Option<PathBuf>,
    /// Octal.
    mode: Option<String>,

    /// A file with this text.
    text: Option<String>,
    /// A file with these bytes, in hexadecimal.
    hex: Option<String>,
    /// A file of this repository.
    copy: Option<PathBuf>,
    /// The ceremony file of a transcript of this repository.
    ceremony_of: Option<PathBuf>,
    /// The deposit file of a transcript of this repository.
    deposits_of: Option<PathBuf>,
    /// A directory.
    #[serde(default)]
    directory: bool,
    /// A pipe with a name.
    #[serde(default)]
    pipe: bool,
    /// A symbolic link to this.
    link: Option<PathBuf>,
    /// A command of the program that succeeds.
    command: Option<Vec<String>>,

    /// Texts to exchange in the file; each must be there.
    #[serde(default)]
    replace: Vec<[String; 2]>,
    /// Bytes to leave.
    truncate: Option<usize>,
    /// Bytes to add, in hexadecimal.
    append: Option<String>,
    /// As long as this, with zeros behind.
    grow: Option<u64>,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether it is about something that is refused.
    pub(crate) fn is_refused(&self) -> bool {
        self.exit != 0 && self.exit != 5
    }

    /// Plays it twice, for people and for programs.
    pub(crate) fn play(&self) {
        let (root, ended) = self.run(&[]);
        let here = root.path().join("here");
        let say = |text: &str| text.replace(HERE, here.to_str().unwrap());
        assert_eq!(ended.code, self.exit, "{}{}", ended.stdout, ended.stderr);
        self.stdout.iter().for_each(|part| {
            assert!(ended.stdout.contains(&say(part)), "{part:?} in:\n{}", ended.stdout)
        });
        assert!(!self.stdout.is_empty() || ended.stdout.is_empty(), "{}", ended.stdout);
        let talk = match (&self.what, &self.fix) {
            (Some(what), Some(fix)) => {
                let last = format!("error: {}\n  what to do: {}\n", say(what), say(fix));
                let Some(talk) = ended.stderr.strip_suffix(&last) else {
                    panic!("expected:\n{last}\nbut it said:\n{}", ended.stderr);
                };
                talk
            }
            (None, None) => &ended.stderr,
            _ => panic!("what happened, and what to do: both or none"),
        };
        self.stderr
            .iter()
            .for_each(|part| assert!(talk.contains(&say(part)), "{part:?} in:\n{talk}"));
        assert!(!self.stderr.is_empty() || talk.is_empty(), "{talk}");
        for text in [&ended.stdout, &ended.stderr] {
            assert!(
                text.chars().all(|c| c == '\n' || c == '\t' || (' '..='~').contains(&c)),
                "{text:?}"
            );
        }
        self.play_for_programs();
    }

    /// With `--json`, stdout is one object, whatever happens.
    fn play_for_programs(&self) {
        let (root, ended) = self.run(&["--json"]);
        let here = root.path().join("here");
        let say = |text: &str| text.replace(HERE, here.to_str().unwrap());
        assert_eq!(ended.code, self.exit, "{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
        let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(object["exit"], self.exit);
        let status = ["done", "trouble", "usage", "aborted", "finding", "waiting"];
        assert_eq!(object["status"], status[usize::try_from(self.exit).unwrap()]);
        let error = |key: &str| object["error"][key].as_str().map(str::to_owned);
        assert_eq!(error("what"), self.what.as_deref().map(say));
        assert_eq!(error("do"), self.fix.as_deref().map(say));
        for (key, value) in &self.json {
            assert_eq!(&object[key], value, "{key}");
        }
    }

    fn run(&self, more: &[&str]) -> (TempDir, Ended) {
        let root = TempDir::new().unwrap();
        let here = root.path().join("here");
        fs::create_dir(&here).unwrap();
        self.before.iter().for_each(|before| before.make(&here));
        let before = but_for_locks(&here);
        let args: Vec<&str> =
            more.iter().copied().chain(self.args.iter().map(String::as_str)).collect();
        let mut program = PathBuf::from(QUORATE);
        let drop_rights = self.unprivileged && fs::metadata(&here).unwrap().uid() == 0;
        if drop_rights {
            // From where it was built, others may not be allowed to run it.
            program = root.path().join("quorate");
            fs::copy(QUORATE, &program).unwrap();
            fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
            give_away(&here);
        }
        let mut command = command_of(&program, &here, &args);
        command.envs(&self.env);
        if drop_rights {
            command.uid(NOBODY).gid(NOBODY);
        }
        let ended = end(command);
        let after = but_for_locks(&here);
        for (path, found) in &before {
            assert_eq!(after.get(path), Some(found), "{} was changed", path.display());
        }
        let new: Vec<&Path> =
            after.keys().filter(|path| !before.contains_key(*path)).map(PathBuf::as_path).collect();
        assert_eq!(new, self.written.iter().map(Path::new).collect::<Vec<_>>(), "what is new");
        // So that everything can be removed.
        for path in before
            .keys()
            .map(|path| here.join(path))
            .filter(|path| path.is_dir() && !path.is_symlink())
        {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        (root, ended)
    }
}

impl Before {
    fn make(&self, here: &Path) {
        if let Some(args) = &self.command {
            let ended = quorate(here, args);
            assert_eq!(ended.code, 0, "{args:?}: {}", ended.stderr);
        }
        let Some(path) = self.path.as_ref().map(|path| here.join(path)) else { return };
        if let Some(bytes) = self.content(&path) {
            fs::write(&path, bytes).unwrap();
        }
        if self.directory {
            fs::create_dir_all(&path).unwrap();
        }
        if self.pipe {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }
        if let Some(to) = &self.link {
            std::os::unix::fs::symlink(to, &path).unwrap();
        }
        if let Some(length) = self.grow {
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        }
        if let Some(mode) = &self.mode {
            fs::set_permissions(
                &path,
                fs::Permissions::from_mode(u32::from_str_radix(mode, 8).unwrap()),
            )
            .unwrap();
        }
    }

    /// What the file holds, if it is one that is written, or changed.
    fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let audited = |path: &Path| audited(&fs::read(repository(path)).unwrap());
        let sources = [
            self.text.as_ref().map(|text| text.clone().into_bytes()),
            self.hex.as_ref().map(|text| hex::decode(text).unwrap()),
            self.copy.as_ref().map(|path| fs::read(repository(path)).unwrap()),
            self.ceremony_of
                .as_ref()
                .map(|path| CeremonyFile::from(&**audited(path).ceremony()).to_toml().into_bytes()),
            self.deposits_of.as_ref().map(|path| deposits(&audited(path))),
        ];
        let given: Vec<Vec<u8>> = sources.into_iter().flatten().collect();
        let changes = !self.replace.is_empty() || self.truncate.is_some() || self.append.is_some();
        let mut bytes = match (given.len(), changes) {
            (0, false) => return None,
            (0, true) => fs::read(path).unwrap(),
            (1, _) => given.into_iter().next().unwrap(),
            _ => panic!("{}: more than one content", path.display()),
        };
        if !self.replace.is_empty() {
            let mut text = String::from_utf8(bytes).unwrap();
            for [from, to] in &self.replace {
                assert!(text.contains(from), "{from:?} is not there to be replaced");
                text = text.replace(from, to);
            }
            bytes = text.into_bytes();
        }
        if let Some(length) = self.truncate {
            assert!(length < bytes.len());
            bytes.truncate(length);
        }
        if let Some(more) = &self.append {
            bytes.extend(hex::decode(more).unwrap());
        }
        Some(bytes)
    }
}

fn audited(transcript: &[u8]) -> Audited {
    audit(transcript, &Expectations::default()).audited().cloned().unwrap()
}

fn deposits(audited: &Audited) -> Vec<u8> {
    let files: Vec<Artifact> = deposit_files(audited.ceremony(), audited.validators()).unwrap();
    files.into_iter().find(|file| file.name == "deposit-data.json").unwrap().bytes
}

/// Everything below a directory. Of a lock, only that it is there: the process that takes it writes
/// its number.
fn but_for_locks(root: &Path) -> BTreeMap<PathBuf, Found> {
    let mut found = tree(root);
    for (path, found) in &mut found {
        if path.file_name().is_some_and(|name| name == "lock") {
            found.content.clear();
        }
    }
    found
}

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        fs::read_dir(path).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}
