//! The checks of commits and finals: V14 to V16, encrypted shares, and the lock of a cluster.

use crate::ethereum::bls::bls_verify;
use crate::ethereum::obol::lock::ClusterLock;
use crate::message::body::{Commit, Final, Publishes};
use crate::message::envelope::{Round, Statement};
use crate::primitives::curve::G2;
use crate::primitives::hash::Digest;
use crate::protocol::checks::{self, Commits, Signed};
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::items::{Messages, outputs_digest};
use crate::protocol::obol::UnsignedLock;
use crate::protocol::outcome::{Sums, ValidatorOutcome};

use super::{Each, Rounds, Views};
use crate::audit::code::Code;
use crate::audit::ledger::{Got, Ledger, Stop, have, have_all};
use crate::audit::{describe, details};

/// The commits that decode: all of them together, or each by itself.
pub(super) enum Released {
    Together(Box<Commits>),
    Singly(Each<Commits>),
}

impl Released {
    /// All of them, by index.
    pub(super) fn together(&self) -> Got<&[Signed<Commit>]> {
        match self {
            Self::Together(commits) => Ok(&commits.signed),
            Self::Singly(_) => Err(Code::V16),
        }
    }

    fn all(&self) -> Each<&Signed<Commit>> {
        match self {
            Self::Together(commits) => commits.signed.iter().map(Ok).collect(),
            Self::Singly(each) => {
                fn only(commits: &Commits) -> Got<&Signed<Commit>> {
                    commits.signed.first().ok_or(Code::V16)
                }
                each.iter().map(|commits| have(commits).and_then(only)).collect()
            }
        }
    }
}

/// What follows from the commits.
pub(super) struct Signatures {
    pub(super) messages: Messages,
    /// Verified or not.
    pub(super) combined: Vec<G2>,
}

/// The finals, and what they are judged by.
pub(super) struct Last<'a> {
    pub(super) views: &'a Views,
    pub(super) chains: &'a Each<()>,
    pub(super) finals: &'a Each<Signed<Final>>,
}

impl Rounds {
    /// The bodies of the commits: V16.
    pub(super) fn released(&self, sums: &Got<Sums>, ledger: &mut Ledger) -> Released {
        let sums = sums.as_ref().ok();
        if let Ok(commits) = have_all(&self.commits) {
            let commits: Vec<Statement> = commits.into_iter().cloned().collect();
            if let Ok(together) = checks::decode_commits(&commits, &self.shape, sums) {
                return Released::Together(Box::new(together));
            }
        }
        Released::Singly(ledger.each(Code::V16, &self.commits, |commit| {
            Ok(checks::decode_commits(core::slice::from_ref(commit), &self.shape, sums)?)
        }))
    }

    /// V15 and V16. Yields the combined signatures, verified or not.
    pub(super) fn signing(
        &self,
        released: &Released,
        chains: &Each<()>,
        sums: &Got<Sums>,
        ledger: &mut Ledger,
    ) -> Got<Signatures> {
        // V16 needs the messages, also where what is combined of its partial signatures is nothing.
        let messages =
            ledger.part(Code::V15, || Ok(Messages::new(&self.ceremony, have(sums)?.public_keys())));
        let combined = ledger.part(Code::V15, || {
            have(sums)?;
            self.combine(released)
        });
        // Both at once; if that fails, each by itself, for its own verdict.
        let both = match (released, sums, &messages, &combined, have_all(chains)) {
            (Released::Together(commits), Ok(sums), Ok(messages), Ok(combined), Ok(_)) => {
                checks::verified_together(sums, messages, commits, combined).is_some()
            }
            _ => false,
        };
        self.partials(released, chains, (sums, &messages), both, ledger);
        let _: Got<()> = ledger.check(Code::V15, || {
            let (sums, messages, combined) = (have(sums)?, have(&messages)?, have(&combined)?);
            if !both {
                self.signatures_verified(sums, messages, combined)?;
            }
            Ok(((), details::signatures(&self.shape, &self.ceremony)))
        });
        Ok(Signatures { messages: messages?, combined: combined? })
    }

    /// The signatures of the `t` lowest indices, whatever became of the others.
    fn combine(&self, released: &Released) -> Result<Vec<G2>, Stop> {
        let all = released.all();
        let lowest = self.ceremony.receivers().take(self.ceremony.t());
        let of = |(seat, _)| {
            let place = self.place(Round::Commit, seat).ok_or(Code::V14)?;
            all[place]
        };
        let lowest: Vec<&Signed<Commit>> = lowest.map(of).collect::<Result<_, Code>>()?;
        Ok(checks::combine(&self.ceremony, &lowest)?)
    }

    /// V16, by the sums and messages; `verified` if all of them were verified together.
    fn partials(
        &self,
        released: &Released,
        chains: &Each<()>,
        (sums, messages): (&Got<Sums>, &Got<Messages>),
        verified: bool,
        ledger: &mut Ledger,
    ) {
        let verified = verified
            || match (released, sums, messages, have_all(chains)) {
                (Released::Together(commits), Ok(sums), Ok(messages), Ok(_)) => {
                    checks::partials_verified(sums, messages, commits).is_ok()
                }
                _ => false,
            };
        let judged: Each<usize> =
            chains.iter().enumerate().map(|(at, chain)| chain.map(|()| at)).collect();
        ledger.each(Code::V16, &judged, |at| {
            let (sums, messages) = (have(sums)?, have(messages)?);
            if verified {
                return Ok(());
            }
            let by_itself = |commits: &Commits| checks::partials_verified(sums, messages, commits);
            let judged = match released {
                Released::Singly(each) => by_itself(have(&each[*at])?),
                Released::Together(_) => {
                    let commit = core::slice::from_ref(have(&self.commits[*at])?);
                    by_itself(&checks::decode_commits(commit, &self.shape, Some(sums))?)
                }
            };
            Ok(judged.map(drop)?)
        });
        let _: Got<()> = ledger.done(Code::V16, || details::partials(&self.shape));
    }

