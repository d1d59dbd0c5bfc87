//! SSV's formats: against the worked example of the format's description, against another RSA
//! library, and against altered files.
#![allow(clippy::unwrap_used)]

mod again;

mod altered;
mod board;

mod demo;

mod example;

mod folder;

mod foreign;

mod reshared;

mod scene;

mod sealed_answers;

#[path = "../support/mod.rs"]
mod support;

#[path = "../../../tests/support/mod.rs"]
mod vectors;
