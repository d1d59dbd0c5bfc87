//! A call through a SOCKS5 proxy (RFC 1928), without authentication: the proxy looks up names, so
//! an onion service is an address like others.

use core::fmt;

use quorate::spec::Endpoint;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::LinkError;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;
const SUCCEEDED: u8 = 0;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Whether `HOST:PORT` is of an onion service, whose name is for its proxy alone: whoever answers
/// look-ups would learn who is called (RFC 7686, section 2).
pub(super) fn is_onion(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.strip_suffix('.').unwrap_or(host);
    host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("onion"))
}

/// Why a proxy made no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Its name does not resolve.
    #[error("the proxy's host name does not resolve")]
    Resolve,
    /// No connection to it.
    #[error("the proxy is not reachable: {0}")]
    Unreachable(std::io::ErrorKind),
    /// It does not answer in time.
    #[error("the proxy did not answer within {0} s")]
    Silent(u64),
    /// It closed the connection before it had answered.
    #[error("the proxy closed the connection")]
    Closed,
    /// What it says is not of this protocol.
    #[error("what answers there is not a SOCKS5 proxy")]
    NotSocks5,
    /// It wants a user name or another proof.
    #[error("the proxy demands authentication")]
    Authentication,
    /// It did not make the connection.
    #[error("the proxy made no connection: {0}")]
    Refused(Reply),
}

/// Why, in the proxy's words (RFC 1928 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply(pub u8);

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "general failure",
            2 => "its rules do not allow it",
            3 => "network unreachable",
            4 => "host unreachable",
            5 => "connection refused",
            6 => "no answer in time",
            7 => "it cannot connect",
            8 => "it does not know this kind of address",
            // An onion service, for proxies that tell.
            0xf0 => "the onion service has no descriptor",
            0xf1..=0xf7 => "the onion service does not answer",
            _ => return write!(f, "reply {}", self.0),
        })
    }
}

/// Has the proxy at the other end of `io` connect to `to`. Afterwards `io` is that connection. At
/// most 2 and then 262 bytes are read. The caller bounds the time.
pub async fn connect<S>(io: &mut S, to: &Endpoint) -> Result<(), LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    io.write_all(&[VERSION, 1, NO_AUTHENTICATION]).await.map_err(closed)?;
    match read::<2, S>(io).await? {
        [VERSION, NO_AUTHENTICATION] => {}
        [VERSION, NO_METHOD] => return Err(ProxyError::Authentication.into()),
        _ => return Err(ProxyError::NotSocks5.into()),
    }
    io.write_all(&request(to)).await.map_err(closed)?;
    let [version, reply, reserved, kind] = read::<4, S>(io).await?;
    if version != VERSION || reserved != 0 {
        return Err(ProxyError::NotSocks5.into());
    }
    if reply != SUCCEEDED {
        return Err(ProxyError::Refused(Reply(reply)).into());
    }
    // Where the proxy has bound a port for us, which is of no interest.
    let bound = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1, S>(io).await?[0]),
        _ => return Err(ProxyError::NotSocks5.into()),
    };
    let mut rest = [0; 255 + 2];
    io.read_exact(&mut rest[..bound + 2]).await.map_err(closed)?;
    Ok(())
}

fn request(to: &Endpoint) -> Vec<u8> {
    use std::net::IpAddr;
    let mut bytes = vec![VERSION, CONNECT, 0];
    let host = to.host();
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            bytes.push(IPV4);
            bytes.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            bytes.push(IPV6);
            bytes.extend(address.octets());
        }
        Err(_) => {
            bytes.push(NAME);
            bytes.push(u8::try_from(host.len()).expect("a name has at most 253 bytes"));
            bytes.extend(host.as_bytes());
        }
    }
    bytes.extend(to.port().to_be_bytes());
    bytes
}

async fn read<const N: usize, S>(io: &mut S) -> Result<[u8; N], LinkError>
where
    S: AsyncRead + Unpin,
{
    let mut bytes = [0; N];
    io.read_exact(&mut bytes).await.map_err(closed)?;
    Ok(bytes)
}

