//! The five rounds as a pure state machine: bytes, randomness and answers come in as values,
//! records and messages go out.

#[doc(hidden)]
pub mod checks;

pub mod child;

mod commit;

mod deal;

#[doc(hidden)]
pub mod dealt;

pub mod evidence;

mod finalize;

pub(crate) mod findings;

mod hello;

mod masks;

#[doc(hidden)]
pub mod items;

pub mod judge;

pub mod obol;

pub mod outcome;

pub mod participant;

mod postings;

mod prepare;

pub mod proofs;

pub mod put_back;

pub mod record;

mod relay;

mod replay;

#[doc(hidden)]
pub mod ssv;

pub mod seat;

mod stage;

pub mod step;

mod stop;

pub mod subsets;

mod trial;

pub mod waiting;

mod without;

mod world;
