//! The judge: which faults a set of signed statements proves. A pure function of the ceremony and
//! the statements, independent of their source and order; operators, the auditor and `evidence
//! check` all use it.
//!
//! A statement after the hello names its session, not its ceremony. It is judged only if its
//! session is shown to be this ceremony's: by a deal whose view hashes to it, or by one hello of
//! every operator. Otherwise an honest statement of another ceremony, read with this one's lengths,
//! could look like a fault.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::message::body::{Commit, Deal, Final, Hello, Prepare};
use crate::message::complaint::{Claim, Complaint};
use crate::message::envelope::{Kind, Round, Statement, session_id, view_root};
use crate::message::inbox::view;
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address};
use crate::primitives::codec::DecodeError;
use crate::primitives::commitment::evaluate_row;
use crate::primitives::hash::Digest;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::DhSecret;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::checks::{self, Signed};
use super::evidence::{Fault, Rule};
use super::items::{Messages, outputs_digest, signing_roots};
use super::obol::UnsignedLock;
use super::outcome::{Sums, ValidatorOutcome};
use super::world::position_without;

/// Every fault that `statements` (each opened for `ceremony`) prove, in order of rounds and
/// senders. Each fault holds the statements that prove it, with those that bind them to the
/// ceremony.
pub fn judge(ceremony: &Ceremony, statements: &[Statement]) -> Vec<Fault> {
    let court = Court::new(ceremony, statements);
    let mut faults: Vec<Fault> = Vec::new();
    for fault in court.equivocations().into_iter().chain(court.bodies()).chain(court.pairs()) {
        if !faults.iter().any(|known| known.rule == fault.rule) {
            faults.push(court.complete(fault));
        }
    }
    faults
}

/// The statements that are shown to be of this ceremony, in order of rounds and senders; with
/// abandonments, which need no showing.
pub fn of_this_ceremony<'a>(
    ceremony: &'a Ceremony,
    statements: &'a [Statement],
) -> Vec<&'a Statement> {
    let abandoned = statements.iter().filter(|statement| statement.envelope.kind == Kind::Abandon);
    Court::new(ceremony, statements).sorted().into_iter().chain(abandoned).collect()
}

/// `fault` with the statements that a stranger needs to see it too, taken from `held`.
pub(super) fn prove(ceremony: &Ceremony, held: &[Statement], fault: Fault) -> Box<Fault> {
    Box::new(Court::new(ceremony, held).complete(fault))
}

/// Judges one complaint by the hello of its sender and the deal that it is about; `None` if these
/// are not the ones it names.
pub(super) fn complaint(
    ceremony: &Ceremony,
    hello: &Statement,
    deal: &Statement,
    statement: &Statement,
) -> Option<Box<Fault>> {
    let shape = Shape::of(ceremony);
    let operator = statement.envelope.sender;
    let body = match Complaint::decode(statement.body(), &shape) {
        Ok(body) => body,
        Err(error) => return Some(malformed(statement, error)),
    };
    let dealer = body.dealer;
    let linked = body.view[dealer.position()] == deal.digest()
        && (deal.envelope.sender, deal.envelope.session) == (dealer, statement.envelope.session)
        && view(deal, &shape).is_some_and(|view| view[operator.position()] == hello.digest())
        && hello.envelope.sender == operator;
    if !linked {
        return None;
    }
    let keys = match Hello::decode(hello.body(), &shape) {
        Ok(hello) => hello.one_time_keys,
        Err(error) => return Some(malformed(hello, error)),
    };
    let dealt = match Deal::decode(deal.body(), &shape) {
        Ok(dealt) => dealt,
        Err(error) => return Some(malformed(deal, error)),
    };
    let evidence = [hello, deal, statement];
    let false_complaint = Some(Fault::new(Rule::FalseComplaint { operator, dealer }, evidence));
    if dealer == operator {
        return false_complaint;
    }
    let secret = DhSecret::new(Secret32::new(&mut { body.opened }));
    let signed =
        dealt.box_digests[position_without(dealer, operator)] == share_box::digest(&body.sealed);
    if secret.public() != keys[position_without(operator, dealer)] || !signed {
        return false_complaint;
    }
    let address = Address {
        session: statement.envelope.session,
        dealer,
        recipient: operator,
        root: dealt.commitments.merkle_root(),
    };
    let found = match share_box::open(&address, &secret, &body.sealed, &shape) {
        Err(error) if body.claim == error.into() => Rule::ShareBox { dealer, error },
        Ok(shares) => match body.claim {
            Claim::Mismatch { validator } => {
                let point = ceremony.roster().get(operator)?.point;
                let row = dealt.commitments.rows().nth(validator)?;
                if shares[validator].base_mult() == evaluate_row(row, point).finish() {
                    return false_complaint;
                }
                Rule::Share { dealer, validator }
            }
            Claim::Sealed | Claim::NotAScalar { .. } => return false_complaint,
        },
        Err(_) => return false_complaint,
    };
    Some(Fault::new(found, evidence))
}

