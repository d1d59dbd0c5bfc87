//! The inbox of a ceremony: a slot for each (round, sender). The first statement in a slot counts,
//! but in the last round the one that has passed all checks. The same content again changes
//! nothing, and another content is kept as evidence of equivocation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::envelope::{Kind, Reject, Round, Statement};
use super::minima::{MOST_MINIMA, Minima};
use super::shape::Shape;
use super::without::Without;

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The slot was empty.
    New,
    /// Already here.
    Same,
    /// The slot held another statement; both are kept.
    Conflict,
    /// The slot already holds two different statements; this one adds nothing.
    Surplus,
}

/// Two different statements that one operator signed for one slot (evidence class E1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict<'a> {
    /// The one that counts here.
    pub first: &'a Statement,
    /// The other.
    pub second: &'a Statement,
}

/// All statements of a ceremony that were believed, and the conflicting ones.
pub struct Inbox {
    ceremony: Arc<Ceremony>,
    shape: Shape,
    session: Option<Digest>,
    /// Never empty; the first one counts, in the last round if its sender is among `passed`.
    slots: BTreeMap<(Round, Index), Vec<Statement>>,
    /// Whose slot of the last round is filled.
    passed: BTreeSet<Index>,
    abandoned: BTreeMap<Index, Statement>,
    /// Of each dealer of a reshare, what its keys have signed last: at most two statements, which
    /// decode.
    minima: BTreeMap<Index, Vec<Statement>>,
    /// Of each dealer the first that does not decode: evidence, and nothing else.
    malformed_minima: BTreeMap<Index, Statement>,
    /// Of each operator that finishes a reshare without others, what it has signed: each names one
    /// more than those before it.
    without: BTreeMap<Index, Vec<Statement>>,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(ceremony: Arc<Ceremony>) -> Self {
        Self {
            shape: Shape::of(&ceremony),
            ceremony,
            session: None,
            slots: BTreeMap::new(),
            passed: BTreeSet::new(),
            abandoned: BTreeMap::new(),
            minima: BTreeMap::new(),
            malformed_minima: BTreeMap::new(),
            without: BTreeMap::new(),
        }
    }

    /// Opens a statement of this ceremony, and of this session where it names one.
    pub fn open(&self, bytes: &[u8]) -> Result<Statement, Reject> {
        let statement = Statement::open(bytes, &self.ceremony)?;
        let expected = match (statement.envelope.kind, statement.envelope.round) {
            (Kind::Abandon, _) | (_, Round::Hello) => self.ceremony.digest(),
            _ => self.session.ok_or(Reject::Early)?,
        };
        if statement.envelope.session != expected {
            return Err(Reject::ForeignSession);
        }
        Ok(statement)
    }

    /// Opens and files a statement.
    pub fn accept(&mut self, bytes: &[u8]) -> Result<(Arrival, Statement), Reject> {
        let statement = self.open(bytes)?;
        Ok((self.file(statement.clone()), statement))
    }

    /// Opens and files a statement that this operator's own log holds: it was kept before, and is
    /// kept whatever else is here by now.
    pub fn accept_logged(&mut self, bytes: &[u8]) -> Result<Statement, Reject> {
        let statement = self.open(bytes)?;
        let slot = (statement.envelope.round, statement.envelope.sender);
        let known =
            |held: &Vec<Statement>| held.iter().any(|held| held.digest() == statement.digest());
        match statement.envelope.kind {
            Kind::Abandon | Kind::Minima | Kind::Without => drop(self.file(statement.clone())),
            Kind::Ordinary | Kind::Complaint => {
                if self.slots.get(&slot).is_none_or(|held| !known(held)) {
                    self.keep(statement.clone());
                }
            }
        }
        Ok(statement)
    }

    /// Keeps an opened statement, however many its slot has: one that was kept before, or that a
    /// full slot needs because it passes the checks that the others there fail.
    pub fn keep(&mut self, statement: Statement) {
        let slot = (statement.envelope.round, statement.envelope.sender);
        self.slots.entry(slot).or_default().push(statement);
    }

