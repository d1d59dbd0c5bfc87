//! Starting the program: without an environment, without a terminal, in a known folder, and never
//! for longer than [`PATIENCE`].

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::running::Running;

/// The program that cargo has built for these tests.
pub(crate) const QUORATE: &str = env!("CARGO_BIN_EXE_quorate");
/// A process that takes longer hangs: a ceremony takes seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The command line of another build of the program. Stdin is closed, and nothing of the tests'
/// environment is passed on.
pub(crate) fn command_of<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    here: &Path,
    args: &[S],
) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(here).env_clear().stdin(Stdio::null());
    command
}

/// The command line of the program in a folder.
pub(crate) fn command<S: AsRef<OsStr>>(here: &Path, args: &[S]) -> Command {
    command_of(QUORATE, here, args)
}

/// Runs the program in a folder until it ends.
pub(crate) fn quorate<S: AsRef<OsStr>>(here: &Path, args: &[S]) -> Ended {
    end(command(here, args))
}

/// Runs a command until it ends.
pub(crate) fn end(command: Command) -> Ended {
    Running::start(command).ended()
}

/// The same command behind another, which is found where the tests find it.
pub(crate) fn behind(front: &[&str], command: &Command) -> Command {
    let here = command.get_current_dir().expect("a command of `command_of`");
    let mut behind = command_of(front[0], here, &front[1..]);
    behind.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    behind.arg(command.get_program()).args(command.get_args());
    behind
}

/// The same command with less of something: with these arguments of `ulimit`.
pub(crate) fn limited(limit: &str, command: &Command) -> Command {
    behind(&["sh", "-c", &format!("ulimit {limit} && exec \"$@\""), "sh"], command)
}

/// The names of a list of operators, each an object of index, name and key.
pub(crate) fn names(operators: &Value) -> Value {
    let name = |operator: &Value| {
        assert!(operator["index"].is_u64() && operator["key"].is_string(), "{operator}");
        operator["name"].clone()
    };
    operators.as_array().unwrap_or_else(|| panic!("{operators}")).iter().map(name).collect()
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code. Less than zero: the signal that ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The one JSON object that it printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It succeeded.
    pub(crate) fn done(self) -> Self {
        self.ended_with(0)
    }

    /// It ended with this code.
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }

    /// It failed with this code, for a reason that has these parts.
    pub(crate) fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        parts
            .iter()
            .for_each(|part| assert!(self.stderr.contains(part), "{part:?} in:\n{}", self.stderr));
    }
}
