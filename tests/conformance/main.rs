//! Both directions of the conformance checks: outputs of ours for software of others
//! (`conformance/run.sh`), and a sample of theirs for us.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod outputs;

mod sample;

#[path = "../support/mod.rs"]
mod support;
