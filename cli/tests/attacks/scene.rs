//! Honest operators, as the library's participants, among scripted attackers that can send anything
//! to anyone.

use std::collections::{BTreeMap, BTreeSet};

use quorate::message::body::{Deal, Hello};
use quorate::message::envelope::{Round, Statement, session_id};
use quorate::message::inbox::digests;
use quorate::message::shape::Shape;
use quorate::message::share_box;
use quorate::message::sync::Frame;
use quorate::primitives::curve::{G1, Scalar, SecretScalar};
use quorate::primitives::hash::{Digest, Tag, secret_scalar, tagged};
use quorate::primitives::noise::seal_box;
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::evidence::{Certainty, Class, Fault, Rule};
use quorate::protocol::judge::judge;
use quorate::protocol::outcome::Sums;
use quorate::protocol::participant::Refused;
use quorate::simulation::forger::{Forger, Hooks};
use quorate::simulation::machine::{Machine, TWO_VALIDATORS, bytes, honest, machines, run};
use quorate::spec::ceremony::Ceremony;
use quorate::spec::threshold::Index;
use quorate::transcript::container;
use quorate::transcript::stopped::{self, Stopped};

pub(crate) fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// What an attacker sends in a round.
pub(crate) struct Sent {
    pub(crate) statement: Statement,
    /// Who gets it; `None` is everybody.
    pub(crate) to: Option<Vec<u16>>,
    /// What the others get in its place.
    pub(crate) other: Option<Statement>,
    /// In the deal: the boxes, by recipient.
    pub(crate) boxes: Vec<(Index, Vec<u8>)>,
}

pub(crate) type Edit<'a> = dyn FnMut(&Forger, Round, &mut Sent) + 'a;

/// Machines and attackers of one ceremony.
pub(crate) struct Scene {
    pub(crate) machines: Vec<Machine>,
    pub(crate) forgers: Vec<Forger>,
    /// What machines did not take from attackers.
    pub(crate) refused: Vec<(Round, u16, Refused)>,
}

/// An attacker's coefficient.
pub(crate) fn coefficient(seat: u16, v: usize, k: usize) -> SecretScalar {
    secret_scalar(
        Tag::Coefficient,
        &[b"attacker", &seat.to_be_bytes(), &v.to_be_bytes(), &k.to_be_bytes()],
    )
}

/// An attacker's polynomial of `t` coefficients.
pub(crate) fn polynomial(seat: u16, v: usize, t: usize) -> Polynomial {
    Polynomial::from_coefficients((0..t).map(|k| coefficient(seat, v, k)).collect()).unwrap()
}

impl Scene {
    /// `n` operators of whom `t` are needed; attackers at `seats`, who keep the rules as far as
    /// nothing else is said.
    pub(crate) fn new(n: usize, t: usize, seats: &[u16]) -> Self {
        Self::with(n, t, seats, coefficient)
    }

    pub(crate) fn with(
        n: usize,
        t: usize,
        seats: &[u16],
        coefficient: impl Fn(u16, usize, usize) -> SecretScalar,
    ) -> Self {
        Self::hooked(n, t, seats, coefficient, Hooks::default)
    }

    pub(crate) fn hooked(
        n: usize,
        t: usize,
        seats: &[u16],
        coefficient: impl Fn(u16, usize, usize) -> SecretScalar,
        hooks: impl Fn() -> Hooks,
    ) -> Self {
        Self::among(machines(n, t, TWO_VALIDATORS), seats, coefficient, hooks)
    }

    fn among(
        all: Vec<Machine>,
        seats: &[u16],
        coefficient: impl Fn(u16, usize, usize) -> SecretScalar,
        hooks: impl Fn() -> Hooks,
    ) -> Self {
        let (byzantine, machines): (Vec<Machine>, Vec<Machine>) =
            all.into_iter().partition(|machine| seats.contains(&machine.seat.me.get()));
        let forger = |machine: Machine| {
            let me = machine.seat.me.get();
            let label = |what: &str| bytes(&format!("attacker {me} {what}"));
            Forger::with_secrets(machine.seat, hooks(), label, |v, k| coefficient(me, v, k))
        };
        Self { machines, forgers: byzantine.into_iter().map(forger).collect(), refused: Vec::new() }
    }

