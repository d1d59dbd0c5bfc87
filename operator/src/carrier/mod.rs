//! Carriers: they move bytes between operators.
//!
//! A carrier moves frames and believes nothing: a frame is whatever the operator at the other end
//! chose to send, and may have been sent before. Who said what, and whether it is true, is the
//! business of the rooms `message` and `protocol`. What a carrier adds is privacy, flow control,
//! and turning strangers away early. After every [`Event::Up`] both sides send again whatever the
//! other may lack: frames in flight when a connection ends are lost.

mod bind;
pub mod board;
pub mod channel;
mod dial;
mod error;
pub mod frame;
mod link;
mod listen;
mod pace;
mod refusals;
pub mod socks5;
mod strangers;
mod tcp;

pub use bind::Listen;
pub use channel::Session;
pub use error::{CarrierError, LinkError};
pub use tcp::{Tcp, TcpConfig, Timing};

use std::future::Future;

use quorate::identity::OperatorPublic;
use quorate::primitives::x25519::DhPublic;
use quorate::spec::{Ceremony, Index};

/// Authenticated channels to the other operators, whatever carries them.
///
/// Frames of one channel arrive in order, or the channel ends. What is in flight then is lost: the
/// operators ask for it again.
pub trait Channels {
    /// The next thing that happened. May be dropped and called again; nothing is lost.
    fn next(&mut self) -> impl Future<Output = Event> + Send;

    /// Queues a frame for `to`. False if there is no channel to it, or if the frame is empty or
    /// longer than the ceremony allows.
    fn send(&self, to: Index, frame: Vec<u8>) -> bool;

    /// Bytes of frames for `to` that have not left; 0 if there is no channel.
    fn queued(&self, to: Index) -> usize;

    /// Ends the channel to `peer`, and lets none come about again.
    fn hang_up(&self, peer: Index);

    /// Sends what is queued, for a bounded time, and ends all channels. Frames that arrive
    /// meanwhile are dropped.
    fn shutdown(self) -> impl Future<Output = ()> + Send;
}

/// Another operator of the ceremony, as the ceremony file lists it.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its index, from 1.
    pub index: u16,
    /// Its name, for people.
    pub name: String,
    /// Its identity key.
    pub key: OperatorPublic,
    /// Its channel key.
    pub noise: DhPublic,
    /// Where it can be reached, `host:port`.
    pub address: Option<String>,
}

impl Peer {
    /// All operators of `ceremony` but `me`.
    pub fn of(ceremony: &Ceremony, me: Index) -> Vec<Self> {
        let others = ceremony.roster().iter().filter(|(index, _)| *index != me);
        others
            .map(|(index, seat)| Self {
                index: index.get(),
                name: seat.card.name.to_string(),
                key: seat.card.key,
                noise: seat.card.noise,
                address: seat.address.as_ref().map(ToString::to_string),
            })
            .collect()
    }
}

/// What happened on the way to and from the peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There is a channel to `peer`; both ends have proven who they are.
    Up {
        /// The peer's index.
        peer: u16,
        /// The address dialled, or the one that it called from.
        address: String,
    },
    /// The channel to `peer` is gone. If it has an address, we keep calling.
    Down {
        /// The peer's index.
        peer: u16,
        /// Why.
        why: LinkError,
    },
    /// A call to `peer` failed in another way than the one before. Of many in a short time, few
    /// are reported: who answers there has proven nothing.
    Unreachable {
        /// The peer's index.
        peer: u16,
        /// The address dialled.
        address: String,
        /// Why.
        why: LinkError,
    },
    /// Someone who called was turned away. Repetitions are not reported.
    Refused {
        /// The address that it called from.
        address: String,
        /// Why.
        why: LinkError,
    },
    /// `peer` sent a frame.
    Frame {
        /// The peer's index.
        peer: u16,
        /// The frame: 1 to `max_frame` bytes.
        bytes: Vec<u8>,
    },
}
