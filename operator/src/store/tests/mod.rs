//! Crashes, failures and hostile directories. `simulated` is a disk that loses what was not
//! synced.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod attacks;
mod children;
mod crash;
mod directory;
mod failure;
mod log;
mod notes;
mod outputs;
mod script;
mod simulated;

use std::sync::Arc;

use quorate::export::{Artifact, Audience};
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::{Secret32, SecretBytes};

use super::{CeremonyDir, Record, StateDir};
use simulated::SimDisk;

const CONTEXT: [u8; 32] = [7; 32];

fn storage() -> Secret32 {
    Secret32::new(&mut [9; 32])
}

fn record(kind: u8, body: &[u8]) -> Record {
    Record { kind, body: SecretBytes::new(body.to_vec()) }
}

/// Records as plain values, to be compared.
fn plain(records: &[Record]) -> Vec<(u8, Vec<u8>)> {
    records.iter().map(|record| (record.kind, record.body.expose().to_vec())).collect()
}

fn artifact(name: &str, audience: Audience, bytes: &[u8]) -> Artifact {
    Artifact { name: name.to_owned(), audience, bytes: bytes.to_vec() }
}

/// The state directory of a simulated disk.
fn state_on(disk: &SimDisk) -> StateDir {
    StateDir::on(Arc::new(disk.clone()), simulated::STATE.into()).unwrap()
}

/// The ceremony that all tests on a simulated disk are about.
fn ceremony_on(disk: &SimDisk) -> Result<CeremonyDir, super::StoreError> {
    StateDir::on(Arc::new(disk.clone()), simulated::STATE.into())?
        .lock()?
        .ceremony(&Digest(CONTEXT))
}
