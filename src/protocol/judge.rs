//! The judge: which faults a set of signed statements proves. A pure function of the ceremony and
//! the statements, independent of their source and order; operators, the auditor and `evidence
//! check` all use it.
//!
//! A statement after the hello names its session, not its ceremony. It is judged only if its
//! session is shown to be this ceremony's: by a deal whose view hashes to it, or by one hello of
//! every operator. Otherwise an honest statement of another ceremony, read with this one's lengths,
//! could look like a fault.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::body::{Deal, Hello};
use crate::message::complaint::{Claim, Complaint, Shown};
use crate::message::envelope::{Kind, Round, Statement, session_id};
use crate::message::inbox::view;
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address, ShareBoxError};
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::Digest;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::DhSecret;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::checks::{self, Signed};
use super::dealt::dealt;
use super::evidence::{Fault, Rule};
use super::masks;
use super::trial::Trial;

pub use super::trial::Work;

/// Every fault that `statements` (each opened for `ceremony`) prove, in order of rounds and
/// senders. Each fault holds the statements that prove it, with those that bind them to the
/// ceremony. Time and memory grow with the statements, if these are within the bound of a file
/// (transcript chapter): what a crowd of one sender's statements asks for beyond two is not looked
/// into.
pub fn judge(ceremony: &Ceremony, statements: &[Statement]) -> Vec<Fault> {
    judge_counting(ceremony, statements).0
}

/// [`judge`], with what it took.
pub fn judge_counting(ceremony: &Ceremony, statements: &[Statement]) -> (Vec<Fault>, Work) {
    let court = Court::new(ceremony, statements);
    let (proven, work) = Trial::hold(&court);
    let mut known: BTreeSet<Rule> = BTreeSet::new();
    let mut faults = Vec::new();
    for fault in court.equivocations().into_iter().chain(proven) {
        if known.insert(fault.rule.clone()) {
            faults.push(court.complete(fault));
        }
    }
    (faults, work)
}

/// The statements that are shown to be of this ceremony, in order of rounds and senders.
pub fn of_this_ceremony<'a>(
    ceremony: &'a Ceremony,
    statements: &'a [Statement],
) -> Vec<&'a Statement> {
    Court::new(ceremony, statements).sorted().map(|(_, statement)| statement).collect()
}

/// `fault` with the statements that a stranger needs to see it too, taken from `held`.
pub(super) fn prove(ceremony: &Ceremony, held: &[Statement], fault: Fault) -> Box<Fault> {
    Box::new(Court::new(ceremony, held).complete(fault))
}

/// Judges one complaint by the hellos of its sender and of the dealer, and the deal that it is
/// about; `None` if these are not the ones it names.
pub(super) fn complaint(
    ceremony: &Ceremony,
    [hello, dealers]: [&Statement; 2],
    deal: &Statement,
    statement: &Statement,
) -> Option<Box<Fault>> {
    let shape = Shape::of(ceremony);
    let operator = statement.envelope.sender;
    let read = |bytes: &[u8], from| Complaint::decode(bytes, &shape, from);
    let complaint = match checks::decode_one(statement, read) {
        Ok(complaint) => complaint,
        Err(fault) => return Some(fault),
    };
    let (view_of, dealer) = (|deal| view(deal, &shape), complaint.body.dealer);
    let names = |view: Vec<Digest>| {
        let of = |whose| shape.named(&view, Round::Hello, whose).copied();
        of(operator) == Some(hello.digest()) && of(dealer) == Some(dealers.digest())
    };
    let named = shape.named(&complaint.body.view, Round::Deal, dealer);
    let linked = named == Some(&deal.digest())
        && (deal.envelope.sender, deal.envelope.session) == (dealer, statement.envelope.session)
        && view_of(deal).is_some_and(names)
        && (hello.envelope.sender, dealers.envelope.sender) == (operator, dealer);
    if !linked {
        return None;
    }
    let read = |hello| checks::decode_one(hello, |bytes, from| Hello::decode(bytes, &shape, from));
    let deal = checks::decode_one(deal, |bytes, from| Deal::decode(bytes, &shape, from));
    match (read(hello), deal) {
        (Err(fault), _) | (_, Err(fault)) => Some(fault),
        (Ok(hello), Ok(deal)) => {
            opened_box(ceremony, (&hello, &|| read(dealers).ok()), &deal, &complaint)
        }
    }
}

