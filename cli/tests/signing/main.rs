//! Exits and further deposits with the shares of finished ceremonies: with real processes, by files
//! and online.
#![allow(clippy::unwrap_used)]

mod files;
mod hostile;
mod keystores;
mod many;
mod place;
#[path = "../support/mod.rs"]
mod support;
mod together;
mod version_1;
