//! Describes rules, operators and messages in plain words. Validators and deposits are counted from
//! 1.

use crate::message::envelope::Round;
use crate::protocol::evidence::{Certainty, Rule};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

/// An operator by its name in quotes and its index; by index alone where there is no spec, or no
/// such seat in it. A name cannot end its quotes, so that none passes for another operator.
pub fn operator(ceremony: Option<&Ceremony>, index: Index) -> String {
    match ceremony.and_then(|ceremony| ceremony.roster().get(index)) {
        Some(seat) => format!("{} (operator {})", in_quotes(seat.card.name.as_str()), index.get()),
        None => format!("operator {}", index.get()),
    }
}

/// As [`operator`], with the short form of its key: where it is blamed.
pub fn culprit(ceremony: Option<&Ceremony>, index: Index) -> String {
    match ceremony.and_then(|ceremony| ceremony.roster().get(index)) {
        Some(seat) => {
            let name = in_quotes(seat.card.name.as_str());
            format!("{name} (operator {}, key {})", index.get(), seat.card.key.short())
        }
        None => operator(ceremony, index),
    }
}

/// A name in quotes. Names of version 1 may have quotes in them: these are escaped.
pub fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A round by number and name, counted from 1 as everything that people read counts them; the
/// specification and the signed bytes count from 0.
pub fn round(round: Round) -> &'static str {
    match round {
        Round::Hello => "round 1 (hello)",
        Round::Deal => "round 2 (deal)",
        Round::Prepare => "round 3 (prepare)",
        Round::Commit => "round 4 (commit)",
        Round::Final => "round 5 (final)",
    }
}

/// Which of the ceremony's messages stands at position `item` (from 0).
pub(super) fn item(ceremony: Option<&Ceremony>, item: usize) -> String {
    let mut before = 0;
    for (v, validator) in ceremony.into_iter().flat_map(Ceremony::validators).enumerate() {
        let (deposits, number) = (validator.amounts.len(), v + 1);
        let preregisters = ceremony.is_some_and(|one| one.preregistration().is_some());
        let all = ceremony.map_or(0, |one| one.item_count(v));
        let registered = deposits + usize::from(validator.registration.is_some());
        if item < before + all {
            return match item - before {
                at if at < deposits => format!("deposit {} of validator {number}", at + 1),
                at if at < registered => format!("the registration of validator {number}"),
                at if at == registered && preregisters => {
                    format!("the preregistration of validator {number}")
                }
                _ => format!("the consent of validator {number} for SSV"),
            };
        }
        before += all;
    }
    format!("message {}", item + 1)
}

/// A fault with whoever is at fault as its subject, in one sentence without its full stop: what is
/// broken is often somebody else's deal or box.
pub fn fault(rule: &Rule, ceremony: Option<&Ceremony>) -> String {
    let what = self::rule(rule, ceremony);
    let mut culprits = rule.culprits();
    culprits.dedup();
    let names: Vec<String> = culprits.into_iter().map(|index| operator(ceremony, index)).collect();
    match rule.certainty() {
        Certainty::Proven => {
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("{} {verb} proven to be at fault: {what}", names.join(" and "))
        }
        Certainty::Suspected => {
            format!("{} is at fault, and it is not proven which: {what}", names.join(" or "))
        }
        Certainty::Nobody => format!("nobody is at fault: {what}"),
    }
}