/// What the box in a complaint shows, or the key, with the hello of its sender, that of the dealer
/// and the deal that it names: the dealer's fault, or the sender's.
pub(super) fn opened_box(
    ceremony: &Ceremony,
    (hello, dealers): (&Signed<Hello>, &dyn Fn() -> Option<Signed<Hello>>),
    deal: &Signed<Deal>,
    complaint: &Signed<Complaint>,
) -> Option<Box<Fault>> {
    let (body, operator) = (&complaint.body, complaint.sender());
    let (dealer, shape) = (body.dealer, Shape::of(ceremony));
    if let (Shown::Key { opened, .. }, Claim::Mask { validator }) = (&body.shown, body.claim) {
        let shown = (opened, validator);
        return masks::judge(ceremony, (hello, &dealers()?), deal, shown, &complaint.statement);
    }
    let evidence = [&hello.statement, &deal.statement, &complaint.statement];
    let false_complaint = Some(Fault::new(Rule::FalseComplaint { operator, dealer }, evidence));
    // Only of oneself there is no box, and a complaint about oneself does not decode.
    let places = shape.place_of_box(dealer, operator).zip(shape.place_of_key(operator, dealer));
    let (of_box, of_key) = places?;
    let (point, promised) = (ceremony.roster().get(operator)?.point, dealt(ceremony, deal));
    let address = Address {
        session: complaint.statement.envelope.session,
        dealer,
        recipient: operator,
        root: promised.merkle_root(),
    };
    let wrong = |validator, share: &SecretScalar| {
        validator < shape.v && share.base_mult() != promised.share(validator, point)
    };
    let list = deal.body.share_lists.get(of_box);
    // Each claim is judged alone, whatever else is wrong with the box.
    let found = match &body.shown {
        Shown::Box { opened, sealed } => {
            let secret = DhSecret::new(Secret32::copied(opened));
            let signed = deal.body.box_digests[of_box] == share_box::digest(sealed);
            if secret.public() != hello.body.one_time_keys[of_key] || !signed {
                return false_complaint;
            }
            match (body.claim, list) {
                (Claim::Mismatch { validator }, _) => {
                    share_box::open_one(&address, &secret, sealed, &shape, validator)
                        .ok()
                        .filter(|share| wrong(validator, share))
                        .map(|_| Rule::Share { dealer, validator })
                }
                (claim, None) => share_box::open(&address, &secret, sealed, &shape)
                    .err()
                    .filter(|error| claim == (*error).into())
                    .map(|error| Rule::ShareBox { dealer, error }),
                (_, Some(list)) => {
                    let opened = share_box::open_listed(&address, &secret, sealed, &shape, list);
                    opened.err().map(|error| Rule::ShareBox { dealer, error })
                }
            }
        }
        // One is never shown for the other: a complaint would not decode.
        Shown::Key { .. } => None,
        Shown::Share(shown) => {
            let (Claim::NotAScalar { validator } | Claim::Mismatch { validator }) = body.claim
            else {
                return false_complaint;
            };
            if !list.is_some_and(|list| shown.is_of(&address, validator, list)) {
                return false_complaint;
            }
            match (SecretScalar::from_be_bytes(&shown.share), body.claim) {
                (Err(_), Claim::NotAScalar { .. }) => {
                    let error = ShareBoxError::NotAScalar { validator };
                    Some(Rule::ShareBox { dealer, error })
                }
                (Ok(share), Claim::Mismatch { .. }) if wrong(validator, &share) => {
                    Some(Rule::Share { dealer, validator })
                }
                _ => None,
            }
        }
    };
    found.map_or(false_complaint, |rule| Some(Fault::new(rule, evidence)))
}

