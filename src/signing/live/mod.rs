//! Answering a request over channels, for one operator: what is sent to whom, which answers count,
//! when there are enough, and how long to stay.
//!
//! Pure: events in, actions out. The driver signs, and has its log remember it, before it begins;
//! it opens channels that are bound to the request, carries frames, writes the result to its disk,
//! and looks at the clock. Nothing that is believed depends on time.
//!
//! Answers for everybody go from everybody to everybody, and each passes on what others lack.
//! Answers for a custodian go to that operator alone, who alone has the result.

mod event;

pub mod frame;

mod peer;

mod role;

pub use event::{Action, Ending, Event, Misconduct};
pub use role::Role;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::frame::{Frame, State};
use self::peer::Peer;
use super::combine::{Combined, combine, counts};
use super::parent::{Cleared, Parent};
use super::partial::{Extent, Partial, PartialFile};
use crate::identity::Operator;
use crate::primitives::secret::Secret32;
use crate::spec::threshold::Index;

/// One operator's part in answering a request.
pub struct Live {
    cleared: Cleared,
    parent: Parent,
    operator: Arc<Operator>,
    me: Index,
    role: Role,
    /// What a contributor sends: the same bytes each time.
    sealed: Option<PartialFile>,
    counted: BTreeMap<Index, Partial>,
    faulty: BTreeSet<Index>,
    peers: BTreeMap<Index, Peer>,
    combined: bool,
    satisfied: bool,
    received: bool,
    /// This operator's own answer was given to the network: it cannot be taken back.
    left: bool,
    /// Answers were counted since the others were last told.
    news: bool,
}

impl Live {
    /// Begins with this operator's own answer, which its log remembers. `ephemeral`: 32 fresh
    /// bytes, for the box to a custodian. `None` as of [`Role::of`].
    pub fn begin(
        cleared: Cleared,
        parent: Parent,
        operator: Arc<Operator>,
        own: Partial,
        ephemeral: Secret32,
    ) -> Option<(Self, Vec<Action>)> {
        let me = own.operator;
        let role = Role::of(&cleared, &parent, me)?;
        let sealed = matches!(role, Role::Contributor(_))
            .then(|| own.to_answer(&cleared, &operator, ephemeral));
        let others = parent.ceremony().roster().iter().map(|(index, _)| index);
        let others = others.filter(|index| *index != me && role.is_peer(&parent, *index));
        let peers = others.map(|index| (index, Peer::default())).collect();
        let mut live = Self {
            cleared,
            parent,
            operator,
            me,
            role,
            sealed,
            counted: BTreeMap::new(),
            faulty: BTreeSet::new(),
            peers,
            combined: false,
            satisfied: false,
            received: false,
            left: false,
            news: false,
        };
        let mut actions = Vec::new();
        live.count(own, &mut actions);
        Some((live, actions))
    }

