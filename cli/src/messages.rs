//! The messages of all errors, in pairs: what happened, and what to do about it.

mod audit;

mod backup;
mod board;

mod demo;

mod doctor;

mod export;

mod files;

mod forget;

mod import;
mod newest;

mod obol;

mod packet;

mod policy;

mod prompt;

mod protection;

mod put_back;

mod recover;

mod rehearse;
mod repair;
mod request;
mod reshare;

mod run;

mod signing;

mod spec;

mod ssv;

mod ssv_key;

mod state;

mod stopped;

mod verify;

mod web3signer;
mod without;

use std::path::Path;

use super::report::{CliError, Exit};

pub(crate) use audit::*;
pub(crate) use backup::*;
pub(crate) use board::*;
pub(crate) use demo::*;
pub(crate) use doctor::*;
pub(crate) use export::*;
pub(crate) use files::*;
pub(crate) use forget::*;
pub(crate) use import::*;
pub(crate) use newest::*;
pub(crate) use obol::*;
pub(crate) use packet::*;
pub(crate) use policy::*;
pub(crate) use prompt::*;
pub(crate) use protection::*;
pub(crate) use put_back::*;
pub(crate) use recover::*;
pub(crate) use rehearse::*;
pub(crate) use repair::*;
pub(crate) use request::*;
pub(crate) use reshare::*;
pub(crate) use run::*;
pub(crate) use signing::*;
pub(crate) use spec::*;
pub(crate) use ssv::*;
pub(crate) use ssv_key::*;
pub(crate) use state::*;
pub(crate) use stopped::*;
pub(crate) use verify::*;
pub(crate) use web3signer::*;
pub(crate) use without::*;

/// In a command to copy, where the file that somebody agreed to belongs.
pub(crate) const CEREMONY_FILE: &str = "CEREMONY-FILE";

fn finding(what: String, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Finding, what, fix)
}

fn local(what: impl Into<String>, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Local, what, fix)
}

fn usage(what: impl Into<String>, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Usage, what, fix)
}

/// A path on one line, in quotes if it has blanks; the rest is made printable where it is printed.
pub(crate) fn shown(path: &Path) -> String {
    if crate::input::is_stdout(path) {
        return "stdout".to_owned();
    }
    let text = one_line(&path.display());
    if text.contains(' ') { format!("\"{text}\"") } else { text }
}

fn one_line(text: &impl core::fmt::Display) -> String {
    text.to_string().replace('\n', "\\n")
}

/// A path as a shell takes it, for commands to copy.
pub(crate) fn quoted(path: &Path) -> String {
    let text = one_line(&path.display());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
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
