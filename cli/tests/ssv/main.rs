//! SSV's formats: against the worked example of the format's description, against another RSA
//! library, and against altered files.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/support/mod.rs"]
mod support;

mod altered;

mod demo;

mod example;

mod folder;

mod foreign;

mod scene;