    /// Files an opened statement. However many a peer sends, few are kept: two for each slot, and
    /// the prepares over which commits were signed.
    pub fn file(&mut self, statement: Statement) -> Arrival {
        let (round, sender) = (statement.envelope.round, statement.envelope.sender);
        if statement.envelope.kind == Kind::Abandon {
            return first_of(&mut self.abandoned, statement);
        }
        if statement.envelope.kind == Kind::Minima {
            if Minima::fault(&statement, &self.shape).is_some() {
                return first_of(&mut self.malformed_minima, statement);
            }
            let held = self.minima.entry(sender).or_default();
            if held.iter().any(|held| held.digest() == statement.digest()) {
                return Arrival::Same;
            }
            if held.len() == MOST_MINIMA {
                return Arrival::Surplus;
            }
            held.push(statement);
            return Arrival::New;
        }
        if statement.envelope.kind == Kind::Without {
            let named = Without::of(&statement, &self.shape).map(|without| without.seats);
            let adds = named.is_ok_and(|seats| !seats.is_within(self.does_without(sender)));
            return match adds {
                true => {
                    self.without.entry(sender).or_default().push(statement);
                    Arrival::New
                }
                false => Arrival::Same,
            };
        }
        let held = self.slots.get(&(round, sender)).map_or(&[][..], Vec::as_slice);
        // Digests name contents (but in version 1, where they cover signatures, and a second
        // signature would split the views).
        let arrival = match held {
            [] => Arrival::New,
            _ if held.iter().any(|held| held.digest() == statement.digest()) => Arrival::Same,
            [_] => Arrival::Conflict,
            // Somebody's certificate may hold this one: without it we could never follow. Prepares
            // alone: they are short.
            _ if round == Round::Prepare && self.is_named(&statement) => Arrival::Conflict,
            _ => Arrival::Surplus,
        };
        if matches!(arrival, Arrival::New | Arrival::Conflict) {
            self.keep(statement);
        }
        arrival
    }

    /// Whether a held statement of the round after (one of its slot's first two) was signed over
    /// this one.
    pub fn is_named(&self, statement: &Statement) -> bool {
        let (round, sender) = (statement.envelope.round, statement.envelope.sender);
        let (Some(place), Some(next)) = (self.shape.place(round, sender), self.shape.after(round))
        else {
            return false;
        };
        let following = self.shape.speakers(next).iter();
        let mut naming = following.flat_map(|index| self.all(next, index).take(2));
        let digest = statement.digest();
        naming.any(|later| self.view(later).is_some_and(|view| view.get(place) == Some(&digest)))
    }

    /// The view at the front of a statement's body; none in a hello.
    pub fn view(&self, statement: &Statement) -> Option<Vec<Digest>> {
        view(statement, &self.shape)
    }

    /// From now on, statements of later rounds are accepted if they are of this session.
    pub fn set_session(&mut self, session: Digest) {
        self.session = Some(session);
    }

    /// The session, once every hello is here.
    pub fn session(&self) -> Option<Digest> {
        self.session
    }

    /// The statement that counts in a slot: the first; in the last round the one that has passed.
    pub fn get(&self, round: Round, sender: Index) -> Option<&Statement> {
        let counts = round != self.shape.last_round() || self.passed.contains(&sender);
        self.all(round, sender).next().filter(|_| counts)
    }

    /// Fills its sender's slot of the last round with a statement that is here and passes all
    /// checks. What fills it stays: a second that passes is equivocation and changes nothing.
    pub fn fill(&mut self, statement: &Statement) {
        if self.passed.insert(statement.envelope.sender) {
            self.prefer(core::slice::from_ref(statement));
        }
    }

    /// All statements of a slot; the first one counts.
    pub fn all(&self, round: Round, sender: Index) -> impl Iterator<Item = &Statement> {
        self.slots.get(&(round, sender)).into_iter().flatten()
    }

    /// The ordinary statements that a round needs, by index, if they are all here.
    pub fn complete(&self, round: Round) -> Option<Vec<Statement>> {
        let ordinary = |statement: &&Statement| statement.envelope.kind == Kind::Ordinary;
        let speakers = self.shape.speakers(round).iter();
        speakers.map(|index| self.get(round, index).filter(ordinary).cloned()).collect()
    }

    /// Complete sets of a round's statements that may be a certificate: first those that statements
    /// of the next round name, `own`'s before others', then the one of the statements that count,
    /// then the one with the second of every slot that has one. None of the last round, which no
    /// statement names: there each slot is filled by itself.
    pub fn candidates(&self, round: Round, own: Index) -> Vec<Vec<Statement>> {
        let Some(next) = self.shape.after(round) else { return Vec::new() };
        let senders = core::iter::once(own).chain(self.shape.speakers(next).iter());
        let naming = senders.flat_map(|sender| self.all(next, sender).take(2));
        let named = naming.filter_map(|later| self.resolve(round, &self.view(later)?));
        let mut sets: Vec<Vec<Statement>> = Vec::new();
        for set in named.chain(self.counting_sets(round)) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }

    fn counting_sets(&self, round: Round) -> Vec<Vec<Statement>> {
        let ordinary = |statement: &&Statement| statement.envelope.kind == Kind::Ordinary;
        let second = |index| self.all(round, index).filter(ordinary).take(2).last().cloned();
        let seconds: Option<Vec<Statement>> =
            self.shape.speakers(round).iter().map(second).collect();
        let firsts = self.complete(round);
        let seconds = seconds.filter(|seconds| firsts.as_ref() != Some(seconds));
        firsts.into_iter().chain(seconds).collect()
    }

