//! The five rounds as a pure state machine: bytes, randomness and answers come in as values,
//! records and messages go out.

pub mod checks;

mod commit;

mod deal;

pub mod evidence;

mod finalize;

pub(crate) mod findings;

mod hello;

pub mod items;

pub mod judge;

pub mod obol;

pub mod outcome;

pub mod participant;

mod prepare;

pub mod record;

mod relay;

mod replay;

pub mod ssv;

pub mod seat;

mod stage;

pub mod step;

mod trial;

mod world;
