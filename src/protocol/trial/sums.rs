//! What follows from sums: prepares, commits and finals, judged by the deals that they are over.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::message::body::{Commit, Deal, Prepare};
use crate::message::envelope::{Round, Statement};
use crate::primitives::hash::Digest;
use crate::protocol::checks::{self, Signed};
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::items::{Messages, outputs_digest, signing_roots};
use crate::protocol::judge::Place;
use crate::protocol::obol::UnsignedLock;
use crate::protocol::outcome::{Sums, ValidatorOutcome};

use super::{Finals, Trial};

impl Trial<'_, '_> {
    /// What follows from sums: group by group, so that there is one set of sums at a time; but
    /// those are kept that finals need, which name commits of several groups.
    pub(super) fn judge_groups(&mut self) {
        let mut later: Vec<(Sums, Finals)> = Vec::new();
        for ((session, _), group) in core::mem::take(&mut self.groups) {
            let sums = self.sums(&session, &group.deals);
            for (place, prepare) in group.prepares {
                if let Some(sums) = &sums {
                    self.prepare(place, sums, prepare);
                }
            }
            let mut messages = None;
            for (place, statement) in group.commits {
                self.signed(place, statement, sums.as_ref(), &mut messages);
            }
            if let Some(sums) = sums.filter(|_| !group.finals.is_empty()) {
                later.push((sums, group.finals));
            }
        }
        later.into_iter().for_each(|(sums, finals)| self.finals(&sums, finals));
    }

    /// The sums over these deals, which decode; `None` if they add up to nothing.
    fn sums(&mut self, session: &Digest, deals: &[&Statement]) -> Option<Sums> {
        self.work.sums += 1;
        let dealt = |deal: &&Statement| Some(self.deals.get(&deal.digest())?.signed.clone());
        let deals = deals.iter().map(dealt).collect::<Option<Vec<Rc<Signed<Deal>>>>>()?;
        checks::add_up(self.court.ceremony, session, &deals).ok()
    }

    fn prepare(&mut self, place: Place, sums: &Sums, prepare: Signed<Prepare>) {
        let prepare = [prepare];
        self.hear(place, checks::sums_root(sums, &prepare));
        self.hear(place, checks::shares_proven(self.court.ceremony, sums, &prepare));
    }

    fn signed(
        &mut self,
        place: Place,
        statement: &Statement,
        sums: Option<&Sums>,
        messages: &mut Option<Messages>,
    ) {
        let ceremony = self.court.ceremony;
        let commits = self.commit(place, statement, sums);
        let Some((commits, sums)) = self.hear(place, commits).zip(sums) else { return };
        let messages = messages.get_or_insert_with(|| Messages::new(ceremony, sums.public_keys()));
        self.hear(place, checks::partials_verified(sums, messages, &commits));
        self.hear(place, checks::shares_encrypted(ceremony, sums, &commits.signed));
    }

    /// Finals whose own commits were made with these sums: by the commits that are combined for
    /// them, so that no set is combined twice.
    fn finals(&mut self, sums: &Sums, finals: Finals) {
        let (ceremony, shape) = (self.court.ceremony, self.shape());
        let receivers = shape.parts.receivers;
        let lowest = |view: &[Digest]| -> Vec<Digest> {
            let named = shape.speakers(Round::Commit).iter().zip(view);
            let of = named.filter(|(seat, _)| receivers.contains(*seat));
            of.map(|(_, digest)| *digest).take(shape.t).collect()
        };
        let roots = signing_roots(ceremony, sums.public_keys());
        let mut sets: BTreeMap<Vec<Digest>, Finals> = BTreeMap::new();
        for (place, last) in finals {
            // Commits that do not decode are faults of their own.
            if last.body.view.iter().all(|digest| self.commits.contains_key(digest)) {
                sets.entry(lowest(&last.body.view)).or_default().push((place, last));
            }
        }
        for (view, finals) in sets {
            self.work.combined += 1;
            let commit = |digest: &Digest| self.commits.get(digest).cloned();
            let commits: Vec<Rc<Signed<Commit>>> = view.iter().filter_map(commit).collect();
            let Ok(signatures) = checks::combine(ceremony, &commits) else { continue };
            let expected = outputs_digest(sums.digest(), &roots, &signatures);
            let outcome = ceremony.obol().map(|_| ValidatorOutcome::all(sums, &roots, &signatures));
            let lock = outcome.and_then(|outcome| UnsignedLock::new(ceremony, &outcome));
            for (place, last) in finals {
                if last.body.outputs != expected {
                    let rule = Rule::Outputs { operator: last.sender() };
                    self.note(place, Fault::new(rule, [&last.statement]));
                }
                let alone = core::slice::from_ref(&last);
                self.hear(place, checks::shares_encrypted(ceremony, sums, alone));
                let broken = lock.iter().flat_map(|lock| lock.faults(&last));
                broken.for_each(|fault| self.note(place, Box::new(fault)));
            }
        }
    }
}
