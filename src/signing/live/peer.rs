//! What an operator knows of a peer.

use std::collections::BTreeSet;

use super::frame::State;
use crate::spec::threshold::Index;

/// Ticks after which an operator that is not connected counts as gone: it may only have lost its
/// connection.
const AWAY: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) connected: bool,
    /// What it said last over the present connection.
    pub(super) state: Option<State>,
    /// It has said, over any connection, that it has what it needs.
    pub(super) satisfied: bool,
    /// Whose answers were sent to it over the present connection.
    pub(super) sent: BTreeSet<Index>,
    /// It is not listened to any more.
    pub(super) shut: bool,
    away: u32,
}

impl Peer {
    pub(super) fn up(&mut self) {
        *self =
            Self { connected: true, satisfied: self.satisfied, shut: self.shut, ..Self::default() };
    }

    pub(super) fn down(&mut self) {
        *self = Self { satisfied: self.satisfied, shut: self.shut, ..Self::default() };
    }

    pub(super) fn tick(&mut self) {
        self.away = if self.connected { 0 } else { self.away.saturating_add(1) };
    }

    pub(super) fn is_away(&self) -> bool {
        self.away >= AWAY
    }
}
