//! Ceremonies and operators that are made once and used in many runs. Only entropy differs from run
//! to run.

use std::sync::{Arc, OnceLock};

use crate::identity::operator::Operator;
use crate::message::envelope::Statement;
use crate::protocol::participant::OwnSeat;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;

use super::machine::{Machine, bytes, honest, operators, run, spec_toml, statements};

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

/// A ceremony with its operators, and what they once said in another one.
pub struct Cast {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// Every operator's seat in it, by position.
    pub seats: Vec<OwnSeat>,
    /// Statements of the same operators in a ceremony that differs in its identifier only.
    pub foreign: Vec<Statement>,
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
        }
    }

    /// The cast of a shape (a position in [`SHAPES`]) and a number of validators.
    pub fn of(shape: usize, validators: usize) -> &'static Self {
        static CASTS: [[OnceLock<Cast>; MOST_VALIDATORS]; SHAPES.len()] =
            [const { [const { OnceLock::new() }; MOST_VALIDATORS] }; SHAPES.len()];
        CASTS[shape][validators - 1].get_or_init(|| Self::new(SHAPES[shape], validators))
    }
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
