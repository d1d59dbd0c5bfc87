//! The catalogue: every sentence about what went wrong, with what to do about it.

mod export;

mod obol;

mod signing;

mod ssv;

mod ssv_key;

mod stopped;

mod verify;

use std::io;
use std::path::Path;

use super::prompt::FEWEST_CHARACTERS;
use super::report::{CliError, Exit};
use quorate::ethereum::keystore::{KeystoreError, PasswordError};
use quorate::ethereum::network::{Network, listed};
use quorate::identity::card::NameError;
use quorate::identity::operator::OperatorError;
use quorate::protocol::record::ReplayError;
use quorate::spec::SpecError;
use quorate::transcript::container::ContainerError;
use quorate_operator::MachineError;
use quorate_operator::carrier::CarrierError;
use quorate_operator::store::{SealError, StoreError};

pub(crate) use export::*;
pub(crate) use obol::*;
pub(crate) use signing::*;
pub(crate) use ssv::*;
pub(crate) use ssv_key::*;
pub(crate) use stopped::*;
pub(crate) use verify::*;

fn local(what: impl Into<String>, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Local, what, fix)
}

fn usage(what: impl Into<String>, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Usage, what, fix)
}

/// A path on one line; the rest is made printable where it is printed.
pub(crate) fn shown(path: &Path) -> String {
    one_line(&path.display())
}

fn one_line(text: &impl core::fmt::Display) -> String {
    text.to_string().replace('\n', "\\n")
}

/// A path as a shell takes it, for commands to copy.
pub(crate) fn quoted(path: &Path) -> String {
    let text = shown(path);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

// Files.

/// What the operating system says, in words where it has a number.
fn system(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "this file system is read-only".to_owned(),
        io::ErrorKind::StorageFull => "no space left".to_owned(),
        _ => error.to_string(),
    }
}

pub(crate) fn reading(path: &Path, error: &io::Error) -> CliError {
    let fix = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "check the path",
        io::ErrorKind::PermissionDenied => {
            "give this user access to it, or run as the user who has it"
        }
        _ => "check that it is a plain file on a working disk",
    };
    local(format!("{} cannot be read: {}", shown(path), system(error)), fix)
}

pub(crate) fn writing(path: &Path, error: &io::Error) -> CliError {
    local(
        format!("{} cannot be written: {}", shown(path), system(error)),
        "choose a path that this user can write to",
    )
}

pub(crate) fn exists(path: &Path) -> CliError {
    local(
        format!("{}: exists already, and is never overwritten", shown(path)),
        "choose another path, or move the old one away",
    )
}

pub(crate) fn no_folder(path: &Path) -> CliError {
    local(
        format!("{}: the folder that it would be in does not exist", shown(path)),
        "make the folder, or choose another path",
    )
}

pub(crate) fn names_a_folder(path: &Path) -> CliError {
    local(
        format!("{}: the name of a folder, where a file is to be written", shown(path)),
        "leave out the last slash, or add a name",
    )
}

pub(crate) fn no_file_here(path: &Path) -> CliError {
    local(format!("{}: its folder takes no files", shown(path)), "choose another path")
}

pub(crate) fn not_a_file(path: &Path, directory: bool) -> CliError {
    let found = if directory { "a directory" } else { "a pipe or a device" };
    local(
        format!("{}: {found}, where a plain file is expected", shown(path)),
        "give the path of a file; a pipe's content, as a file",
    )
}

pub(crate) fn not_a_directory(path: &Path) -> CliError {
    local(
        format!("{}: a file, where a directory is expected", shown(path)),
        "give the path of the directory",
    )
}

pub(crate) fn too_long(path: &Path, found: u64, most: usize) -> CliError {
    local(
        format!("{}: {found} bytes; at most {most} are looked at", shown(path)),
        "check that this is the right file",
    )
}

pub(crate) fn stdout(error: &io::Error) -> CliError {
    local(
        format!("the result cannot be written to stdout: {}", system(error)),
        "check where the output goes, and run it again",
    )
}

pub(crate) fn toy_curve(notice: &str) -> CliError {
    local(
        format!(
            "{notice}. This program was built for simulations alone, with --cfg quorate_toy_curve"
        ),
        "build it without that flag; look for it in RUSTFLAGS and in cargo's configuration files",
    )
}

// The state directory.

