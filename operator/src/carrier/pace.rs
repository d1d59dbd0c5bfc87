//! Rate limits for events that a peer can cause.

use std::time::Duration;

use tokio::time::Instant;

/// So many times at once, and then so often. What is unused is saved up, but never more than the
/// first number.
#[derive(Debug)]
pub struct Pace {
    most: u32,
    /// Between two, once what was saved is spent.
    every: Duration,
    /// When all will have been saved up again.
    full: Instant,
}

impl Pace {
    /// At most `most` at once, and then one every `every`.
    pub fn new(most: u32, every: Duration) -> Self {
        Self { most, every, full: Instant::now() }
    }

    /// Takes one, if it may be taken now; else the time after which to ask again.
    pub fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let next = self.full.max(now) + self.every;
        let wait = next.saturating_duration_since(now + self.every * self.most);
        if wait.is_zero() {
            self.full = next;
            return Ok(());
        }
        Err(wait)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn some_at_once_and_then_at_a_steady_rate() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let every = Duration::from_millis(20);
            let begun = Instant::now();
            let mut pace = Pace::new(10, every);
            let at_once = (0..1000).filter(|_| pace.take().is_ok()).count();
            // As many more as the loop took time for.
            let earned = usize::try_from(begun.elapsed().as_millis() / 20).unwrap();
            assert!((10..=11 + earned).contains(&at_once), "{at_once}");
            let wait = pace.take().unwrap_err();
            assert!(wait <= every, "{wait:?}");
            tokio::time::sleep(wait).await;
            assert_eq!(pace.take(), Ok(()));
            // Nothing is saved beyond the first number.
            tokio::time::sleep(11 * every).await;
            let begun = Instant::now();
            let at_once = (0..1000).filter(|_| pace.take().is_ok()).count();
            let earned = usize::try_from(begun.elapsed().as_millis() / 20).unwrap();
            assert!((10..=11 + earned).contains(&at_once), "{at_once}");
        });
    }
}