    /// Operators 1, 2 and 4 are honest, 3 is not; any three can sign.
    pub(crate) fn of_four() -> Self {
        Self::new(4, 3, &[3])
    }

    /// The same, where the ceremony asks for a preregistration of each validator.
    pub(crate) fn preregistering() -> Self {
        let validators = format!("[preregistration]\ndraft = \"2026-08-17\"\n{TWO_VALIDATORS}");
        Self::among(machines(4, 3, &validators), &[3], coefficient, Hooks::default)
    }

    pub(crate) fn ceremony(&self) -> &Ceremony {
        &self.machines[0].seat.ceremony
    }

    pub(crate) fn complete(&self, round: Round) -> Option<Vec<Statement>> {
        self.machines[0].participant().inbox().complete(round)
    }

    pub(crate) fn run(&mut self) {
        run(&mut self.machines, &mut honest);
    }

    fn give(&mut self, round: Round, sent: &[Sent]) {
        for sent in sent {
            for machine in &mut self.machines {
                let me = machine.seat.me.get();
                let chosen = sent.to.as_ref().is_none_or(|to| to.contains(&me));
                let Some(statement) =
                    (if chosen { Some(&sent.statement) } else { sent.other.as_ref() })
                else {
                    continue;
                };
                if let Err(why) =
                    machine.receive(Frame::Statement(statement.bytes().to_vec())).unwrap()
                {
                    self.refused.push((round, me, why));
                }
            }
        }
        self.run();
    }

    fn act(
        &mut self,
        round: Round,
        edit: &mut Edit<'_>,
        make: impl Fn(&Forger) -> Option<Sent>,
    ) -> Option<Vec<Sent>> {
        let mut all = Vec::new();
        for forger in &self.forgers {
            let mut sent = make(forger)?;
            edit(forger, round, &mut sent);
            all.push(sent);
        }
        self.give(round, &all);
        Some(all)
    }

    /// Plays as far as it goes.
    pub(crate) fn play(&mut self, edit: &mut Edit<'_>) {
        let _ = self.play_on(edit);
    }

