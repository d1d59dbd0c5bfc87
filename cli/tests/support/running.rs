//! Processes that a test watches while they run: what they say, signals, and their end.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use super::program::{Ended, PATIENCE};

/// Between two looks at a process.
const PAUSE: Duration = Duration::from_millis(2);
/// Held while a process is started: see [`no_starts`].
static STARTS: Mutex<()> = Mutex::new(());

/// Until this is dropped, no process is started. For whoever locks a file and lets go of it again:
/// a process that is just being started would go on holding the lock for a moment.
pub(crate) fn no_starts() -> impl Drop {
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process, but not while somebody locks a file.
pub(crate) fn started(command: &mut Command) -> Child {
    let _start = no_starts();
    command.spawn().unwrap()
}

/// Sends a signal to a process: INT as Ctrl-C does, KILL as a loss of power.
pub(crate) fn signal(signal: Signal, id: u32) {
    kill_process(Pid::from_raw(id.cast_signed()).unwrap(), signal).unwrap();
}

/// What a process writes, in a file: a test that does not read hinders nobody.
struct Told {
    file: File,
    /// Where this process begins: others may have written before it.
    from: u64,
}

impl Told {
    fn new(file: File) -> Self {
        let from = file.metadata().unwrap().len();
        Self { file, from }
    }

    fn length(&self) -> u64 {
        self.file.metadata().unwrap().len() - self.from
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.length()).unwrap()];
        self.file.read_exact_at(&mut bytes, self.from).unwrap();
        bytes
    }
}

/// A process. One that is left behind by a test that fails is killed.
pub(crate) struct Running {
    child: Child,
    out: Told,
    err: Told,
}

/// What became of a process that was to be killed.
#[derive(Debug)]
pub(crate) enum Killed {
    /// It was running, and had said this.
    Running(String),
    /// It was faster, and had ended so.
    Ended(Ended),
}

impl Running {
    pub(crate) fn start(command: Command) -> Self {
        Self::start_into(command, tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap())
    }

    /// As [`Running::start`], with files that keep what is said, behind what they have.
    pub(crate) fn start_into(mut command: Command, out: File, err: File) -> Self {
        command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
        let (out, err) = (Told::new(out), Told::new(err));
        Self { child: started(&mut command), out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        // It may be in the middle of a letter.
        String::from_utf8_lossy(&self.err.bytes()).into_owned()
    }

    /// How many bytes it has said on stderr so far.
    pub(crate) fn talk(&self) -> u64 {
        self.err.length()
    }

    /// Waits until it has said this.
    pub(crate) fn until(&mut self, text: &str) {
        self.until_any(&[text]);
    }

    /// Waits until it has said one of these.
    pub(crate) fn until_any<S: AsRef<str> + std::fmt::Debug>(&mut self, texts: &[S]) {
        let end = Instant::now() + PATIENCE;
        let mut seen = 0;
        loop {
            // In this order: what it said before its end has been said when it has ended.
            let over = self.child.try_wait().unwrap();
            if over.is_some() || self.talk() > seen {
                let said = self.said();
                if texts.iter().any(|text| said.contains(text.as_ref())) {
                    return;
                }
                assert!(over.is_none(), "it ended without any of {texts:?}: {over:?}\n{said}");
                seen = self.talk();
            }
            assert!(Instant::now() < end, "it does not say any of {texts:?}:\n{}", self.said());
            sleep(PAUSE);
        }
    }

    pub(crate) fn signal(&self, which: Signal) {
        signal(which, self.id());
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) -> Killed {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        match status.code() {
            None => Killed::Running(self.said()),
            Some(_) => Killed::Ended(self.made(status)),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn poll(&mut self) -> Option<Ended> {
        self.child.try_wait().unwrap().map(|status| self.made(status))
    }

    /// How it ends.
    pub(crate) fn ended(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = self.poll() {
                return ended;
            }
            assert!(Instant::now() < end, "it is still running; it said:\n{}", self.said());
            sleep(PAUSE);
        }
    }

    /// It ends with this code.
    pub(crate) fn ends_with(self, code: i32) -> Ended {
        self.ended().ended_with(code)
    }

    fn made(&self, status: ExitStatus) -> Ended {
        let text = |told: &Told| String::from_utf8(told.bytes()).unwrap();
        let code = status.code().unwrap_or_else(|| -status.signal().unwrap());
        Ended { code, stdout: text(&self.out), stderr: text(&self.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of a failed test; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
