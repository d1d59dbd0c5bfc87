//! Exits, further deposits and registrations with the shares of finished ceremonies: with real
//! processes, by files and online.
#![allow(clippy::unwrap_used)]

mod board;
mod files;
mod hostile;
mod keystores;
mod many;
mod place;
mod registrations;
#[path = "../support/mod.rs"]
mod support;
mod together;
mod version_1;
mod web3signer;