fn malformed(statement: &Statement, error: DecodeError) -> Box<Fault> {
    let (operator, round) = (statement.envelope.sender, statement.envelope.round);
    Fault::new(Rule::Malformed { operator, round, error }, [statement])
}

fn view_contradicted(statement: &Statement) -> Box<Fault> {
    let (operator, round) = (statement.envelope.sender, statement.envelope.round);
    Fault::new(Rule::ViewRoot { operator, round }, [statement])
}

/// Sums by session and view; `None` where the deals do not add up.
type SumsOfViews = BTreeMap<(Digest, Digest), Option<Rc<Sums>>>;

/// The statements that can be judged, by digest, with what is computed once.
struct Court<'a> {
    ceremony: &'a Ceremony,
    shape: Shape,
    statements: BTreeMap<Digest, &'a Statement>,
    deals: RefCell<BTreeMap<Digest, Option<Signed<Deal>>>>,
    sums: RefCell<SumsOfViews>,
}

impl<'a> Court<'a> {
    fn new(ceremony: &'a Ceremony, statements: &'a [Statement]) -> Self {
        let shape = Shape::of(ceremony);
        let sessions = sessions(ceremony, &shape, statements);
        let bound =
            |statement: &&Statement| match (statement.envelope.kind, statement.envelope.round) {
                (Kind::Abandon, _) => false,
                (_, Round::Hello) => statement.envelope.session == ceremony.digest(),
                _ => sessions.contains(&statement.envelope.session),
            };
        let statements = statements
            .iter()
            .filter(bound)
            .map(|statement| (statement.digest(), statement))
            .collect();
        Self { ceremony, shape, statements, deals: RefCell::default(), sums: RefCell::default() }
    }

