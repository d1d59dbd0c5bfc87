//! Writes an interchange: for each key at most one block and one attestation, without signing
//! roots, which every client reads.

use serde::Serialize;

use super::{FORMAT_VERSION, Interchange, Signed, Vote};

#[derive(Serialize)]
struct File {
    metadata: Metadata,
    data: Vec<Entry>,
}

#[derive(Serialize)]
struct Metadata {
    interchange_format_version: &'static str,
    genesis_validators_root: String,
}

#[derive(Serialize)]
struct Entry {
    pubkey: String,
    signed_blocks: Vec<Block>,
    signed_attestations: Vec<Attestation>,
}

#[derive(Serialize)]
struct Block {
    slot: String,
}

#[derive(Serialize)]
struct Attestation {
    source_epoch: String,
    target_epoch: String,
}

impl Interchange {
    /// The file, by key. Without a signing root, a client takes everything up to these values for
    /// signed. Where the greatest source is above the greatest target, the target is raised to it:
    /// clients refuse the one without the other, and a value that is too high forbids more.
    pub fn to_json(&self) -> Vec<u8> {
        let entry = |(key, signed): (&[u8; 48], &Signed)| Entry {
            pubkey: format!("0x{}", hex::encode(key)),
            signed_blocks: signed
                .slot
                .iter()
                .map(|slot| Block { slot: slot.to_string() })
                .collect(),
            signed_attestations: signed.vote.iter().map(attestation).collect(),
        };
        let file = File {
            metadata: Metadata {
                interchange_format_version: FORMAT_VERSION,
                genesis_validators_root: format!("0x{}", hex::encode(self.genesis_validators_root)),
            },
            data: self.keys().map(entry).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&file).expect("strings and lists become JSON");
        bytes.push(b'\n');
        bytes
    }
}

fn attestation(Vote { source, target }: &Vote) -> Attestation {
    Attestation { source_epoch: source.to_string(), target_epoch: target.max(source).to_string() }
}
