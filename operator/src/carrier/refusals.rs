//! Which refusals are reported to a person: of whoever calls us, and of whoever answers where we
//! call. Neither has proven who it is, and each chooses what it is refused for.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::time::Duration;

use tokio::time::Instant;

use super::LinkError;

/// A refusal is reported once in this time for the same source and reason.
const QUIET: Duration = Duration::from_secs(60);
/// Most reports in that time of one source and one kind.
const ALIKE: usize = 4;

/// The refusals that were reported lately, by source.
pub(super) struct Refusals<S> {
    most: usize,
    reported: VecDeque<(Instant, S, LinkError)>,
}

impl<S: PartialEq> Refusals<S> {
    /// `most`: how many are reported within a minute, of all sources together.
    pub(super) fn at_most(most: usize) -> Self {
        Self { most, reported: VecDeque::new() }
    }

    /// Whether this one is to be reported.
    pub(super) fn admit(&mut self, source: S, why: &LinkError, now: Instant) -> bool {
        while self.reported.front().is_some_and(|report| now.duration_since(report.0) >= QUIET) {
            self.reported.pop_front();
        }
        let of_source = || self.reported.iter().filter(|report| report.1 == source);
        let known = of_source().any(|report| report.2 == *why);
        let alike =
            of_source().filter(|report| discriminant(&report.2) == discriminant(why)).count();
        if known || alike >= ALIKE || self.reported.len() >= self.most {
            return false;
        }
        self.reported.push_back((now, source, why.clone()));
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::IpAddr;

    use super::*;

    const MOST: usize = 64;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn address(i: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + i).into())
    }

    #[test]
    fn refusals_are_reported_once_and_not_without_end() {
        let mut refusals = Refusals::at_most(MOST);
        let now = Instant::now();
        assert!(refusals.admit(ip("192.0.2.1"), &LinkError::Handshake, now));
        assert!(!refusals.admit(ip("192.0.2.1"), &LinkError::Handshake, now));
        assert!(refusals.admit(ip("192.0.2.1"), &LinkError::NotAChannel, now));
        assert!(refusals.admit(ip("192.0.2.2"), &LinkError::Handshake, now));
        let admitted =
            (0..1000).filter(|i| refusals.admit(address(*i), &LinkError::Handshake, now));
        assert_eq!(admitted.count(), MOST - 3);
        assert!(refusals.admit(ip("192.0.2.1"), &LinkError::Handshake, now + QUIET));
    }

    /// Who says that it is each operator in turn does not keep others from being reported.
    #[test]
    fn one_source_has_few_reports_of_one_kind() {
        let mut refusals = Refusals::at_most(MOST);
        let now = Instant::now();
        let admitted = (0..1000).filter(|index| {
            refusals.admit(ip("192.0.2.1"), &LinkError::OtherOperator { index: *index }, now)
        });
        assert_eq!(admitted.count(), ALIKE);
        assert!(refusals.admit(ip("192.0.2.1"), &LinkError::Handshake, now));
        assert!(refusals.admit(ip("192.0.2.2"), &LinkError::OtherOperator { index: 4 }, now));
    }
}
