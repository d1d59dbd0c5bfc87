//! The checks of the rounds: V4 to V17. Each is made of each statement by itself, as soon as what
//! it needs is there, so that no statement can hide what another one proves (transcript chapter,
//! "What each check needs"). Batches are tried first, and narrowed where they fail.

mod dealing;
mod signing;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::body::{Final, Hello, Prepare};
use crate::message::envelope::{Kind, Round, Statement, session_id, view_root};
use crate::message::inbox::view;
use crate::message::minima::{MOST_MINIMA, Minima};
use crate::message::shape::Shape;
use crate::message::without::{Without, enough};
use crate::primitives::hash::Digest;
use crate::protocol::checks::{self, Signed};
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::findings;
use crate::protocol::outcome::{Sums, ValidatorOutcome, certificate};
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;
use crate::transcript::container::{self, Container};

use super::code::Code;
use super::facts::Audited;
use super::ledger::{Got, Ledger, Stop, have, have_all};
use super::replay::{open, open_unslotted};
use super::{describe, details};

/// What became of each statement of a round, by index: what a check made of it, or the check that
/// it did not pass.
type Each<T> = Vec<Got<T>>;

/// The statements of all rounds, opened: V4, and the signatures of V6, V12 and V14.
pub(super) struct Rounds {
    ceremony: Arc<Ceremony>,
    shape: Shape,
    session: Got<Digest>,
    hellos: Each<Statement>,
    deals: Each<Statement>,
    prepares: Each<Statement>,
    commits: Each<Statement>,
    finals: Each<Statement>,
    /// Of a reshare, in the order of the file.
    minima: Each<Statement>,
    /// Of a reshare that was finished without some: who, and the words of the others.
    lacking: Seats,
    withouts: Each<Statement>,
}

/// What a statement names as its view, as far as it can be believed: its own bytes say so, and each
/// statement of the round before that is here is the one that it names.
struct Views {
    prepares: Each<()>,
    finals: Each<()>,
}