/// What was broken and by whom, in one sentence without its full stop.
pub fn rule(rule: &Rule, ceremony: Option<&Ceremony>) -> String {
    let who = |index: &Index| operator(ceremony, *index);
    match rule {
        Rule::Equivocation { operator, round: of } => {
            format!("{} signed two different statements for {}", who(operator), round(*of))
        }
        Rule::Malformed { operator, round: of, error } => {
            format!("{} signed a malformed statement in {}: {error}", who(operator), round(*of))
        }
        Rule::Abandonment { operator, round: of, error } => {
            format!("{} signed a malformed abandonment in {}: {error}", who(operator), round(*of))
        }
        Rule::ViewRoot { operator, round: of } => {
            format!(
                "in {}, {} signed a view that contradicts its own envelope",
                round(*of),
                who(operator)
            )
        }
        Rule::CopiedHello { operators: [a, b], what } if a == b => {
            format!("the hello of {} repeats {what}", who(a))
        }
        Rule::CopiedHello { operators: [a, b], what } => {
            format!("the hellos of {} and {} share {what}", who(a), who(b))
        }
        Rule::View { operator, round: of, about } => format!(
            "in {}, {} signed over a different statement of {} than the one in this transcript",
            round(*of),
            who(operator),
            who(about)
        ),
        Rule::Opening { dealer } => {
            format!("the deal of {} does not open the commitment in its hello", who(dealer))
        }
        Rule::EqualConstants { rows: [(a, v), (b, w)] } => {
            format!(
                "{} for validator {} and {} for validator {} used the same constant term",
                who(a),
                v + 1,
                who(b),
                w + 1
            )
        }
        Rule::ProofOfPossession { dealer } => {
            format!("{} did not prove that it knows its constant terms", who(dealer))
        }
        Rule::ShareBox { dealer, error } => format!("a share box of {}: {error}", who(dealer)),
        Rule::Share { dealer, validator } => {
            format!(
                "the share that {} dealt for validator {} does not match its commitments",
                who(dealer),
                validator + 1
            )
        }
        Rule::MasksDiffer { operators: [a, b], validator } => format!(
            "{} and {} dealt different masks between them for validator {}",
            who(a),
            who(b),
            validator + 1
        ),
        Rule::Mask { dealer, validator } => format!(
            "a mask that {} dealt for validator {} is not the one that its one-time key gives",
            who(dealer),
            validator + 1
        ),
        Rule::FalseComplaint { operator, dealer } => {
            format!("{} falsely complained about a share box of {}", who(operator), who(dealer))
        }
        Rule::SumsRoot { operator } => {
            format!(
                "the root of the sums that {} signed does not follow from the deals",
                who(operator)
            )
        }
        Rule::Possession { operator } => {
            format!("the possession proof of {} does not verify", who(operator))
        }
        Rule::Partial { operator, item: position } => {
            format!(
                "the partial signature of {} on {} does not verify",
                who(operator),
                item(ceremony, *position)
            )
        }
        Rule::EncryptedShare { operator, validator } => {
            let v = validator + 1;
            format!(
                "the proof of {} about its encrypted share of validator {v} does not verify under \
                 its RSA key",
                who(operator)
            )
        }
        Rule::Outputs { operator } => {
            format!(
                "the output digest that {} signed does not follow from the partial signatures",
                who(operator)
            )
        }
        Rule::LockShares { operator } => {
            format!(
                "the signature by the shares of {} on the lock of the Obol cluster does not verify",
                who(operator)
            )
        }
        Rule::LockNode { operator } => {
            format!("the lock of the Obol cluster is not signed by the node of {}", who(operator))
        }
        Rule::Degenerate => "a sum is infinity, or two keys or public shares are equal".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whoever_is_at_fault_is_the_subject() {
        let [a, b] = [2, 4].map(|index| Index::new(index).unwrap());
        let said = |rule: Rule| fault(&rule, None);
        assert_eq!(
            said(Rule::Share { dealer: b, validator: 0 }),
            "operator 4 is proven to be at fault: the share that operator 4 dealt for validator 1 \
             does not match its commitments"
        );
        assert_eq!(
            said(Rule::FalseComplaint { operator: a, dealer: b }),
            "operator 2 is proven to be at fault: operator 2 falsely complained about a share box \
             of operator 4"
        );
        assert_eq!(
            said(Rule::View { operator: a, round: Round::Commit, about: b }),
            "operator 2 or operator 4 is at fault, and it is not proven which: in round 4 \
             (commit), operator 2 signed over a different statement of operator 4 than the one in \
             this transcript"
        );
        assert_eq!(
            said(Rule::CopiedHello { operators: [a, a], what: "a one-time key" }),
            "operator 2 is proven to be at fault: the hello of operator 2 repeats a one-time key"
        );
        assert!(
            said(Rule::EqualConstants { rows: [(a, 0), (b, 1)] })
                .starts_with("operator 2 and operator 4 are proven to be at fault: ")
        );
        assert_eq!(
            said(Rule::Degenerate),
            "nobody is at fault: a sum is infinity, or two keys or public shares are equal"
        );
    }
}
