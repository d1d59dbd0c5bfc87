//! Exits and further deposits from the shares of finished ceremonies, as operators make them: with
//! real processes, by files and together.
#![allow(clippy::unwrap_used)]

mod files;
mod hostile;
mod place;
#[path = "../support/mod.rs"]
mod support;
mod together;