    /// What to do now.
    pub fn handle(&mut self, event: Event<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Up(index) => self.up(index, &mut actions),
            Event::Down(index) => {
                if let Some(peer) = self.peers.get_mut(&index) {
                    peer.down();
                }
            }
            Event::Frame(from, bytes) => self.frame(from, bytes, &mut actions),
            Event::Tick => self.tick(&mut actions),
        }
        actions
    }

    /// The result is on this operator's disk: the others are told.
    pub fn written(&mut self) -> Vec<Action> {
        self.satisfied = true;
        let mut actions = Vec::new();
        self.tell(&mut actions);
        actions
    }

    /// Whether it is over.
    pub fn ending(&self) -> Option<Ending> {
        if let Role::Contributor(custodian) = self.role {
            let lost = self.peers.get(&custodian).is_some_and(|peer| peer.shut);
            return match (self.satisfied, lost) {
                (true, _) => Some(Ending::Complete),
                (false, true) => Some(Ending::CustodianLost),
                (false, false) => None,
            };
        }
        let most = self.answers().into_iter().max().unwrap_or(0);
        let hoped = self.hoped_for();
        let lost = self.lacking().iter().any(|index| !hoped.contains(index));
        if !self.combined && (lost || most + hoped.len() < self.parent.ceremony().t()) {
            return Some(Ending::Hopeless);
        }
        (self.satisfied && self.unsettled().is_empty()).then_some(Ending::Complete)
    }

    /// Who is waited for: before there is enough those whose answers would count, then those who
    /// may not have what they need.
    pub fn waiting_for(&self) -> Vec<Index> {
        match (self.role, self.satisfied) {
            (Role::Contributor(custodian), false) => vec![custodian],
            (_, true) => self.unsettled(),
            (_, false) => self.hoped_for(),
        }
    }

    /// Those of whom it is not known that they have what they need. Some of them may be gone, and
    /// not waited for any more.
    pub fn unconfirmed(&self) -> Vec<Index> {
        let open = self
            .peers
            .iter()
            .filter(|(index, peer)| !(peer.satisfied || peer.shut || self.faulty.contains(index)));
        open.map(|(index, _)| *index).collect()
    }

    /// Those whose answers may still come to count: a sealed one from its operator alone, an open
    /// one from anybody who is spoken with.
    fn hoped_for(&self) -> Vec<Index> {
        let deaf = self.peers.values().all(|peer| peer.shut);
        let open = self.peers.iter().filter(|(index, peer)| {
            let lost = match self.role {
                Role::Everybody => deaf,
                Role::Custodian | Role::Contributor(_) => peer.shut,
            };
            !(lost || self.counted.contains_key(index) || self.faulty.contains(index))
        });
        open.map(|(index, _)| *index).collect()
    }

    /// How many operators have signed for each validator of the request, by answers that count.
    pub fn answers(&self) -> Vec<usize> {
        counts(&self.cleared, self.counted.values())
    }

    /// Whose answers are required, whatever the threshold is, and do not count yet.
    pub fn lacking(&self) -> Vec<Index> {
        let required = self.cleared.required.iter().copied();
        required.filter(|index| !self.counted.contains_key(index)).collect()
    }

    /// How many answers count, this operator's own with them.
    pub fn counted(&self) -> usize {
        self.counted.len()
    }

    /// Whether this operator has what it needs.
    pub fn is_satisfied(&self) -> bool {
        self.satisfied
    }

    /// Whether this operator's answer was given to a channel since this began: it may have reached
    /// another, and cannot be taken back.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// This operator's own answer ([`Action::Answer`]) was given to a channel.
    pub fn answer_left(&mut self) {
        self.left = true;
    }

    /// Whether the custodian says that it counts this operator's answer. Nobody else can tell: it
    /// may say so of an answer that it never had.
    pub fn is_received(&self) -> bool {
        self.received
    }

    /// Its role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What is signed.
    pub fn cleared(&self) -> &Cleared {
        &self.cleared
    }

    /// The ceremony whose shares sign it.
    pub fn parent(&self) -> &Parent {
        &self.parent
    }

    /// Those of [`Self::unconfirmed`] that are waited for.
    fn unsettled(&self) -> Vec<Index> {
        let gone = |index: &Index| self.counted.contains_key(index) && self.peers[index].is_away();
        self.unconfirmed().into_iter().filter(|index| !gone(index)).collect()
    }

    fn up(&mut self, index: Index, actions: &mut Vec<Action>) {
        let state = self.state();
        let Some(peer) = self.peers.get_mut(&index).filter(|peer| !peer.shut) else { return };
        peer.up();
        actions.push(Action::Send { to: index, frame: state });
    }

    fn state(&self) -> Vec<u8> {
        let roster = self.parent.ceremony().roster();
        let counted = roster.iter().map(|(index, _)| self.counted.contains_key(&index));
        Frame::State(State { satisfied: self.satisfied, counted: counted.collect() }).encode()
    }

    /// Says to everybody how far this operator is.
    fn tell(&mut self, actions: &mut Vec<Action>) {
        self.news = false;
        let state = self.state();
        let connected = self.peers.iter().filter(|(_, peer)| peer.connected && !peer.shut);
        actions
            .extend(connected.map(|(index, _)| Action::Send { to: *index, frame: state.clone() }));
    }

    fn tick(&mut self, actions: &mut Vec<Action>) {
        self.peers.values_mut().for_each(Peer::tick);
        if self.news {
            self.tell(actions);
        }
        for index in self.peers.keys().copied().collect::<Vec<_>>() {
            self.offer(index, actions);
        }
    }

    /// Sends `to` what it lacks by its own word, each answer once over a connection.
    fn offer(&mut self, to: Index, actions: &mut Vec<Action>) {
        let Some(peer) = self.peers.get_mut(&to).filter(|peer| peer.connected && !peer.shut) else {
            return;
        };
        // Before it has said what it holds, it may hold anything.
        let Some(state) = peer.state.clone() else { return };
        let mut lacks = |index| {
            index != to && !state.satisfied && !state.counts(index) && peer.sent.insert(index)
        };
        let answers: Vec<(Index, PartialFile)> = match (self.role, &self.sealed) {
            (Role::Everybody, _) => {
                let lacking = self.counted.iter().filter(|(index, _)| lacks(**index));
                lacking
                    .map(|(index, partial)| (*index, partial.to_public_answer(&self.cleared)))
                    .collect()
            }
            (Role::Contributor(_), Some(sealed)) if lacks(self.me) => {
                vec![(self.me, sealed.clone())]
            }
            _ => Vec::new(),
        };
        for (index, answer) in answers {
            let frame = Frame::Answer(answer).encode();
            actions.push(match index == self.me {
                true => Action::Answer { to, frame },
                false => Action::Send { to, frame },
            });
        }
    }

    fn frame(&mut self, from: Index, bytes: &[u8], actions: &mut Vec<Action>) {
        // What was on its way when we hung up.
        if self.peers.get(&from).is_none_or(|peer| peer.shut) {
            return;
        }
        match Frame::decode(bytes, self.parent.ceremony().n(), Extent::of(&self.cleared)) {
            Ok(Frame::State(state)) => self.on_state(from, state, actions),
            Ok(Frame::Answer(answer)) => self.on_answer(from, &answer, actions),
            Err(error) => self.hang_up(from, error.into(), actions),
        }
    }

    fn on_state(&mut self, from: Index, state: State, actions: &mut Vec<Action>) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let first = peer.state.is_none();
        peer.satisfied |= state.satisfied;
        let counts_us = state.counts(self.me);
        let satisfied = state.satisfied;
        peer.state = Some(state);
        if matches!(self.role, Role::Contributor(_)) {
            if counts_us && !self.received {
                self.received = true;
                actions.push(Action::Received);
            }
            if satisfied && !self.satisfied {
                self.satisfied = true;
                self.tell(actions);
            }
        }
        // What it lacks later goes with the next tick: until then it may have come from whoever
        // answered.
        if first {
            self.offer(from, actions);
        }
    }

    fn on_answer(&mut self, from: Index, answer: &PartialFile, actions: &mut Vec<Action>) {
        let secret = match self.role {
            Role::Contributor(_) => return self.hang_up(from, Misconduct::NotForUs, actions),
            Role::Custodian => Some(self.operator.noise()),
            Role::Everybody => None,
        };
        // Once is enough, and nothing is computed for the second time.
        let whose = answer.operator().unwrap_or(from);
        if self.counted.contains_key(&whose) || self.faulty.contains(&whose) {
            return;
        }
        match answer.open(&self.cleared, &self.parent, secret) {
            Ok(partial) if answer.is_sealed() && partial.operator != from => {
                self.hang_up(from, Misconduct::Foreign(partial.operator.get()), actions);
            }
            Ok(partial) => self.count(partial, actions),
            Err(why) => match why.culprit() {
                Some(operator) => {
                    if self.faulty.insert(operator) {
                        actions.push(Action::NotCounted { operator, why });
                    }
                    if operator != from {
                        self.hang_up(from, Misconduct::PassedOn(operator.get()), actions);
                    }
                    self.settle(actions);
                }
                None => self.hang_up(from, why.into(), actions),
            },
        }
    }

    fn hang_up(&mut self, from: Index, why: Misconduct, actions: &mut Vec<Action>) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.shut = true;
            actions.push(Action::HangUp { peer: from, why });
        }
        self.settle(actions);
    }

    /// Counts an answer that verifies, and combines as soon as there are enough.
    fn count(&mut self, partial: Partial, actions: &mut Vec<Action>) {
        let operator = partial.operator;
        self.counted.insert(operator, partial);
        self.news = true;
        if operator != self.me {
            actions.push(Action::Counted(operator));
        }
        self.settle(actions);
    }

    /// Combines as soon as each validator has enough answers or can get no more.
    fn settle(&mut self, actions: &mut Vec<Action>) {
        let (needed, hoped) = (self.parent.ceremony().t(), self.hoped_for().len());
        let open = |count: &usize| *count < needed && count + hoped >= needed;
        if self.lacking().is_empty() && !self.answers().iter().any(open) {
            self.combine(actions);
        }
    }

    /// The time is over: combines for those validators that have enough answers.
    pub fn close(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.combine(&mut actions);
        actions
    }

    fn combine(&mut self, actions: &mut Vec<Action>) {
        let needed = self.parent.ceremony().t();
        let collects = !matches!(self.role, Role::Contributor(_));
        let enough = self.answers().iter().any(|count| *count >= needed);
        if !collects || self.combined || !enough || !self.lacking().is_empty() {
            return;
        }
        let partials: Vec<Partial> = self.counted.values().cloned().collect();
        match combine(&self.cleared, &self.parent, &partials) {
            Ok(Combined { signatures, signers, renewed, lock }) => {
                self.combined = true;
                actions.push(Action::Combined { signatures, signers, renewed, lock });
            }
            Err(error) => actions.push(Action::Impossible(error)),
        }
    }
}
