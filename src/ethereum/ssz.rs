//! The Merkle roots and signing roots that deposits, registrations and exits need (consensus specification, `ssz/simple-serialize.md` and
//! `phase0/beacon-chain.md`). Of variable
//! length is only what SSV's operators sign, and in practice it has one length.

use crate::primitives::hash::sha256;

/// A chunk, or the root of a subtree.
pub type Chunk = [u8; 32];

/// `bytes`, at most 32 of them, padded with zeros on the right.
fn padded(bytes: &[u8]) -> Chunk {
    let mut chunk = [0; 32];
    chunk[..bytes.len()].copy_from_slice(bytes);
    chunk
}

/// Root of a `uint64`: little-endian.
pub fn uint64(value: u64) -> Chunk {
    padded(&value.to_le_bytes())
}

/// Root of a `Bytes4`.
pub fn bytes4(bytes: &[u8; 4]) -> Chunk {
    padded(bytes)
}

/// Root of a `Bytes20`.
pub fn bytes20(bytes: &[u8; 20]) -> Chunk {
    padded(bytes)
}

/// Root of a `Bytes48`, a public key: two chunks.
pub fn bytes48(bytes: &[u8; 48]) -> Chunk {
    let (head, tail) = bytes.split_at(32);
    sha256(&[head, &padded(tail)])
}

/// Root of a `Bytes96`, a signature: three chunks and a zero one.
pub fn bytes96(bytes: &[u8; 96]) -> Chunk {
    let (first, rest) = bytes.split_at(32);
    let (second, third) = rest.split_at(32);
    let right = sha256(&[third, &[0; 32]]);
    sha256(&[&sha256(&[first, second]), &right])
}

/// Root of a `ByteList[512]` that holds `bytes`: sixteen chunks, those beyond it zero, and the length.
pub fn byte_list_512(bytes: &[u8; 256]) -> Chunk {
    let mut level: Vec<Chunk> = bytes.chunks(32).map(padded).collect();
    level.resize(16, [0; 32]);
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| two(pair[0], pair[1])).collect();
    }
    two(level[0], uint64(256))
}

/// Root of a container with two fields.
pub fn two(a: Chunk, b: Chunk) -> Chunk {
    sha256(&[&a, &b])
}

/// Root of a container with four fields. Three fields are four with a zero chunk.
pub fn four(a: Chunk, b: Chunk, c: Chunk, d: Chunk) -> Chunk {
    two(two(a, b), two(c, d))
}

/// A signature domain: four bytes of type, then 28 of the fork data root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain(Chunk);

impl Domain {
    /// `compute_domain(kind, version, genesis_validators_root)`.
    pub fn compute(kind: [u8; 4], version: &[u8; 4], genesis_validators_root: &Chunk) -> Self {
        let mut domain = padded(&kind);
        domain[4..].copy_from_slice(&two(bytes4(version), *genesis_validators_root)[..28]);
        Self(domain)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &Chunk {
        &self.0
    }

    /// `compute_signing_root`: what a BLS signature is over, given the root of the object.
    pub fn signing_root(&self, object_root: Chunk) -> Chunk {
        two(object_root, self.0)
    }
}
