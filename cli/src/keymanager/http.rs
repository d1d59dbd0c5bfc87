//! Parses the HTTP/1.1 answers (RFC 9112) of key managers.

use super::PushError;

/// Most bytes of the headers of an answer.
pub(super) const MOST_HEAD: usize = 64 << 10;
/// Most interim answers before it.
const MOST_INTERIM: usize = 8;

/// How long a body is.
enum Framing {
    Chunked,
    Length(usize),
    /// Until the connection ends.
    Open,
}

/// The headers of an answer, once they are there, and what follows them. Interim answers (RFC 9110
/// section 15.2) are passed over.
fn head_of(mut bytes: &[u8]) -> Result<Option<(&str, &[u8])>, PushError> {
    for _ in 0..=MOST_INTERIM {
        let front = &bytes[..bytes.len().min(MOST_HEAD)];
        let Some(end) = front.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if bytes.len() < MOST_HEAD {
                Ok(None)
            } else {
                Err(PushError::Answer("the headers do not end"))
            };
        };
        let head = core::str::from_utf8(&bytes[..end])
            .map_err(|_| PushError::Answer("headers that are not text"))?;
        bytes = &bytes[end + 4..];
        if !matches!(code_of(head), Some(100..=199)) {
            return Ok(Some((head, bytes)));
        }
    }
    Err(PushError::Answer("too many interim answers"))
}

fn code_of(head: &str) -> Option<u16> {
    let first = head.split("\r\n").next().unwrap_or_default();
    first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
}

fn framing(head: &str) -> Result<Framing, PushError> {
    let header = |name: &str| {
        head.split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
    };
    if header("transfer-encoding")
        .is_some_and(|(_, value)| value.to_ascii_lowercase().contains("chunked"))
    {
        return Ok(Framing::Chunked);
    }
    match header("content-length").map(|(_, value)| value.trim().parse()) {
        None => Ok(Framing::Open),
        Some(Ok(length)) => Ok(Framing::Length(length)),
        Some(Err(_)) => Err(PushError::Answer("a length that is not a number")),
    }
}

/// Whether this is a whole answer, by its own word.
pub(super) fn is_whole(bytes: &[u8]) -> Result<bool, PushError> {
    let Some((head, rest)) = head_of(bytes)? else { return Ok(false) };
    Ok(match framing(head)? {
        Framing::Chunked => rest.ends_with(b"0\r\n\r\n") && join_chunks(rest).is_ok(),
        Framing::Length(length) => rest.len() >= length,
        Framing::Open => false,
    })
}

/// Status code and body of an HTTP/1.1 answer, as far as it came.
pub(super) fn parse_answer(bytes: &[u8]) -> Result<(u16, Vec<u8>), PushError> {
    let (head, rest) = head_of(bytes)?.ok_or(PushError::Answer("the headers do not end"))?;
    let code = code_of(head).ok_or(PushError::Answer("no status line"))?;
    match framing(head)? {
        Framing::Chunked => Ok((code, join_chunks(rest)?)),
        Framing::Length(length) => {
            let body = rest.get(..length).ok_or(PushError::Answer("shorter than announced"))?;
            Ok((code, body.to_vec()))
        }
        Framing::Open => Ok((code, rest.to_vec())),
    }
}

/// The chunks of a body (RFC 9112 section 7.1), joined.
fn join_chunks(mut rest: &[u8]) -> Result<Vec<u8>, PushError> {
    let mut body = Vec::new();
    let broken = || PushError::Answer("invalid chunks");
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").ok_or_else(broken)?;
        let size = core::str::from_utf8(&rest[..end]).ok().and_then(|line| line.split(';').next());
        let size = size
            .and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok())
            .ok_or_else(broken)?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(body);
        }
        let (chunk, after) = rest.split_at_checked(size).ok_or_else(broken)?;
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").ok_or_else(broken)?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn answers() {
        let parsed = |text: &str| {
            parse_answer(text.as_bytes())
                .map(|(code, body)| (code, String::from_utf8(body).unwrap()))
        };
        assert_eq!(
            parsed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi more").unwrap(),
            (200, "hi".to_owned())
        );
        assert_eq!(parsed("HTTP/1.0 401 No\r\n\r\nwho").unwrap(), (401, "who".to_owned()));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n \
                       yo\r\n0\r\n\r\n";
        assert_eq!(parsed(chunked).unwrap(), (200, "hi yo".to_owned()));
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
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(matches!(parsed(text), Err(PushError::Answer(_))), "{text:?}");
        }
    }
}
