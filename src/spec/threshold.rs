//! Operator indices and the threshold.

use core::fmt;
use core::num::NonZeroU16;

/// Fewest operators of a ceremony: two cannot lose one.
pub const FEWEST_OPERATORS: usize = 3;
/// Most operators of a ceremony.
pub const MOST_OPERATORS: usize = 255;

/// An operator's number in a ceremony, from 1 to 255. It says nothing about the evaluation point;
/// that is [`super::roster::Seat::point`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(NonZeroU16);

impl Index {
    /// The first of all.
    pub const FIRST: Self = Self(NonZeroU16::MIN);

    /// `None` for zero and for numbers above [`MOST_OPERATORS`].
    pub fn new(number: u16) -> Option<Self> {
        NonZeroU16::new(number)
            .filter(|number| usize::from(number.get()) <= MOST_OPERATORS)
            .map(Self)
    }

    /// The index of a position in a list, which counts from 0.
    pub fn from_position(position: usize) -> Option<Self> {
        u16::try_from(position.checked_add(1)?).ok().and_then(Self::new)
    }

    /// The number, from 1.
    pub fn get(self) -> u16 {
        self.0.get()
    }

    /// The position in a list, from 0.
    pub fn position(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why two numbers are not a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Fewer than three operators.
    #[error("{0} operators; a ceremony needs at least {FEWEST_OPERATORS}")]
    TooFewOperators(usize),
    /// More than 255 operators.
    #[error("{0} operators; a ceremony can have at most {MOST_OPERATORS}")]
    TooManyOperators(usize),
    /// Zero or one: a single operator could sign.
    #[error("threshold {0}: one operator alone could sign; at least 2 are required")]
    TooLow(usize),
    /// More than there are.
    #[error("threshold {required}: there are only {participants} operators")]
    AboveOperators {
        /// Operators needed.
        required: usize,
        /// Operators there are.
        participants: usize,
    },
    /// Half or less: two disjoint groups could sign conflicting blocks, and the validator would be
    /// slashed.
    #[error(
        "threshold {required} of {participants}: not a majority, so two separate groups could sign \
         conflicting blocks"
    )]
    NotMajority {
        /// Operators needed.
        required: usize,
        /// Operators there are.
        participants: usize,
    },
}

/// How many shares are needed to sign, of how many: `3 <= n <= 255`, `2 <= t <= n`, `2t > n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    required: usize,
    participants: usize,
}

impl Threshold {
    /// Checks both numbers.
    pub fn new(required: usize, participants: usize) -> Result<Self, ThresholdError> {
        use ThresholdError::*;
        match (required, participants) {
            (_, n) if n < FEWEST_OPERATORS => Err(TooFewOperators(n)),
            (_, n) if n > MOST_OPERATORS => Err(TooManyOperators(n)),
            (t, _) if t < 2 => Err(TooLow(t)),
            (t, n) if t > n => Err(AboveOperators { required, participants }),
            (t, n) if 2 * t <= n => Err(NotMajority { required, participants }),
            _ => Ok(Self { required, participants }),
        }
    }

    /// The usual threshold of `participants` operators: two thirds, rounded up.
    pub fn usual(participants: usize) -> Result<Self, ThresholdError> {
        Self::new(participants.saturating_mul(2).div_ceil(3), participants)
    }

    /// Shares needed to sign, `t`.
    pub fn required(self) -> usize {
        self.required
    }

    /// Shares there are, `n`.
    pub fn participants(self) -> usize {
        self.participants
    }

    /// Whether every share is needed, so that one loss ends the validator.
    pub fn needs_all(self) -> bool {
        self.required == self.participants
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.required, self.participants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_by_its_rule() {
        for n in 0..=300 {
            for t in 0..=300 {
                let allowed = (3..=255).contains(&n) && t >= 2 && t <= n && 2 * t > n;
                assert_eq!(Threshold::new(t, n).is_ok(), allowed, "{t} of {n}");
            }
        }
        use ThresholdError::*;
        assert_eq!(Threshold::new(2, 2), Err(TooFewOperators(2)));
        assert_eq!(Threshold::new(200, 256), Err(TooManyOperators(256)));
        assert_eq!(Threshold::new(1, 3), Err(TooLow(1)));
        assert_eq!(Threshold::new(0, 3), Err(TooLow(0)));
        assert_eq!(Threshold::new(5, 4), Err(AboveOperators { required: 5, participants: 4 }));
        assert_eq!(Threshold::new(2, 4), Err(NotMajority { required: 2, participants: 4 }));
        assert_eq!(Threshold::new(usize::MAX, usize::MAX), Err(TooManyOperators(usize::MAX)));
    }

    #[test]
    fn usual_thresholds() {
        for (n, t) in [(3, 2), (4, 3), (5, 4), (7, 5), (10, 7), (13, 9), (32, 22), (255, 170)] {
            assert_eq!(Threshold::usual(n).map(Threshold::required), Ok(t));
        }
    }

    #[test]
    fn indices() {
        assert_eq!((Index::new(0), Index::new(256), Index::from_position(255)), (None, None, None));
        for number in 1..=255 {
            let index = Index::new(number);
            assert_eq!(
                index.map(|i| (i.get(), i.position() + 1)),
                Some((number, usize::from(number)))
            );
            assert_eq!(Index::from_position(usize::from(number) - 1), index);
        }
    }
}
