//! The attack suite: one test for every row of the chapter "Attacks"
//! (`ceremony-specs/10-attacks.md`), named after it: its id, then the rule or the attack. Each runs
//! the attack and states what every honest operator and an auditor without any secret make of it.
//!
//! `cargo test --test attacks -- table --nocapture` prints the table.
#![allow(clippy::unwrap_used, missing_docs)]

mod auditor;
mod broadcast;
mod catalogue;
mod curve;
mod dealing;
mod ethereum;
mod exits;
mod hand_over;
mod noise;
mod operations;
mod proofs;
mod scene;
mod session;
#[path = "../support/mod.rs"]
mod support;
mod thresholds;
mod torsion;
mod transcripts;
#[path = "../../../tests/support/weak_keys.rs"]
mod weak_keys;
