//! Messages about rehearsals.

use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::progress::{listed, seat_names};
use crate::report::CliError;
use quorate::audit::describe;
use quorate::protocol::evidence::Rule;
use quorate::spec::Ceremony;
use quorate::spec::rehearsal::NoRehearsal;

pub(crate) fn no_rehearsal(path: &Path, error: &NoRehearsal) -> CliError {
    let fix = match error {
        NoRehearsal::Words(_) => "give other words with --id, the same for all operators",
        NoRehearsal::Spec(_) => "correct the file; quorate spec check says what is wrong with it",
    };
    usage(format!("{}: {error}", shown(path)), fix)
}

/// What begins.
pub(crate) fn rehearsing(ceremony: &str, words: &str) -> String {
    format!(
        "Rehearsal {words:?} of {ceremony:?}: new keys for nothing, in memory alone. Nothing is \
         written, and nothing that is signed counts. All operators run the same command with the \
         same words now."
    )
}

/// Why a rehearsal cannot go on.
pub(crate) enum Spoilt<'a> {
    /// Another holds statements of this operator that this run has not made.
    Own,
    /// What the statements of it show.
    Fault(&'a Rule),
}

impl Spoilt<'_> {
    /// What is wrong, in a sentence without its full stop. Of a rehearsal nothing is proven: where
    /// somebody has begun twice, nobody is named (section 18.2).
    pub(crate) fn what(&self, ceremony: &Ceremony) -> String {
        match self {
            Self::Own => {
                "others hold statements of yours that this run has not made: you have begun this \
                 rehearsal before, with these words"
                    .to_owned()
            }
            Self::Fault(Rule::Equivocation { .. } | Rule::View { .. }) => {
                "two statements of one operator differ: most likely somebody began it twice with \
                 these words. That is nobody's fault, and proves nothing"
                    .to_owned()
            }
            Self::Fault(Rule::Degenerate) => {
                "the numbers of all operators together give no keys, which does not happen by \
                 chance"
                    .to_owned()
            }
            Self::Fault(rule) => format!(
                "a statement breaks a rule of the ceremony, which is no matter of beginning \
                 twice: {}. Nothing is proven by that here; in the ceremony itself it would stop \
                 all",
                describe::rule(rule, Some(ceremony))
            ),
        }
    }

    fn fix(&self, ceremony: &Ceremony, again: &str) -> String {
        match self {
            Self::Own | Self::Fault(Rule::Equivocation { .. } | Rule::View { .. }) => {
                format!("all operators begin another one, with other words: {again}")
            }
            Self::Fault(rule) => {
                let who = listed(&seat_names(ceremony, &rule.culprits()));
                let who = if who.is_empty() { "all operators".to_owned() } else { who };
                format!(
                    "before the day, look at the program and the machine of {who}: whether it is \
                     the same release as yours (quorate --version), unchanged, and whether its \
                     memory is sound. Then rehearse with other words: {again}"
                )
            }
        }
    }
}

pub(crate) fn rehearsal_failed(path: &Path, spoilt: &Spoilt<'_>, ceremony: &Ceremony) -> CliError {
    let again = format!("quorate rehearse {} --id WORDS", quoted(path));
    local(
        format!("the rehearsal was stopped: {}", spoilt.what(ceremony)),
        spoilt.fix(ceremony, &again),
    )
}

/// All went well.
pub(crate) fn rehearsed() -> &'static str {
    "READY: all operators have taken part, and have seen that it was complete. Nothing of this \
     rehearsal was kept."
}

pub(crate) fn groups_failed() -> &'static str {
    "NOT READY: some groups could not sign. That cannot happen by itself: compare the releases \
     that the operators use, and report it"
}

pub(crate) fn not_all_rehearsed(who: &str) -> String {
    format!(
        "WAITING: it is complete here, and these have not confirmed that it is complete there: \
         {who}.\nwhat to do: ask them how it ended; if it did not, rehearse again, with other words"
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use quorate::message::envelope::Round;
    use quorate::spec::{CeremonyFile, Index};

    #[test]
    fn whoever_begins_twice_is_told_from_a_broken_program() {
        let text = include_str!("../../../ceremony-specs/examples/hoodi-3-of-4.toml");
        let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(text).unwrap()).unwrap();
        let said = |spoilt: &Spoilt<'_>| {
            let error = rehearsal_failed(Path::new("a.toml"), spoilt, &ceremony);
            (error.what, error.fix)
        };
        let (bob, carol) = (Index::new(2).unwrap(), Index::new(3).unwrap());
        let again = "all operators begin another one, with other words: quorate rehearse a.toml";
        for rule in [
            Rule::Equivocation { operator: bob, round: Round::Deal },
            Rule::View { operator: bob, round: Round::Deal, about: carol },
        ] {
            let (what, fix) = said(&Spoilt::Fault(&rule));
            assert!(what.contains("somebody began it twice") && fix.starts_with(again), "{what}");
            assert!(!what.contains("bob") && !fix.contains("bob"), "{what} {fix}");
        }
        let (what, fix) = said(&Spoilt::Own);
        assert!(what.contains("you have begun") && fix.starts_with(again), "{what}");
        let (what, fix) = said(&Spoilt::Fault(&Rule::Possession { operator: bob }));
        assert!(what.contains("\"bob\" (operator 2)") && !what.contains("began it"), "{what}");
        assert!(fix.contains("the machine of \"bob\" (operator 2)"), "{fix}");
        let (what, fix) = said(&Spoilt::Fault(&Rule::Degenerate));
        assert!(what.contains("give no keys") && fix.contains("of all operators"), "{what} {fix}");
    }
}
