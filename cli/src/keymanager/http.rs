//! HTTP/1.1 answers (RFC 9112), read as they arrive, as far as a key manager's have to be
//! understood.

use super::PushError;

/// Most bytes of the headers of an answer.
pub(super) const MOST_HEAD: usize = 64 << 10;
/// Most interim answers before it.
const MOST_INTERIM: usize = 8;

/// An answer, as far as it came. Every byte is looked at once, in whatever pieces it comes.
#[derive(Default)]
pub(super) struct Answer {
    bytes: Vec<u8>,
    /// Where the head that is being read begins: interim answers (RFC 9110 section 15.2) are passed
    /// over.
    head: usize,
    /// Up to where there is no end of that head.
    seen: usize,
    interim: usize,
    /// Once the head is there.
    body: Option<Body>,
}

struct Body {
    code: u16,
    /// Where it begins.
    start: usize,
    framing: Framing,
}

/// How long a body is.
enum Framing {
    Chunked(Chunks),
    Length(usize),
    /// Until the connection ends.
    Open,
}

impl Answer {
    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes what has arrived. Whether the answer is whole, by its own word.
    pub(super) fn take(&mut self, more: &[u8]) -> Result<bool, PushError> {
        self.bytes.extend_from_slice(more);
        while self.body.is_none() {
            if !self.read_head()? {
                return Ok(false);
            }
        }
        let Some(body) = &mut self.body else { return Ok(false) };
        let rest = &self.bytes[body.start..];
        match &mut body.framing {
            Framing::Chunked(chunks) => chunks.read(rest),
            Framing::Length(length) => Ok(rest.len() >= *length),
            Framing::Open => Ok(false),
        }
    }

    /// Reads one head, if all of it is there.
    fn read_head(&mut self) -> Result<bool, PushError> {
        let limit = self.bytes.len().min(self.head + MOST_HEAD);
        // Of an end that is split, up to three bytes were there before.
        let from = self.seen.saturating_sub(3).max(self.head);
        let found = self.bytes[from..limit].windows(4).position(|four| four == b"\r\n\r\n");
        let Some(found) = found else {
            self.seen = limit;
            return match self.bytes.len() - self.head < MOST_HEAD {
                true => Ok(false),
                false => Err(PushError::Answer("the headers do not end")),
            };
        };
        let end = from + found + 4;
        let (code, framing) = parse_head(&self.bytes[self.head..end])?;
        (self.head, self.seen) = (end, end);
        if !matches!(code, 100..=199) {
            self.body = Some(Body { code, start: end, framing });
            return Ok(true);
        }
        self.interim += 1;
        if self.interim > MOST_INTERIM {
            return Err(PushError::Answer("too many interim answers"));
        }
        Ok(true)
    }

    /// Status code and body, once the answer is whole or the connection has ended.
    pub(super) fn finish(self) -> Result<(u16, Vec<u8>), PushError> {
        let Body { code, start, framing } =
            self.body.ok_or(PushError::Answer("the headers do not end"))?;
        let rest = &self.bytes[start..];
        let body = match framing {
            Framing::Chunked(chunks) if chunks.ended => chunks.joined,
            Framing::Chunked(_) => return Err(PushError::Answer("invalid chunks")),
            Framing::Length(length) => {
                rest.get(..length).ok_or(PushError::Answer("shorter than it says"))?.to_vec()
            }
            Framing::Open => rest.to_vec(),
        };
        Ok((code, body))
    }
}

/// Status code and framing of a head, with the empty line at its end.
fn parse_head(head: &[u8]) -> Result<(u16, Framing), PushError> {
    core::str::from_utf8(head).map_err(|_| PushError::Answer("headers that are not text"))?;
    let lines = head.iter().filter(|byte| **byte == b'\n').count();
    let mut headers = vec![httparse::EMPTY_HEADER; lines];
    let mut response = httparse::Response::new(&mut headers);
    let mut config = httparse::ParserConfig::default();
    // A line of which nothing is needed may be anything.
    config.ignore_invalid_headers_in_responses(true);
    match config.parse_response(&mut response, head) {
        Ok(httparse::Status::Complete(end)) if end == head.len() => {}
        Err(httparse::Error::Status | httparse::Error::Version | httparse::Error::Token) => {
            return Err(PushError::Answer("no status line"));
        }
        _ => return Err(PushError::Answer("broken headers")),
    }
    let code = response.code.ok_or(PushError::Answer("no status line"))?;
    Ok((code, framing(response.headers)?))
}