    /// Sorted by round, sender and digest.
    fn sorted(&self) -> Vec<&'a Statement> {
        let mut sorted: Vec<&Statement> = self.statements.values().copied().collect();
        sorted.sort_by_key(|statement| (statement.envelope.round, statement.envelope.sender));
        sorted
    }

    fn named(
        &self,
        digest: &Digest,
        round: Round,
        sender: Index,
        session: Digest,
    ) -> Option<&'a Statement> {
        let statement = *self.statements.get(digest)?;
        let envelope = &statement.envelope;
        let wanted_session = if round == Round::Hello { self.ceremony.digest() } else { session };
        let fits = (envelope.kind, envelope.round, envelope.sender, envelope.session);
        (fits == (Kind::Ordinary, round, sender, wanted_session)).then_some(statement)
    }

    /// All statements of the round before that `statement` names.
    fn named_by(&self, statement: &Statement) -> Option<Vec<&'a Statement>> {
        let before = Round::from_number(statement.envelope.round.number().checked_sub(1)?)?;
        let view = view(statement, &self.shape)?;
        let named = |(index, digest)| self.named(digest, before, index, statement.envelope.session);
        self.ceremony.indices().zip(&view).map(named).collect()
    }

    /// E1: two statements of one operator for one slot.
    fn equivocations(&self) -> Vec<Fault> {
        let sorted = self.sorted();
        let slot = |statement: &Statement| {
            (statement.envelope.round, statement.envelope.sender, statement.envelope.session)
        };
        let mut first: BTreeMap<_, &Statement> = BTreeMap::new();
        let mut faults = Vec::new();
        for statement in sorted {
            if let Some(other) = first.insert(slot(statement), statement) {
                let rule = Rule::Equivocation {
                    operator: statement.envelope.sender,
                    round: statement.envelope.round,
                };
                faults.push(*Fault::new(rule, [other, statement]));
            }
        }
        faults
    }

    /// What each statement proves by itself and by those it names.
    fn bodies(&self) -> Vec<Fault> {
        self.sorted()
            .into_iter()
            .filter_map(|statement| self.body(statement))
            .map(|fault| *fault)
            .collect()
    }

    /// Whether a statement's view is the one that its envelope names, and a deal's the one that its
    /// session names.
    fn view_holds(&self, statement: &Statement) -> bool {
        view(statement, &self.shape).is_none_or(|view| {
            let is_deal = statement.envelope.round == Round::Deal;
            view_root(&view) == statement.envelope.view_root
                && (!is_deal || session_id(self.ceremony, &view) == statement.envelope.session)
        })
    }

    /// First whether a body decodes, then its view, then what follows from it: the order in which
    /// participants look.
    fn body(&self, statement: &Statement) -> Option<Box<Fault>> {
        if let Err(error) = self.decodes(statement) {
            return Some(malformed(statement, error));
        }
        if !self.view_holds(statement) {
            return Some(view_contradicted(statement));
        }
        let verdict = match (statement.envelope.kind, statement.envelope.round) {
            (Kind::Abandon, _) => return None,
            (Kind::Complaint, _) => return self.complaint(statement),
            (Kind::Ordinary, Round::Hello) => self.hello(statement),
            (Kind::Ordinary, Round::Deal) => self.deal(statement),
            (Kind::Ordinary, Round::Prepare) => self.prepare(statement),
            (Kind::Ordinary, Round::Commit) => self.commit(statement),
            (Kind::Ordinary, Round::Final) => self.last(statement),
        };
        // A fault without culprit (a sum that is infinity) proves nothing about anybody.
        verdict.err().filter(|fault| fault.rule.class().is_some())
    }

    fn decodes(&self, statement: &Statement) -> Result<(), DecodeError> {
        let (bytes, shape) = (statement.body(), &self.shape);
        match (statement.envelope.kind, statement.envelope.round) {
            (Kind::Abandon, _) => Ok(()),
            (Kind::Complaint, _) => Complaint::decode(bytes, shape).map(drop),
            (Kind::Ordinary, Round::Hello) => Hello::decode(bytes, shape).map(drop),
            // Decoded once, because its points take long.
            (Kind::Ordinary, Round::Deal) => match self.dealt(statement) {
                Some(_) => Ok(()),
                None => Deal::decode(bytes, shape).map(drop),
            },
            (Kind::Ordinary, Round::Prepare) => Prepare::decode(bytes, shape).map(drop),
            (Kind::Ordinary, Round::Commit) => Commit::decode(bytes, shape).map(drop),
            (Kind::Ordinary, Round::Final) => Final::decode(bytes, shape).map(drop),
        }
    }

    fn complaint(&self, statement: &Statement) -> Option<Box<Fault>> {
        let view = view(statement, &self.shape)?;
        let body = Complaint::decode(statement.body(), &self.shape).ok()?;
        let session = statement.envelope.session;
        let deal = self.named(&view[body.dealer.position()], Round::Deal, body.dealer, session)?;
        let hellos = crate::message::inbox::view(deal, &self.shape)?;
        let sender = statement.envelope.sender;
        let hello = self.named(&hellos[sender.position()], Round::Hello, sender, session)?;
        complaint(self.ceremony, hello, deal, statement)
    }

    fn hello(&self, statement: &Statement) -> Result<(), Box<Fault>> {
        let hellos = checks::decode_hellos(core::slice::from_ref(statement), &self.shape)?;
        checks::distinct_hellos(&hellos).map(drop)
    }

    /// A deal that decodes, decoded once.
    fn dealt(&self, statement: &Statement) -> Option<Signed<Deal>> {
        let decoded = || {
            let read = |bytes: &[u8]| Deal::decode(bytes, &self.shape);
            checks::decode(core::slice::from_ref(statement), read)
                .ok()
                .and_then(|mut deals| deals.pop())
        };
        self.deals.borrow_mut().entry(statement.digest()).or_insert_with(decoded).clone()
    }

    fn deal(&self, statement: &Statement) -> Result<(), Box<Fault>> {
        let Some(deal) = self.dealt(statement) else { return Ok(()) };
        let (sender, session) = (deal.sender(), statement.envelope.session);
        let deal = core::slice::from_ref(&deal);
        if let Some(hello) =
            self.named(&deal[0].body.view[sender.position()], Round::Hello, sender, session)
        {
            // A hello that does not decode is a fault of its own.
            if let Ok(body) = Hello::decode(hello.body(), &self.shape) {
                checks::opened(self.ceremony, &[Signed { statement: hello.clone(), body }], deal)?;
            }
        }
        checks::known_constants(&session, deal)?;
        checks::distinct_constants(deal).map(drop)
    }

    /// The sums over the deals that a prepare names, if all are here and decode. A prepare whose
    /// envelope names another view than its body is refused: the sums of one view must never be
    /// taken for those of another.
    fn sums(&self, prepare: &Statement) -> Option<Rc<Sums>> {
        if !self.view_holds(prepare) {
            return None;
        }
        let key = (prepare.envelope.session, prepare.envelope.view_root);
        if let Some(known) = self.sums.borrow().get(&key) {
            return known.clone();
        }
        let deals = self.named_by(prepare)?;
        let deals: Option<Vec<Signed<Deal>>> =
            deals.into_iter().map(|deal| self.dealt(deal)).collect();
        let sums =
            checks::add_up(self.ceremony, &prepare.envelope.session, &deals?).ok().map(Rc::new);
        self.sums.borrow_mut().insert(key, sums.clone());
        sums
    }

    fn prepare(&self, statement: &Statement) -> Result<(), Box<Fault>> {
        let one = core::slice::from_ref(statement);
        let prepares = checks::decode(one, |bytes| Prepare::decode(bytes, &self.shape))?;
        let Some(sums) = self.sums(statement) else { return Ok(()) };
        checks::sums_root(&sums, &prepares)?;
        checks::shares_proven(self.ceremony, &sums, &prepares).map(drop)
    }

    /// The prepare of `statement`'s own sender, among those that a commit names.
    fn own_prepare(&self, statement: &Statement) -> Option<&'a Statement> {
        let sender = statement.envelope.sender;
        let digest = view(statement, &self.shape)?[sender.position()];
        self.named(&digest, Round::Prepare, sender, statement.envelope.session)
    }

    fn commit(&self, statement: &Statement) -> Result<(), Box<Fault>> {
        let one = core::slice::from_ref(statement);
        let sums = self.own_prepare(statement).and_then(|prepare| self.sums(prepare));
        let commits = checks::decode_commits(one, &self.shape, sums.as_deref())?;
        let Some(sums) = sums else { return Ok(()) };
        checks::partials_verified(
            &sums,
            &Messages::new(self.ceremony, sums.public_keys()),
            &commits,
        )?;
        checks::shares_sealed(self.ceremony, &sums, &commits.signed).map(drop)
    }

    fn last(&self, statement: &Statement) -> Result<(), Box<Fault>> {
        let one = core::slice::from_ref(statement);
        let finals = checks::decode(one, |bytes| Final::decode(bytes, &self.shape))?;
        let Some(commits) = self.named_by(statement) else { return Ok(()) };
        let own = commits[statement.envelope.sender.position()];
        let Some(sums) = self.own_prepare(own).and_then(|prepare| self.sums(prepare)) else {
            return Ok(());
        };
        let commits: Vec<Statement> = commits.into_iter().cloned().collect();
        // Commits that do not decode are faults of their own.
        let Ok(decoded) = checks::decode(&commits, |bytes| Commit::decode(bytes, &self.shape))
        else {
            return Ok(());
        };
        let roots = signing_roots(self.ceremony, sums.public_keys());
        let signatures = checks::combine(self.ceremony, &decoded)?;
        let expected = outputs_digest(sums.digest(), &roots, &signatures);
        if finals[0].body.outputs != expected {
            return Err(Fault::new(
                Rule::Outputs { operator: statement.envelope.sender },
                [statement],
            ));
        }
        match UnsignedLock::new(
            self.ceremony,
            &ValidatorOutcome::all(&sums, &roots, &signatures, &decoded),
        ) {
            Some(lock) => lock.check(&finals[0]),
            None => Ok(()),
        }
    }

    /// What deals prove together: dealers who both know the same secret.
    fn pairs(&self) -> Vec<Fault> {
        let mut known: BTreeMap<Digest, BTreeMap<Index, Signed<Deal>>> = BTreeMap::new();
        let deals =
            self.sorted().into_iter().filter(|statement| statement.envelope.round == Round::Deal);
        for deal in deals.filter_map(|statement| self.dealt(statement)) {
            let (session, alone) = (deal.statement.envelope.session, core::slice::from_ref(&deal));
            // Who did not know its constants may have copied them: not the other's fault.
            if checks::known_constants(&session, alone).is_ok()
                && checks::distinct_constants(alone).is_ok()
            {
                known.entry(session).or_default().entry(deal.sender()).or_insert(deal);
            }
        }
        let shared = |deals: BTreeMap<Index, Signed<Deal>>| {
            checks::distinct_constants(&deals.into_values().collect::<Vec<_>>()).err()
        };
        known.into_values().filter_map(shared).map(|fault| *fault).collect()
    }

    /// Adds the statements that a stranger needs: those that bind the sessions to the ceremony, and
    /// the past that a verdict follows from.
    fn complete(&self, fault: Fault) -> Fault {
        let mut all: BTreeMap<Digest, &Statement> = BTreeMap::new();
        let mut open: Vec<&Statement> = fault.evidence.iter().collect();
        for statement in &fault.evidence {
            let session = statement.envelope.session;
            let bound = |held: &Statement| held.envelope.session == session && self.is_bound(held);
            if statement.envelope.round != Round::Hello && !fault.evidence.iter().any(bound) {
                open.extend(self.binding(session));
            }
        }
        while let Some(statement) = open.pop() {
            let known = all.insert(statement.digest(), statement).is_some();
            if fault.rule.follows_from_past() && !known {
                let view = view(statement, &self.shape).unwrap_or_default();
                open.extend(view.iter().filter_map(|digest| self.statements.get(digest)));
            }
        }
        let mut evidence: Vec<Statement> = all.into_values().cloned().collect();
        evidence.sort_by_key(|statement| {
            (statement.envelope.round, statement.envelope.sender, statement.digest())
        });
        Fault { rule: fault.rule, evidence }
    }

    fn is_bound(&self, statement: &Statement) -> bool {
        let kind = (statement.envelope.kind, statement.envelope.round);
        kind == (Kind::Ordinary, Round::Deal) && is_bound(self.ceremony, &self.shape, statement)
    }

    /// What shows that `session` is of this ceremony: the hellos it is made of, or else a deal.
    fn binding(&self, session: Digest) -> Vec<&'a Statement> {
        let held = || self.statements.values().copied();
        let hellos: Vec<&Statement> =
            held().filter(|statement| statement.envelope.round == Round::Hello).collect();
        let mut view: Vec<(Index, Digest)> =
            hellos.iter().map(|hello| (hello.envelope.sender, hello.digest())).collect();
        view.sort_unstable();
        let view: Vec<Digest> = view.into_iter().map(|(_, digest)| digest).collect();
        if view.len() == self.shape.n && session_id(self.ceremony, &view) == session {
            return hellos;
        }
        held()
            .find(|statement| statement.envelope.session == session && self.is_bound(statement))
            .into_iter()
            .collect()
    }
}

