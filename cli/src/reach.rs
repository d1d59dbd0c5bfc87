//! Who calls whom, and what a person can do when nobody is reached: in sentences.

use crate::live::has_address;
use crate::progress::{Named, listed, seat_name};
use quorate::spec::{Ceremony, Index};
use quorate_operator::carrier::LinkError;

/// The ways between this operator and the others.
pub(crate) struct Ways {
    /// It calls these: they have an address.
    calls: Vec<Named>,
    /// These have none, and call it.
    called: Vec<Named>,
    /// These have none, and neither has this operator.
    none: Vec<Named>,
    listens: bool,
}

impl Ways {
    /// Of operator `me`, who listens or does not, with the operators in `with`.
    pub(crate) fn new(ceremony: &Ceremony, listens: bool, with: &[Index]) -> Self {
        let (mut calls, mut called, mut none) = (Vec::new(), Vec::new(), Vec::new());
        for index in with {
            let has = has_address(ceremony, *index);
            let group = match (has, listens) {
                (true, _) => &mut calls,
                (false, true) => &mut called,
                (false, false) => &mut none,
            };
            group.push(seat_name(ceremony, *index));
        }
        Self { calls, called, none, listens }
    }

    /// Who calls whom, a sentence each.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let mut all = Vec::new();
        if !self.listens {
            all.push("This operator does not listen: it only calls.".to_owned());
        }
        if !self.calls.is_empty() {
            all.push(format!("It calls {}.", listed(&self.calls)));
        }
        if !self.called.is_empty() {
            all.push(format!("Without an address, and must call it: {}.", listed(&self.called)));
        }
        if !self.none.is_empty() {
            all.push(format!(
                "No direct connection is possible with {}: neither side has an address. What they \
                 say comes through the others.",
                listed(&self.none)
            ));
        }
        all
    }

    /// What to check when nobody is connected after a while.
    pub(crate) fn nobody(&self) -> String {
        let mut text = "Nobody is connected yet.".to_owned();
        if !self.calls.is_empty() {
            text += " If the others are running, they must open their port to you, or correct \
                     their address: give it with --at OPERATOR=HOST:PORT.";
        }
        if self.listens {
            text += " For others to call you, your own port must be open in your firewall and \
                     router.";
        }
        text + " One operator that all others reach is enough."
    }
}

/// The operator that a caller claimed to be when it was refused, if it claimed one.
pub(crate) fn claimed(why: &LinkError) -> Option<Index> {
    match why {
        LinkError::OtherCeremony { index, .. }
        | LinkError::InCeremony { index }
        | LinkError::OtherRequest { index, .. }
        | LinkError::OtherKey { index } => Index::new(*index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use quorate::spec::CeremonyFile;

    use super::*;

    fn ways(listens: bool, without: &[usize]) -> Ways {
        let text = include_str!("../../ceremony-specs/examples/hoodi-3-of-4.toml");
        let mut file = CeremonyFile::parse_toml(text).unwrap();
        without.iter().for_each(|at| file.operators[*at].address = None);
        let ceremony = Ceremony::try_from(file).unwrap();
        let with: Vec<Index> = ceremony.indices().skip(1).collect();
        Ways::new(&ceremony, listens, &with)
    }

    #[test]
    fn it_is_said_who_calls_whom() {
        assert_eq!(
            ways(true, &[3]).sentences(),
            [
                "It calls \"bob\" (operator 2), \"carol\" (operator 3).",
                "Without an address, and must call it: \"dave\" (operator 4).",
            ]
        );
        assert_eq!(
            ways(false, &[0, 2, 3]).sentences(),
            [
                "This operator does not listen: it only calls.",
                "It calls \"bob\" (operator 2).",
                "No direct connection is possible with \"carol\" (operator 3), \"dave\" (operator \
                 4): neither side has an address. What they say comes through the others.",
            ]
        );
    }

    #[test]
    fn whoever_can_mend_it_is_named() {
        let called = ways(true, &[1, 2, 3]).nobody();
        assert!(called.contains("your own port") && !called.contains("--at"), "{called}");
        let calls = ways(false, &[]).nobody();
        assert!(calls.contains("--at OPERATOR") && !calls.contains("your own"), "{calls}");
    }
}
