//! Whether every group of operators that is large enough can sign, from what all have signed: for a
//! rehearsal, after which people want to have seen it.

use crate::message::body::Commit;
use crate::message::envelope::Round;
use crate::message::shape::Shape;
use crate::primitives::curve::{G1, G1Sum, G2};
use crate::primitives::lagrange::{coefficients_at_zero, combine};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::outcome::ValidatorOutcome;
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

/// For the first validator, combines the first message's partial signatures of each group of `t`
/// operators, and compares the result with the validator's signature, of which there is one. Where
/// nothing is signed, as in a reshare, it combines their public shares instead, which give the key:
/// of its share each has proven that it holds it. In a repair these are the shares of the helpers
/// and the one that was regained. `None` before the ceremony is complete.
pub fn groups(participant: &Participant) -> Option<Groups> {
    let ceremony = &participant.seat().ceremony;
    let validator = participant.outcome()?.validators.first()?;
    let holders = holders(ceremony, validator)?;
    let seats: Vec<Index> = holders.iter().map(|holder| holder.seat).collect();
    let at_zero = |group: &[usize]| {
        let points = group.iter().map(|position| holders[*position].point);
        coefficients_at_zero(&points.collect::<Vec<_>>())
    };
    match validator.signatures.first() {
        Some(signature) => {
            let shape = Shape::of(ceremony);
            let partial = |index: &Index| {
                let statement = participant.inbox().get(Round::Commit, *index)?;
                let commit = Commit::decode(statement.body(), &shape, *index).ok()?;
                commit.partials.first().copied()
            };
            let partials: Vec<G2> = seats.iter().map(partial).collect::<Option<_>>()?;
            Some(tried(ceremony.t(), &seats, |group| {
                let signed: Vec<G2> = group.iter().map(|position| partials[*position]).collect();
                let combined = at_zero(group).and_then(|at| combine(&at, &signed));
                combined.as_ref() == Some(signature)
            }))
        }
        None => Some(tried(ceremony.t(), &seats, |group| {
            let held: Vec<G1> = group.iter().map(|position| holders[*position].share).collect();
            let key = at_zero(group).and_then(|at| G1Sum::msm(&held, &at).finish());
            key.as_ref() == Some(&validator.public_key)
        })),
    }
}

/// Who holds a share of a validator after the ceremony.
struct Holder {
    seat: Index,
    point: u64,
    share: G1,
}

/// Those that hold a share afterwards, by index; in a repair the helpers too, with what they have
/// of the parent. `None` if the public share of one is not there.
fn holders(ceremony: &Ceremony, validator: &ValidatorOutcome) -> Option<Vec<Holder>> {
    let repair = ceremony.reshare().filter(|_| ceremony.is_repair());
    let holder = |seat| {
        let (point, share) = match repair.and_then(|spec| spec.old_share(seat)) {
            Some(helps) => (helps.point, ceremony.parent_shares()?.of(seat)?.first()?),
            None => (ceremony.roster().get(seat)?.point, validator.public_share(ceremony, seat)?),
        };
        Some(Holder { seat, point, share: *share })
    };
    match repair {
        Some(_) => ceremony.indices().map(holder).collect(),
        None => ceremony.parts().receivers.iter().map(holder).collect(),
    }
}

/// Tries each group of `t` of these seats, by positions.
fn tried(t: usize, seats: &[Index], can: impl Fn(&[usize]) -> bool) -> Groups {
    let mut found = Groups { tried: 0, all: true, failed: Vec::new() };
    let mut group: Vec<usize> = (0..t).collect();
    loop {
        if !can(&group) {
            found.failed.push(group.iter().map(|position| seats[*position]).collect());
        }
        found.tried += 1;
        if !next(&mut group, seats.len()) {
            return found;
        }
        if found.tried == MOST_GROUPS {
            return Groups { all: false, ..found };
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