pub(crate) fn store(error: StoreError) -> CliError {
    use StoreError::*;
    let fix = match &error {
        BadName { .. } => "this is a bug in this program; please report it",
        Denied { .. } => "give this user access to it, or run as the user who has it",
        Differs { .. } => "compare the two; move the old one away if it is wrong",
        DiskFull { .. } => "free some space and run the same command again",
        Exists { .. } => "choose another path, or move the old one away",
        Io { .. } => "check the path and the disk; then run it again",
        Locked { .. } => {
            "the directory is in use: wait for the other process, or stop it; do not delete the \
             lock"
        }
        LogDamaged { .. } => {
            "copy the whole state directory elsewhere before anything else; then put this file \
             back from a backup made after the \
             last run, or agree with the others on another attempt"
        }
        LogForeign { .. } => "put this ceremony's own log back; logs cannot be exchanged",
        LogKey { .. } => "use the identity that this ceremony was begun with",
        LogStopped { .. } => "mend the disk and run the same command again",
        LogVersion { .. } => "use the program that wrote it",
        Missing { .. } => {
            "name the operator's directory with --dir, or make its keys with: quorate identity new"
        }
        NotPlain { .. } => {
            "name another directory with --dir; or remove this, if nobody put it there on purpose"
        }
        Randomness(_) => "do not make keys on this machine",
        ReadBack { .. } => "use another disk: this one is failing, or somebody else writes to it",
        ReadOnly { .. } => "choose another place, or mount it for writing",
        TooLong { .. } => "check who changed it; put it back from a backup",
        TooOpen { path, directory, .. } => {
            return local(
                one_line(&error),
                format!(
                    "if nobody has used that: chmod {} {}",
                    if *directory { 700 } else { 600 },
                    quoted(path)
                ),
            );
        }
        WrongOwner { owner, .. } => {
            return local(one_line(&error), format!("run as user {owner}, or chown it"));
        }
    };
    local(one_line(&error), fix)
}

pub(crate) fn identity_exists(path: &Path) -> CliError {
    local(
        format!("{}: this operator has keys already, and they are never overwritten", shown(path)),
        "show their card with: quorate identity show; or name another directory with --dir",
    )
}

pub(crate) fn seal(path: &Path, error: &SealError) -> CliError {
    let (what, fix) = match error {
        SealError::WrongPassphrase => (
            "wrong passphrase".to_owned(),
            "try again: the passphrase is the one that this identity was made with",
        ),
        SealError::Damaged => {
            ("damaged: its checksum does not hold".to_owned(), "put it back from a backup")
        }
        SealError::NotSealed => (
            "not a sealed file".to_owned(),
            "put it back from a backup, or name another directory with --dir",
        ),
        SealError::Version(version) => {
            (format!("a sealed file of version {version}"), "use the program that wrote it")
        }
        SealError::Cost(log_n) => (
            format!("asks for scrypt with N = 2^{log_n}, which this program never does"),
            "put it back from a backup",
        ),
    };
    local(format!("{}: {what}", shown(path)), fix)
}

pub(crate) fn operator(path: &Path, error: &OperatorError) -> CliError {
    local(format!("{}: opens, but {error}", shown(path)), "use the program that wrote it")
}

/// What a machine with a ceremony's files ran into.
pub(crate) fn machine(error: MachineError) -> CliError {
    match error {
        MachineError::Carrier(error) => carrier(error),
        MachineError::Internal(what) => internal(&what),
        MachineError::NewerLog(folder) => newer_log(&folder),
        MachineError::OutputsDiffer { folder, different } => outputs_differ(&folder, &different),
        MachineError::Replay { folder, error } => replay(&error, &folder),
        MachineError::Store(error) => store(error),
        MachineError::System(error) => runtime(error),
    }
}

pub(crate) fn replay(error: &ReplayError, dir: &Path) -> CliError {
    if *error == ReplayError::Abandoned {
        return given_up(dir);
    }
    if let ReplayError::RolledBack { .. } = error {
        let fix = "do not restore logs. Nothing was signed; put the newest log back if you have \
                   it. If you do not, this operator is absent: \
                   agree on a new file with the next attempt";
        return local(format!("{}: {error}", shown(dir)), fix);
    }
    local(
        format!("{}: {error}", shown(dir)),
        "the disk or the log is damaged: stop here, keep the directory as it is, and do not begin \
         this ceremony anew",
    )
}

pub(crate) fn log_gone(dir: &Path) -> CliError {
    local(
        format!("{}: this ceremony was run here before, and its log is gone", shown(dir)),
        "do not begin it anew: you would sign a second time, and the others would hold it against \
         you. What is there stays as it is; for \
         other keys, agree on a new file with the next attempt",
    )
}

pub(crate) fn outputs_differ(dir: &Path, files: &[String]) -> CliError {
    local(
        format!(
            "{}: other outputs than this ceremony's are there already ({})",
            shown(dir),
            files.join(", ")
        ),
        "nothing was overwritten. Move that folder away, look where it came from, and run the same \
         command again",
    )
}

