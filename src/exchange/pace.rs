//! How often something may happen that a peer brings about (a token bucket).

use std::time::Duration;

/// A number of times at once, and then one in an interval. What is unused is saved up, but never
/// more than the first number. Time comes in as a value that never goes back.
#[derive(Debug, Clone)]
pub struct Pace {
    most: u32,
    /// Between two, once what was saved is spent.
    every: Duration,
    /// When all will have been saved up again.
    full: Duration,
}

impl Pace {
    /// At most `most` at once, and then one every `every`.
    pub fn new(most: u32, every: Duration) -> Self {
        Self { most, every, full: Duration::ZERO }
    }

    /// Takes one, if it may be taken now; else the time after which to ask again.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let next = self.full.max(now) + self.every;
        let wait = next.saturating_sub(now + self.every * self.most);
        if wait.is_zero() {
            self.full = next;
            return Ok(());
        }
        Err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_at_a_steady_rate() {
        let every = Duration::from_millis(20);
        let at_once = |pace: &mut Pace, now| (0..1000).filter(|_| pace.take(now).is_ok()).count();
        let mut pace = Pace::new(10, every);
        let mut now = Duration::from_secs(5);
        assert_eq!(at_once(&mut pace, now), 10);
        assert_eq!(pace.take(now), Err(every));
        now += Duration::from_millis(19);
        assert_eq!(pace.take(now), Err(Duration::from_millis(1)));
        now += Duration::from_millis(1);
        assert_eq!(at_once(&mut pace, now), 1);
        // Nothing is saved beyond the first number.
        now += 100 * every;
        assert_eq!(at_once(&mut pace, now), 10);
    }
}
