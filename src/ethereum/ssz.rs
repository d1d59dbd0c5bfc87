//! Merkle roots and signing roots (consensus specification, `ssz/simple-serialize.md` and
//! `phase0/beacon-chain.md`): the fixed shapes of deposits, registrations and exits, and the lists
//! of Obol's and SSV's clusters.

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

/// Root of a `ByteList[512]` that holds `bytes`: sixteen chunks, those beyond it zero, and the
/// length.
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

/// Root of `chunks` padded with zero chunks to a power of two that is at least `limit`, which is at
/// least their number.
pub fn merkleize(chunks: &[Chunk], limit: usize) -> Chunk {
    assert!(chunks.len() <= limit, "the caller bounds its lists");
    let (mut layer, mut zero) = (chunks.to_vec(), [0; 32]);
    for _ in 0..limit.next_power_of_two().trailing_zeros() {
        layer = layer.chunks(2).map(|pair| two(pair[0], *pair.get(1).unwrap_or(&zero))).collect();
        zero = two(zero, zero);
    }
    layer.first().copied().unwrap_or(zero)
}

/// Root of a container.
pub fn container(fields: &[Chunk]) -> Chunk {
    merkleize(fields, fields.len())
}

/// Root of a list of at most `limit` composite values, given their roots.
pub fn list(roots: &[Chunk], limit: usize) -> Chunk {
    with_length(merkleize(roots, limit), roots.len())
}

/// Root of a list of at most `limit` numbers: four to a chunk.
pub fn uint64_list(values: &[u64], limit: usize) -> Chunk {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    with_length(merkleize(&chunked(&bytes), limit.div_ceil(4)), values.len())
}

/// Root of a list of at most `limit` bytes.
pub fn byte_list(bytes: &[u8], limit: usize) -> Chunk {
    with_length(merkleize(&chunked(bytes), limit.div_ceil(32)), bytes.len())
}

/// Root of a vector of bytes.
pub fn byte_vector(bytes: &[u8]) -> Chunk {
    let chunks = chunked(bytes);
    merkleize(&chunks, chunks.len().max(1))
}

fn chunked(bytes: &[u8]) -> Vec<Chunk> {
    bytes.chunks(32).map(padded).collect()
}

fn with_length(root: Chunk, length: usize) -> Chunk {
    two(root, uint64(u64::try_from(length).expect("a length fits 64 bits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_fixed_shape_has_the_same_root_as_a_vector() {
        let bytes: Vec<u8> = (0..96).collect();
        assert_eq!(byte_vector(&bytes), bytes96(bytes[..].try_into().expect("96")));
        assert_eq!(byte_vector(&bytes[..48]), bytes48(bytes[..48].try_into().expect("48")));
        assert_eq!(byte_vector(&bytes[..20]), bytes20(bytes[..20].try_into().expect("20")));
        let [a, b, c] = [[1; 32], [2; 32], [3; 32]];
        assert_eq!(container(&[a]), a);
        assert_eq!(container(&[a, b]), two(a, b));
        assert_eq!(container(&[a, b, c]), four(a, b, c, [0; 32]));
        assert_eq!(list(&[a, b, c], 4), two(four(a, b, c, [0; 32]), uint64(3)));
    }

    #[test]
    fn lists_of_obol_clusters() {
        let root = |chunk: Chunk| hex::encode(chunk);
        assert_eq!(
            root(uint64_list(&[], 256)),
            "c9eece3e14d3c3db45c38bbf69a4cb7464981e2506d8424a0ba450dad9b9af30"
        );
        let halves = [16_000_000_000; 2];
        assert_eq!(
            root(uint64_list(&halves, 256)),
            "fb21c04341aaebe0944623c62dc0d12c75c97749a6b9a35ebafa8bb68e91a789"
        );
        assert_eq!(
            root(byte_list(b"", 256)),
            "e8e527e84f666163a90ef900e013f56b0a4d020148b2224057b719f351b003a6"
        );
        assert_eq!(
            root(byte_list(b"abft", 256)),
            "e2483b93dcd578ee781806dd4532fc42d0fe462ca46e92df1d413e4bb40de7be"
        );
        assert_eq!(
            root(list(&[], 32)),
            "52e2647abc3d0c9d3be0387f3f0d925422c7a4e98cf4489066f0f43281a899f3"
        );
    }
}