pub(crate) fn newer_log(dir: &Path) -> CliError {
    local(
        format!("{}: the log holds a kind of record that this program does not know", shown(dir)),
        "use the newer program",
    )
}

// Passphrases and answers.

pub(crate) fn secret_file_open(path: &Path, mode: u32) -> CliError {
    local(
        format!("{}: a secret that others can read (mode {mode:04o})", shown(path)),
        format!("if nobody has read it: chmod 600 {}", quoted(path)),
    )
}

pub(crate) fn secret_file_empty(path: &Path) -> CliError {
    local(format!("{}: its first line is empty", shown(path)), "write the secret in the first line")
}

pub(crate) fn passphrase_not_text() -> CliError {
    local(
        "the passphrase is not UTF-8 text, and could not be typed again",
        "choose another, or save the file as UTF-8",
    )
}

pub(crate) fn passphrase_short(count: usize) -> CliError {
    local(
        format!(
            "the passphrase has {count} characters; a new one needs at least {FEWEST_CHARACTERS}"
        ),
        "choose a longer one: several random words are easy to keep and hard to guess",
    )
}

pub(crate) fn passphrases_differ() -> CliError {
    local("the two passphrases are not the same", "run the command again")
}

pub(crate) fn no_terminal(question: &str, flag: &str) -> CliError {
    usage(
        format!("there is no terminal to ask on: {question}"),
        format!("run it in a terminal, or give {flag}"),
    )
}

pub(crate) fn no_answer(question: &str, flag: &str) -> CliError {
    usage(format!("no answer to: {question}"), format!("run it again, or give {flag}"))
}

pub(crate) fn terminal(error: &io::Error) -> CliError {
    local(format!("nothing was read from the terminal: {}", system(error)), "run the command again")
}

pub(crate) fn keystore_password(error: &PasswordError) -> CliError {
    local(format!("the keystore password cannot be used: {error}"), "choose another")
}

// What people write.

/// What clap says, without its colours, its summary of flags and its closing line.
pub(crate) fn arguments(error: &clap::Error) -> CliError {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return usage("no command was given", "see: quorate --help");
    }
    let text = error.render().to_string();
    let what = text
        .split("\n\nUsage: ")
        .next()
        .unwrap_or_default()
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let words = text.split("\n\nUsage: ").nth(1).unwrap_or_default().split_whitespace();
    let command: Vec<&str> = words
        .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect();
    let fix = match command.is_empty() {
        true => "see what can be typed: the same command with --help".to_owned(),
        false => format!("see: {} --help", command.join(" ")),
    };
    usage(what.strip_prefix("error: ").unwrap_or(what).trim_end(), fix)
}

pub(crate) fn not_text(path: &Path, at: usize) -> CliError {
    usage(
        format!("{}: not UTF-8 text (byte {at})", shown(path)),
        "check that this is a ceremony file; if so, save it as UTF-8",
    )
}

pub(crate) fn spec_file(path: &Path, error: &SpecError) -> CliError {
    let fix = match error {
        SpecError::FileVersion(_) => "use the program that it was written for".to_owned(),
        _ => format!("correct the file, then check it with: quorate spec check {}", quoted(path)),
    };
    usage(format!("{}: {error}", shown(path)), fix)
}

/// A ceremony that was to be made of flags.
pub(crate) fn spec(error: &SpecError) -> CliError {
    let names;
    let fix = match error {
        SpecError::AllRequired(_) => {
            "choose a lower --threshold; or add --allow-all-required, if everybody wants that"
        }
        SpecError::NetworkUnknown(_) => {
            names = format!(
                "give --network {}; or change the file by hand, then: quorate spec check FILE",
                listed(Network::known_names(), "or")
            );
            &names
        }
        SpecError::AmountOrder { .. } => "give --amount in ascending order",
        SpecError::Obol(_) => "the definition and the flags have to agree; positions count from 0",
        _ => "correct the flags; positions count from 0, in the order of the flags",
    };
    usage(format!("this ceremony is not possible: {error}"), fix)
}

pub(crate) fn name(error: &NameError) -> CliError {
    usage(format!("--name: {error}"), "choose another name")
}

pub(crate) fn pairs(counts: usize, addresses: usize) -> CliError {
    usage(
        format!("{counts} times --validators, but {addresses} times --withdrawal"),
        "give them in pairs: how many validators, and where their money goes",
    )
}

pub(crate) fn no_such_command(words: &str) -> CliError {
    usage(format!("no command {words:?}"), "see: quorate --help")
}