    /// V15. The check is a batch, and blames nobody: the partial signatures (V16) tell who.
    fn signatures_verified(
        &self,
        sums: &Sums,
        messages: &Messages,
        combined: &[G2],
    ) -> Result<(), String> {
        if checks::signatures_verified(sums, messages, combined).is_ok() {
            return Ok(());
        }
        let valid = |(v, root): &(usize, [u8; 32]), signature| {
            bls_verify(&sums.public_key(*v), root, signature)
        };
        let wrong = messages
            .roots
            .iter()
            .zip(combined)
            .position(|(root, signature)| !valid(root, signature));
        let what = wrong.map_or_else(
            || "a signature".to_owned(),
            |item| describe::item(Some(&self.ceremony), item),
        );
        Err(format!("the combined signature on {what} does not verify under its validator's key"))
    }

    /// The proofs of encrypted shares, where the ceremony is for SSV: of finals, in version 1 of
    /// commits.
    pub(super) fn sealing(
        &self,
        released: &Released,
        last: &Last<'_>,
        sums: &Got<Sums>,
        ledger: &mut Ledger,
    ) {
        if self.ceremony.ssv().is_none() {
            return;
        }
        match self.shape.round_of_encrypted_shares() {
            Round::Final => self.published(&self.judged(last), sums, ledger),
            _ => {
                let chained = released.all().into_iter().zip(last.chains).map(|(commit, chain)| {
                    have(chain)?;
                    commit
                });
                self.published(&chained.collect(), sums, ledger);
            }
        }
        let _: Got<()> = ledger.done(Code::Sealed, || details::sealed(&self.shape));
    }

    fn published<B: Publishes + Sync>(
        &self,
        statements: &Each<&Signed<B>>,
        sums: &Got<Sums>,
        ledger: &mut Ledger,
    ) {
        ledger.each(Code::Sealed, statements, |published| {
            let (sums, alone) = (have(sums)?, core::slice::from_ref(*published));
            Ok(checks::shares_encrypted(&self.ceremony, sums, alone).map(drop)?)
        });
    }

    /// The finals that are judged by the commits here: those signed over all of them, by operators
    /// whose own commits were made with the sums here.
    fn judged<'a>(&self, last: &Last<'a>) -> Each<&'a Signed<Final>> {
        let of = |(decoded, view): (&'a Got<Signed<Final>>, &Got<()>)| {
            let decoded = have(decoded)?;
            have(view)?;
            have_all(&self.commits)?;
            let place = self.place(Round::Commit, decoded.sender()).ok_or(Code::V14)?;
            have(&last.chains[place])?;
            Ok(decoded)
        };
        last.finals.iter().zip(&last.views.finals).map(of).collect()
    }

    /// V14.
    pub(super) fn agreeing(
        &self,
        last: &Last<'_>,
        sums: &Got<Sums>,
        signatures: &Got<Signatures>,
        ledger: &mut Ledger,
    ) -> Got<Digest> {
        let outputs = ledger.part(Code::V14, || {
            let (sums, Signatures { messages, combined }) = (have(sums)?, have(signatures)?);
            Ok(outputs_digest(sums.digest(), &messages.roots, combined))
        });
        ledger.each(Code::V14, &self.judged(last), |last| {
            let rule = Rule::Outputs { operator: last.sender() };
            match last.body.outputs == *have(&outputs)? {
                true => Ok(()),
                false => Err(Fault::new(rule, [&last.statement]).into()),
            }
        });
        ledger.check(Code::V14, || {
            let outputs = *have(&outputs)?;
            Ok((outputs, details::agreed(outputs, &have_all(last.finals)?, &self.ceremony)))
        })
    }

    /// The lock of an Obol cluster, if one is made.
    pub(super) fn locking(
        &self,
        last: &Last<'_>,
        sums: &Got<Sums>,
        signatures: &Got<Signatures>,
        ledger: &mut Ledger,
    ) -> Got<Option<ClusterLock>> {
        if self.ceremony.obol().is_none() {
            return Ok(None);
        }
        let lock = ledger.part(Code::Cluster, || {
            let (sums, Signatures { messages, combined }) = (have(sums)?, have(signatures)?);
            let outcome = ValidatorOutcome::all(sums, &messages.roots, combined);
            Ok(UnsignedLock::new(&self.ceremony, &outcome))
        });
        let judged = self.judged(last);
        ledger.each(Code::Cluster, &judged, |last| {
            super::none_of(have(&lock)?.iter().flat_map(|lock| lock.faults(last)).collect())
        });
        ledger.check(Code::Cluster, || {
            let finals: Vec<&Signed<Final>> = have_all(&judged)?.into_iter().copied().collect();
            let lock = lock?.map(|lock| lock.seal(&finals)).transpose()?;
            Ok((lock, details::lock(&self.shape, &self.ceremony)))
        })
    }
}
