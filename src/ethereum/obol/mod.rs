//! Obol clusters: what a `cluster-definition.json` of version 1.8 to 1.11 says, whether it holds,
//! and what a `cluster-lock.json` adds to it. Implemented from the formats' public description;
//! chapter 7 of the specification gives them again.

pub mod check;

pub mod definition;

pub mod eip712;

pub mod enr;

mod error;

pub mod lock;

pub mod lock_check;

pub mod rlp;