fn framing(headers: &[httparse::Header<'_>]) -> Result<Framing, PushError> {
    let header = |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let is_chunked =
        |value: &[u8]| String::from_utf8_lossy(value).to_ascii_lowercase().contains("chunked");
    if header("transfer-encoding").is_some_and(|header| is_chunked(header.value)) {
        return Ok(Framing::Chunked(Chunks::default()));
    }
    let number = |value| core::str::from_utf8(value).ok()?.trim().parse().ok();
    match header("content-length").map(|header| number(header.value)) {
        None => Ok(Framing::Open),
        Some(Some(length)) => Ok(Framing::Length(length)),
        Some(None) => Err(PushError::Answer("a length that is not a number")),
    }
}

/// A body in chunks (RFC 9112 section 7.1), joined as they come.
#[derive(Default)]
struct Chunks {
    joined: Vec<u8>,
    /// Where the line or the chunk that is being read begins.
    at: usize,
    /// Up to where that line has no end.
    seen: usize,
    /// Bytes of the chunk that begins at `at`; `None` where a line does.
    size: Option<usize>,
    /// The last chunk was there: trailers follow, and an empty line.
    ended: bool,
}

impl Chunks {
    /// Goes on with the body, of which `rest` is there. Whether that is all of it.
    fn read(&mut self, rest: &[u8]) -> Result<bool, PushError> {
        let broken = || PushError::Answer("invalid chunks");
        loop {
            if let Some(size) = self.size {
                let end = self.at.checked_add(size).ok_or_else(broken)?;
                let after = end.checked_add(2).ok_or_else(broken)?;
                let Some(chunk) = rest.get(self.at..after) else { return Ok(false) };
                let chunk = chunk.strip_suffix(b"\r\n").ok_or_else(broken)?;
                self.joined.extend_from_slice(chunk);
                (self.at, self.seen, self.size) = (after, after, None);
            }
            let Some(found) = rest[self.seen..].iter().position(|byte| *byte == b'\n') else {
                self.seen = rest.len();
                return Ok(false);
            };
            let end = self.seen + found + 1;
            let line = &rest[self.at..end];
            (self.at, self.seen) = (end, end);
            if !self.ended {
                match httparse::parse_chunk_size(line) {
                    Ok(httparse::Status::Complete((_, 0))) => self.ended = true,
                    Ok(httparse::Status::Complete((read, size))) if read == line.len() => {
                        self.size = Some(usize::try_from(size).map_err(|_| broken())?);
                    }
                    _ => return Err(broken()),
                }
            } else if line == b"\r\n" {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// All of it at once, then the end of the connection.
    fn parse_answer(bytes: &[u8]) -> Result<(u16, Vec<u8>), PushError> {
        let mut answer = Answer::default();
        answer.take(bytes)?;
        answer.finish()
    }

    /// The same byte by byte.
    fn parse_slowly(bytes: &[u8]) -> Result<(u16, Vec<u8>), PushError> {
        let mut answer = Answer::default();
        for byte in bytes.chunks(1) {
            if answer.take(byte)? {
                break;
            }
        }
        answer.finish()
    }

    fn is_whole(bytes: &[u8]) -> Result<bool, PushError> {
        Answer::default().take(bytes)
    }

    #[test]
    fn answers() {
        let parsed = |text: &str| {
            let texts = |(code, body)| (code, String::from_utf8(body).unwrap());
            let (whole, slow) = (parse_answer(text.as_bytes()), parse_slowly(text.as_bytes()));
            match (&whole, &slow) {
                (Ok(whole), Ok(slow)) => assert_eq!(whole, slow, "{text:?}"),
                (Err(whole), Err(slow)) => assert_eq!(whole.to_string(), slow.to_string()),
                _ => panic!("{text:?}: {whole:?}, byte by byte {slow:?}"),
            }
            whole.map(texts)
        };
        assert_eq!(
            parsed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi more").unwrap(),
            (200, "hi".to_owned())
        );
        assert_eq!(parsed("HTTP/1.0 401 No\r\n\r\nwho").unwrap(), (401, "who".to_owned()));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n \
                       yo\r\n0\r\n\r\n";
        assert_eq!(parsed(chunked).unwrap(), (200, "hi yo".to_owned()));
        assert!(is_whole(chunked.as_bytes()).unwrap());
        let trailed = chunked.replace("\r\n0\r\n", "\r\n0\r\nX-Sum: 1\r\n");
        assert_eq!(parsed(&trailed).unwrap(), (200, "hi yo".to_owned()));
        assert!(is_whole(trailed.as_bytes()).unwrap());
        let cut = &chunked[..chunked.len() - 2];
        assert!(!is_whole(cut.as_bytes()).unwrap());
        assert_eq!(parsed(cut).unwrap(), (200, "hi yo".to_owned()));
        let odd = "HTTP/1.1 200 OK\r\nno colon\r\nX Y: 1\r\ncontent-length:  2 \r\n\r\nhi";
        assert_eq!(parsed(odd).unwrap(), (200, "hi".to_owned()));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(
            parsed(&format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")).unwrap(),
            (200, "hi".to_owned())
        );
        assert!(!is_whole(interim.as_bytes()).unwrap());
        assert!(matches!(
            parsed(&interim.repeat(20)),
            Err(PushError::Answer("too many interim answers"))
        ));
        for (text, reason) in [
            ("", "the headers do not end"),
            ("HTTP/1.1 200 OK\r\n", "the headers do not end"),
            ("HTTP/2 200\r\n\r\n", "no status line"),
            ("HTTP/1.1 x\r\n\r\n", "no status line"),
            ("HTTP/1.1 200 OK\r\nX: \u{e9}\n\nContent-Length: 2\r\n\r\nhi", "broken headers"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "shorter than it says"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi", "a length that is not a number"),
        ] {
            let said = parsed(text);
            assert!(matches!(said, Err(PushError::Answer(why)) if why == reason), "{text:?}");
        }
        for chunks in ["ffffffffffffffff\r\nhi", "2\r\nhi", "zz\r\n", "2\r\nhi!!0\r\n\r\n", ""] {
            let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            assert!(matches!(parsed(&text), Err(PushError::Answer("invalid chunks"))), "{text:?}");
        }
        let latin = b"HTTP/1.1 200 OK\r\nX: \xe9\r\n\r\n";
        let said = parse_answer(latin);
        assert!(matches!(said, Err(PushError::Answer("headers that are not text"))));
    }

    /// Byte by byte, a head of the greatest length, a line of a chunk as long as an answer may be,
    /// and as many chunks: for ever, if each byte had all before it read again.
    #[test]
    fn every_byte_is_looked_at_once() {
        let head = |fill: &str, framing: &str| {
            format!("HTTP/1.1 200 OK\r\nX: {fill}\r\n{framing}\r\n\r\n")
        };
        let long = head(&"x".repeat(MOST_HEAD - 100), "Content-Length: 2") + "hi";
        assert_eq!(parse_slowly(long.as_bytes()).unwrap(), (200, b"hi".to_vec()));
        let many = "1\r\nx\r\n".repeat(1 << 20);
        let line = format!("2;{}\r\nhi\r\n", "y".repeat(4 << 20));
        let chunked = head("", "Transfer-Encoding: chunked") + &line + &many + "0\r\n\r\n";
        let (code, body) = parse_slowly(chunked.as_bytes()).unwrap();
        assert_eq!((code, body.len()), (200, 2 + (1 << 20)));
    }
}
