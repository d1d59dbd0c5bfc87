//! Known answers of `test-vectors`: each folder of it has its runner here, or in the tests that its
//! README names.
#![allow(clippy::unwrap_used)]

mod bls;

mod ceremony;

#[path = "../common/mod.rs"]
mod common;

mod ed25519;

mod ethereum;

mod hash_to_curve;

mod import;

mod listed;

mod newest;

mod repair;

mod reshare;
mod reshare_rounds;

mod requests;

#[path = "../support/mod.rs"]
mod support;

mod symmetric;

mod version_1;

mod walkthrough;
