//! What a NATS server says, read at bounded cost: the lines of its protocol and the messages behind
//! them (NATS client protocol, docs.nats.io). The server may be anybody.

use std::io::{self, BufRead, Read};

/// The longest line of a server: its INFO may be long.
const LONGEST_LINE: usize = 64 << 10;
/// The longest message: a list of what is in a stream.
pub(super) const LONGEST_MESSAGE: usize = 24 << 20;

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// About itself, as JSON.
    Info(Vec<u8>),
    /// It wants to know whether we are there.
    Ping,
    /// It is there.
    Pong,
    /// It has taken what we said.
    Ok,
    /// It has not.
    Err(String),
    /// A message for a subject.
    Message {
        /// The subject.
        subject: String,
        /// Its headers' first line, if it has any: `NATS/1.0 503` where nobody listens.
        status: Option<String>,
        /// What it says.
        payload: Vec<u8>,
    },
}

/// Reads one thing that a server says. Nothing is reserved for what is announced and has not come.
///
/// # Errors
/// `InvalidData` for what is no such thing, or is too long; otherwise the connection's.
pub fn read(from: &mut impl BufRead) -> io::Result<Said> {
    let line = line(from)?;
    let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((&line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "INFO" => Ok(Said::Info(rest.trim().as_bytes().to_vec())),
        "PING" => Ok(Said::Ping),
        "PONG" => Ok(Said::Pong),
        "+OK" => Ok(Said::Ok),
        "-ERR" => Ok(Said::Err(rest.trim().trim_matches('\'').to_owned())),
        "MSG" => message(from, rest, false),
        "HMSG" => message(from, rest, true),
        _ => Err(invalid("a line that is none of its protocol")),
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
    from.by_ref().take(most).read_until(b'\n', &mut bytes)?;
    match bytes.strip_suffix(b"\r\n") {
        Some(line) => {
            let text = core::str::from_utf8(line).map_err(|_| invalid("a line that is no text"))?;
            Ok(text.to_owned())
        }
        None if bytes.len() == LONGEST_LINE => Err(invalid("a line without an end")),
        None if bytes.ends_with(b"\n") => Err(invalid("a line that ends otherwise")),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// `subject sid [reply] [header bytes] bytes`.
fn message(from: &mut impl BufRead, rest: &str, headers: bool) -> io::Result<Said> {
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let counts = 1 + usize::from(headers);
    if !(2 + counts..=3 + counts).contains(&words.len()) {
        return Err(invalid("a message with other fields"));
    }
    let number = |word: &str| {
        let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let number = word.parse().ok().filter(|n| digits && *n <= LONGEST_MESSAGE);
        number.ok_or_else(|| invalid("a message that is too long"))
    };
    let total = number(words[words.len() - 1])?;
    let front = if headers { number(words[words.len() - 2])? } else { 0 };
    if front > total {
        return Err(invalid("headers that are longer than their message"));
    }
    let mut bytes = Vec::new();
    from.by_ref().take(total as u64 + 2).read_to_end(&mut bytes)?;
    if bytes.len() < total + 2 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !bytes.ends_with(b"\r\n") {
        return Err(invalid("a message that goes on behind its end"));
    }
    bytes.truncate(total);
    let payload = bytes.split_off(front);
    let status = headers.then(|| {
        let first = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
        String::from_utf8_lossy(first).into_owned()
    });
    Ok(Said::Message { subject: words[0].to_owned(), status, payload })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> Vec<Result<Said, io::ErrorKind>> {
        let mut said = Vec::new();
        while !bytes.is_empty() {
            match read(&mut bytes) {
                Ok(one) => said.push(Ok(one)),
                Err(error) => {
                    said.push(Err(error.kind()));
                    break;
                }
            }
        }
        said
    }

    #[test]
    fn what_servers_say() {
        // Examples of the protocol's documentation.
        let said = all(b"INFO {\"max_payload\":1048576}\r\nPING\r\nPONG\r\n+OK\r\n-ERR \
            'Unknown Protocol Operation'\r\nMSG FOO.BAR 9 11\r\nHello World\r\nMSG FOO.BAR 9 \
            GREETING.34 11\r\nHello World\r\nHMSG FOO.BAR 9 34 45\r\nNATS/1.0\r\nFoodGroup: \
            vegetable\r\n\r\nHello World\r\nHMSG I.1 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
        let message = |subject: &str, status: Option<&str>, payload: &[u8]| {
            let status = status.map(str::to_owned);
            Ok(Said::Message { subject: subject.to_owned(), status, payload: payload.to_vec() })
        };
        let hello = b"Hello World";
        assert_eq!(
            said,
            [
                Ok(Said::Info(b"{\"max_payload\":1048576}".to_vec())),
                Ok(Said::Ping),
                Ok(Said::Pong),
                Ok(Said::Ok),
                Ok(Said::Err("Unknown Protocol Operation".to_owned())),
                message("FOO.BAR", None, hello),
                message("FOO.BAR", None, hello),
                message("FOO.BAR", Some("NATS/1.0"), hello),
                message("I.1", Some("NATS/1.0 503"), b""),
            ]
        );
    }

    #[test]
    fn what_no_server_should_say() {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        let endless = vec![b'x'; LONGEST_LINE + 9];
        let long = format!("MSG a 1 {}\r\n", LONGEST_MESSAGE + 1);
        for (bytes, kind) in [
            (&b"HELLO\r\n"[..], InvalidData),
            (b"PING\n", InvalidData),
            (b"PING", UnexpectedEof),
            (b"MSG a 1\r\n", InvalidData),
            (b"MSG a 1 b c 4\r\n", InvalidData),
            (b"MSG a 1 -4\r\n", InvalidData),
            (b"MSG a 1 +4\r\nabcd\r\n", InvalidData),
            (b"MSG a 1 4\r\nabc", UnexpectedEof),
            (b"MSG a 1 4\r\nabcdef\r\n", InvalidData),
            (b"HMSG a 1 5 4\r\nabcd\r\n", InvalidData),
            (b"MSG a 1 99999999999999999999999\r\n", InvalidData),
            (long.as_bytes(), InvalidData),
            (b"INFO \xff\r\n", InvalidData),
            (&endless, InvalidData),
        ] {
            let said = all(bytes);
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
            assert_eq!(said.last().unwrap(), &Err(kind), "{text}");
        }
    }
}
