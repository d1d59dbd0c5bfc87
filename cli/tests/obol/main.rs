//! Obol clusters: definitions and locks, from hashes to whole ceremonies.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod again;

mod board;
mod ceremony;

mod cli;

mod definitions;

mod hashes;

mod locks;

mod made;

#[path = "../support/mod.rs"]
mod support;

#[path = "../../../tests/support/mod.rs"]
mod vectors;

mod verify;