/// Whether a deal's session is this ceremony's, by its own view.
fn is_bound(ceremony: &Ceremony, shape: &Shape, deal: &Statement) -> bool {
    view(deal, shape).is_some_and(|view| session_id(ceremony, &view) == deal.envelope.session)
}

/// The sessions that are shown to be of this ceremony.
fn sessions(ceremony: &Ceremony, shape: &Shape, statements: &[Statement]) -> BTreeSet<Digest> {
    let deals = statements
        .iter()
        .filter(|s| (s.envelope.kind, s.envelope.round) == (Kind::Ordinary, Round::Deal));
    let mut sessions: BTreeSet<Digest> = deals
        .filter(|deal| is_bound(ceremony, shape, deal))
        .map(|deal| deal.envelope.session)
        .collect();
    let mut hellos: BTreeMap<Index, Vec<Digest>> = BTreeMap::new();
    for hello in statements {
        let envelope = &hello.envelope;
        if (envelope.kind, envelope.round, envelope.session)
            == (Kind::Ordinary, Round::Hello, ceremony.digest())
        {
            hellos.entry(envelope.sender).or_default().push(hello.digest());
        }
    }
    // With two hellos of one operator, the deals tell which of them a session was made of.
    let only: Option<Vec<Digest>> = ceremony
        .indices()
        .map(|index| match hellos.get(&index).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        })
        .collect();
    sessions.extend(only.map(|view| session_id(ceremony, &view)));
    sessions
}

impl From<share_box::ShareBoxError> for Claim {
    fn from(error: share_box::ShareBoxError) -> Self {
        match error {
            share_box::ShareBoxError::Sealed => Self::Sealed,
            share_box::ShareBoxError::NotAScalar { validator } => Self::NotAScalar { validator },
        }
    }
}
