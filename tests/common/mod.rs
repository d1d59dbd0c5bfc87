//! Whole ceremonies in memory, from the library's feature `simulation`.
#![allow(unused_imports, missing_docs, unreachable_pub)]

pub use quorate::simulation::machine::*;

pub use quorate::simulation::{collusion, forger};