// Ceremonies.

pub(crate) fn no_seat(operator: &str, ceremony: &str) -> CliError {
    usage(
        format!("operator {operator} has no seat in the ceremony {ceremony:?}"),
        "check that the file holds your own card (quorate identity show), and that --dir is the \
         right directory",
    )
}

pub(crate) fn wrong_fingerprint(expected: &str) -> CliError {
    usage(
        "the fingerprint is not this ceremony's",
        format!("compare with the other operators; this file's is: {expected}"),
    )
}

pub(crate) fn no_own_address() -> CliError {
    usage(
        "the ceremony file gives you no address to listen on",
        "give one with --listen, for example --listen 0.0.0.0:3610",
    )
}

pub(crate) fn carrier(error: CarrierError) -> CliError {
    match error {
        CarrierError::Bind { ref address, why } => {
            let (what, fix) = match why {
                io::ErrorKind::AddrInUse => (
                    "another program listens there already",
                    "stop it, or choose another port with --listen",
                ),
                io::ErrorKind::AddrNotAvailable => (
                    "this machine has no such address",
                    "use --listen 0.0.0.0:PORT (or [::]:PORT) to listen on all that it has",
                ),
                io::ErrorKind::PermissionDenied => {
                    ("not allowed", "choose a port above 1023 with --listen")
                }
                io::ErrorKind::InvalidInput => ("not an address", "write it as HOST:PORT"),
                _ => {
                    return local(
                        format!("cannot listen on {address}: {why}"),
                        "check the address, written HOST:PORT",
                    );
                }
            };
            local(format!("cannot listen on {address}: {what}"), fix)
        }
        CarrierError::NoAddress { index, name } => usage(
            format!(
                "operator {index} ({name}) has no address in the ceremony file, and others connect \
                 to it"
            ),
            "add its address as host:port; addresses are not part of the fingerprint",
        ),
        error @ (CarrierError::Repeated { .. } | CarrierError::FrameLimit(_)) => {
            internal(&error.to_string())
        }
    }
}

pub(crate) fn runtime(error: io::Error) -> CliError {
    local(
        format!("the network runtime does not start: {error}"),
        "check the limits of this machine (ulimit -a)",
    )
}

pub(crate) fn internal(what: &str) -> CliError {
    local(format!("a bug in this program: {what}"), "nothing is lost; please report it")
}

// Audit.

pub(crate) fn not_a_transcript(path: &Path, error: &ContainerError) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{}: {error}", shown(path)),
        "do not deposit; ask for the transcript.quorate again",
    )
}

pub(crate) fn transcript_length(path: &Path, found: u64, expected: u64) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{}: {found} bytes, where its own beginning gives {expected}", shown(path)),
        "do not deposit; ask for the transcript.quorate again",
    )
}

pub(crate) fn no_keystores(path: &Path) -> CliError {
    local(
        format!("{}: no keystores (keystore-*.json) in it or in its validator_keys", shown(path)),
        "name the folder that quorate run wrote: out/secret of the ceremony",
    )
}

pub(crate) fn too_many_keystores(path: &Path, most: usize) -> CliError {
    local(format!("{}: more than {most} keystores", shown(path)), "name the folder of one ceremony")
}

pub(crate) fn keystore(path: &Path, error: &KeystoreError) -> CliError {
    let fix = match error {
        KeystoreError::Checksum => {
            "give the keystores' password: with --keystore-password-file, or as the passphrase"
        }
        _ => "check that the folder holds the keystores of one ceremony and nothing else",
    };
    local(format!("{}: {error}", shown(path)), fix)
}

// The demo.

pub(crate) fn demo_exists(path: &Path) -> CliError {
    local(format!("{} exists", shown(path)), "choose another folder with --out, or remove it")
}

pub(crate) fn no_port(error: io::Error) -> CliError {
    local(
        format!("no free port on 127.0.0.1: {error}"),
        "check that loopback networking works here",
    )
}

pub(crate) fn no_process(name: &str, error: &io::Error) -> CliError {
    local(
        format!("the process of {name} does not start: {error}"),
        "check the limits of this machine (ulimit -u)",
    )
}

pub(crate) fn demo_failed(names: &[String], root: &Path) -> CliError {
    local(
        format!("the demo's operators {} did not finish", names.join(", ")),
        format!("see their lines above; their files are in {}", shown(root)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_copied_into_a_shell() {
        for (path, text) in [
            ("./a-b_1.toml", "./a-b_1.toml"),
            ("my file", "'my file'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
            ("a\nb", "'a\\nb'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), text);
        }
    }
}
