//! What statements prove alone and by what they name: the part of the judge that decodes bodies,
//! adds up deals and combines signatures. Each body is decoded once, and what follows from the same
//! deals or commits is computed once and dropped when it was used.

mod sums;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::message::body::{Commit, Deal, Final, Hello, Prepare};
use crate::message::complaint::{Abandon, Complaint};
use crate::message::envelope::{Kind, Round, Statement, session_id, view_root};
use crate::message::inbox::view;
use crate::message::minima::Minima;
use crate::message::shape::Shape;
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::checks::{self, Signed};
use super::evidence::{Fault, Rule};
use super::findings;
use super::judge::{Court, Place, opened_box};
use super::outcome::Sums;

/// What a judgement took, in a unit that does not depend on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Deals that were decoded.
    pub deals: usize,
    /// Commits that were decoded.
    pub commits: usize,
    /// Sets of deals that were added up.
    pub sums: usize,
    /// Sets of commits that were combined.
    pub combined: usize,
}

impl Work {
    /// Points of the curve that were decoded, added up or combined.
    pub fn points(&self, shape: &Shape) -> usize {
        let (deal, commit) = (shape.v * shape.t, shape.items);
        let decoded = self.deals * deal + self.commits * commit;
        decoded + self.sums * shape.parts.dealers.len() * deal + self.combined * shape.t * commit
    }
}

/// A deal that decodes.
struct Dealt {
    signed: Rc<Signed<Deal>>,
    /// Why its dealer does not know its constant terms, if so.
    unknown: Option<Box<Fault>>,
}

/// Finals that are judged with what they name, by place.
type Finals = Vec<(Place, Signed<Final>)>;

/// Deals that are added up for statements: what these are over.
type SumsOf = (Digest, Digest);

/// Statements that are judged by the sums over the same deals, by place.
#[derive(Default)]
struct Group<'a> {
    deals: Vec<&'a Statement>,
    prepares: Vec<(Place, Signed<Prepare>)>,
    commits: Vec<(Place, &'a Statement)>,
    finals: Finals,
}

/// The judgement of a court's statements.
pub(super) struct Trial<'c, 'a> {
    court: &'c Court<'a>,
    deals: BTreeMap<Digest, Dealt>,
    commits: BTreeMap<Digest, Rc<Signed<Commit>>>,
    groups: BTreeMap<SumsOf, Group<'a>>,
    faults: Vec<(Place, Box<Fault>)>,
    work: Work,
}

impl<'c, 'a> Trial<'c, 'a> {
    /// Judges all statements: faults in order of rounds, senders and digests, first those of
    /// single statements and then what deals prove together.
    pub(super) fn hold(court: &'c Court<'a>) -> (Vec<Fault>, Work) {
        let mut trial = Self {
            court,
            deals: BTreeMap::new(),
            commits: BTreeMap::new(),
            groups: BTreeMap::new(),
            faults: Vec::new(),
            work: Work::default(),
        };
        trial.decode_deals();
        let with_past = trial.with_past();
        for (place, statement) in court.sorted() {
            trial.alone(place, statement, &with_past);
        }
        trial.judge_groups();
        trial.faults.sort_by_key(|(place, _)| *place);
        let pairs = trial.pairs();
        // A fault without culprit (a sum that is infinity) proves nothing about anybody.
        let faults = trial.faults.into_iter().map(|(_, fault)| *fault).chain(pairs);
        (faults.filter(|fault| fault.rule.class().is_some()).collect(), trial.work)
    }

    fn note(&mut self, place: Place, fault: Box<Fault>) {
        self.faults.push((place, fault));
    }

    /// The value, or nothing and one fault more.
    fn hear<T>(&mut self, place: Place, judged: Result<T, Box<Fault>>) -> Option<T> {
        judged.map_err(|fault| self.note(place, fault)).ok()
    }

