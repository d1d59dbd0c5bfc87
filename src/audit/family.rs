//! Several transcripts together: which of them is the newest, and how it hangs together with the
//! others. Chapter 13 of the specification, sections 13.5 and 13.7.

use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;

use super::chain::{link, shares_are_new};
use super::code::Code;
use super::describe::in_quotes;
use super::details;
use super::facts::Audited;
use super::ledger::{Got, Ledger, have};
use super::replay;

/// A transcript that was given, audited by itself: whether its parents are given is not asked.
struct Member {
    ceremony: Option<Arc<Ceremony>>,
    audited: Result<Audited, Code>,
}

impl Member {
    fn sound(&self) -> Option<&Audited> {
        self.audited.as_ref().ok()
    }

    /// The certificate of the parent that it names.
    fn parent(&self) -> Option<Digest> {
        certificate_of_parent(self.ceremony.as_ref()?)
    }

    /// Whether both are sound children of one parent, or sound imports, and have a validator in
    /// common.
    fn forks(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.sound(), other.sound()) else { return false };
        let (Some(one), Some(two)) = (a.ceremony().reshare(), b.ceremony().reshare()) else {
            return false;
        };
        let shared = || {
            one.validators
                .iter()
                .any(|validator| two.validators.iter().any(|other| other.key == validator.key))
        };
        // A repair deals nothing anew: it makes no generation, and there may be several.
        let repairs = a.ceremony().is_repair() || b.ceremony().is_repair();
        !repairs
            && certificate_of_parent(a.ceremony()) == certificate_of_parent(b.ceremony())
            && a.certificate() != b.certificate()
            && shared()
    }
}

/// The certificate of the parent of a reshare; of any other ceremony none.
fn certificate_of_parent(ceremony: &Ceremony) -> Option<Digest> {
    Some(ceremony.reshare()?.origin.parent()?.certificate)
}

/// Transcripts that were given together, in any order.
pub struct Family {
    members: Vec<Member>,
}

/// Transcripts that do not hang together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "files {} and {} {}{}",
    first + 1,
    second + 1,
    match common {
        true => "have a key in common, and neither hangs on the other",
        false => "are not generations of the same keys",
    },
    why(*broken)
)]
pub struct Unrelated {
    /// Position of the first, from 0.
    pub first: usize,
    /// Position of the second.
    pub second: usize,
    /// The check that one of them fails by itself, with its position.
    pub broken: Option<(usize, Code)>,
    /// Whether both are sound and have a key in common.
    pub common: bool,
}

fn why(broken: Option<(usize, Code)>) -> String {
    broken.map_or_else(String::new, |(at, code)| format!(": file {} fails {code}", at + 1))
}

