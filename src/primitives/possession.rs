//! Batched Schnorr proof of possession: one proof that a dealer knows the constant terms of all its
//! polynomials.
//!
//! One answer for many keys, with an exponent of 128 bits for each (as in the small-exponents test
//! of Bellare, Garay and Rabin 1998; a batch of Gennaro, Leigh, Sundaram and Yerazunis 2004 takes
//! powers of one challenge). Strong Fiat-Shamir (Bernhard, Pereira, Warinschi 2012): the exponents
//! cover the context, every commitment (through their Merkle root) and the nonce point. From two
//! answers that differ in the exponent of one key alone its secret follows; who does not know it
//! answers with probability `2^-128` for each nonce point tried.

use super::curve::{G1, G1Sum, Scalar, SecretScalar};
use super::hash::{Digest, Tag, tagged, weight};
use super::kernel::weigh_columns;

/// `(R, z)` with `z·G = R + Σ_v c_v · C_v`. 128 bytes on the wire (R uncompressed).
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
    /// `c_v = HW("pop-exponent", TH("pop-challenge", session, dealer, root, R), v)`, without end.
    fn exponents(&self, r: &G1) -> impl Iterator<Item = u128> + use<> {
        let dealer = self.dealer.to_be_bytes();
        let parts: [&[u8]; 4] =
            [self.session.as_ref(), &dealer, self.root.as_ref(), &r.to_uncompressed()];
        let challenge = tagged(Tag::PopChallenge, &parts);
        (0u32..).map(move |v| weight(Tag::PopExponent, &[challenge.as_ref(), &v.to_be_bytes()]))
    }

    /// Proves knowledge of `secrets`. `nonce` must be fresh for this statement; `None` if it is
    /// zero.
    pub fn prove<'a>(
        &self,
        secrets: impl Iterator<Item = &'a SecretScalar>,
        nonce: SecretScalar,
    ) -> Option<Proof> {
        let r = nonce.base_mult()?;
        let mut response = nonce;
        for (secret, exponent) in secrets.zip(self.exponents(&r)) {
            response.add_assign(&secret.scaled(&Scalar::from_u128(exponent)));
        }
        Some(Proof { r, z: response.declassify() })
    }

    /// Whether `proof` shows knowledge of the discrete logarithm of every one of `constants`.
    pub fn verify(&self, constants: impl Iterator<Item = G1>, proof: &Proof) -> bool {
        first_false([(*self, constants, *proof)].into_iter()).is_none()
    }

    /// The same, term by term.
    pub fn verify_by_terms(&self, constants: impl Iterator<Item = G1>, proof: &Proof) -> bool {
        let mut sum = G1Sum::from(proof.r);
        for (constant, exponent) in constants.zip(self.exponents(&proof.r)) {
            sum.add_sum(&G1Sum::from(constant).scaled(&Scalar::from_u128(exponent)));
        }
        sum == G1Sum::from(G1::generator()).scaled(&proof.z)
    }
}

/// The position of the first proof that does not hold.
pub fn first_false<C: Iterator<Item = G1>>(
    proofs: impl Iterator<Item = (Statement, C, Proof)>,
) -> Option<usize> {
    struct Terms {
        proof: Proof,
        constants: Vec<G1>,
        exponents: Vec<u128>,
    }
    let terms = |(statement, constants, proof): (Statement, C, Proof)| {
        let constants: Vec<G1> = constants.collect();
        let exponents = statement.exponents(&proof.r).take(constants.len()).collect();
        Terms { proof, constants, exponents }
    };
    let all: Vec<Terms> = proofs.map(terms).collect();
    let columns: Vec<(&[G1], &[u128])> =
        all.iter().map(|one| (one.constants.as_slice(), one.exponents.as_slice())).collect();
    let holds = |(Terms { proof, .. }, mut sum): (&Terms, G1Sum)| {
        sum.add(&proof.r);
        sum == G1Sum::from(G1::generator()).scaled(&proof.z)
    };
    all.iter().zip(weigh_columns(&columns)).position(|one| !holds(one))
}
