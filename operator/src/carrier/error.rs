//! Errors of carriers and channels: why one did not start, did not connect, or ended. None of them
//! accuses an operator.

use std::io::ErrorKind;

use quorate::primitives::hash::Digest;
use quorate::primitives::x25519::DhKeyError;
use quorate::spec::canonical::fingerprint;

use super::socks5::ProxyError;

/// Why a carrier does not start. The operator can fix each of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// The listening address cannot be bound.
    #[error("cannot listen on {address}: {}", bind_advice(*why))]
    Bind {
        /// As configured.
        address: String,
        /// What the operating system said.
        why: ErrorKind,
    },
    /// This operator does not listen, and none of the others has an address.
    #[error("this operator does not listen, and no other operator has an address to call")]
    Alone,
    /// Two peers, or a peer and this operator, with the same index or Noise key.
    #[error("operator {index} is listed twice, or shares its channel key with another operator")]
    Repeated {
        /// The later one.
        index: u16,
    },
    /// Frames of the configured length cannot be announced in 32 bits.
    #[error("frames of {0} bytes are too long for the wire format")]
    FrameLimit(usize),
}

fn bind_advice(why: ErrorKind) -> String {
    match why {
        ErrorKind::AddrInUse => {
            "another program already listens there; stop it, or choose another port".into()
        }
        ErrorKind::AddrNotAvailable => {
            "this machine does not have this address; use [::]:PORT to listen on all of its \
             addresses, or 0.0.0.0:PORT for IPv4 alone"
                .into()
        }
        ErrorKind::PermissionDenied => "not allowed; choose a port above 1023".into(),
        ErrorKind::InvalidInput => "not an address; write HOST:PORT".into(),
        other => format!("{other}; check the address, written HOST:PORT"),
    }
}

