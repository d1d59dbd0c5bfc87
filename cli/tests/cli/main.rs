//! The command line as people and programs use it: one file per case (`cases/*.toml`), and the
//! tests that do not fit in one.
#![allow(clippy::unwrap_used)]

mod asked;
mod backups;
mod by_server;

mod case;

mod cases;

mod documents;

mod dossier;

mod duties;
mod exports;

mod finished;

mod forgotten;

mod generations;

mod imported;
mod inputs;

mod key_manager;

mod lost_seats;
mod more;

mod others;

mod preregistered;

mod process;

mod recovered;

mod removals;

mod repaired;

mod reshared;

mod secrets;

mod superseded;

#[path = "../support/mod.rs"]
mod support;

mod terminal;

mod toy;

mod typing;

mod verifiers;
