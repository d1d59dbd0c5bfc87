//! Batched Schnorr proof of possession: one proof that a dealer knows the constant terms of all its polynomials.
//!
//! Batching of Gennaro, Leigh, Sundaram and Yerazunis (2004); strong Fiat-Shamir (Bernhard, Pereira, Warinschi 2012): the challenge
//! covers the context, every commitment (through their Merkle root) and the nonce point.

use super::curve::{G1, G1Sum, Scalar, SecretScalar};
use super::hash::{Digest, Tag, scalar};

/// `(R, z)` with `z·G = R + Σ_{v=1..V} c^v · C_v`. 128 bytes on the wire (R uncompressed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The nonce point, never infinity.
    pub r: G1,
    /// The response.
    pub z: Scalar,
}

/// What a proof speaks about: who proves, in which session, for which commitments.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// The session.
    pub session: Digest,
    /// The dealer's index.
    pub dealer: u16,
    /// Merkle root over all commitments of the dealer.
    pub root: Digest,
}

impl Statement {
    /// `c = HS("pop-challenge", session, dealer, root, R)`.
    fn challenge(&self, r: &G1) -> Scalar {
        let dealer = self.dealer.to_be_bytes();
        scalar(Tag::PopChallenge, &[self.session.as_ref(), &dealer, self.root.as_ref(), &r.to_uncompressed()])
    }

    /// Proves knowledge of `secrets`. `nonce` must be fresh for this statement; `None` if it is zero.
    pub fn prove<'a>(&self, secrets: impl Iterator<Item = &'a SecretScalar>, nonce: SecretScalar) -> Option<Proof> {
        let r = nonce.base_mult()?;
        let challenge = self.challenge(&r);
        let mut power = challenge;
        let mut response = nonce;
        for secret in secrets {
            response.add_assign(&secret.scaled(&power));
            power = power * challenge;
        }
        Some(Proof { r, z: response.declassify() })
    }

    /// The points and public scalars whose sum of products is zero exactly if `proof` holds, apart from the generator's: returns
    /// the generator's scalar `z`. Everything is multiplied by `weight`.
    fn terms(&self, constants: impl Iterator<Item = G1>, proof: &Proof, weight: Scalar, out: &mut Terms) {
        let challenge = self.challenge(&proof.r);
        out.generator = out.generator + weight * proof.z;
        out.push(proof.r, -weight);
        let mut power = weight * challenge;
        for constant in constants {
            out.push(constant, -power);
            power = power * challenge;
        }
    }

    /// Whether `proof` shows knowledge of the discrete logarithm of every one of `constants`.
    pub fn verify(&self, constants: impl Iterator<Item = G1>, proof: &Proof) -> bool {
        let mut terms = Terms::default();
        self.terms(constants, proof, Scalar::one(), &mut terms);
        terms.vanish()
    }
}

/// One equation `generator·G + Σ scalars·points = 0`, filled term by term.
struct Terms {
    generator: Scalar,
    points: Vec<G1>,
    scalars: Vec<Scalar>,
}

impl Default for Terms {
    fn default() -> Self {
        Self { generator: Scalar::ZERO, points: Vec::new(), scalars: Vec::new() }
    }
}

impl Terms {
    fn push(&mut self, point: G1, scalar: Scalar) {
        self.points.push(point);
        self.scalars.push(scalar);
    }

    fn vanish(mut self) -> bool {
        self.push(G1::generator(), self.generator);
        G1Sum::msm(&self.points, &self.scalars).is_infinity()
    }
}

/// Verifies many proofs with one multi-scalar product, each weighted by its own of `weights`. With weights that nobody could know
/// before the proofs were fixed, a false proof passes with probability at most 1/r.
pub fn verify_all<C: Iterator<Item = G1>>(proofs: impl Iterator<Item = (Statement, C, Proof)>, weights: &[Scalar]) -> bool {
    let mut terms = Terms::default();
    let mut count = 0;
    for ((statement, constants, proof), weight) in proofs.zip(weights) {
        statement.terms(constants, &proof, *weight, &mut terms);
        count += 1;
    }
    assert_eq!(count, weights.len(), "one weight for each proof");
    terms.vanish()
}
