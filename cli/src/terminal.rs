//! Reads a secret that is typed on the terminal: without an echo while it is typed, and with the
//! terminal as it was before, however the typing ends.

use std::io::{self, IsTerminal, Write};

use nix::sys::signal::{SigSet, SigmaskHow, Signal as Ends};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::{Zeroize, Zeroizing};

use quorate::primitives::secret::SecretBytes;

/// Most bytes of a secret that is typed.
const MOST_BYTES: usize = 4096;

/// What ends the program from outside.
const ENDS: [Ends; 4] = [Ends::SIGHUP, Ends::SIGINT, Ends::SIGQUIT, Ends::SIGTERM];

/// What a key does. The terminal leaves all of this to the program while a secret is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Byte(u8),
    Backspace,
    /// Ctrl-U: everything that was typed is forgotten.
    Clear,
    /// Ctrl-D.
    End,
    Enter,
    /// Ctrl-C and its kin.
    Signal(Signal),
}

impl Key {
    fn of(byte: u8) -> Self {
        match byte {
            b'\r' | b'\n' => Self::Enter,
            0x08 | 0x7f => Self::Backspace,
            0x15 => Self::Clear,
            0x04 => Self::End,
            0x03 => Self::Signal(Signal::INT),
            0x1c => Self::Signal(Signal::QUIT),
            0x1a => Self::Signal(Signal::TSTP),
            byte => Self::Byte(byte),
        }
    }
}

/// The terminal of stdin without its echo. Dropped, it is as it was before.
struct Silent {
    before: Termios,
    /// What would end the program from outside waits until the terminal is as it was before.
    ending: SignalFd,
    mask: SigSet,
}

impl Silent {
    fn new() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut without = before.clone();
        // Also no signals from its keys: they would end or stop the program with the echo off.
        without.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        without.special_codes[SpecialCodeIndex::VMIN] = 1;
        without.special_codes[SpecialCodeIndex::VTIME] = 0;
        let ends: SigSet = ENDS.into_iter().collect();
        let ending = SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let mask = ends.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let silent = Self { before, ending, mask };
        tcsetattr(&stdin, OptionalActions::Drain, &without)?;
        Ok(silent)
    }

    /// The next key, straight from the system: stdin's own buffer would keep what is typed. `None`
    /// if there is no more, or the program is told to end.
    fn next_key(&self) -> io::Result<Option<Key>> {
        let mut byte = Zeroizing::new([0]);
        let stdin = io::stdin();
        loop {
            let mut ready =
                [PollFd::new(&self.ending, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut ready, None) {
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            if !ready[0].revents().is_empty() {
                return Ok(None);
            }
            match rustix::io::read(&stdin, &mut byte[..]) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(Key::of(byte[0]))),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that has gone away needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
        // What has waited ends the program here.
        let _ = self.mask.thread_set_mask();
    }
}

/// Whether somebody sits there who can be asked: a script that runs in a terminal must not stop at
/// a question that nobody expects.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks for a secret, with a question that can be shown as it is. `None` if there was no answer:
/// Ctrl-D, or the terminal has gone away.
pub(crate) fn secret(question: &str) -> io::Result<Option<SecretBytes>> {
    loop {
        let silent = Silent::new()?;
        say(question);
        // Its room is made at once: a buffer that grows leaves a copy behind.
        let mut typed = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        let ended = type_into(&mut typed, || silent.next_key());
        drop(silent);
        say("\n");
        match ended? {
            Typed::Line => return Ok(Some(SecretBytes::new(core::mem::take(&mut *typed)))),
            Typed::Nothing => return Ok(None),
            Typed::TooLong => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("more than {MOST_BYTES} bytes were typed"),
                ));
            }
            // To everybody in the foreground, as the terminal would have sent it. After a stop, the
            // question is asked again; after the others only who ignores them goes on.
            Typed::Signal(signal) => {
                kill_current_process_group(signal)?;
                if signal != Signal::TSTP {
                    return Ok(None);
                }
            }
        }
    }
}

/// How the typing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typed {
    Line,
    Nothing,
    TooLong,
    Signal(Signal),
}

fn type_into(
    typed: &mut Vec<u8>,
    mut key: impl FnMut() -> io::Result<Option<Key>>,
) -> io::Result<Typed> {
    loop {
        match key()? {
            Some(Key::Enter) => return Ok(Typed::Line),
            Some(Key::End) if typed.is_empty() => return Ok(Typed::Nothing),
            Some(Key::End) => return Ok(Typed::Line),
            None => return Ok(Typed::Nothing),
            Some(Key::Signal(signal)) => return Ok(Typed::Signal(signal)),
            Some(Key::Clear) => {
                typed.as_mut_slice().zeroize();
                typed.clear();
            }
            // A character of UTF-8 goes as a whole.
            Some(Key::Backspace) => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            Some(Key::Byte(_)) if typed.len() == MOST_BYTES => return Ok(Typed::TooLong),
            Some(Key::Byte(byte)) => typed.push(byte),
        }
    }
}

fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    // Without a place to ask there is still somebody who types.
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn typed(keys: &[u8]) -> (Typed, Vec<u8>) {
        let mut keys = keys.iter();
        let mut line = Vec::new();
        let ended = type_into(&mut line, || Ok(keys.next().map(|byte| Key::of(*byte))));
        (ended.unwrap(), line)
    }

    #[test]
    fn what_keys_do() {
        for (keys, ended, line) in [
            (&b"secret\r"[..], Typed::Line, &b"secret"[..]),
            (b"secret\nmore", Typed::Line, b"secret"),
            (b"secrex\x7ft\n", Typed::Line, b"secret"),
            ("se\u{fc}\u{8}cret\n".as_bytes(), Typed::Line, b"secret"),
            (b"\x7f\x7fsecret\n", Typed::Line, b"secret"),
            (b"wrong\x15secret\n", Typed::Line, b"secret"),
            (b"secret\x04", Typed::Line, b"secret"),
            (b"\x04", Typed::Nothing, b""),
            (b"gone", Typed::Nothing, b"gone"),
            (b"half\x03", Typed::Signal(Signal::INT), b"half"),
            (b"half\x1a", Typed::Signal(Signal::TSTP), b"half"),
            (b"\x1c", Typed::Signal(Signal::QUIT), b""),
        ] {
            assert_eq!(typed(keys), (ended, line.to_vec()), "{keys:?}");
        }
        let long = vec![b'a'; MOST_BYTES + 1];
        assert_eq!(typed(&long).0, Typed::TooLong);
        assert_eq!(typed(&[&long[1..], b"\n"].concat()).0, Typed::Line);
    }
}
