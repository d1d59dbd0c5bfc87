//! Addresses of NATS servers, `nats://HOST:PORT`.

use crate::carrier::socks5::is_onion;

/// The port of NATS servers.
const PORT: u16 = 4222;

/// Why an address is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with `nats://`.
    #[error("an address of a NATS server begins with nats://")]
    Scheme,
    /// It holds a password, which everybody on this machine can see.
    #[error("this address holds a user or a password")]
    Credentials,
    /// It is an onion service, whose name is for proxies alone.
    #[error("this is an onion service, which cannot be reached without a proxy")]
    Onion,
    /// It is not HOST or HOST:PORT.
    #[error("behind nats:// there must be HOST or HOST:PORT and nothing else")]
    Host,
}

/// `HOST:PORT` of an address.
pub(super) fn host_and_port(url: &str) -> Result<String, AddressError> {
    let rest = url.strip_prefix("nats://").ok_or(AddressError::Scheme)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('@') {
        return Err(AddressError::Credentials);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]%".contains(&b);
    if rest.is_empty() || !rest.bytes().all(plain) {
        return Err(AddressError::Host);
    }
    if is_onion(rest) {
        return Err(AddressError::Onion);
    }
    let behind = rest.rsplit_once(']').map_or(rest, |(_, behind)| behind);
    match behind.rsplit_once(':') {
        Some((_, port)) => match port.parse::<u16>() {
            Ok(_) => Ok(rest.to_owned()),
            Err(_) => Err(AddressError::Host),
        },
        None => Ok(format!("{rest}:{PORT}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let of = |url: &str| host_and_port(url);
        assert_eq!(of("nats://example.org"), Ok("example.org:4222".to_owned()));
        assert_eq!(of("nats://example.org:99/"), Ok("example.org:99".to_owned()));
        assert_eq!(of("nats://[::1]"), Ok("[::1]:4222".to_owned()));
        assert_eq!(of("nats://[::1]:7"), Ok("[::1]:7".to_owned()));
        for (url, why) in [
            ("tls://example.org", AddressError::Scheme),
            ("example.org:4222", AddressError::Scheme),
            ("nats://me:secret@example.org", AddressError::Credentials),
            ("nats://abc.onion", AddressError::Onion),
            ("nats://abc.onion:4222/", AddressError::Onion),
            ("nats://", AddressError::Host),
            ("nats://example.org:port", AddressError::Host),
            ("nats://example.org:99/more", AddressError::Host),
            ("nats://exam\nple", AddressError::Host),
        ] {
            assert_eq!(of(url), Err(why), "{url}");
        }
    }
}
