//! Whether every group of operators that is large enough can sign, from what all have signed: for a
//! rehearsal, after which people want to have seen it.

use crate::message::body::Commit;
use crate::message::envelope::Round;
use crate::message::shape::Shape;
use crate::primitives::curve::G2;
use crate::primitives::lagrange::{coefficients_at_zero, combine};
use crate::spec::threshold::Index;

use super::participant::Participant;

/// Most groups that are tried. With 13 operators, of whom 9 sign, there are 715.
pub const MOST_GROUPS: usize = 1000;

/// What came of trying them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// How many were tried.
    pub tried: usize,
    /// Whether these are all there are.
    pub all: bool,
    /// Those whose signature is not the validator's.
    pub failed: Vec<Vec<Index>>,
}

/// Combines the first message's partial signatures of each group of `t` operators, for the first
/// validator, and compares the result with the validator's signature, of which there is one. `None`
/// before the ceremony is complete.
pub fn groups(participant: &Participant) -> Option<Groups> {
    let ceremony = &participant.seat().ceremony;
    let shape = Shape::of(ceremony);
    let signature = participant.outcome()?.validators.first()?.signatures.first()?;
    let mut partials: Vec<(Index, u64, G2)> = Vec::new();
    for (index, seat) in ceremony.receivers() {
        let statement = participant.inbox().get(Round::Commit, index)?;
        let commit = Commit::decode(statement.body(), &shape, index).ok()?;
        partials.push((index, seat.point, *commit.partials.first()?));
    }
    let mut found = Groups { tried: 0, all: true, failed: Vec::new() };
    let mut group: Vec<usize> = (0..ceremony.t()).collect();
    loop {
        let of = || group.iter().map(|position| &partials[*position]);
        let points: Vec<u64> = of().map(|(_, point, _)| *point).collect();
        let signed: Vec<G2> = of().map(|(_, _, partial)| *partial).collect();
        let combined =
            coefficients_at_zero(&points).and_then(|coefficients| combine(&coefficients, &signed));
        if combined.as_ref() != Some(signature) {
            found.failed.push(of().map(|(index, ..)| *index).collect());
        }
        found.tried += 1;
        if !next(&mut group, partials.len()) {
            return Some(found);
        }
        if found.tried == MOST_GROUPS {
            return Some(Groups { all: false, ..found });
        }
    }
}

/// The next group of ascending positions below `n`, in order; false after the last.
fn next(group: &mut [usize], n: usize) -> bool {
    let size = group.len();
    let Some(at) = (0..size).rfind(|at| group[*at] < n - size + at) else { return false };
    group[at] += 1;
    for later in at + 1..size {
        group[later] = group[later - 1] + 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_once() {
        let mut group = vec![0, 1, 2];
        let mut all = vec![group.clone()];
        while next(&mut group, 5) {
            all.push(group.clone());
        }
        assert_eq!(all.len(), 10);
        assert!(all.windows(2).all(|two| two[0] < two[1]));
        assert_eq!(all.last(), Some(&vec![2, 3, 4]));
        assert!(!next(&mut [0, 1], 2));
    }
}
