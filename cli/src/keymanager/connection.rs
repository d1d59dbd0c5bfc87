//! Requests to a key manager or a remote signer and its answers, over HTTP/1.1 (RFC 9112) without
//! TLS, one request per connection: where it is, the token that opens it, how long it may take.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::http::Answer;
use quorate::primitives::secret::SecretBytes;

/// How long an answer may take, from the request to its last byte.
const PATIENCE: Duration = Duration::from_secs(300);
const CONNECT: Duration = Duration::from_secs(10);
/// Most bytes of an answer: a status for each key, or all keys that the client has.
const MOST_ANSWER: usize = 16 << 20;
/// Most characters of what a key manager says that are shown.
const MOST_SHOWN: usize = 300;

/// Why a key manager did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error("not a URL like http://127.0.0.1:7500: {0}")]
    Url(&'static str),
    #[error("this program does not support TLS")]
    Https,
    #[error(
        "{0} is not this machine, and plain HTTP shows keystores, passwords and token to anyone on \
         the network path"
    )]
    NotLoopback(IpAddr),
    #[error("the token is not one line of printable characters")]
    Token,
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("this is not the answer of a key manager: {0}")]
    Answer(&'static str),
    #[error("no complete answer within {} seconds", .0.as_secs())]
    Slow(Duration),
    #[error("it answers {0}, a redirect; redirects are not followed")]
    Redirect(u16),
    #[error("the key manager says {code}: {message}")]
    Status { code: u16, message: String },
    #[error("it gave {found} statuses for {sent} keys")]
    Count { sent: usize, found: usize },
    #[error("the key manager does not list 0x{0} after the import")]
    Missing(String),
    #[error("the key manager still lists 0x{0} after it was removed")]
    Remains(String),
}

impl PushError {
    /// Whether nothing was imported by the request that ended like this: it was not made, or
    /// refused as a whole.
    pub(super) fn is_before_import(&self) -> bool {
        matches!(
            self,
            Self::Connect(_) | Self::Redirect(_) | Self::Status { code: 400 | 401 | 403..=405, .. }
        )
    }
}

/// Where a key manager is, and the token that opens it; empty, of one that has none. Each request
/// is a connection of its own.
pub(super) struct Connection {
    addresses: Vec<SocketAddr>,
    host: String,
    base: String,
    token: Zeroizing<String>,
    patience: Duration,
}

