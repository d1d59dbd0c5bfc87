//! The audit: what anyone can conclude from a transcript, without any secret. Pure: bytes in, a
//! report out. The checks are the participants' own ([`crate::protocol::checks`]).

pub mod code;

pub mod exhaustive;

pub mod expectation;

pub mod facts;

mod found;

mod ledger;

mod lock;

mod model;

mod own;

pub mod render;

mod replay;

pub mod report;

mod rounds;

mod ssv;

pub mod stopped;

pub mod words;

pub use own::{NotOwn, own};
pub use replay::{audit, first_failure};