    fn resolve(&self, round: Round, view: &[Digest]) -> Option<Vec<Statement>> {
        let named = |(index, digest): (Index, &Digest)| {
            let ordinary = |statement: &&Statement| {
                statement.envelope.kind == Kind::Ordinary && statement.digest() == *digest
            };
            self.all(round, index).find(ordinary).cloned()
        };
        self.shape.speakers(round).iter().zip(view).map(named).collect()
    }

    /// Lets these statements, which are here, count in their slots.
    pub fn prefer(&mut self, statements: &[Statement]) {
        for statement in statements {
            let slot = (statement.envelope.round, statement.envelope.sender);
            if let Some(held) = self.slots.get_mut(&slot)
                && let Some(at) = held.iter().position(|held| held == statement)
            {
                held.swap(0, at);
            }
        }
    }

    /// Who is awaited in a round.
    pub fn missing(&self, round: Round) -> Vec<Index> {
        let speakers = self.shape.speakers(round).iter();
        speakers.filter(|index| self.get(round, *index).is_none()).collect()
    }

    /// Proofs of equivocation so far, one for each slot.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict<'_>> {
        self.slots.values().filter_map(|held| match held.as_slice() {
            [first, second, ..] => Some(Conflict { first, second }),
            _ => None,
        })
    }

    /// Every statement that counts, in order of rounds and senders.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.slots.keys().filter_map(|(round, sender)| self.get(*round, *sender))
    }

    /// Every statement that is held, in order of rounds and senders; then minima, and those that
    /// give up last.
    pub fn everything(&self) -> impl Iterator<Item = &Statement> {
        let minima = self.minima.values().flatten().chain(self.malformed_minima.values());
        self.slots.values().flatten().chain(minima).chain(self.abandoned.values())
    }

    /// The minima of every dealer that decode, as they came.
    pub fn minima(&self) -> impl Iterator<Item = &Statement> {
        self.minima.values().flatten()
    }

    /// Signed statements of minima that do not decode: one of each dealer that made any.
    pub fn malformed_minima(&self) -> impl Iterator<Item = &Statement> {
        self.malformed_minima.values()
    }

    /// The minima of one dealer that decode, as they came; at most [`MOST_MINIMA`].
    pub fn minima_of(&self, dealer: Index) -> &[Statement] {
        self.minima.get(&dealer).map_or(&[], Vec::as_slice)
    }

    /// What one dealer says that its keys have signed last: the greatest of what it has said.
    /// `None` as long as nothing of it is here that decodes.
    pub fn signed_last(&self, dealer: Index) -> Option<Minima> {
        let said = self.minima_of(dealer).iter();
        let said = said.filter_map(|said| Minima::of(said, &self.shape).ok());
        said.reduce(|one, other| one.joined(&other))
    }

    /// What operators have signed that finish a reshare without others. It stands in no set of
    /// statements: whether it is so, only a complete transcript shows.
    pub fn withouts(&self) -> impl Iterator<Item = &Statement> {
        self.without.values().flatten()
    }

    /// Without whom `operator` finishes a reshare, by all that it has signed.
    pub fn does_without(&self, operator: Index) -> Seats {
        let said = self.without.get(&operator).into_iter().flatten();
        let named = said.filter_map(|said| Without::of(said, &self.shape).ok());
        named.fold(Seats::default(), |all, without| all.joined(without.seats))
    }

    /// Who gave up.
    pub fn abandoned(&self) -> impl Iterator<Item = &Statement> {
        self.abandoned.values()
    }
}

/// Keeps the first statement of each sender.
fn first_of(kept: &mut BTreeMap<Index, Statement>, statement: Statement) -> Arrival {
    match kept.get(&statement.envelope.sender) {
        None => {
            kept.insert(statement.envelope.sender, statement);
            Arrival::New
        }
        Some(first) if first.digest() == statement.digest() => Arrival::Same,
        Some(_) => Arrival::Surplus,
    }
}

/// Digests of statements, in their order.
pub fn digests(statements: &[Statement]) -> Vec<Digest> {
    statements.iter().map(Statement::digest).collect()
}

/// The view at the front of a statement's body; none in a hello, and in what stands in no slot:
/// these follow nothing.
pub fn view(statement: &Statement, shape: &Shape) -> Option<Vec<Digest>> {
    match (statement.envelope.kind, statement.envelope.round) {
        (Kind::Abandon | Kind::Minima | Kind::Without, _) | (_, Round::Hello) => None,
        _ => {
            let view = 32 * shape.view_len(statement.envelope.round);
            let (digests, _) = statement.body().get(..view)?.as_chunks::<32>();
            Some(digests.iter().copied().map(Digest).collect())
        }
    }
}