/// Round, sender and digest: the order of statements.
pub(super) type Place = (Round, Index, Digest);

/// The statements that can be judged, with what shows that they can.
pub(super) struct Court<'a> {
    pub(super) ceremony: &'a Ceremony,
    pub(super) shape: Shape,
    statements: BTreeMap<Digest, &'a Statement>,
    sorted: BTreeMap<Place, &'a Statement>,
    /// The session that the hellos make, if there is one of each operator; with them.
    by_hellos: Option<(Digest, Vec<&'a Statement>)>,
    /// A deal for each session that one shows to be of this ceremony.
    by_deals: BTreeMap<Digest, &'a Statement>,
}

impl<'a> Court<'a> {
    fn new(ceremony: &'a Ceremony, statements: &'a [Statement]) -> Self {
        let shape = Shape::of(ceremony);
        let known: BTreeMap<Digest, &Statement> =
            statements.iter().map(|statement| (statement.digest(), statement)).collect();
        let (by_hellos, by_deals) =
            (session_of_hellos(ceremony, &known), sessions_of_deals(ceremony, &shape, &known));
        let shown = |session: &Digest| {
            by_deals.contains_key(session)
                || by_hellos.as_ref().is_some_and(|(hellos, _)| hellos == session)
        };
        let bound = |_: &Digest, statement: &mut &Statement| match (
            statement.envelope.kind,
            statement.envelope.round,
        ) {
            (Kind::Abandon, _) | (_, Round::Hello) => {
                statement.envelope.session == ceremony.digest()
            }
            _ => shown(&statement.envelope.session),
        };
        let mut statements = known;
        statements.retain(bound);
        let place = |(digest, statement): (&Digest, &&'a Statement)| {
            ((statement.envelope.round, statement.envelope.sender, *digest), *statement)
        };
        let sorted = statements.iter().map(place).collect();
        Self { ceremony, shape, statements, sorted, by_hellos, by_deals }
    }

    /// By round, sender and digest.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (Place, &'a Statement)> {
        self.sorted.iter().map(|(place, statement)| (*place, *statement))
    }

    /// The statement with this digest, if it is at this place.
    pub(super) fn named(
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
    pub(super) fn named_by(&self, statement: &Statement) -> Option<Vec<&'a Statement>> {
        let before = self.shape.before(statement.envelope.round)?;
        let view = view(statement, &self.shape)?;
        let named = |(index, digest)| self.named(digest, before, index, statement.envelope.session);
        self.shape.speakers(before).iter().zip(&view).map(named).collect()
    }

    /// E1: two statements of one operator for one slot.
    fn equivocations(&self) -> Vec<Fault> {
        let slot = |statement: &Statement| {
            (statement.envelope.round, statement.envelope.sender, statement.envelope.session)
        };
        let mut first: BTreeMap<_, &Statement> = BTreeMap::new();
        let mut faults = Vec::new();
        let in_slots = self.sorted().filter(|(_, statement)| {
            matches!(statement.envelope.kind, Kind::Ordinary | Kind::Complaint)
        });
        for (_, statement) in in_slots {
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

    /// Adds the statements that a stranger needs: those that bind the sessions to the ceremony, and
    /// the past that a verdict follows from.
    fn complete(&self, fault: Fault) -> Fault {
        let mut open: Vec<(Digest, &Statement)> =
            fault.evidence.iter().map(|statement| (statement.digest(), statement)).collect();
        for statement in &fault.evidence {
            let session = statement.envelope.session;
            let bound = |held: &Statement| held.envelope.session == session && self.is_bound(held);
            let names_session = statement.envelope.round != Round::Hello
                && statement.envelope.kind != Kind::Abandon;
            if names_session && !fault.evidence.iter().any(bound) {
                open.extend(self.binding(session).into_iter().map(|held| (held.digest(), held)));
            }
        }
        let mut all: BTreeMap<Place, &Statement> = BTreeMap::new();
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        while let Some((digest, statement)) = open.pop() {
            if !seen.insert(digest) {
                continue;
            }
            all.insert((statement.envelope.round, statement.envelope.sender, digest), statement);
            if fault.rule.follows_from_past() {
                let view = view(statement, &self.shape).unwrap_or_default();
                let unseen = view.into_iter().filter(|digest| !seen.contains(digest));
                open.extend(
                    unseen.filter_map(|digest| Some((digest, *self.statements.get(&digest)?))),
                );
            }
        }
        Fault { rule: fault.rule, evidence: all.into_values().cloned().collect() }
    }

    fn is_bound(&self, statement: &Statement) -> bool {
        let kind = (statement.envelope.kind, statement.envelope.round);
        kind == (Kind::Ordinary, Round::Deal) && is_bound(self.ceremony, &self.shape, statement)
    }

    /// What shows that `session` is of this ceremony: the hellos it is made of, or else a deal.
    fn binding(&self, session: Digest) -> Vec<&'a Statement> {
        match &self.by_hellos {
            Some((of_hellos, hellos)) if *of_hellos == session => hellos.clone(),
            _ => self.by_deals.get(&session).copied().into_iter().collect(),
        }
    }
}