/// All of `faults`, if there are any.
fn none_of(faults: Vec<Fault>) -> Result<(), Stop> {
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

fn is_import(ceremony: &Arc<Ceremony>) -> bool {
    ceremony.kind() == CeremonyKind::Import
}

/// Those that are there.
fn there<T>(each: &[Got<T>]) -> Vec<&T> {
    each.iter().filter_map(|one| one.as_ref().ok()).collect()
}

/// V14, of what stands in no slot: each opens, in the session and in the order of the file.
fn unslotted(
    container: &Container<'_>,
    kind: Kind,
    session: &Got<Digest>,
    ledger: &mut Ledger,
) -> Each<Statement> {
    let mut last: Option<(Index, Digest)> = None;
    let (all, name) = match kind {
        Kind::Without => (container.withouts(), "word without others"),
        _ => (container.minima(), "minima"),
    };
    let each = all.iter().zip(1..).map(|(bytes, number)| {
        ledger.part(Code::V14, || {
            let name = format!("{name} {number}");
            let statement = open_unslotted(container, kind, &name, bytes, have(session)?)?;
            let here = (statement.envelope.sender, statement.digest());
            match last.replace(here).is_some_and(|last| last >= here) {
                true => Err(format!("{name}: out of order or repeated").into()),
                false => Ok(statement),
            }
        })
    });
    each.collect()
}

impl Rounds {
    /// Opens all statements: signatures first, because they are cheap and everything else hangs on
    /// them.
    pub(super) fn open(container: &Container<'_>, ledger: &mut Ledger) -> Self {
        let ceremony = container.ceremony().clone();
        let mut all = |code, round, session: &Got<Digest>| -> Each<Statement> {
            let one = |sender: Index| {
                ledger.part(code, || Ok(open(container, round, sender, have(session)?)?))
            };
            container.speakers(round).iter().map(one).collect()
        };
        let hellos = all(Code::V4, Round::Hello, &Ok(ceremony.digest()));
        let session = have_all(&hellos).map(|hellos| {
            let digests: Vec<Digest> = hellos.into_iter().map(Statement::digest).collect();
            session_id(&ceremony, &digests)
        });
        let this = Self {
            shape: *container.shape(),
            deals: all(Code::V6, Round::Deal, &session),
            prepares: all(Code::V12, Round::Prepare, &session),
            commits: all(Code::V14, Round::Commit, &session),
            finals: all(Code::V14, Round::Final, &session),
            minima: unslotted(container, Kind::Minima, &session, ledger),
            withouts: unslotted(container, Kind::Without, &session, ledger),
            lacking: container.lacking(),
            ceremony,
            session,
            hellos,
        };
        let _: Got<()> =
            ledger.done(Code::V4, || details::consent(this.hellos.len(), this.ceremony.digest()));
        this
    }

    /// Everything that follows. `transcript` is the digest of the whole.
    pub(super) fn check(&self, transcript: Digest, ledger: &mut Ledger) -> Got<Audited> {
        let hellos = self.hellos(ledger);
        let deals = self.deals(&hellos, ledger);
        let sums = self.sums(&deals, ledger);
        let views = self.views(ledger);
        self.storing(&views, &sums, ledger);
        let released = self.released(&sums, ledger);
        let chains = self.chains(&views);
        let signatures = self.signing(&released, &chains, &sums, ledger);
        let finals = self.finals(ledger);
        self.stops(ledger);
        let last = signing::Last { views: &views, chains: &chains, finals: &finals };
        self.sealing(&released, &last, &sums, ledger);
        let outputs = self.agreeing(&last, &sums, &signatures, ledger);
        let complete = self.finished_without(&sums, &outputs, ledger);
        let outputs = complete.and(outputs);
        let lock = self.locking(&last, &sums, &signatures, ledger);
        let anchors = self.anchors(&hellos, ledger);
        details::not_made(&self.shape, ledger);
        if let Some(cause) = ledger.first_missing() {
            return Err(cause);
        }
        let (sums, signatures) = (sums?, signatures?);
        let finals = finals.into_iter().collect::<Result<Vec<Signed<Final>>, Code>>()?;
        let mut validators =
            ValidatorOutcome::all(&sums, &signatures.messages.roots, &signatures.combined);
        ValidatorOutcome::publish(&mut validators, released.together()?);
        ValidatorOutcome::publish(&mut validators, &finals);
        Ok(Audited {
            transcript,
            session: self.session?,
            dkg: *sums.digest(),
            outputs: outputs?,
            validators,
            anchors: anchors?,
            flags: finals.iter().filter_map(|last| last.body.flags).collect(),
            lock: lock?,
            rows: Some(Arc::new(sums.into_rows())),
            without: self.lacking,
            import: Some(self.ceremony.clone()).filter(is_import),
            birth: None,
            ceremony: self.ceremony.clone(),
        })
    }

    /// Where the statement of `seat` stands among those of `round`.
    fn place(&self, round: Round, seat: Index) -> Option<usize> {
        self.shape.place(round, seat)
    }

    /// V12 and V14: whether views hold, and are those of the statements here. Of one that cannot be
    /// compared with all of these, only the rest is compared.
    fn views(&self, ledger: &mut Ledger) -> Views {
        let mut over = |code, before: &Each<Statement>, statements: &Each<Statement>| {
            let agree = |statement: &Statement| {
                let named = view(statement, &self.shape).unwrap_or_default();
                let held = before.iter().map(|held| held.as_ref().ok());
                none_of(findings::view_faults(held, statement, &named))
            };
            let agreeing = ledger.each(code, statements, agree);
            let _: Got<()> = ledger.part(code, || Ok(have_all(before).map(drop)?));
            agreeing
        };
        let prepares = over(Code::V12, &self.deals, &self.prepares);
        over(Code::V14, &self.prepares, &self.commits);
        Views { prepares, finals: over(Code::V14, &self.commits, &self.finals) }
    }

    /// Of each commit, whether its sender's prepare is the one that stands here and was signed over
    /// the deals that stand here. What it signs is judged by the sums of these, and of no others:
    /// an operator that was shown other deals has signed rightly for those.
    fn chains(&self, views: &Views) -> Each<()> {
        let chain = |commit: &Got<Statement>| {
            let commit = have(commit)?;
            let sender = commit.envelope.sender;
            let place = self.place(Round::Prepare, sender).ok_or(Code::V14)?;
            let named = view(commit, &self.shape).unwrap_or_default();
            let prepare = have(&self.prepares[place])?;
            let held = view_root(&named) == commit.envelope.view_root;
            if !held || named.get(place) != Some(&prepare.digest()) {
                return Err(Code::V14);
            }
            have(&views.prepares[place])?;
            have_all(&self.deals).map(drop)
        };
        self.commits.iter().map(chain).collect()
    }

    /// V12 and V13.
    fn storing(&self, views: &Views, sums: &Got<Sums>, ledger: &mut Ledger) {
        let shape = &self.shape;
        let prepares: Each<Signed<Prepare>> = ledger.each(Code::V12, &self.prepares, |prepare| {
            Ok(checks::decode_one(prepare, |bytes, from| Prepare::decode(bytes, shape, from))?)
        });
        let judged = |(prepare, view): (&'_ Got<Signed<Prepare>>, &Got<()>)| {
            have(view).and(have(prepare).cloned())
        };
        let judged: Each<Signed<Prepare>> =
            prepares.iter().zip(&views.prepares).map(judged).collect();
        ledger.each(Code::V12, &judged, |prepare| {
            Ok(checks::sums_root(have(sums)?, core::slice::from_ref(prepare))?)
        });
        let _: Got<()> = ledger.done(Code::V12, || details::stored(shape));
        let proven = |sums: &Sums, prepares: &[&Signed<Prepare>]| {
            checks::shares_proven(&self.ceremony, sums, prepares).map(drop)
        };
        let together = sums.as_ref().is_ok_and(|sums| proven(sums, &there(&judged)).is_ok());
        ledger.each(Code::V13, &judged, |prepare| match together {
            true => Ok(()),
            false => Ok(proven(have(sums)?, &[prepare])?),
        });
        let _: Got<()> = ledger.done(Code::V13, || details::shares_proven(shape));
    }

    /// V14: of each dealer of a reshare there are minima, and they decode.
    fn stops(&self, ledger: &mut Ledger) {
        ledger.each(Code::V14, &self.minima, |said| match Minima::fault(said, &self.shape) {
            None => Ok(()),
            Some(error) => {
                let (operator, round) = (said.envelope.sender, said.envelope.round);
                let rule = Rule::Malformed { operator, round, error };
                Err(Fault::new(rule, [said]).into())
            }
        });
        let senders: Vec<Index> =
            there(&self.minima).into_iter().map(|said| said.envelope.sender).collect();
        let said = |dealer: &Index| senders.iter().filter(|sender| *sender == dealer).count();
        for dealer in self.shape.stops().iter() {
            let _: Got<()> = ledger.part(Code::V14, || match said(&dealer) {
                1..=MOST_MINIMA => Ok(()),
                0 => Err(format!("operator {dealer}: no minima").into()),
                many => Err(format!("operator {dealer}: minima {many} times").into()),
            });
        }
    }

    /// V14: a reshare that lacks finals was finished without their senders, by the rule.
    fn finished_without(
        &self,
        sums: &Got<Sums>,
        outputs: &Got<Digest>,
        ledger: &mut Ledger,
    ) -> Got<()> {
        let Some(spec) = self.ceremony.reshare().filter(|_| !self.lacking.is_empty()) else {
            return Ok(());
        };
        ledger.part(Code::V14, || {
            Ok(enough(spec, &self.shape, self.lacking).map_err(|error| error.to_string())?)
        })?;
        ledger.part(Code::V14, || {
            let words = have_all(&self.withouts)?;
            let own = certificate(&self.ceremony.digest(), have(sums)?.digest(), have(outputs)?);
            let mut named: BTreeMap<Index, Seats> = BTreeMap::new();
            for word in words {
                let who = describe::operator(Some(&self.ceremony), word.envelope.sender);
                let said = Without::of(word, &self.shape)
                    .map_err(|error| format!("the word of {who} without others: {error}"))?;
                if said.certificate != own {
                    return Err(format!("{who} finishes another ceremony without others").into());
                }
                let sender = word.envelope.sender;
                let named = named.entry(sender).or_default();
                let adds = container::adds(&self.shape, named, self.lacking, word);
                if !adds || self.lacking.contains(sender) {
                    return Err(format!("a word of {who} without others says nothing new").into());
                }
            }
            let left = Seats::first(self.shape.n).minus(self.lacking);
            let agrees = |seat: &Index| named.get(seat).is_some_and(|all| *all == self.lacking);
            match left.iter().find(|seat| !agrees(seat)) {
                None => Ok(()),
                Some(seat) => Err(format!(
                    "{} has not signed that it finishes without all who are missing",
                    describe::operator(Some(&self.ceremony), seat)
                )
                .into()),
            }
        })
    }

    /// The bodies of the finals: V14.
    fn finals(&self, ledger: &mut Ledger) -> Each<Signed<Final>> {
        ledger.each(Code::V14, &self.finals, |last| {
            Ok(checks::decode_one(last, |bytes, from| Final::decode(bytes, &self.shape, from))?)
        })
    }

    /// V17.
    fn anchors(&self, hellos: &Each<Signed<Hello>>, ledger: &mut Ledger) -> Got<Vec<[u8; 32]>> {
        let hellos = have_all(hellos)?;
        Ok(details::anchors(&self.ceremony, &hellos, ledger))
    }
}
