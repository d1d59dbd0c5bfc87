//! The network address of an operator: `host:port`.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest endpoint looked at: a name of 253 bytes, a colon, five digits.
const LONGEST: usize = 253 + 1 + 5;

/// Why a text is not an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Neither a name, an IPv4 address, nor an IPv6 address in brackets.
    #[error("the host is neither a DNS name, an IPv4 address, nor an IPv6 address in brackets")]
    Host,
    /// Not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// No colon, or one that belongs to a bare IPv6 address.
    #[error("not host:port (an IPv6 address goes in brackets, like [2001:db8::1]:3610)")]
    Shape,
    /// `0.0.0.0` or `[::]`: where a program listens, not where anybody can be reached.
    #[error(
        "every address of a machine (0.0.0.0 or [::]) is where a program listens, not where \
         others reach it"
    )]
    Unspecified,
    /// Longer than any name can be.
    #[error("longer than {LONGEST} bytes")]
    TooLong,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// A host (DNS name in lower case, or IP address) and a port. A hint for carriers: nothing is
/// believed because of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

impl Endpoint {
    /// Reads `host:port`, `1.2.3.4:port` or `[2001:db8::1]:port`.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if text.len() > LONGEST {
            return Err(EndpointError::TooLong);
        }
        let (host, port) = text.rsplit_once(':').ok_or(EndpointError::Shape)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let address = rest.strip_suffix(']').ok_or(EndpointError::Shape)?;
                Host::Address(address.parse::<Ipv6Addr>().map_err(|_| EndpointError::Host)?.into())
            }
            None if host.contains(':') => return Err(EndpointError::Shape),
            None => match host.parse::<Ipv4Addr>() {
                Ok(address) => Host::Address(address.into()),
                Err(_) => Host::Name(name(host)?),
            },
        };
        // Also in its spelling as an IPv4 address inside of IPv6.
        if let Host::Address(address) = &host
            && address.to_canonical().is_unspecified()
        {
            return Err(EndpointError::Unspecified);
        }
        // `parse` alone would take "+80" and "0080".
        let digits = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).ok_or(EndpointError::Port)?;
        Ok(Self { host, port })
    }

    /// The host, as a resolver takes it: no brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// The port, not zero.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A DNS name: labels of 1 to 63 letters, digits, `-` and `_` (which container networks use), no
/// `-` at an end of one. The last label has a letter, or the name would be a mistyped IPv4 address.
fn name(text: &str) -> Result<String, EndpointError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(allowed)
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    if text.len() > 253 || !text.split('.').all(label) || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EndpointError::Host);
    }
    Ok(text.to_ascii_lowercase())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_endpoint() {
        for (text, shown) in [
            ("example.org:3610", "example.org:3610"),
            ("Example.ORG:1", "example.org:1"),
            ("localhost:65535", "localhost:65535"),
            ("operator_1:3610", "operator_1:3610"),
            ("127.0.0.1:3610", "127.0.0.1:3610"),
            ("[::1]:3610", "[::1]:3610"),
            ("[2001:DB8:0::1]:80", "[2001:db8::1]:80"),
        ] {
            assert_eq!(Endpoint::parse(text).map(|e| e.to_string()).as_deref(), Ok(shown));
            assert_eq!(Endpoint::parse(shown), Endpoint::parse(text));
        }
        assert_eq!(
            Endpoint::parse("[::1]:80").map(|e| (e.host(), e.port())),
            Ok(("::1".to_owned(), 80))
        );
    }

    #[test]
    fn what_is_not() {
        use EndpointError::*;
        let long = format!("{}:1", "a.".repeat(140));
        for (text, reason) in [
            ("", Shape),
            ("example.org", Shape),
            ("::1:80", Shape),
            ("2001:db8::1", Shape),
            ("[::1:80", Shape),
            ("[127.0.0.1]:80", Host),
            ("[fe80::1%eth0]:80", Host),
            (":80", Host),
            ("1.2.3:80", Host),
            ("300.1.1.1:80", Host),
            ("a b:80", Host),
            ("-a:80", Host),
            ("a-.b:80", Host),
            ("a..b:80", Host),
            ("a\u{1b}[2J:80", Host),
            ("b\u{fc}cher.example:80", Host),
            ("user@host:80", Host),
            ("http://host:80", Shape),
            ("host:0", Port),
            ("host:65536", Port),
            ("host:+80", Port),
            ("host:080", Port),
            ("host:", Port),
            ("host:80 ", Port),
            ("0.0.0.0:3610", Unspecified),
            ("[::]:3610", Unspecified),
            ("[::ffff:0.0.0.0]:3610", Unspecified),
            (&long, TooLong),
        ] {
            assert_eq!(Endpoint::parse(text), Err(reason), "{text}");
        }
        assert_eq!(Endpoint::parse(&format!("{}:80", "a".repeat(64))), Err(Host));
    }
}
