//! Whole ceremonies in memory. The machinery is the library's own, behind its feature `simulation`.
#![allow(unused_imports, missing_docs, unreachable_pub)]

pub use quorate::simulation::machine::*;

pub use quorate::simulation::{collusion, forger};