    fn play_on(&mut self, edit: &mut Edit<'_>) -> Option<()> {
        let plain = |statement| Sent { statement, to: None, other: None, boxes: Vec::new() };
        self.run();
        self.act(Round::Hello, edit, |forger| Some(plain(forger.hello())))?;
        let hellos = self.complete(Round::Hello)?;
        let session = session_id(self.ceremony(), &digests(&hellos));
        let dealt = self.act(Round::Deal, edit, |forger| {
            let (statement, boxes) = forger.deal(&hellos);
            Some(Sent { boxes, ..plain(statement) })
        })?;
        let boxes_for = |scene: &Self, me: Index| -> Vec<(Index, Vec<u8>)> {
            let honest = scene.machines.iter().filter_map(|machine| {
                match machine.participant().box_for(me) {
                    Some(Frame::ShareBox { dealer, sealed, .. }) => Some((dealer, sealed)),
                    _ => None,
                }
            });
            let others =
                scene.forgers.iter().zip(&dealt).filter(|(forger, _)| forger.seat.me != me);
            let of = |(forger, sent): (&Forger, &Sent)| {
                let (_, sealed) = sent.boxes.iter().find(|(to, _)| *to == me)?;
                Some((forger.seat.me, sealed.clone()))
            };
            honest.chain(others.filter_map(of)).collect()
        };
        // Honest dealers forget their boxes at the end, so they are taken down now.
        let boxes: Vec<Vec<(Index, Vec<u8>)>> =
            self.forgers.iter().map(|forger| boxes_for(self, forger.seat.me)).collect();
        for (dealer, sent) in self.forgers.iter().map(|forger| forger.seat.me).zip(&dealt) {
            for (recipient, sealed) in &sent.boxes {
                if let Some(machine) =
                    self.machines.iter_mut().find(|machine| machine.seat.me == *recipient)
                {
                    let frame =
                        Frame::ShareBox { dealer, recipient: *recipient, sealed: sealed.clone() };
                    if let Err(why) = machine.receive(frame).unwrap() {
                        self.refused.push((Round::Deal, recipient.get(), why));
                    }
                }
            }
        }
        self.run();
        let deals = self.complete(Round::Deal)?;
        if self.machines.iter().all(|machine| machine.participant().fault().is_some()) {
            return None;
        }
        let seats: Vec<Index> = self.forgers.iter().map(|forger| forger.seat.me).collect();
        let share = |(forger, boxes): (&Forger, &Vec<(Index, Vec<u8>)>)| {
            Some((forger.sums(&session, &deals)?, forger.shares(session, &deals, boxes)?))
        };
        let known: Vec<(Sums, Vec<SecretScalar>)> =
            self.forgers.iter().zip(&boxes).map(share).collect::<Option<_>>()?;
        let find = |forger: &Forger| {
            seats.iter().position(|seat| *seat == forger.seat.me).map(|at| &known[at])
        };
        self.act(Round::Prepare, edit, |forger| {
            let (sums, shares) = find(forger)?;
            Some(plain(forger.prepare(session, &deals, sums, shares)))
        })?;
        let prepares = self.complete(Round::Prepare)?;
        self.act(Round::Commit, edit, |forger| {
            let (sums, shares) = find(forger)?;
            Some(plain(forger.commit(session, &prepares, sums, shares)))
        })?;
        let commits = self.complete(Round::Commit)?;
        self.act(Round::Final, edit, |forger| {
            let (sums, shares) = find(forger)?;
            Some(plain(forger.last(session, &commits, sums, shares)?))
        })?;
        Some(())
    }
}

/// What the honest operators say.
impl Scene {
    /// Every honest operator is kept from going on by this fault, and nobody finishes. A proven one
    /// convinces strangers too, from its evidence alone.
    pub(crate) fn all_say(
        &self,
        rule: &Rule,
        class: Option<Class>,
        culprits: &[u16],
        certainty: Certainty,
    ) {
        for machine in &self.machines {
            let participant = machine.participant();
            let fault = participant.fault().expect("every honest operator sees the fault");
            assert_eq!(fault.rule, *rule, "operator {}", machine.seat.me);
            assert_eq!((fault.rule.class(), fault.rule.certainty()), (class, certainty));
            assert_eq!(
                fault.rule.culprits(),
                culprits.iter().copied().map(index).collect::<Vec<_>>()
            );
            assert!(!participant.is_finished() && !machine.written);
            assert_eq!(
                participant.is_stopped(),
                !participant.is_prepared(),
                "who has prepared waits for a certificate"
            );
            match certainty {
                Certainty::Proven => convinces(fault, self.ceremony()),
                Certainty::Suspected | Certainty::Nobody => {
                    assert_eq!(participant.proven_fault(), None)
                }
            }
        }
    }

    /// [`Scene::all_say`] of an attacker who is proven at fault.
    pub(crate) fn convicts(&self, rule: &Rule, class: Class, culprit: u16) {
        self.all_say(rule, Some(class), &[culprit], Certainty::Proven);
    }

    /// Nobody is at fault: everybody finishes with the same transcript, which is returned.
    pub(crate) fn all_finish(&self) -> Vec<u8> {
        let transcript = |machine: &Machine| {
            assert!(
                machine.participant().is_finished() && machine.written,
                "operator {}",
                machine.seat.me
            );
            assert_eq!(machine.participant().fault(), None);
            container::encode(self.ceremony(), machine.participant().inbox().statements()).unwrap()
        };
        let first = transcript(&self.machines[0]);
        assert!(self.machines.iter().all(|machine| transcript(machine) == first));
        first
    }

