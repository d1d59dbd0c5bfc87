//! The times and limits of an exchange.

use std::time::Duration;

/// Times and limits. Nothing that is believed depends on them; only tests and simulations have a
/// reason to change more than `linger`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// How often an operator tells its peers what it holds: 2 s.
    pub tick: Duration,
    /// After how many ticks without news it asks for everybody's statements: 3.
    pub patience: u32,
    /// After how many ticks without news the person is told who is awaited: 15; then less and less
    /// often ([`reminds`]).
    pub remind: u32,
    /// Bytes queued for a peer above which it gets no answer and nothing of others: 64 KiB.
    pub backlog: usize,
    /// Bytes queued for a peer above which an answer is cut off, to be continued when the peer
    /// asks again: 2 MiB. A queue that runs over ends the connection and delivers nothing.
    pub at_once: usize,
    /// Answers to what a peer says that it lacks: this many as fast as it likes: 64.
    pub answers_at_once: u32,
    /// And then one in this time: 0.5 s. An honest peer asks again every tick.
    pub between_answers: Duration,
    /// After how long a disputed statement is offered again: 10 s. A peer that had no use for it
    /// may have one now.
    pub offer_again: Duration,
    /// How long an operator to which all have confirmed stays for those that may not have heard
    /// that it knows: 10 s. One that misses it waits, until it or this operator runs again.
    pub parting: Duration,
    /// How long an operator that only suspects asks the others for the statement that would prove
    /// it: 30 s.
    pub doubt: Duration,
    /// How long an operator stays that has told everybody of a proven fault, so that what it said
    /// arrives: 2 s.
    pub told: Duration,
    /// How long an operator whose outputs are written stays for peers that have not confirmed.
    pub linger: Duration,
}

/// Whether a person is reminded now, `ticks` after the last news: after `first` ticks, then each time
/// after twice as long, and from then on after every 20 times `first`.
pub fn reminds(ticks: u32, first: u32) -> bool {
    let times = ticks.checked_div(first).filter(|times| ticks == times * first);
    times.is_some_and(|times| times.is_power_of_two() && times < 20 || times % 20 == 0 && times > 0)
}

impl Pacing {
    /// As operators run, staying `linger` for peers that have not confirmed.
    pub fn new(linger: Duration) -> Self {
        Self {
            tick: Duration::from_secs(2),
            patience: 3,
            remind: 15,
            backlog: 64 << 10,
            at_once: 2 << 20,
            answers_at_once: 64,
            between_answers: Duration::from_millis(500),
            offer_again: Duration::from_secs(10),
            parting: Duration::from_secs(10),
            doubt: Duration::from_secs(30),
            told: Duration::from_secs(2),
            linger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_come_less_often() {
        let at: Vec<u32> = (0..1000).filter(|ticks| reminds(*ticks, 15)).collect();
        assert_eq!(at, [15, 30, 60, 120, 240, 300, 600, 900]);
    }
}
