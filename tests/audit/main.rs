//! The audit: its checks, the way that makes each of them by itself, a participant's own report,
//! and what readers are shown.
#![allow(clippy::unwrap_used, missing_docs)]

mod cases;
mod checks;

#[path = "../common/mod.rs"]
mod common;

mod exhaustive;

mod import;

mod own;

mod registered;

mod report;
mod reshare;

mod statements;