impl Family {
    /// Audits each of `files` by itself.
    pub fn of(files: &[&[u8]]) -> Self {
        let member = |bytes: &&[u8]| {
            let mut ledger = Ledger::new(true);
            let audited = replay::replay(bytes, None, &mut ledger);
            Member {
                ceremony: ledger.ceremony.clone(),
                audited: audited.map_err(|code| ledger.first_failure().unwrap_or(code)),
            }
        };
        Self { members: files.iter().map(member).collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn find(&self, certificate: Digest) -> Option<&Audited> {
        self.members
            .iter()
            .filter_map(Member::sound)
            .find(|audited| audited.certificate() == certificate)
    }

    /// The position of the newest: the one that is nobody's parent. Of children of one parent, the
    /// first: then [`Code::V20`] fails. Of generations with a missing link between them, the one
    /// that lacks it: then [`Code::V18`] names it. A file that was given twice counts once.
    ///
    /// # Errors
    /// If the files are not generations of the same keys.
    pub fn newest(&self) -> Result<usize, Unrelated> {
        let certificate = |at: usize| self.members[at].sound().map(Audited::certificate);
        let parents: Vec<Digest> = self.members.iter().filter_map(Member::parent).collect();
        let mut newest: Vec<usize> = Vec::new();
        for at in 0..self.members.len() {
            let own = certificate(at);
            let is_parent = own.is_some_and(|own| parents.contains(&own));
            let again = own.is_some() && newest.iter().any(|other| certificate(*other) == own);
            if !is_parent && !again {
                newest.push(at);
            }
        }
        match newest.as_slice() {
            [first, second, ..] if self.fork().is_none() => {
                if let Some(unlinked) = self.unlinked(&newest) {
                    return Ok(unlinked);
                }
                let (first, second) = (*first, *second);
                let broken = newest.iter().find_map(|at| {
                    self.members[*at].audited.as_ref().err().map(|code| (*at, *code))
                });
                let common = self.keys(first).iter().any(|key| self.keys(second).contains(key));
                Err(Unrelated { first, second, broken, common })
            }
            [first, ..] => Ok(*first),
            [] => Ok(0),
        }
    }

    /// The first of these whose chain is not there to its end, if each of them has a validator in
    /// common with it: generations of one key, with a link that is missing between them.
    fn unlinked(&self, newest: &[usize]) -> Option<usize> {
        newest.iter().copied().find(|at| {
            let own = self.keys(*at);
            let related = |other: &usize| self.keys(*other).iter().any(|key| own.contains(key));
            self.lacks_a_parent(*at) && newest.iter().all(related)
        })
    }

    /// The validators' keys, of a transcript that is sound by itself.
    fn keys(&self, at: usize) -> Vec<[u8; 48]> {
        let validators = self.members[at].sound().map_or(&[][..], Audited::validators);
        validators.iter().map(|validator| validator.public_key.to_compressed()).collect()
    }

    /// Whether a parent of this one, or one of its parents', was not given.
    fn lacks_a_parent(&self, at: usize) -> bool {
        let mut child = self.members[at].sound();
        let named =
            |child: &Audited| Some(child.ceremony().reshare()?.origin.parent()?.certificate);
        while let Some(certificate) = child.and_then(named) {
            // A certificate covers that of its parent, so that this ends.
            child = self.find(certificate);
            if child.is_none() {
                return true;
            }
        }
        false
    }

    /// Two children of one parent with a validator in common.
    fn fork(&self) -> Option<(Digest, Digest)> {
        let mut rest = self.members.as_slice();
        while let [first, others @ ..] = rest {
            if let Some(other) = others.iter().find(|other| first.forks(other)) {
                return Some((first.sound()?.certificate(), other.sound()?.certificate()));
            }
            rest = others;
        }
        None
    }
}

/// V18 and V20 of a transcript that passed all checks of its own; `family` is what was given
/// together with it.
pub(super) fn check(
    audited: &Got<Audited>,
    family: Option<&Family>,
    ledger: &mut Ledger,
) -> Got<()> {
    let Ok(newest) = audited else { return have(audited).map(drop) };
    let hangs = hang_together(newest, family, ledger);
    let Some(family) = family.filter(|family| family.len() > 1) else { return hangs };
    let alone = match family.fork() {
        None => {
            let count = family.len();
            let detail = format!(
                "of the {count} transcripts given, no two are children of one parent with a \
                 validator in common"
            );
            ledger.passed(Code::V20, detail);
            Ok(())
        }
        Some((one, other)) => ledger.part(Code::V20, || {
            Err(format!(
                "the ceremonies with the certificates {one} and {other} are children of one \
                 parent, or imports, with a validator in common: it was dealt twice"
            )
            .into())
        }),
    };
    hangs.and(alone)
}

/// V18.
fn hang_together(newest: &Audited, family: Option<&Family>, ledger: &mut Ledger) -> Got<()> {
    let (mut child, mut names) = (newest, Vec::new());
    while let Some(named) = certificate_of_parent(child.ceremony()) {
        let Some(parent) = family.and_then(|family| family.find(named)) else {
            ledger.missing(
                Code::V18,
                format!("the transcript with the certificate {named} was not given"),
            );
            return Err(Code::V18);
        };
        ledger.part(Code::V18, || {
            link(parent, child.ceremony()).map_err(|error| error.to_string())?;
            match child.ceremony().is_repair() {
                true => Ok(()),
                false => Ok(shares_are_new(parent, child).map_err(|error| error.to_string())?),
            }
        })?;
        names.push(format!("{} ({named})", in_quotes(parent.ceremony().name())));
        // A certificate covers that of its parent, so that this ends.
        child = parent;
    }
    // The oldest: where the keys come from.
    if child.ceremony().kind() == CeremonyKind::Import {
        ledger.import = Some(child.ceremony().clone());
    }
    if names.is_empty() {
        return Ok(());
    }
    ledger.birth = child.birth();
    let oldest = details::oldest(child.ceremony());
    ledger
        .done(Code::V18, || format!("from the newest to the oldest: {}{oldest}", names.join(", ")))
}
