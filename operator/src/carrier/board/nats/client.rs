//! A connection to a NATS server: requests and their answers, one after the other.

use std::io::{self, BufReader, ErrorKind, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::LEAST_VERSION;
use super::credentials::{Credentials, Greeted};
use super::fault::{ServerFault, quoted};
use super::wire::{Said, read};
use crate::random;

/// How long a connection and an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a server has to take at least in one message, and what is put in one at most.
pub(super) const PIECE: std::ops::RangeInclusive<usize> = 1024..=1 << 20;

/// What a server says of itself; the rest of it is of no use here.
#[derive(Debug, Deserialize)]
struct Info {
    max_payload: usize,
    #[serde(default)]
    tls_required: bool,
    /// Forks of the server may leave it away, or have another.
    #[serde(default)]
    version: String,
    #[serde(default)]
    nonce: Option<String>,
}

/// What we say of ourselves.
#[derive(Serialize)]
struct Greeting<'a> {
    verbose: bool,
    pedantic: bool,
    lang: &'static str,
    version: &'static str,
    protocol: u8,
    name: &'static str,
    headers: bool,
    no_responders: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nkey: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sig: Option<String>,
}

/// A connection that was opened and answers.
pub(super) struct Client {
    from: BufReader<Timed>,
    /// Bytes that one message may have.
    pub(super) piece: usize,
    /// What the server calls its version: anything.
    pub(super) version: String,
    /// Whether credentials were given.
    given: bool,
    inbox: String,
}

/// A stream that has an end in time, however slowly bytes come.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        match self.stream.read(into) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
            read => read,
        }
    }
}

fn fault(what: ServerFault) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Whether a version is one that a board can do with. What is none is not judged.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split(['.', '-', '+']).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= LEAST_VERSION,
        _ => true,
    }
}

/// What nobody can guess.
fn token() -> String {
    let mut token = [0; 12];
    random::os().fill_bytes(&mut token);
    hex::encode(token)
}

