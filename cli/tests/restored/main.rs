//! What an operator is told whose files are not the newest: its log was put back to an earlier
//! state, or only its keys were restored. Real processes, real files, and the other operators over
//! real channels.
#![allow(clippy::unwrap_used)]

mod backups;
mod evidence;
mod forgotten;
mod install;
mod put_back;
mod scene;
#[path = "../support/mod.rs"]
mod support;