/// A proxy that hangs up, whatever the system calls it.
fn closed(_: std::io::Error) -> LinkError {
    ProxyError::Closed.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn onion_services_are_known_by_their_names() {
        for address in ["abc.onion:3610", "abc.onion", "a.b.ONION.:1", "onion:1"] {
            assert!(is_onion(address), "{address}");
        }
        for address in ["onion.example.org:1", "abconion:1", "127.0.0.1:1", "[::1]:1", ""] {
            assert!(!is_onion(address), "{address}");
        }
    }

    /// What is asked of a proxy that answers like this, and what comes of it.
    fn asked(to: &str, answers: &[u8]) -> (Vec<u8>, Result<(), LinkError>, Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut proxy, mut ours) = tokio::io::duplex(4096);
            proxy.write_all(answers).await.unwrap();
            let ended = connect(&mut ours, &Endpoint::parse(to).unwrap()).await;
            let mut left = Vec::new();
            let mut asked = Vec::new();
            proxy.shutdown().await.unwrap();
            ours.read_to_end(&mut left).await.unwrap();
            drop(ours);
            proxy.read_to_end(&mut asked).await.unwrap();
            (asked, ended, left)
        })
    }

    #[test]
    fn names_are_left_to_the_proxy() {
        let (asked_it, ended, left) =
            asked("abc.onion:3610", b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50rest");
        assert_eq!(asked_it, b"\x05\x01\x00\x05\x01\x00\x03\x09abc.onion\x0e\x1a");
        assert_eq!((ended, left.as_slice()), (Ok(()), &b"rest"[..]));
        let (asked_it, ..) = asked("192.0.2.1:80", b"\x05\x00\x05\x01\x00\x01");
        assert_eq!(asked_it[3..], *b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50");
        let (asked_it, ..) = asked("[2001:db8::1]:80", b"\x05\x00\x05\x01\x00\x01");
        assert_eq!(asked_it[6..9], *b"\x04\x20\x01");
        assert_eq!(asked_it.len(), 3 + 4 + 16 + 2);
    }

    #[test]
    fn every_kind_of_bound_address_is_passed_over() {
        for (bound, length) in [("\x01", 4), ("\x04", 16), ("\x03\x07", 7), ("\x03\x00", 0)] {
            let filler = vec![b'x'; length + 2];
            let answer = [b"\x05\x00\x05\x00\x00", bound.as_bytes(), &filler, b"rest"].concat();
            let (_, ended, left) = asked("a.example:1", &answer);
            assert_eq!((ended, left.as_slice()), (Ok(()), &b"rest"[..]), "{bound:?}");
        }
        let longest = [b"\x05\x00\x05\x00\x00\x03\xff".as_slice(), &[b'x'; 257], b"!"].concat();
        let (_, ended, left) = asked("a.example:1", &longest);
        assert_eq!((ended, left.as_slice()), (Ok(()), &b"!"[..]));
    }

    #[test]
    fn other_answers_are_told_apart() {
        use ProxyError::*;
        for (answers, error) in [
            (&b"HTTP/1.1 400"[..], NotSocks5),
            (b"\x04\x00", NotSocks5),
            (b"\x05\x02", NotSocks5),
            (b"\x05\xff", Authentication),
            (b"\x05\x00\x04\x00\x00\x01", NotSocks5),
            (b"\x05\x00\x05\x00\x01\x01", NotSocks5),
            (b"\x05\x00\x05\x00\x00\x02", NotSocks5),
            (b"\x05\x00\x05\x05\x00\x01", Refused(Reply(5))),
            (b"\x05\x00\x05\xf2\x00\x01", Refused(Reply(0xf2))),
        ] {
            let (_, ended, _) = asked("a.example:1", answers);
            assert_eq!(ended, Err(error.into()), "{answers:?}");
        }
        assert_eq!(
            Refused(Reply(5)).to_string(),
            "the proxy made no connection: connection refused"
        );
        assert_eq!(Reply(99).to_string(), "reply 99");
    }

    #[test]
    fn a_proxy_that_hangs_up_is_named() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let to = Endpoint::parse("a.example:1").unwrap();
        let whole = b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50";
        for length in 0..whole.len() {
            let ended = runtime.block_on(async {
                let (mut proxy, mut ours) = tokio::io::duplex(4096);
                proxy.write_all(&whole[..length]).await.unwrap();
                proxy.shutdown().await.unwrap();
                connect(&mut ours, &to).await
            });
            assert_eq!(ended, Err(ProxyError::Closed.into()), "{length}");
        }
    }
}
