//! Where a participant stands: one stage for each thing that it waits for.

use crate::message::envelope::{Round, Statement};

use super::commit::AwaitCommits;
use super::deal::AwaitDeals;
use super::evidence::Fault;
use super::finalize::{AwaitFinals, AwaitStaging, Finished};
use super::hello::AwaitHellos;
use super::prepare::{AwaitPrepares, AwaitReread};
use super::stop::AwaitStop;
use super::world::World;

/// Where a participant stands. One struct for each thing awaited.
pub(super) enum Stage {
    Hellos(AwaitHellos),
    Deals(Box<AwaitDeals>),
    Reread(Box<AwaitReread>),
    Prepares(Box<AwaitPrepares>),
    Stop(Box<AwaitStop>),
    Commits(Box<AwaitCommits>),
    Staging(Box<AwaitStaging>),
    Finals(Box<AwaitFinals>),
    Finished(Box<Finished>),
    Stopped(Box<Fault>),
}

impl Stage {
    /// Whether this statement, for which its slot has no room, is the one that the slot needs: the
    /// others there fail, and it passes.
    pub(super) fn needs(&self, world: &World, statement: &Statement) -> bool {
        match self {
            Self::Commits(stage) => stage.needs(world, statement),
            Self::Finals(stage) => stage.needs(world, statement),
            _ => false,
        }
    }

    /// The round whose statements are awaited; `None` if none are.
    pub(super) fn awaited(&self) -> Option<Round> {
        match self {
            Self::Hellos(_) => Some(Round::Hello),
            Self::Deals(_) => Some(Round::Deal),
            Self::Prepares(_) => Some(Round::Prepare),
            Self::Stop(_) | Self::Commits(_) => Some(Round::Commit),
            Self::Finals(_) => Some(Round::Final),
            Self::Reread(_) | Self::Staging(_) | Self::Finished(_) | Self::Stopped(_) => None,
        }
    }
}
