//! The pace of what a peer brings about, by the system's clock.

use std::time::Duration;

use tokio::time::Instant;

/// A [`quorate::exchange::Pace`] with a clock.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
    pace: quorate::exchange::Pace,
}

impl Pace {
    pub(super) fn new(most: u32, every: Duration) -> Self {
        Self { begun: Instant::now(), pace: quorate::exchange::Pace::new(most, every) }
    }

    /// Takes one, if it may be taken now; else the time after which to ask again.
    pub(super) fn take(&mut self) -> Result<(), Duration> {
        self.pace.take(self.begun.elapsed())
    }
}
