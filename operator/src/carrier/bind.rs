//! Where an operator listens: at every address of its machine, IPv6 and IPv4, or where it is told
//! to.

use core::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use rustix::net::sockopt::set_ipv6_v6only;
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use super::CarrierError;

/// How many callers may wait to be accepted. The usual 128 are taken by a flood while this program
/// computes; who finds no room tries again only after a second.
const BACKLOG: u32 = 4096;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// At this port of every address: IPv6 and IPv4 by one socket, and IPv4 alone where the system
    /// has no IPv6. Port 0 takes a free one.
    Everywhere(u16),
    /// At `host:port`: the first of its addresses that can be had. `[::]:port` is IPv6 and IPv4.
    At(String),
}

impl<T: Into<String>> From<T> for Listen {
    fn from(address: T) -> Self {
        Self::At(address.into())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere(port) => write!(f, "port {port}"),
            Self::At(address) => f.write_str(address),
        }
    }
}

impl Listen {
    /// Whether it can be listened there now; nothing stays open. May look up a name, and takes as
    /// long as the system does for that.
    pub fn check(&self) -> Result<(), CarrierError> {
        let socket = match self {
            Self::Everywhere(port) => everywhere(*port, open),
            Self::At(address) => {
                address.to_socket_addrs().and_then(|addresses| first(addresses, open))
            }
        };
        socket.map(|_| ()).map_err(|error| self.refused(&error))
    }

    pub(super) async fn bind(&self) -> Result<TcpListener, CarrierError> {
        let socket = match self {
            Self::Everywhere(port) => everywhere(*port, open),
            Self::At(address) => match lookup_host(address).await {
                Ok(addresses) => first(addresses, open),
                Err(error) => Err(error),
            },
        };
        let listener = socket.and_then(|socket| socket.listen(BACKLOG));
        listener.map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &io::Error) -> CarrierError {
        CarrierError::Bind { address: self.to_string(), why: error.kind() }
    }

    /// In a sentence without its full stop, where somebody listens who listens at `bound`.
    pub fn described(&self, bound: SocketAddr) -> String {
        match (self, bound) {
            (Self::Everywhere(_), SocketAddr::V6(_)) => {
                format!("listening on port {}, IPv6 and IPv4", bound.port())
            }
            (Self::Everywhere(_), SocketAddr::V4(_)) => {
                format!("listening on port {}, IPv4 alone: there is no IPv6 here", bound.port())
            }
            (Self::At(_), _) => format!("listening on {bound}"),
        }
    }
}

/// A socket at this address.
fn open(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // Whatever the system does by default. Of one address it changes nothing.
            set_ipv6_v6only(&socket, false)?;
            socket
        }
    };
    // A port whose last connections are still closing is free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The first of `addresses` that can be had.
fn first<T>(
    addresses: impl Iterator<Item = SocketAddr>,
    open: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut failure = ErrorKind::InvalidInput.into();
    for address in addresses {
        match open(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Every address of both families, or of IPv4 where there is no other. A port that somebody has is
/// not half taken.
fn everywhere<T>(port: u16, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    match open((Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error)
            if !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) =>
        {
            open((Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::RefCell;

    use super::*;

    /// Which addresses are tried, and what comes of it, where IPv6 and IPv4 answer like this.
    fn tried(
        v6: Option<io::Error>,
        v4: Option<ErrorKind>,
    ) -> (Vec<String>, Result<SocketAddr, ErrorKind>) {
        let (tried, v6) = (RefCell::new(Vec::new()), RefCell::new(v6));
        let bound = everywhere(3610, |address| {
            tried.borrow_mut().push(address.to_string());
            match address {
                SocketAddr::V6(_) => v6.take().map_or(Ok(address), Err),
                SocketAddr::V4(_) => v4.map_or(Ok(address), |kind| Err(kind.into())),
            }
        });
        (tried.into_inner(), bound.map_err(|error| error.kind()))
    }

    #[test]
    fn both_families_or_ipv4_where_there_is_no_ipv6() {
        let both = ["[::]:3610".to_owned(), "0.0.0.0:3610".to_owned()];
        let [v6, v4] = ["[::]:3610", "0.0.0.0:3610"].map(|text| text.parse().unwrap());
        assert_eq!(tried(None, None), (both[..1].to_vec(), Ok(v6)));
        // A kernel without IPv6, one where it is switched off, one that knows no such option.
        for without in [
            io::Error::from_raw_os_error(rustix::io::Errno::AFNOSUPPORT.raw_os_error()),
            ErrorKind::AddrNotAvailable.into(),
            io::Error::from_raw_os_error(rustix::io::Errno::NOPROTOOPT.raw_os_error()),
        ] {
            assert_eq!(tried(Some(without), None), (both.to_vec(), Ok(v4)));
        }
        let neither = tried(Some(ErrorKind::AddrNotAvailable.into()), Some(ErrorKind::AddrInUse));
        assert_eq!(neither, (both.to_vec(), Err(ErrorKind::AddrInUse)));
        // Half of a port is nobody's.
        for taken in [ErrorKind::AddrInUse, ErrorKind::PermissionDenied] {
            assert_eq!(tried(Some(taken.into()), None), (both[..1].to_vec(), Err(taken)));
        }
    }

    #[test]
    fn where_it_listens_is_said() {
        let everywhere = Listen::Everywhere(3610);
        assert_eq!(
            everywhere.described("[::]:3610".parse().unwrap()),
            "listening on port 3610, IPv6 and IPv4"
        );
        assert_eq!(
            everywhere.described("0.0.0.0:3610".parse().unwrap()),
            "listening on port 3610, IPv4 alone: there is no IPv6 here"
        );
        assert_eq!(
            Listen::from("localhost:3610").described("[::1]:3610".parse().unwrap()),
            "listening on [::1]:3610"
        );
    }
}