impl Client {
    /// Connects, and says who we are.
    pub(super) fn open(address: &str, credentials: Option<&Credentials>) -> io::Result<Self> {
        let until = Instant::now() + PATIENCE;
        let mut failed = fault(ServerFault::Resolve);
        let mut connected = None;
        let found = address.to_socket_addrs().map_err(|_| fault(ServerFault::Resolve))?;
        for address in found {
            let left = until.saturating_duration_since(Instant::now());
            match TcpStream::connect_timeout(&address, left.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    connected = Some(stream);
                    break;
                }
                Err(error) => failed = error,
            }
        }
        let stream = connected.ok_or(failed)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let inbox = format!("_INBOX.{}", token());
        let from = BufReader::new(Timed { stream, until });
        let given = credentials.is_some();
        let mut client = Self { from, piece: 0, version: String::new(), given, inbox };
        let info = match read(&mut client.from)? {
            Said::Info(info) => serde_json::from_slice::<Info>(&info).ok(),
            // It has room for no more connections, say.
            Said::Err(error) => return Err(fault(ServerFault::told(&error, given))),
            _ => None,
        };
        let info = info.ok_or_else(|| fault(ServerFault::NotNats))?;
        if info.tls_required {
            return Err(fault(ServerFault::Tls));
        }
        if !is_new_enough(&info.version) {
            return Err(fault(ServerFault::TooOld(quoted(&info.version))));
        }
        client.piece = info.max_payload.min(*PIECE.end());
        client.version = quoted(&info.version);
        if !PIECE.contains(&client.piece) {
            return Err(fault(ServerFault::SmallMessages(info.max_payload)));
        }
        let room = credentials.map_or(0, Credentials::room);
        let greeted = match credentials {
            Some(credentials) => credentials
                .greeting(info.nonce.as_deref())
                .ok_or_else(|| fault(ServerFault::AsksForNoKey))?,
            None => Greeted::default(),
        };
        client.greet(greeted, room)?;
        Ok(client)
    }

    fn greet(&mut self, greeted: Greeted<'_>, room: usize) -> io::Result<()> {
        let Greeted { user, pass, auth_token, nkey, jwt, sig } = greeted;
        let greeting = Greeting {
            verbose: false,
            pedantic: false,
            lang: "rust",
            version: env!("CARGO_PKG_VERSION"),
            protocol: 1,
            name: "quorate",
            headers: true,
            no_responders: true,
            user,
            pass,
            auth_token,
            nkey,
            jwt,
            sig,
        };
        // Never grown, so that no copy of a password is left behind.
        let mut line = Zeroizing::new(Vec::with_capacity(1024 + room));
        line.extend_from_slice(b"CONNECT ");
        serde_json::to_writer(&mut *line, &greeting).map_err(io::Error::from)?;
        line.extend_from_slice(format!("\r\nSUB {}.* 1\r\nPING\r\n", self.inbox).as_bytes());
        self.send(&[&line])?;
        loop {
            match read(&mut self.from)? {
                Said::Pong => return Ok(()),
                Said::Err(error) => return Err(self.told(&error)),
                Said::Ping => self.send(&[b"PONG\r\n"])?,
                Said::Info(_) | Said::Ok | Said::Message { .. } => {}
            }
        }
    }

    fn told(&self, error: &str) -> io::Error {
        fault(ServerFault::told(error, self.given))
    }

    fn send(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let mut stream = &self.from.get_ref().stream;
        parts.iter().try_for_each(|part| stream.write_all(part))
    }

    /// Says something and gives the answer; `None` if nobody is there who answers.
    pub(super) fn ask(&mut self, subject: &str, payload: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.from.get_mut().until = Instant::now() + PATIENCE;
        // Whoever else may use the server can see earlier ones, and would answer in its place.
        let reply = format!("{}.{}", self.inbox, token());
        let head = format!("PUB {subject} {reply} {}\r\n", payload.len());
        self.send(&[head.as_bytes(), payload, b"\r\n"])?;
        loop {
            match read(&mut self.from)? {
                // Late answers to what was asked before are not waited for any more.
                Said::Message { subject, status, payload } if subject == reply => {
                    let nobody = status.is_some_and(|status| status.starts_with("NATS/1.0 503"));
                    return Ok((!nobody).then_some(payload));
                }
                Said::Err(error) => return Err(self.told(&error)),
                Said::Ping => self.send(&[b"PONG\r\n"])?,
                Said::Info(_) | Said::Ok | Said::Pong | Said::Message { .. } => {}
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::BufRead as _;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn versions_that_a_board_can_do_with() {
        for (version, fine) in [
            ("2.8.4", false),
            ("v2.8.4", false),
            ("1.4.1", false),
            ("2.9.0-beta.1", true),
            ("2.9.10", true),
            ("2.15.3", true),
            ("3.0.0", true),
            // Not the server's own numbering.
            ("", true),
            ("main", true),
        ] {
            assert_eq!(is_new_enough(version), fine, "{version}");
        }
    }

    #[test]
    fn no_answer_can_be_given_before_it_is_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // A server that answers each request twice, and says where to.
        let server = thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            stream.get_mut().write_all(b"INFO {\"max_payload\":1048576}\r\nPONG\r\n").unwrap();
            let (mut replies, mut line) = (Vec::new(), String::new());
            while stream.read_line(&mut line).unwrap() > 0 {
                if let Some(head) = line.strip_prefix("PUB ") {
                    let reply = head.split(' ').nth(1).unwrap().to_owned();
                    let answer = format!("MSG {reply} 1 {0}\r\n{reply}\r\n", reply.len());
                    stream.get_mut().write_all(answer.repeat(2).as_bytes()).unwrap();
                    replies.push(reply);
                }
                line.clear();
            }
            replies
        });
        let mut client = Client::open(&address, None).unwrap();
        let answers: Vec<Vec<u8>> =
            (0..3).map(|_| client.ask("a", b"x").unwrap().unwrap()).collect();
        drop(client);
        let replies = server.join().unwrap();
        let found: Vec<&[u8]> = replies.iter().map(String::as_bytes).collect();
        assert_eq!(answers, found);
        let last = |reply: &String| reply.rsplit('.').next().unwrap().to_owned();
        let tokens: std::collections::BTreeSet<String> = replies.iter().map(last).collect();
        assert_eq!(tokens.len(), 3);
        assert!(tokens.iter().all(|token| token.len() == 24), "{tokens:?}");
    }
}
