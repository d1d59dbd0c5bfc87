//! Compares a ceremony with a pack: every rule, with what was found and what is demanded.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{Addresses, Credentials, Kind, Pack, Presence, Rules, Threshold};
use crate::ethereum::address::ExecutionAddress;
use crate::spec::ceremony::{Ceremony, ValidatorSpec};
use crate::spec::show::{numbers, warnings};

/// A demand that a ceremony does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The rule, as its field is called in a pack.
    pub rule: &'static str,
    /// What the ceremony has, and where.
    pub found: String,
    /// What the programme demands.
    pub wanted: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The rules that were compared, as their fields are called in a pack.
    pub rules: Vec<&'static str>,
    /// The demands that are not met, in the order of the rules.
    pub breaches: Vec<Breach>,
}

impl Outcome {
    /// Whether every demand is met.
    pub fn is_met(&self) -> bool {
        self.breaches.is_empty()
    }

    /// One rule was compared.
    fn rule(&mut self, rule: &'static str, broken: Vec<(String, String)>) {
        self.rules.push(rule);
        let breach = |(found, wanted)| Breach { rule, found, wanted };
        self.breaches.extend(broken.into_iter().map(breach));
    }
}

impl Pack {
    /// Compares every rule with what the operators have agreed to.
    pub fn check(&self, ceremony: &Ceremony) -> Outcome {
        let mut outcome = Outcome { rules: Vec::new(), breaches: Vec::new() };
        self.rules.check_whole(ceremony, &mut outcome);
        self.rules.check_validators(ceremony, &mut outcome);
        outcome
    }
}

impl Threshold {
    fn of(self, n: usize) -> (usize, bool) {
        match self {
            Self::TwoThirds => ((2 * n).div_ceil(3), true),
            Self::AtLeastTwoThirds => ((2 * n).div_ceil(3), false),
            Self::Byzantine => (n - (n - 1) / 3, true),
        }
    }
}

/// The validators of whom `wrong` says something, by what it says.
fn broken(
    ceremony: &Ceremony,
    wanted: &str,
    wrong: impl Fn(&ValidatorSpec) -> Option<String>,
) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, validator) in ceremony.validators().iter().enumerate() {
        if let Some(text) = wrong(validator) {
            found.entry(text).or_default().push(position);
        }
    }
    let text = |(text, positions): (String, Vec<usize>)| {
        (format!("{}: {text}", numbers(&positions)), wanted.to_owned())
    };
    found.into_iter().map(text).collect()
}

fn listed<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    texts.join(" or ")
}

fn within<T: Copy + PartialOrd + ToString>(bounds: &RangeInclusive<T>) -> String {
    format!("{} to {}", bounds.start().to_string(), bounds.end().to_string())
}

impl Rules {
    /// Of the ceremony as a whole.
    fn check_whole(&self, ceremony: &Ceremony, outcome: &mut Outcome) {
        let (n, t) = (ceremony.threshold().participants(), ceremony.t());
        let one = |found: String, wanted: String| vec![(found, wanted)];
        let none = Vec::new;
        if !self.networks.is_empty() {
            let name = ceremony.network().name();
            outcome.rule(
                "networks",
                match self.networks.contains_key(name) {
                    true => none(),
                    false => one(name.to_owned(), listed(self.networks.keys())),
                },
            );
        }
        if let Some(counts) = &self.operators {
            outcome.rule(
                "operators",
                match counts.iter().any(|count| usize::from(*count) == n) {
                    true => none(),
                    false => one(n.to_string(), listed(counts)),
                },
            );
        }
        if let Some(rule) = self.threshold {
            let (wanted, exact) = rule.of(n);
            outcome.rule(
                "threshold",
                match t == wanted || (!exact && t > wanted) {
                    true => none(),
                    false => one(
                        format!("{t} of {n}"),
                        format!("{wanted}{} of {n}", if exact { "" } else { " or more" }),
                    ),
                },
            );
        }
        if let Some(kind) = self.cluster {
            let (there, wanted) = match kind {
                Kind::Obol => (ceremony.obol().is_some(), "a cluster definition of Obol's"),
                Kind::Ssv => (ceremony.ssv().is_some(), "an owner and operators of SSV's contract"),
            };
            outcome.rule(
                "cluster",
                match there {
                    true => none(),
                    false => one("none".to_owned(), wanted.to_owned()),
                },
            );
        }
        let n = u16::try_from(n).unwrap_or(u16::MAX);
        if let Some(bounds) = self.validators.get(&n).or(self.validators.get(&0)) {
            let count = u32::try_from(ceremony.v()).unwrap_or(u32::MAX);
            outcome.rule(
                "validators",
                match bounds.contains(&count) {
                    true => none(),
                    false => one(count.to_string(), within(bounds)),
                },
            );
        }
        if self.one_withdrawal_address {
            let mut all: Vec<ExecutionAddress> =
                ceremony.validators().iter().map(|spec| spec.withdrawal.address()).collect();
            all.sort();
            all.dedup();
            outcome.rule(
                "one_withdrawal_address",
                match all.len() {
                    1 => none(),
                    count => one(format!("{count} addresses"), "one address".to_owned()),
                },
            );
        }
        if self.no_doubtful_address {
            let wanted = "no address that looks like a mistake";
            let found = warnings(ceremony).into_iter().map(|found| (found, wanted.to_owned()));
            outcome.rule("no_doubtful_address", found.collect());
        }
    }