/// Why there is no channel, or no longer one. The sentences do not name the peer: the event that
/// carries them does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The operating system's answer.
    #[error("{0}")]
    Io(ErrorKind),
    /// The host name has no address now.
    #[error("its host name does not resolve")]
    Resolve,
    /// It is an onion service, and there is no proxy: its name is not looked up.
    #[error("it is an onion service, which is called through a proxy (--socks5) alone")]
    Onion,
    /// The proxy through which it is called.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// No connection within the limit.
    #[error("no answer within {0} s")]
    NoAnswer(u64),
    /// The other side closed the connection.
    #[error("the other side closed the connection")]
    Closed,
    /// The other side closed the connection after reading the first handshake message.
    #[error(
        "the other side closed the connection during the handshake: it may expect a different key \
         of ours, or be shutting down"
    )]
    ClosedInHandshake,
    /// Whatever it is, it does not speak this protocol.
    #[error("the other side does not speak Quorate's channel protocol")]
    NotAChannel,
    /// Another version of the channel protocol.
    #[error(
        "it claims version {theirs} of the channel protocol, ours is {ours}: use the same release \
         (unconfirmed)"
    )]
    OtherVersion {
        /// Ours.
        ours: u16,
        /// What it claims.
        theirs: u16,
    },
    /// Another ceremony file.
    #[error(
        "it claims to be operator {index} with a different ceremony file, fingerprint \"{}\": \
         compare the files (unconfirmed)",
        words(theirs)
    )]
    OtherCeremony {
        /// The index that it claims.
        index: u16,
        /// The spec digest that it claims.
        theirs: Digest,
    },
    /// A ceremony, where we are here for a request.
    #[error(
        "it claims to be operator {index} running a ceremony, but we answer a request: agree on \
         the command (unconfirmed)"
    )]
    InCeremony {
        /// The index that it claims.
        index: u16,
    },
    /// A request that we are not here for.
    #[error(
        "it claims to be operator {index} answering the request {theirs}, which is not ours: \
         compare the files (unconfirmed)"
    )]
    OtherRequest {
        /// The index that it claims.
        index: u16,
        /// The id of the request that it claims.
        theirs: Digest,
    },
    /// The address belongs to another operator of the same ceremony.
    #[error("operator {index} claims to answer at this address: check the address (unconfirmed)")]
    OtherOperator {
        /// The index that it claims.
        index: u16,
    },
    /// An index outside the ceremony, or of an operator that has no part in a request.
    #[error("it claims to be operator {index}, with whom there is nothing to exchange here")]
    NotACaller {
        /// The index that it claims.
        index: u16,
    },
    /// The peer refused us for no reason that it can have.
    #[error("it refused the connection without giving a reason")]
    Refusal,
    /// A handshake message does not authenticate, or carries a payload.
    #[error(
        "the handshake does not authenticate: its key is not the one in the ceremony file, or \
         bytes were changed in transit"
    )]
    Handshake,
    /// An ephemeral key that no honest side sends.
    #[error("the handshake key is {0}")]
    WeakKey(DhKeyError),
    /// A handshake by a key that the ceremony does not list for that operator.
    #[error("its channel key is not the one in the ceremony file for operator {index}")]
    OtherKey {
        /// The index that it claims.
        index: u16,
    },
    /// The first message after the handshake is not a signature by the operator's identity key over
    /// this handshake.
    #[error("it did not prove that it holds the identity key in the ceremony file")]
    Confirmation,
    /// The handshake took too long.
    #[error("the handshake did not finish within {0} s")]
    HandshakeTime(u64),
    /// Too many unfinished connections; the oldest make room.
    #[error("too many unfinished connections; this was the oldest")]
    Crowded,
    /// A message does not authenticate.
    #[error("a message was changed in transit, lost or repeated")]
    Decrypt,
    /// A message length that no message has.
    #[error("a message has the impossible length of {0} bytes")]
    MessageLength(usize),
    /// A frame longer than anything that the ceremony needs. Nothing was allocated for it.
    #[error("it announced a frame of {announced} bytes; the limit in this ceremony is {most}")]
    FrameTooLong {
        /// What it announced.
        announced: usize,
        /// The limit.
        most: usize,
    },
    /// A frame cut into messages in another way than the only one allowed.
    #[error("a message carries {found} bytes of a frame, not {expected}")]
    FrameShape {
        /// What the next message has to carry.
        expected: usize,
        /// What it carries.
        found: usize,
    },
    /// Nothing arrived for too long, not even a keep-alive.
    #[error("nothing heard for {0} s")]
    Silent(u64),
    /// Both sides called at once; both use the connection that the later operator opened.
    #[error("both sides called at once")]
    Crossed,
    /// The peer made a newer connection, so this one is not needed.
    #[error("it reconnected; if this keeps happening, it is running twice")]
    Replaced,
    /// More was waiting to be sent than the queue holds; the connection is made anew, so that the
    /// two sides start level.
    #[error("it does not read as fast as we send; reconnecting")]
    Behind,
    /// We have hung up on it, for what it sent.
    #[error("it broke the protocol; no further connection is accepted from it")]
    HungUp,
    /// We are stopping.
    #[error("this program is stopping")]
    Stopping,
}

impl From<std::io::Error> for LinkError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Closed,
            kind => Self::Io(kind),
        }
    }
}

fn words(digest: &Digest) -> String {
    fingerprint(digest).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_ceremony_is_told_by_its_words() {
        let theirs = Digest([0; 32]);
        let sentence = LinkError::OtherCeremony { index: 2, theirs }.to_string();
        assert!(sentence.contains(&format!("\"{}\"", ["abandon"; 12].join(" "))), "{sentence}");
        assert!(sentence.contains("operator 2") && sentence.contains("unconfirmed"), "{sentence}");
    }

    #[test]
    fn an_address_that_cannot_be_bound_comes_with_advice() {
        let sentence = |why| CarrierError::Bind { address: "10.0.0.1:80".into(), why }.to_string();
        assert_eq!(
            sentence(ErrorKind::AddrInUse),
            "cannot listen on 10.0.0.1:80: another program already listens there; stop it, or \
             choose another port"
        );
        assert_eq!(
            sentence(ErrorKind::PermissionDenied),
            "cannot listen on 10.0.0.1:80: not allowed; choose a port above 1023"
        );
    }
}
