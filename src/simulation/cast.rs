//! Ceremonies and operators that are made once and used in many runs. Only entropy differs from run
//! to run.

use std::sync::{Arc, OnceLock};

use crate::identity::operator::Operator;
use crate::message::envelope::Statement;
use crate::message::share_box::decode_shares;
use crate::primitives::curve::G1;
use crate::primitives::secret::SecretBytes;
use crate::protocol::participant::OwnSeat;
use crate::protocol::record::RecordKind;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;
use crate::transcript::container;

use super::machine::{Machine, bytes, honest, machines, operators, run, spec_toml, statements};
use super::reshare::{Part, minima, reshare};

/// Operators and how many of them sign.
pub const SHAPES: [(usize, usize); 4] = [(3, 2), (4, 3), (5, 4), (7, 5)];

/// A reshare that can be drawn: of whom, to whom, and how many of these sign.
pub struct Roster {
    /// What it is, for reports.
    pub name: &'static str,
    /// Operators of the parent, and how many of them sign.
    pub parent: (usize, usize),
    /// Who deals and receives.
    pub parts: &'static [Part],
    /// How many sign afterwards.
    pub t: usize,
}

/// Reshares whose old and new operators overlap in every way.
pub const ROSTERS: [Roster; 9] = [
    Roster {
        name: "refresh",
        parent: (3, 2),
        parts: &[("alice", true, true), ("bob", true, true), ("carol", true, true)],
        t: 2,
    },
    Roster {
        name: "add",
        parent: (3, 2),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", false, true),
        ],
        t: 3,
    },
    Roster {
        name: "remove",
        parent: (4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", true, false),
        ],
        t: 2,
    },
    Roster {
        name: "replace",
        parent: (3, 2),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, false),
            ("dave", false, true),
        ],
        t: 2,
    },
    Roster {
        name: "replace-absent",
        parent: (4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("erin", false, true),
        ],
        t: 3,
    },
    Roster {
        name: "full",
        parent: (3, 2),
        parts: &[
            ("alice", true, false),
            ("bob", true, false),
            ("carol", true, false),
            ("dave", false, true),
            ("erin", false, true),
            ("frank", false, true),
        ],
        t: 2,
    },
    Roster {
        name: "threshold",
        parent: (4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", true, true),
        ],
        t: 4,
    },
    Roster {
        name: "lost-share",
        parent: (4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", false, true),
            ("erin", false, true),
        ],
        t: 3,
    },
    Roster {
        name: "fewest-dealers",
        parent: (3, 2),
        parts: &[
            ("bob", true, true),
            ("carol", true, false),
            ("dave", false, true),
            ("erin", false, true),
        ],
        t: 2,
    },
];

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

/// A ceremony with its operators, and what they once said in another one.
pub struct Cast {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// Every operator's seat in it, by position.
    pub seats: Vec<OwnSeat>,
    /// Statements of the same operators in a ceremony that differs in its identifier only.
    pub foreign: Vec<Statement>,
    /// Of a reshare: where it comes from.
    pub parent: Option<Parent>,
}

/// What a reshare comes from, as only an onlooker who sees every disk knows it.
pub struct Parent {
    /// The transcript.
    pub transcript: Vec<u8>,
    /// The keys, by validator.
    pub keys: Vec<G1>,
    /// Of each share: the key of who holds it, its evaluation point, and its bytes by validator.
    pub shares: Vec<(OwnSeat, u64, Vec<[u8; 32]>)>,
}

impl Parent {
    fn of(machines: &[Machine]) -> Self {
        let first = &machines[0];
        let outcome = first.participant().outcome().expect("it has finished");
        let v = outcome.validators.len();
        let share = |machine: &Machine| {
            let stored = machine.log.iter().find(|(kind, _)| *kind == RecordKind::Shares);
            let (_, stored) = stored.expect("its shares are stored");
            let shares = decode_shares(&SecretBytes::new(stored.clone()), v).expect("its shares");
            let seat = machine.seat.ceremony.roster().get(machine.seat.me).expect("its seat");
            let shares = shares.iter().map(|share| *share.to_be_bytes()).collect();
            (machine.seat.clone(), seat.point, shares)
        };
        Self {
            transcript: container::encode(&first.seat.ceremony, &statements(first))
                .expect("it has finished"),
            keys: outcome.validators.iter().map(|validator| validator.public_key).collect(),
            shares: machines.iter().map(share).collect(),
        }
    }
}

impl Cast {
    fn new((n, t): (usize, usize), validators: usize) -> Self {
        let operators = operators(n);
        let text = spec_toml(&operators, t, &VALIDATORS[..validators].concat());
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

    fn reshare(roster: &Roster, validators: usize) -> Self {
        let (n, t) = roster.parent;
        let mut parents = machines(n, t, &VALIDATORS[0].repeat(validators));
        run(&mut parents, &mut honest);
        let which: Vec<usize> = (0..validators).collect();
        let all = reshare(&parents, roster.parts, roster.t, &which);
        // Its foreign statements are those of a reshare of the same keys to the old operators.
        let again: Vec<Part> = parents.iter().map(|parent| (name(parent), true, true)).collect();
        // With another threshold, so that it is another ceremony whatever the roster.
        let t = if roster.t == n { t } else { n };
        let mut others = reshare(&parents, &again, t, &which);
        run(&mut others, &mut honest);
        others.iter_mut().for_each(|machine| {
            machine.stop(minima(validators, 9)).expect("no crash is planned").expect("certified");
        });
        run(&mut others, &mut honest);
        Self {
            ceremony: all[0].seat.ceremony.clone(),
            seats: all.into_iter().map(|machine| machine.seat).collect(),
            foreign: statements(&others[0]),
            parent: Some(Parent::of(&parents)),
        }
    }

    /// The shares that the operator of `seat` (a position) held before a reshare, if it did.
    pub fn old_shares(&self, seat: usize) -> Option<Vec<[u8; 32]>> {
        let key = self.seats[seat].operator.key().public();
        let mut shares = self.parent.iter().flat_map(|parent| &parent.shares);
        let own = shares.find(|(holder, _, _)| holder.operator.key().public() == key);
        own.map(|(_, _, shares)| shares.clone())
    }

    /// The cast of a reshare (a position in [`ROSTERS`]) and a number of validators.
    pub fn of_reshare(roster: usize, validators: usize) -> &'static Self {
        static CASTS: [[OnceLock<Cast>; MOST_VALIDATORS]; ROSTERS.len()] =
            [const { [const { OnceLock::new() }; MOST_VALIDATORS] }; ROSTERS.len()];
        CASTS[roster][validators - 1].get_or_init(|| Self::reshare(&ROSTERS[roster], validators))
    }

    /// The cast of a shape (a position in [`SHAPES`]) and a number of validators.
    pub fn of(shape: usize, validators: usize) -> &'static Self {
        static CASTS: [[OnceLock<Cast>; MOST_VALIDATORS]; SHAPES.len()] =
            [const { [const { OnceLock::new() }; MOST_VALIDATORS] }; SHAPES.len()];
        CASTS[shape][validators - 1].get_or_init(|| Self::new(SHAPES[shape], validators))
    }
}

fn name(machine: &Machine) -> &'static str {
    let name = machine.seat.operator.name().as_str();
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
    names.into_iter().find(|known| *known == name).expect("one of the eight")
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