    /// Nobody is at fault, as far as anybody can tell; everybody waits in `round` for a statement
    /// of `statements` and a box of `boxes`.
    pub(crate) fn all_wait(&self, round: Round, statements: &[u16], boxes: &[u16]) {
        for machine in &self.machines {
            waits(machine, round, statements, boxes);
        }
    }

    /// Everything that the first honest operator holds, as the transcript of a ceremony that was
    /// not completed.
    pub(crate) fn dossier(&self) -> Vec<u8> {
        stopped::encode(self.ceremony(), self.machines[0].participant().inbox().everything())
    }
}

pub(crate) fn waits(machine: &Machine, round: Round, statements: &[u16], boxes: &[u16]) {
    let numbers = |indices: &[Index]| indices.iter().map(|index| index.get()).collect::<Vec<_>>();
    let (participant, me) = (machine.participant(), machine.seat.me);
    assert_eq!(participant.fault(), None, "operator {me}");
    assert!(!participant.is_finished() && participant.outcome().is_none());
    let waiting = participant.waiting();
    assert_eq!(waiting.round, Some(round), "operator {me}");
    assert_eq!(
        (numbers(&waiting.statements), numbers(&waiting.boxes)),
        (statements.to_vec(), boxes.to_vec()),
        "operator {me}"
    );
}

/// Evidence is judged alike by whoever reads it: as a file, without having been there.
pub(crate) fn convinces(fault: &Fault, ceremony: &Ceremony) {
    let read = Stopped::parse(&stopped::encode(ceremony, &fault.evidence)).unwrap();
    let rules: Vec<Rule> =
        judge(&read.ceremony, &read.statements).into_iter().map(|fault| fault.rule).collect();
    // Of one statement it may show more than one.
    assert!(rules.contains(&fault.rule), "the evidence shows this fault");
    let culprits: BTreeSet<Index> = rules.iter().flat_map(Rule::culprits).collect();
    assert_eq!(culprits, fault.rule.culprits().into_iter().collect(), "and of nobody else");
}

/// `statement` with another body, signed by the same attacker.
pub(crate) fn resigned(
    forger: &Forger,
    statement: &Statement,
    change: impl FnOnce(&mut Vec<u8>),
) -> Statement {
    let mut body = statement.body().to_vec();
    change(&mut body);
    let envelope = &statement.envelope;
    let key = forger.seat.operator.key();
    Statement::sign_kind(
        envelope.kind,
        key,
        envelope.sender,
        envelope.round,
        envelope.session,
        envelope.view_root,
        &body,
    )
}

/// A deal changed in its fields, signed by the same attacker.
pub(crate) fn redealt(
    forger: &Forger,
    statement: &Statement,
    change: impl FnOnce(&mut Deal),
) -> Statement {
    let mut deal = Deal::decode(
        statement.body(),
        &Shape::of(&forger.seat.ceremony),
        statement.envelope.sender,
    )
    .unwrap();
    change(&mut deal);
    resigned(forger, statement, |body| *body = deal.encode())
}

/// Where the commitments begin in a deal's body.
pub(crate) fn commitments_at(shape: &Shape) -> usize {
    32 * shape.n + 32 + 32 * (shape.n - 1) + 96 + 32
}

pub(crate) fn small(number: u64) -> SecretScalar {
    SecretScalar::from_be_bytes(&Scalar::from_u64(number).to_be_bytes()).unwrap()
}

pub(crate) fn times_g(number: u64) -> G1 {
    small(number).base_mult().unwrap()
}

/// What an attacker learns by letting the others go first, up to their deals. The next ceremony of
/// the same seats is the same so far.
pub(crate) struct Oracle {
    pub(crate) shape: Shape,
    pub(crate) hellos: Vec<Statement>,
    pub(crate) session: Digest,
    /// The honest operators' deals.
    pub(crate) deals: Vec<Statement>,
    boxes: BTreeMap<(Index, Index), Vec<u8>>,
}

