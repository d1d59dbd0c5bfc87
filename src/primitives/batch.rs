//! Batch verification of signatures with random weights (Bellare, Garay, Rabin 1998).

use super::curve::{G1, G1Sum, G2, G2Sum, Scalar, pairing_product_is_one};
use super::hash::{Digest, Tag, scalar, tagged};

/// Weights for a batch, derived from a digest of everything the batch checks: nobody can choose an entry after its weight. A false
/// entry passes with probability `q / r` for an adversary that tries `q` variants.
pub struct Weights {
    seed: Digest,
    next: u64,
}

impl Weights {
    /// From every byte that the batch depends on.
    pub fn new(parts: &[&[u8]]) -> Self {
        Self { seed: tagged(Tag::BatchSeed, parts), next: 0 }
    }

    /// The next weight, never zero.
    pub fn draw(&mut self) -> Scalar {
        self.next += 1;
        let weight = scalar(Tag::BatchWeight, &[self.seed.as_ref(), &self.next.to_be_bytes()]);
        if weight.is_zero() { Scalar::one() } else { weight }
    }

    /// The next `count` weights.
    pub fn take(&mut self, count: usize) -> Vec<Scalar> {
        (0..count).map(|_| self.draw()).collect()
    }
}

/// Whether `e(G, signature) = e(key, message)`: a BLS signature on the hashed `message`.
pub fn verify_signature(key: &G1, message: &G2, signature: &G2) -> bool {
    let Some(minus_g) = G1Sum::from(G1::generator()).negated().finish() else { return false };
    pairing_product_is_one(&[(minus_g, *signature), (*key, *message)])
}

/// Several signatures on one message, by different keys.
pub struct SameMessage {
    /// The message, hashed to the curve.
    pub message: G2,
    /// Each key with its signature.
    pub signed: Vec<(G1, G2)>,
}

/// Whether all signatures verify: `e(-G, Σ γ σ) · Π_m e(Σ γ P, H_m) = 1`, one Miller loop for each message and one more.
/// Weights must not have been known when the signatures were made; see [`Weights`].
pub fn verify_signatures(batch: &[SameMessage], weights: &mut Weights) -> bool {
    let mut pairs = Vec::with_capacity(batch.len() + 1);
    let mut signatures = Vec::new();
    let mut all_weights = Vec::new();
    for group in batch.iter().filter(|group| !group.signed.is_empty()) {
        let group_weights = weights.take(group.signed.len());
        let keys: Vec<G1> = group.signed.iter().map(|(key, _)| *key).collect();
        signatures.extend(group.signed.iter().map(|(_, signature)| *signature));
        // A weighted sum of keys that is infinity has probability 1/r; such a batch is simply not accepted.
        let Some(key) = G1Sum::msm(&keys, &group_weights).finish() else { return false };
        pairs.push((key, group.message));
        all_weights.extend(group_weights);
    }
    let minus_g = G1Sum::from(G1::generator()).negated().finish().expect("the generator is not infinity");
    match G2Sum::msm(&signatures, &all_weights).finish() {
        Some(signature) => pairs.push((minus_g, signature)),
        None => return pairs.is_empty(),
    }
    pairing_product_is_one(&pairs)
}
