//! The operators of a demo: each a process of this program, which may break a rule.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::demo::{Demo, PASSPHRASE_FILE, Player};
use super::demo_prepare::CEREMONY_FILE;
use super::demo_ssv;
use crate::args::{KdfChoice, ProfileChoice};
use crate::cheat::Rule;
use crate::report::{CliError, Exit, is_verbose, talk};
use crate::{log_file, messages};

/// An operator's process, which ends with this one's interest in it.
pub(super) struct Running<'a> {
    pub(super) player: &'a Player,
    child: Child,
    lines: Receiver<String>,
    talk: Option<JoinHandle<()>>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Of one that has ended, both say so at once.
        let _ = self.child.kill().and_then(|()| self.child.wait());
        // The reader ends with the process; a panic in it would only lose lines of talk.
        let _ = self.talk.take().map(JoinHandle::join);
    }
}

impl Running<'_> {
    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, CliError> {
        self.child.try_wait().map_err(|error| messages::no_process(&self.player.name, &error))
    }

    /// Waits for a line with one of `texts`; `None` if the process ends without, or takes too long.
    pub(super) fn until(&mut self, texts: &[String], patience: Duration) -> Option<String> {
        let end = Instant::now() + patience;
        loop {
            let line =
                self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            if texts.iter().any(|text| line.contains(text)) {
                return Some(line);
            }
        }
    }

    /// `kill -9`, as dropping it does.
    pub(super) fn kill(self) {}

    /// What Ctrl-C does.
    pub(super) fn interrupt(&self) -> Result<(), CliError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let sent = pid.map_or(Ok(()), |pid| kill_process(pid, Signal::INT));
        sent.map_err(|error| messages::no_process(&self.player.name, &error.into()))
    }
}

/// The log of an operator, in its directory, where the demo has a log of its own.
const LOG_FILE: &str = "run.log";

/// A demo's step takes seconds; one that takes longer than this hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked.
const POLL: Duration = Duration::from_millis(20);

impl Demo<'_> {
    /// The program with an operator's directory and passphrase.
    pub(super) fn command(&self, player: &Player) -> Command {
        let mut command = Command::new(&self.program);
        let passphrase = self.root.join(PASSPHRASE_FILE);
        command.arg("--dir").arg(&player.dir).arg("--passphrase-file").arg(passphrase);
        command
    }

    /// Starts an operator; one that breaks a rule, if there is one.
    pub(super) fn start(
        &self,
        player: usize,
        cheat: Option<Rule>,
    ) -> Result<Running<'_>, CliError> {
        let player = &self.players[player];
        let mut command = self.command(player);
        match cheat {
            None => command.arg("run"),
            Some(rule) => command.arg("demo-cheat").args(["--rule", cheat_name(rule)]),
        };
        command.arg(self.root.join(CEREMONY_FILE)).args(["--yes-fingerprint", &self.words]);
        if self.args.ssv {
            command.arg("--ssv-key").arg(demo_ssv::key_file(&self.root, &player.name));
            command.arg("--ssv-password-file").arg(demo_ssv::password_file(&self.root));
        }
        self.launch(player, command)
    }

    /// Starts an operator with this command, which takes part in a ceremony.
    pub(super) fn launch<'a>(
        &self,
        player: &'a Player,
        mut command: Command,
    ) -> Result<Running<'a>, CliError> {
        if log_file::is_open() {
            command.arg("--log").arg(player.dir.join(LOG_FILE));
        }
        if is_verbose() {
            command.arg("--verbose");
        }
        command
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", player.port))
            .args(["--kdf", kdf_name(self.args.kdf)]);
        command.args(["--profile", profile_name(self.args.profile)]);
        if self.args.password_files {
            command.arg("--password-files");
        }
        if self.args.no_keystores {
            command.arg("--no-keystores");
        } else if self.args.kdf == KdfChoice::Scrypt {
            // 256 MiB each.
            command.arg("--kdf-turns");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| messages::no_process(&player.name, &error))?;
        let stderr = child.stderr.take().expect("stderr is piped");
        let width = self.players.iter().map(|player| player.name.len()).max().unwrap_or(0);
        let prefix = format!("{:>width$} | ", player.name);
        let (send, lines) = channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                talk(&format!("{prefix}{line}"));
                // Nobody may be waiting for a line.
                let _ = send.send(line);
            }
        });
        Ok(Running { player, child, lines, talk: Some(reader) })
    }

    /// Runs a command of an operator that asks and shows nothing; what it wrote to stdout.
    pub(super) fn quietly(
        &self,
        shown: &str,
        whom: &str,
        mut command: Command,
    ) -> Result<Vec<u8>, CliError> {
        let ended = command.stdin(Stdio::null()).output();
        let ended = ended.map_err(|error| messages::no_process(whom, &error))?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        Err(self.differs(shown, &format!("a command of {whom} failed: {said}")))
    }

    /// The demo of this did not go as it should.
    pub(super) fn differs(&self, shown: &str, what: &str) -> CliError {
        messages::demo_differs(shown, what, &self.root)
    }

    /// Waits until all have ended well.
    pub(super) fn finish(&self, shown: &str, running: Vec<Running<'_>>) -> Result<(), CliError> {
        self.all_end_with(shown, Exit::Done, running)
    }

    /// Waits until all have ended, with this exit code.
    pub(super) fn all_end_with(
        &self,
        shown: &str,
        exit: Exit,
        running: Vec<Running<'_>>,
    ) -> Result<(), CliError> {
        for (name, code) in self.ended(shown, running)? {
            if code != Some(exit as i32) {
                return Err(self.differs(shown, &format!("{name} ended with exit code {code:?}")));
            }
        }
        Ok(())
    }

    /// Waits until all have ended; how each did.
    pub(super) fn ended(
        &self,
        shown: &str,
        mut running: Vec<Running<'_>>,
    ) -> Result<Vec<(String, Option<i32>)>, CliError> {
        let end = Instant::now() + PATIENCE;
        let mut codes = Vec::new();
        for running in &mut running {
            let name = running.player.name.clone();
            let code = loop {
                match running.ended()? {
                    Some(status) => break status.code(),
                    None if Instant::now() > end => {
                        return Err(self.differs(shown, &format!("{name} did not end")));
                    }
                    None => thread::sleep(POLL),
                }
            };
            codes.push((name, code));
        }
        Ok(codes)
    }

    /// Starts all operators but one.
    pub(super) fn start_all_but(&self, one: usize) -> Result<Vec<Running<'_>>, CliError> {
        (0..self.players.len())
            .filter(|player| *player != one)
            .map(|player| self.start(player, None))
            .collect()
    }
}

fn cheat_name(rule: Rule) -> &'static str {
    match rule {
        Rule::BadShare => "bad-share",
        Rule::Equivocate => "equivocate",
        Rule::RogueKey => "rogue-key",
        Rule::Withhold => "withhold",
        Rule::FalseComplaint => "false-complaint",
    }
}

fn kdf_name(choice: KdfChoice) -> &'static str {
    match choice {
        KdfChoice::Scrypt => "scrypt",
        KdfChoice::Pbkdf2 => "pbkdf2",
    }
}

fn profile_name(choice: ProfileChoice) -> &'static str {
    match choice {
        ProfileChoice::Default => "default",
        ProfileChoice::Charon => "charon",
        ProfileChoice::Web3signer => "web3signer",
    }
}
