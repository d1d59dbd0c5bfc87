//! Ceremonies and operators that are made once and used in many runs. Only entropy differs from run
//! to run.

use std::sync::{Arc, OnceLock};

use crate::identity::operator::Operator;
use crate::message::envelope::Statement;
use crate::message::share_box::decode_shares;
use crate::primitives::curve::{G1, SecretScalar};
use crate::primitives::secret::SecretBytes;
use crate::protocol::participant::OwnSeat;
use crate::protocol::record::RecordKind;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;
use crate::transcript::container;

use super::import::{import, key};
use super::machine::{Machine, bytes, honest, machines, operators, run, spec_toml, statements};
use super::repair::repair;
use super::reshare::{Part, minima, reshare, witnessed};
use super::roster::{Life, Origin, ROSTERS, Roster};

/// Operators and how many of them sign.
pub const SHAPES: [(usize, usize); 4] = [(3, 2), (4, 3), (5, 4), (7, 5)];

/// The most validators of a simulated ceremony.
pub const MOST_VALIDATORS: usize = 3;

const VALIDATORS: [&str; MOST_VALIDATORS] = [
    "[[validators]]\nwithdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = \
     false\n",
    "[[validators]]\nwithdrawal = \"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\"\ncompounding = \
     true\namounts = [\"1\", \"32\"]\n\
     fee_recipient = \"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB\"\n",
    "[[validators]]\nwithdrawal = \"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb\"\ncompounding = \
     true\n",
];

/// Of a validator that has none: a builder registration.
const REGISTRATION: &str = "fee_recipient = \"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB\"\n";

/// A state of the draft by which all validators are preregistered.
const PREREGISTRATION: &str = "[preregistration]\ndraft = \"2026-08-17\"\n";

/// TOML of so many validators; with `preregisters`, each is registered and preregistered.
fn validators_toml(validators: usize, preregisters: bool) -> String {
    let registered = |block: &&str| match preregisters && !block.contains("fee_recipient") {
        true => [*block, REGISTRATION].concat(),
        false => (*block).to_owned(),
    };
    let blocks: String = VALIDATORS[..validators].iter().map(registered).collect();
    if preregisters { [PREREGISTRATION, &blocks].concat() } else { blocks }
}

/// A ceremony with its operators, and what they once said in another one.
pub struct Cast {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// Every operator's seat in it, by position.
    pub seats: Vec<OwnSeat>,
    /// Statements of the same operators in a ceremony that differs in its identifier only.
    pub foreign: Vec<Statement>,
    /// Of a reshare, an import or a repair: where the shares come from.
    pub parent: Option<Parent>,
}

/// What a ceremony of keys that exist comes from, as only an onlooker who sees every disk knows it.
pub struct Parent {
    /// The transcripts of the whole chain, from the oldest; none of keys that were whole.
    pub transcripts: Vec<Vec<u8>>,
    /// The keys, by validator.
    pub keys: Vec<G1>,
    /// How many shares sign.
    pub t: usize,
    /// Of each share: the key of who holds it, its evaluation point, and its bytes by validator.
    pub shares: Vec<(OwnSeat, u64, Vec<[u8; 32]>)>,
}

/// A share as bytes, for onlookers.
type Bytes = [u8; 32];

impl Parent {
    /// What machines hold that have finished; `before` are the transcripts before theirs.
    fn of(machines: &[Machine], before: Vec<Vec<u8>>) -> Self {
        let first = &machines[0];
        let outcome = first.participant().outcome().expect("it has finished");
        let v = outcome.validators.len();
        let share = |machine: &Machine| {
            let (_, stored) = machine.log.iter().find(|(kind, _)| *kind == RecordKind::Shares)?;
            let shares = decode_shares(&SecretBytes::new(stored.clone()), v).expect("its shares");
            let seat = machine.seat.ceremony.roster().get(machine.seat.me).expect("its seat");
            let shares: Vec<Bytes> = shares.iter().map(|share| *share.to_be_bytes()).collect();
            Some((machine.seat.clone(), seat.point, shares))
        };
        let inbox = first.participant().inbox();
        let said = inbox.statements().chain(inbox.minima());
        let own = container::encode(&first.seat.ceremony, said).expect("it has finished");
        Self {
            transcripts: before.into_iter().chain([own]).collect(),
            keys: outcome.validators.iter().map(|validator| validator.public_key).collect(),
            t: first.seat.ceremony.t(),
            shares: machines.iter().filter_map(share).collect(),
        }
    }

    /// Keys that `dealer` holds whole: each is a share of which one signs.
    fn whole(dealer: &Machine, labels: &[&str]) -> Self {
        let secrets: Vec<SecretScalar> = labels.iter().map(|label| key(label)).collect();
        let public = |secret: &SecretScalar| secret.base_mult().expect("it is not zero");
        let bytes = secrets.iter().map(|secret| *secret.to_be_bytes()).collect();
        Self {
            transcripts: Vec::new(),
            keys: secrets.iter().map(public).collect(),
            t: 1,
            shares: vec![(dealer.seat.clone(), 1, bytes)],
        }
    }
}

/// Machines that have finished what shares come from, with the transcripts before theirs.
fn grown(origin: Origin, validators: usize) -> (Vec<Machine>, Vec<Vec<u8>>) {
    let (mut all, before) = match origin {
        Origin::Generation(n, t) => (machines(n, t, &VALIDATORS[0].repeat(validators)), Vec::new()),
        Origin::Child(at) => {
            let begun = begun(&ROSTERS[at], validators);
            (begun.own, begun.parent.transcripts)
        }
        Origin::Keys => unreachable!("keys that were whole have no machines"),
    };
    complete(&mut all, validators);
    (all, before)
}