    fn shape(&self) -> &'c Shape {
        &self.court.shape
    }

    /// Each deal is decoded once, because its points take long.
    fn decode_deals(&mut self) {
        let court = self.court;
        if court.ceremony.reshare().is_some() && court.ceremony.parent_shares().is_none() {
            // Without the parent's rows no deal of a reshare is whole.
            return;
        }
        for (place, statement) in court.sorted() {
            let envelope = &statement.envelope;
            if (envelope.kind, envelope.round) != (Kind::Ordinary, Round::Deal) {
                continue;
            }
            self.work.deals += 1;
            let read = |bytes: &[u8], from| Deal::decode(bytes, &court.shape, from);
            match checks::decode_one(statement, read) {
                Ok(signed) => {
                    let alone = core::slice::from_ref(&signed);
                    let unknown = checks::known_constants(&envelope.session, alone).err();
                    self.deals.insert(place.2, Dealt { signed: Rc::new(signed), unknown });
                }
                Err(fault) => self.note(place, fault),
            }
        }
    }

    /// The prepares and finals that are judged with what they name: of one sender and session two,
    /// of prepares first those that its own commits name. Whoever signs more has equivocated.
    fn with_past(&self) -> BTreeSet<Digest> {
        let own = |commit: &Statement| -> Option<Digest> {
            let view = view(commit, self.shape())?;
            self.shape().named(&view, Round::Prepare, commit.envelope.sender).copied()
        };
        let of = |wanted: Round| {
            self.court.sorted().filter(move |(_, statement)| {
                let envelope = &statement.envelope;
                (envelope.kind, envelope.round) == (Kind::Ordinary, wanted)
            })
        };
        let named: BTreeSet<(Index, Digest, Digest)> = of(Round::Commit)
            .filter_map(|(_, commit)| {
                Some((commit.envelope.sender, commit.envelope.session, own(commit)?))
            })
            .collect();
        let mut slots: BTreeMap<(Round, Index, Digest), Vec<(bool, Digest)>> = BTreeMap::new();
        for (place, statement) in of(Round::Prepare).chain(of(Round::Final)) {
            let (round, sender, digest) = place;
            let session = statement.envelope.session;
            let last = !named.contains(&(sender, session, digest));
            slots.entry((round, sender, session)).or_default().push((last, digest));
        }
        let two = |mut slot: Vec<(bool, Digest)>| {
            slot.sort_unstable();
            slot.truncate(2);
            slot.into_iter().map(|(_, digest)| digest)
        };
        slots.into_values().flat_map(two).collect()
    }

    /// Whether a statement's view is the one that its envelope names, and a deal's the one that its
    /// session names.
    fn view_holds(&self, statement: &Statement) -> Result<(), Box<Fault>> {
        let Some(view) = view(statement, self.shape()) else { return Ok(()) };
        let envelope = &statement.envelope;
        let is_deal = envelope.round == Round::Deal;
        let holds = view_root(&view) == envelope.view_root
            && (!is_deal || session_id(self.court.ceremony, &view) == envelope.session);
        let rule = Rule::ViewRoot { operator: envelope.sender, round: envelope.round };
        if holds { Ok(()) } else { Err(Fault::new(rule, [statement])) }
    }

    /// Everything that a statement breaks by itself, and with what it names of earlier rounds. What
    /// follows from sums is left to the groups.
    fn alone(&mut self, place: Place, statement: &'a Statement, with_past: &BTreeSet<Digest>) {
        let judged = with_past.contains(&place.2);
        match (statement.envelope.kind, statement.envelope.round) {
            (Kind::Abandon, round) => {
                if let Some(error) = Abandon::fault(statement, self.shape()) {
                    let rule = Rule::Abandonment { operator: place.1, round, error };
                    self.note(place, Fault::new(rule, [statement]));
                }
            }
            (Kind::Minima, round) => {
                if let Some(error) = Minima::fault(statement, self.shape()) {
                    let rule = Rule::Malformed { operator: place.1, round, error };
                    self.note(place, Fault::new(rule, [statement]));
                }
            }
            // It breaks no rule, whatever it names; and no set of statements holds one.
            (Kind::Without, _) => {}
            (Kind::Complaint, _) => {
                self.view(place, statement);
                let (shape, read) = (self.shape(), Complaint::decode);
                let complaint =
                    checks::decode_one(statement, |bytes, from| read(bytes, shape, from));
                if let Some(complaint) = self.hear(place, complaint)
                    && let Some(fault) = self.complaint(&complaint)
                {
                    self.note(place, fault);
                }
            }
            (Kind::Ordinary, Round::Hello) => self.hello(place, statement),
            (Kind::Ordinary, Round::Deal) => self.deal(place, statement),
            (Kind::Ordinary, Round::Prepare) => {
                let held = self.view(place, statement);
                let (shape, read) = (self.shape(), Prepare::decode);
                let prepare = checks::decode_one(statement, |bytes, from| read(bytes, shape, from));
                if let Some(prepare) = self.hear(place, prepare)
                    && held
                    && judged
                    && let Some(group) = self.group(statement)
                {
                    group.prepares.push((place, prepare));
                }
            }
            (Kind::Ordinary, Round::Commit) => {
                let held = self.view(place, statement);
                let own = self.own_prepare(statement).filter(|_| held);
                match own.and_then(|prepare| self.group(prepare)) {
                    Some(group) => group.commits.push((place, statement)),
                    None => {
                        let decoded = self.commit(place, statement, None).map(drop);
                        self.hear(place, decoded);
                    }
                }
            }
            (Kind::Ordinary, Round::Final) => {
                let held = self.view(place, statement);
                let (shape, read) = (self.shape(), Final::decode);
                let last = checks::decode_one(statement, |bytes, from| read(bytes, shape, from));
                let Some(last) = self.hear(place, last).filter(|_| held && judged) else { return };
                let commits = self.court.named_by(statement);
                let own = commits.and_then(|commits| {
                    self.own_prepare(shape.named(&commits, Round::Commit, place.1)?)
                });
                if let Some(group) = own.and_then(|prepare| self.group(prepare)) {
                    group.finals.push((place, last));
                }
            }
        }
    }

    /// Whether a statement's view holds; a fault more if not.
    fn view(&mut self, place: Place, statement: &Statement) -> bool {
        let held = self.view_holds(statement);
        self.hear(place, held).is_some()
    }

    fn hello(&mut self, place: Place, statement: &Statement) {
        let shape = self.shape();
        self.hear(place, findings::follows_nothing(statement));
        let read = |bytes: &[u8], from| Hello::decode(bytes, shape, from);
        if let Some(hello) = self.hear(place, checks::decode_one(statement, read)) {
            self.hear(place, checks::distinct_hellos(&[hello]));
        }
    }

    /// One that does not decode is noted already.
    fn deal(&mut self, place: Place, statement: &Statement) {
        self.view(place, statement);
        let Some(dealt) = self.deals.get(&place.2) else { return };
        let (signed, unknown) = (dealt.signed.clone(), dealt.unknown.clone());
        let faults = [
            self.opened(&signed).err(),
            unknown,
            checks::distinct_constants(core::slice::from_ref(&*signed)).err(),
        ];
        faults.into_iter().flatten().for_each(|fault| self.note(place, fault));
    }

    /// A hello or a deal that does not decode is a fault of its own.
    fn complaint(&self, complaint: &Signed<Complaint>) -> Option<Box<Fault>> {
        let (session, sender) = (complaint.statement.envelope.session, complaint.sender());
        let dealer = complaint.body.dealer;
        let deal = self.shape().named(&complaint.body.view, Round::Deal, dealer)?;
        self.court.named(deal, Round::Deal, dealer, session)?;
        let deal = &self.deals.get(deal)?.signed;
        let hello = self.shape().named(&deal.body.view, Round::Hello, sender)?;
        let hello = self.court.named(hello, Round::Hello, sender, session)?;
        let read = |bytes: &[u8], from| Hello::decode(bytes, self.shape(), from);
        let hello = checks::decode_one(hello, read).ok()?;
        let dealers = || {
            let named = self.shape().named(&deal.body.view, Round::Hello, dealer)?;
            let dealers = self.court.named(named, Round::Hello, dealer, session)?;
            checks::decode_one(dealers, read).ok()
        };
        opened_box(self.court.ceremony, (&hello, &dealers), deal, complaint)
    }

    /// Whether a deal opens its sender's hello, if that is here. A hello that does not decode is a
    /// fault of its own.
    fn opened(&self, deal: &Signed<Deal>) -> Result<(), Box<Fault>> {
        let (sender, session) = (deal.sender(), deal.statement.envelope.session);
        let Some(digest) = self.shape().named(&deal.body.view, Round::Hello, sender) else {
            return Ok(());
        };
        let read = |bytes: &[u8], from| Hello::decode(bytes, self.shape(), from);
        let hello = self.court.named(digest, Round::Hello, sender, session);
        let Some(Ok(hello)) = hello.map(|hello| checks::decode_one(hello, read)) else {
            return Ok(());
        };
        checks::opened(self.court.ceremony, &[hello], core::slice::from_ref(deal)).map(drop)
    }

    /// The prepare of a commit's own sender, among those that it names.
    fn own_prepare(&self, commit: &Statement) -> Option<&'a Statement> {
        let sender = commit.envelope.sender;
        let view = view(commit, self.shape())?;
        let digest = self.shape().named(&view, Round::Prepare, sender)?;
        self.court.named(digest, Round::Prepare, sender, commit.envelope.session)
    }

    /// The statements over the same deals as a prepare, if all of these are here and decode. A
    /// prepare whose envelope names another view than its body is refused: the sums of one view
    /// must never be taken for those of another.
    fn group(&mut self, prepare: &Statement) -> Option<&mut Group<'a>> {
        self.view_holds(prepare).ok()?;
        let key = (prepare.envelope.session, prepare.envelope.view_root);
        if !self.groups.contains_key(&key) {
            let deals = self.court.named_by(prepare)?;
            let decoded = |deal: &&Statement| self.deals.contains_key(&deal.digest());
            if !deals.iter().all(decoded) {
                return None;
            }
            self.groups.insert(key, Group { deals, ..Group::default() });
        }
        self.groups.get_mut(&key)
    }

    /// Decodes a commit, once; with weights for its verification if there are sums.
    fn commit(
        &mut self,
        place: Place,
        statement: &Statement,
        sums: Option<&Sums>,
    ) -> Result<checks::Commits, Box<Fault>> {
        self.work.commits += 1;
        let commits = checks::decode_commits(core::slice::from_ref(statement), self.shape(), sums)?;
        if let [signed] = commits.signed.as_slice() {
            self.commits.insert(place.2, Rc::new(signed.clone()));
        }
        Ok(commits)
    }

    /// What deals prove together: dealers who both know the same secret.
    fn pairs(&self) -> Vec<Fault> {
        let mut known: BTreeMap<Digest, Vec<Rc<Signed<Deal>>>> = BTreeMap::new();
        for (place, statement) in self.court.sorted() {
            // Who did not know its constants may have copied them: not the other's fault.
            if let Some(deal) = self.deals.get(&place.2).filter(|deal| deal.unknown.is_none()) {
                known.entry(statement.envelope.session).or_default().push(deal.signed.clone());
            }
        }
        let shared = known.into_values().flat_map(|deals| findings::equal_constants(&deals));
        // What one dealer repeats in one deal is noted already; in two it has equivocated.
        let of_two = |fault: &Fault| fault.rule.culprits().len() > 1;
        shared.filter(of_two).collect()
    }
}
