//! Obol clusters: parsing, verifying and writing `cluster-definition.json` (v1.8 to v1.11) and
//! `cluster-lock.json`. Implemented from the public description of the formats; chapter 7 of the
//! specification repeats it.

pub mod check;

pub mod definition;

#[doc(hidden)]
pub mod eip712;

pub mod enr;

mod error;

pub mod lock;

pub mod lock_check;

#[doc(hidden)]
pub mod rlp;