impl Connection {
    /// Checks the URL and the token, and resolves the name. Every address that it resolves to must
    /// be this machine's, unless `insecure`.
    pub(super) fn new(url: &str, token: &SecretBytes, insecure: bool) -> Result<Self, PushError> {
        let open = Self::without_token(url, insecure)?;
        let text = core::str::from_utf8(token.expose()).map_err(|_| PushError::Token)?;
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(PushError::Token);
        }
        Ok(Self { token: Zeroizing::new(text.to_owned()), ..open })
    }

    /// The same of a server that asks for no token.
    pub(super) fn without_token(url: &str, insecure: bool) -> Result<Self, PushError> {
        if url.starts_with("https://") {
            return Err(PushError::Https);
        }
        let rest =
            url.strip_prefix("http://").ok_or(PushError::Url("it does not start with http://"))?;
        if !rest.bytes().all(|b| b.is_ascii_graphic()) || rest.contains(['@', '?', '#']) {
            return Err(PushError::Url(
                "it has a character, a user or a query that is not allowed",
            ));
        }
        let (host, base) = rest.split_once('/').unwrap_or((rest, ""));
        let with_port = match host.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => host.to_owned(),
            _ => return Err(PushError::Url("no port")),
        };
        let addresses: Vec<SocketAddr> = with_port.to_socket_addrs()?.collect();
        if let Some(other) =
            addresses.iter().find(|address| !address.ip().is_loopback()).filter(|_| !insecure)
        {
            return Err(PushError::NotLoopback(other.ip()));
        }
        if addresses.is_empty() {
            return Err(PushError::Url("no such host"));
        }
        let base = base.trim_end_matches('/');
        let base = if base.is_empty() { String::new() } else { format!("/{base}") };
        Ok(Self {
            addresses,
            host: host.to_owned(),
            base,
            token: Zeroizing::default(),
            patience: PATIENCE,
        })
    }

    /// The same, whose answers may take so long.
    pub(super) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// A connection to the first of its addresses where somebody is.
    fn connect(&self) -> Result<TcpStream, PushError> {
        let mut why = io::ErrorKind::AddrNotAvailable.into();
        for address in &self.addresses {
            match TcpStream::connect_timeout(address, CONNECT) {
                Ok(stream) => return Ok(stream),
                Err(error) => why = error,
            }
        }
        Err(PushError::Connect(why))
    }

    /// One request on a connection of its own, a method and a path; the body of the answer.
    pub(super) fn ask(
        &self,
        what: (&str, &str),
        body: Option<&[u8]>,
        password: &str,
    ) -> Result<Vec<u8>, PushError> {
        self.ask_up_to(MOST_ANSWER, what, body, password)
    }

    /// The same, of which the answer may have `most` bytes.
    pub(super) fn ask_up_to(
        &self,
        most: usize,
        (method, path): (&str, &str),
        body: Option<&[u8]>,
        password: &str,
    ) -> Result<Vec<u8>, PushError> {
        let deadline = Instant::now() + self.patience;
        let mut stream = self.connect()?;
        stream.set_write_timeout(Some(self.patience))?;
        // Larger than what is written: a buffer that grows leaves a copy of the token behind.
        let fixed = 512 + method.len() + path.len();
        let room = fixed + self.base.len() + self.host.len() + self.token.len();
        let mut head = Zeroizing::new(String::with_capacity(room));
        let length = body.map(|body| {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
        });
        let bearer = if self.token.is_empty() { "" } else { "\r\nAuthorization: Bearer " };
        let parts = [
            &format!("{method} {}{path} HTTP/1.1\r\nHost: {}", self.base, self.host),
            bearer,
            self.token.as_str(),
            "\r\nAccept: application/json\r\nConnection: close\r\n",
            length.as_deref().unwrap_or_default(),
            "\r\n",
        ];
        parts.iter().for_each(|part| head.push_str(part));
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.unwrap_or_default())?;
        stream.flush()?;
        let (code, body) = self.read(&mut stream, deadline, most)?.finish()?;
        match code {
            200..=299 => Ok(body),
            // Wherever it points to would get keystores, passwords and the token.
            300..=399 => Err(PushError::Redirect(code)),
            _ => Err(PushError::Status {
                code,
                message: self.shown(&String::from_utf8_lossy(&body), password),
            }),
        }
    }

    /// An answer, until it is whole or the connection ends: not every server closes one that it was
    /// asked to close.
    fn read(
        &self,
        stream: &mut TcpStream,
        deadline: Instant,
        most: usize,
    ) -> Result<Answer, PushError> {
        let slow = || PushError::Slow(self.patience);
        let (mut answer, mut piece) = (Answer::default(), [0; 16 << 10]);
        loop {
            let left = deadline
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
                .ok_or_else(slow)?;
            stream.set_read_timeout(Some(left))?;
            let count = match stream.read(&mut piece) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    return Err(slow());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if answer.len() + count > most {
                return Err(PushError::Answer("longer than the limit"));
            }
            if answer.take(&piece[..count])? || count == 0 {
                return Ok(answer);
            }
        }
    }

    /// What a key manager says, as far as it is shown: it may repeat what it was sent.
    pub(super) fn shown(&self, text: &str, password: &str) -> String {
        let quoted = Zeroizing::new(serde_json::to_string(password).unwrap_or_default());
        let secrets = [self.token.as_str(), quoted.trim_matches('"'), password];
        let hidden = secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "(secret)"));
        // On one line: what it says cannot look like what we say.
        hidden.replace('\n', "\\n").chars().take(MOST_SHOWN).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::http::MOST_HEAD;
    use super::*;

    fn refused(url: &str, insecure: bool) -> String {
        Connection::new(url, &SecretBytes::new(b"token".to_vec()), insecure)
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn urls() {
        assert!(refused("https://127.0.0.1:7500", false).contains("does not support TLS"));
        assert!(refused("http://192.0.2.1:7500", false).contains("192.0.2.1 is not this machine"));
        for url in [
            "127.0.0.1:7500",
            "http://127.0.0.1",
            "http://u@127.0.0.1:1",
            "http://127.0.0.1:1/?a",
            "http://127.0.0.1:1/a b",
            "ftp://a:1",
        ] {
            assert!(refused(url, true).contains("not a URL"), "{url}");
        }
        let manager = |url, insecure| {
            Connection::new(url, &SecretBytes::new(b"token".to_vec()), insecure).is_ok()
        };
        assert!(
            manager("http://127.0.0.1:7500", false) && manager("http://[::1]:7500/base/", false)
        );
        assert!(manager("http://192.0.2.1:7500", true));
        for token in [&b""[..], b"two lines\nX-Header: 1", b"\xff", b"sp ace"] {
            let error =
                Connection::new("http://127.0.0.1:1", &SecretBytes::new(token.to_vec()), false)
                    .err()
                    .unwrap();
            assert!(matches!(error, PushError::Token));
        }
    }

    /// A key manager that answers a request for all keys with `answer`, then keeps the connection,
    /// and sends `drip` for ever.
    fn asked(answer: String, drip: &'static [u8], patience: Duration) -> Result<String, PushError> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
            // Until the other side has gone away.
            while stream.write_all(drip).is_ok()
                && (!drip.is_empty() || stream.read(&mut [0]).is_ok_and(|count| count > 0))
            {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let manager = Connection::new(&url, &SecretBytes::new(b"token".to_vec()), false).unwrap();
        let said = Connection { patience, ..manager }
            .ask(("GET", "/eth/v1/keystores"), None, "pass\"word")
            .map(|body| String::from_utf8(body).unwrap());
        server.join().unwrap();
        said
    }

    #[test]
    fn every_address_of_a_host_is_tried() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let somebody = listener.local_addr().unwrap();
        let manager =
            Connection::new("http://127.0.0.1:1", &SecretBytes::new(b"token".to_vec()), false)
                .unwrap();
        let manager = Connection { addresses: vec![nobody, somebody], ..manager };
        assert_eq!(manager.connect().unwrap().peer_addr().unwrap(), somebody);
        drop(listener);
        assert!(matches!(manager.connect(),
            Err(PushError::Connect(error)) if error.kind() == io::ErrorKind::ConnectionRefused));
    }

    #[test]
    fn a_connection_that_stays_open_is_not_waited_for() {
        let long = Duration::from_secs(60);
        let begun = Instant::now();
        for headers in [
            "Content-Length: 2\r\n\r\nhi",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        ] {
            assert_eq!(asked(format!("HTTP/1.1 200 OK\r\n{headers}"), b"", long).unwrap(), "hi");
        }
        assert!(begun.elapsed() < long);
    }

    #[test]
    fn an_answer_has_its_time_as_a_whole() {
        let short = Duration::from_millis(200);
        for (answer, drip) in
            [("", &b""[..]), ("HTTP/1.1 200 OK\r\nX: ", b"x"), ("HTTP/1.1 200 OK\r\n\r\n", b"x")]
        {
            let said = asked(answer.to_owned(), drip, short);
            assert!(matches!(said, Err(PushError::Slow(_))), "{said:?}");
        }
        let endless = asked(
            format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(MOST_HEAD)),
            b"",
            Duration::from_secs(60),
        );
        assert!(matches!(endless, Err(PushError::Answer("the headers do not end"))));
    }

    #[test]
    fn redirects_are_not_followed() {
        for code in [301, 302, 307, 308] {
            let there = "Location: http://192.0.2.1:7500/eth/v1/keystores\r\nContent-Length: 0";
            let said = asked(
                format!("HTTP/1.1 {code} Elsewhere\r\n{there}\r\n\r\n"),
                b"",
                Duration::from_secs(60),
            );
            let error = said.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("it answers {code}, a redirect; redirects are not followed")
            );
            assert!(error.is_before_import());
        }
    }

    #[test]
    fn what_a_key_manager_repeats_is_not_shown() {
        let body = format!("Bearer token, [\"pass\\\"word\"]\n{}", "pass\"word".repeat(100));
        let answer = format!("HTTP/1.1 400 Bad\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let Err(PushError::Status { code: 400, message }) =
            asked(answer, b"", Duration::from_secs(60))
        else {
            panic!()
        };
        assert!(message.starts_with("Bearer (secret), [\"(secret)\"]\\n(secret)"), "{message}");
        assert!(message.chars().count() <= MOST_SHOWN && !message.contains("pass"), "{message}");
    }
}
