//! A terminal for the program: a pseudo terminal of a known width, on which a test reads and types.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::program::PATIENCE;
use super::running::started;

/// Between two looks at the screen.
const PAUSE: Duration = Duration::from_millis(2);

/// A process with a terminal for all that it reads and writes.
pub(crate) struct OnTerminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl OnTerminal {
    /// Starts a command on a new terminal, `columns` wide.
    pub(crate) fn start(mut command: Command, columns: u16) -> Self {
        let owner = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&owner).unwrap();
        unlockpt(&owner).unwrap();
        let name = ptsname(&owner, Vec::new()).unwrap();
        let user = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&user, size).unwrap();
        let another = || user.try_clone().unwrap();
        command.stdin(another()).stdout(another()).stderr(another());
        let child = started(&mut command);
        // So that only the process holds it: where it ends, so does what can be read.
        drop((command, user));
        let keyboard = File::from(owner);
        let (from, screen) = (keyboard.try_clone().unwrap(), Arc::default());
        let reader = Some(thread::spawn({
            let screen = Arc::clone(&screen);
            || read(from, screen)
        }));
        Self { child, keyboard, screen, reader }
    }

    /// Types a line where the screen ends with a question.
    pub(crate) fn answers(&mut self, question: &str, line: &str) {
        let since = Instant::now();
        while !self.screen().ends_with(question) {
            assert!(since.elapsed() < PATIENCE, "{question:?} in:\n{}", self.screen());
            sleep(PAUSE);
        }
        let before = self.screen().len();
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        // So that the next answer is not one to the same question.
        while self.screen().len() == before {
            assert!(since.elapsed() < PATIENCE, "no end of:\n{}", self.screen());
            sleep(PAUSE);
        }
    }

    fn screen(&self) -> String {
        let bytes = self.screen.lock().unwrap();
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }

    /// Its exit code, and everything that was on the screen, with what was typed.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        self.reader.take().map(JoinHandle::join).unwrap().unwrap();
        (code, self.screen())
    }
}

fn read(mut from: File, screen: Arc<Mutex<Vec<u8>>>) {
    let mut some = [0; 4096];
    loop {
        match from.read(&mut some) {
            Ok(0) => break,
            Ok(count) => screen.lock().unwrap().extend(&some[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Nobody holds the other end any more.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => break,
            Err(error) => panic!("{error}"),
        }
    }
}