/// Whether a deal's session is this ceremony's, by its own view.
fn is_bound(ceremony: &Ceremony, shape: &Shape, deal: &Statement) -> bool {
    view(deal, shape).is_some_and(|view| session_id(ceremony, &view) == deal.envelope.session)
}

/// The sessions that a deal shows to be of this ceremony, each with the first such deal.
fn sessions_of_deals<'a>(
    ceremony: &Ceremony,
    shape: &Shape,
    statements: &BTreeMap<Digest, &'a Statement>,
) -> BTreeMap<Digest, &'a Statement> {
    let mut sessions = BTreeMap::new();
    for statement in statements.values().copied() {
        let envelope = &statement.envelope;
        if (envelope.kind, envelope.round) == (Kind::Ordinary, Round::Deal)
            && is_bound(ceremony, shape, statement)
        {
            sessions.entry(envelope.session).or_insert(statement);
        }
    }
    sessions
}

/// The session that the hellos make, with them, if there is exactly one of each operator. With two
/// hellos of one operator, the deals tell which of them a session was made of.
fn session_of_hellos<'a>(
    ceremony: &Ceremony,
    statements: &BTreeMap<Digest, &'a Statement>,
) -> Option<(Digest, Vec<&'a Statement>)> {
    let mut hellos: BTreeMap<(Index, Digest), &Statement> = BTreeMap::new();
    for (digest, hello) in statements {
        let envelope = &hello.envelope;
        if (envelope.kind, envelope.round, envelope.session)
            == (Kind::Ordinary, Round::Hello, ceremony.digest())
        {
            hellos.insert((envelope.sender, *digest), hello);
        }
    }
    let senders: Vec<Index> = hellos.keys().map(|(sender, _)| *sender).collect();
    let view: Vec<Digest> = hellos.keys().map(|(_, digest)| *digest).collect();
    senders
        .into_iter()
        .eq(ceremony.indices())
        .then(|| (session_id(ceremony, &view), hellos.into_values().collect()))
}

impl From<ShareBoxError> for Claim {
    fn from(error: ShareBoxError) -> Self {
        match error {
            ShareBoxError::Sealed | ShareBoxError::Unlisted => Self::Sealed,
            ShareBoxError::NotAScalar { validator } => Self::NotAScalar { validator },
        }
    }
}
