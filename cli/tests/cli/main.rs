//! The command line as people and programs meet it: one file for each transcript (`cases/*.toml`),
//! and what does not fit in one.
#![allow(clippy::unwrap_used)]

mod case;

mod cases;

mod exports;

mod finished;

mod process;

mod secrets;

#[path = "../support/mod.rs"]
mod support;

mod toy;

mod verifiers;
