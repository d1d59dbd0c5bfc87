//! What all tests that start the program share: where it is and how it is started, how it ended,
//! processes that are watched, free ports, and the outputs of finished demos.
#![allow(dead_code)] // No test program uses all of it.

pub(crate) mod board;
pub(crate) mod demo;
pub(crate) mod files;
pub(crate) mod nats;
pub(crate) mod ports;
pub(crate) mod program;
pub(crate) mod running;
pub(crate) mod terminal;

use std::path::Path;

/// A file of the repository.
pub(crate) fn repository(below: impl AsRef<Path>) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(below)
}