impl Oracle {
    pub(crate) fn new(n: usize, t: usize, seats: &[u16]) -> Self {
        Self::of(Scene::new(n, t, seats))
    }

    pub(crate) fn of(mut scene: Scene) -> Self {
        scene.play(&mut |_, round, sent| {
            if round == Round::Deal {
                sent.to = Some(Vec::new());
                sent.boxes.clear();
            }
        });
        let hellos = scene.complete(Round::Hello).unwrap();
        let inbox = scene.machines[0].participant().inbox();
        let deals = scene
            .machines
            .iter()
            .map(|machine| inbox.get(Round::Deal, machine.seat.me).unwrap().clone())
            .collect();
        let mut boxes = BTreeMap::new();
        for machine in &scene.machines {
            for to in scene.ceremony().indices().filter(|to| *to != machine.seat.me) {
                if let Some(Frame::ShareBox { sealed, .. }) = machine.participant().box_for(to) {
                    boxes.insert((machine.seat.me, to), sealed);
                }
            }
        }
        Self {
            shape: Shape::of(scene.ceremony()),
            session: inbox.session().unwrap(),
            hellos,
            deals,
            boxes,
        }
    }

    /// An honest operator's box.
    pub(crate) fn sealed(&self, dealer: u16, recipient: u16) -> Vec<u8> {
        self.boxes[&(index(dealer), index(recipient))].clone()
    }

    /// The honest operators' deals, decoded.
    pub(crate) fn dealt(&self) -> Vec<Deal> {
        self.deals
            .iter()
            .map(|deal| Deal::decode(deal.body(), &self.shape, deal.envelope.sender).unwrap())
            .collect()
    }

    /// Puts a box with this payload in the place of the attacker's box for `recipient`, and signs
    /// it.
    pub(crate) fn reseal(
        &self,
        forger: &Forger,
        sent: &mut Sent,
        recipient: u16,
        payload: Vec<u8>,
    ) {
        let (me, to) = (forger.seat.me, index(recipient));
        let root = Deal::decode(sent.statement.body(), &self.shape, sent.statement.envelope.sender)
            .unwrap()
            .commitments
            .merkle_root();
        let indices = (me.get().to_be_bytes(), to.get().to_be_bytes());
        let prologue = tagged(
            Tag::BoxPrologue,
            &[self.session.as_ref(), &indices.0, &indices.1, root.as_ref()],
        );
        let hello = Hello::decode(
            self.hellos[to.position()].body(),
            &self.shape,
            self.hellos[to.position()].envelope.sender,
        )
        .unwrap();
        let key = hello.one_time_keys[place(to, me)];
        let sealed = seal_box(
            &key,
            prologue.as_ref(),
            &SecretBytes::new(payload),
            Secret32::new(&mut bytes("attacker's box")),
        );
        replace_box(forger, sent, recipient, sealed);
    }
}

/// The position of `other` among the operators without `me`.
pub(crate) fn place(me: Index, other: Index) -> usize {
    other.position() - usize::from(other > me)
}

/// Puts `sealed` in the place of the attacker's box for `recipient`, and signs it.
pub(crate) fn replace_box(forger: &Forger, sent: &mut Sent, recipient: u16, sealed: Vec<u8>) {
    let digest = share_box::digest(&sealed);
    let at = place(forger.seat.me, index(recipient));
    sent.statement = redealt(forger, &sent.statement, |deal| deal.box_digests[at] = digest);
    sent.boxes.iter_mut().find(|(to, _)| to.get() == recipient).unwrap().1 = sealed;
}

/// The attacker at the same seat, with the same hello secrets but other polynomials.
pub(crate) fn with_other_polynomials(
    forger: &Forger,
    coefficient: impl Fn(usize, usize) -> SecretScalar,
) -> Forger {
    let me = forger.seat.me.get();
    Forger::with_secrets(
        forger.seat.clone(),
        Hooks::default(),
        |what| bytes(&format!("attacker {me} {what}")),
        coefficient,
    )
}