/// Runs machines to their end.
fn complete(all: &mut [Machine], validators: usize) {
    run(all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        let stopped = machine.stop(minima(validators, 9)).expect("no crash is planned");
        stopped.expect("certified");
    }
    run(all, &mut honest);
}

/// The machines of a roster, not started; and others of the same operators, of another ceremony.
struct Begun {
    own: Vec<Machine>,
    others: Vec<Machine>,
    parent: Parent,
}

fn begun(roster: &Roster, validators: usize) -> Begun {
    let Roster { parts, also_witness, t, .. } = *roster;
    // With another threshold, so that it is another ceremony whatever the roster.
    let other_t = |n: usize| if t == n { n - 1 } else { n };
    if roster.life == Life::Import {
        let names: Vec<&str> = parts.iter().map(|(name, _, _)| *name).collect();
        let dealer = parts.iter().position(|(_, deals, _)| *deals).expect("one deals");
        let labels = &["first", "second", "third"][..validators];
        let receivers = parts.iter().filter(|(_, _, receives)| *receives).count();
        let import = |t| import(&names, (dealer, parts[dealer].2), t, labels);
        let (own, others) = (import(t), import(other_t(receivers)));
        let parent = Parent::whole(&own[dealer], labels);
        return Begun { own, others, parent };
    }
    let (parents, before) = grown(roster.origin, validators);
    let which: Vec<usize> = (0..validators).collect();
    let own = match roster.life {
        Life::Repair => {
            let of = |helps: bool| parts.iter().filter(move |(_, deals, _)| *deals == helps);
            let lost = of(false).next().expect("one has lost its share").0;
            let helpers: Vec<&str> = of(true).map(|(name, _, _)| *name).collect();
            repair(&parents, lost, &helpers)
        }
        Life::Reshare | Life::Import => witnessed(&parents, parts, also_witness, t, &which),
    };
    // A reshare of the same keys to the old operators.
    let old = parents[0].seat.ceremony.receivers().map(|(_, seat)| seat.card.name.as_str());
    let again: Vec<Part> = old.map(|old| (name(old), true, true)).collect();
    let others = reshare(&parents, &again, other_t(again.len()), &which);
    Begun { own, others, parent: Parent::of(&parents, before) }
}

impl Cast {
    fn new((n, t): (usize, usize), validators: usize, preregisters: bool) -> Self {
        let operators = operators(n);
        let text = spec_toml(&operators, t, &validators_toml(validators, preregisters));
        let ceremony = ceremony(&text);
        let other =
            text.replace(&hex::encode(bytes("ceremony")), &hex::encode(bytes("another ceremony")));
        let seat = |operator: &Arc<Operator>| {
            OwnSeat::find(ceremony.clone(), operator.clone()).expect("an operator of it")
        };
        Self {
            seats: operators.iter().map(seat).collect(),
            foreign: foreign(&self::ceremony(&other), &operators),
            ceremony,
            parent: None,
        }
    }

    fn grown(roster: &Roster, validators: usize) -> Self {
        let Begun { own, mut others, parent } = begun(roster, validators);
        complete(&mut others, validators);
        Self {
            ceremony: own[0].seat.ceremony.clone(),
            seats: own.into_iter().map(|machine| machine.seat).collect(),
            foreign: statements(&others[0]),
            parent: Some(parent),
        }
    }

    /// The shares that the operator of `seat` (a position) held before, if it did.
    pub fn old_shares(&self, seat: usize) -> Option<Vec<[u8; 32]>> {
        let key = self.seats[seat].operator.key().public();
        let mut shares = self.parent.iter().flat_map(|parent| &parent.shares);
        let own = shares.find(|(holder, _, _)| holder.operator.key().public() == key);
        own.map(|(_, _, shares)| shares.clone())
    }

    /// The cast of a roster (a position in [`ROSTERS`]) and a number of validators.
    pub fn of_roster(roster: usize, validators: usize) -> &'static Self {
        static CASTS: [[OnceLock<Cast>; MOST_VALIDATORS]; ROSTERS.len()] =
            [const { [const { OnceLock::new() }; MOST_VALIDATORS] }; ROSTERS.len()];
        CASTS[roster][validators - 1].get_or_init(|| Self::grown(&ROSTERS[roster], validators))
    }

    /// The cast of a shape (a position in [`SHAPES`]) and a number of validators, which the file
    /// registers and preregisters or does not.
    pub fn of(shape: usize, validators: usize, preregisters: bool) -> &'static Self {
        static CASTS: [[[OnceLock<Cast>; 2]; MOST_VALIDATORS]; SHAPES.len()] =
            [const { [const { [const { OnceLock::new() }; 2] }; MOST_VALIDATORS] }; SHAPES.len()];
        let cast = &CASTS[shape][validators - 1][usize::from(preregisters)];
        cast.get_or_init(|| Self::new(SHAPES[shape], validators, preregisters))
    }
}

fn name(of: &str) -> &'static str {
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
    names.into_iter().find(|known| *known == of).expect("one of the eight")
}

fn ceremony(text: &str) -> Arc<Ceremony> {
    let file = CeremonyFile::parse_toml(text).expect("a well-formed file");
    Arc::new(Ceremony::try_from(file).expect("a ceremony within the rules"))
}

fn foreign(ceremony: &Arc<Ceremony>, operators: &[Arc<Operator>]) -> Vec<Statement> {
    let mut machines: Vec<Machine> =
        operators.iter().map(|operator| Machine::new(ceremony, operator)).collect();
    run(&mut machines, &mut honest);
    statements(&machines[0])
}