    /// Of each validator.
    fn check_validators(&self, ceremony: &Ceremony, outcome: &mut Outcome) {
        if let Some(addresses) = self.networks.get(ceremony.network().name()) {
            addresses.check(ceremony, outcome);
        }
        if let Some(credentials) = self.credentials {
            let compounding = credentials == Credentials::Compounding;
            let text = |compounding: bool| if compounding { "0x02" } else { "0x01" };
            outcome.rule(
                "credentials",
                broken(ceremony, text(compounding), |spec| {
                    let found = spec.withdrawal.is_compounding();
                    (found != compounding).then(|| text(found).to_owned())
                }),
            );
        }
        if let Some(amounts) = &self.amounts {
            let unit = ceremony.network().unit();
            let wanted: Vec<Option<u64>> =
                amounts.iter().map(|amount| unit.parse(amount).ok()).collect();
            let text = format!("{} {}", amounts.join(" + "), unit.name());
            outcome.rule(
                "amounts",
                broken(ceremony, &text, |spec| {
                    let same = spec.amounts.iter().copied().map(Some).eq(wanted.iter().copied());
                    let found: Vec<String> =
                        spec.amounts.iter().map(|gwei| unit.decimal(*gwei)).collect();
                    (!same).then(|| format!("{} {}", found.join(" + "), unit.name()))
                }),
            );
        }
        if let Some(presence) = self.registrations {
            let wanted = match presence {
                Presence::Required => "a builder registration",
                Presence::Forbidden => "no builder registration",
            };
            outcome.rule(
                "registrations",
                broken(ceremony, wanted, |spec| match (presence, spec.registration) {
                    (Presence::Required, None) => Some("no builder registration".to_owned()),
                    (Presence::Forbidden, Some(_)) => Some("a builder registration".to_owned()),
                    (Presence::Required, Some(_)) | (Presence::Forbidden, None) => None,
                }),
            );
        }
        if let Some(bounds) = &self.gas_limit {
            outcome.rule(
                "gas_limit",
                broken(ceremony, &within(bounds), |spec| {
                    let found = spec.registration?.gas_limit;
                    (!bounds.contains(&found)).then(|| found.to_string())
                }),
            );
        }
    }
}

impl Addresses {
    fn check(&self, ceremony: &Ceremony, outcome: &mut Outcome) {
        if !self.withdrawal.is_empty() {
            let wanted = listed(&self.withdrawal);
            outcome.rule(
                "withdrawal",
                broken(ceremony, &wanted, |spec| {
                    let found = spec.withdrawal.address();
                    (!self.withdrawal.contains(&found)).then(|| found.to_string())
                }),
            );
        }
        if !self.fee_recipient.is_empty() {
            let wanted = listed(&self.fee_recipient);
            // Whether there has to be a registration is another rule.
            outcome.rule(
                "fee_recipient",
                broken(ceremony, &wanted, |spec| {
                    let found = spec.registration?.fee_recipient;
                    (!self.fee_recipient.contains(&found)).then(|| found.to_string())
                }),
            );
        }
    }
}
