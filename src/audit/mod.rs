//! The audit: what anyone can conclude from a transcript, without any secret. Pure: bytes in, a
//! report out. The checks are the participants' own ([`crate::protocol::checks`]).

pub mod chain;

pub mod code;

pub mod describe;

mod details;

mod difference;

pub mod completed;

#[doc(hidden)]
pub mod exhaustive;

pub mod expectation;

pub mod facts;

pub mod family;

mod json;

mod json_spec;

mod ledger;

mod lock;

mod own_transcript;

pub mod render;

mod replay;

pub mod report;

mod rounds;

mod ssv;

pub mod stopped;

pub use own_transcript::{NotOwn, own, own_among};
pub use replay::{audit, audit_all, first_failure};
