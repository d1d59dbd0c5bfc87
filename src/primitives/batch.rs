//! Batch verification of signatures with random weights (Bellare, Garay, Rabin 1998).

use rayon::prelude::*;

use super::curve::{
    G1, G1Sum, G2, G2Sum, Scalar, SecretScalar, UntestedG1, UntestedG2, pairing_product_is_one,
};
use super::hash::{Digest, Tag, scalar, tagged};
use super::kernel::{
    Coin, KeyWeight, Weighed, coins, test_all, test_and_weigh, test_together, weigh, weigh_keys,
};
use super::secret::deep;

/// Weights for a batch, derived from a digest of everything the batch checks: nobody can choose an
/// entry after its weight. A false entry passes with probability `q / r` for an adversary that
/// tries `q` variants.
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

/// Whether all signatures verify: `e(-G, Σ γ σ) · Π_m e(Σ γ P, H_m) = 1`, one Miller loop for each
/// message and one more. Weights must not have been known when the signatures were made; see
/// [`Weights`].
pub fn verify_signatures(batch: &[SameMessage], weights: &mut Weights) -> bool {
    let mut pairs = Vec::with_capacity(batch.len() + 1);
    let mut signatures = Vec::new();
    let mut all_weights = Vec::new();
    for group in batch.iter().filter(|group| !group.signed.is_empty()) {
        let group_weights = weights.take(group.signed.len());
        let keys: Vec<G1> = group.signed.iter().map(|(key, _)| *key).collect();
        signatures.extend(group.signed.iter().map(|(_, signature)| *signature));
        // A weighted sum of keys that is infinity has probability 1/r; such a batch is simply not
        // accepted.
        let Some(key) = G1Sum::msm(&keys, &group_weights).finish() else { return false };
        pairs.push((key, group.message));
        all_weights.extend(group_weights);
    }
    let minus_g =
        G1Sum::from(G1::generator()).negated().finish().expect("the generator is not infinity");
    match G2Sum::msm(&signatures, &all_weights).finish() {
        Some(signature) => pairs.push((minus_g, signature)),
        None => return pairs.is_empty(),
    }
    pairing_product_is_one(&pairs)
}

/// Signatures that were tested for their subgroup together, with a weight for each and their
/// weighted sum.
pub struct Weighing {
    seed: Digest,
    coins: Vec<Coin>,
    sum: G2Sum,
}

/// The points as tested ones, with their weights; or the position of the first that is outside the
/// subgroup. `parts` are every byte that the points depend on. A point outside passes with
/// probability at most `q · 2^-127` for an adversary that tries `q` variants.
pub fn weigh_signatures(
    points: &[UntestedG2],
    parts: &[&[u8]],
) -> Result<(Vec<G2>, Weighing), usize> {
    let seed = tagged(Tag::BatchSeed, parts);
    let coins = coins(&seed, points.len());
    let (points, sum) = test_and_weigh(points, &coins, &seed)?;
    Ok((points, Weighing { seed, coins, sum }))
}

/// All points as tested ones, or the position of the first that is outside the subgroup. `parts`
/// are every byte that the points depend on. A point outside passes with probability at most `q ·
/// 2^-128` for an adversary that tries `q` variants.
pub fn test_points(points: &[UntestedG1], parts: &[&[u8]]) -> Result<Vec<G1>, usize> {
    test_all(points, &tagged(Tag::BatchSeed, parts))
}

/// As [`test_points`], for points of several bodies: `None` if one is outside, without looking for
/// it.
pub fn test_points_together(points: &[UntestedG1], parts: &[&[u8]]) -> Option<Vec<G1>> {
    test_together(points, &tagged(Tag::BatchSeed, parts))
}

/// As [`test_points`], for points of G2.
pub fn test_signatures(points: &[UntestedG2], parts: &[&[u8]]) -> Result<Vec<G2>, usize> {
    test_all(points, &tagged(Tag::BatchSeed, parts))
}

/// Messages that the same keys sign.
pub struct SameKeys<'a> {
    /// The keys that those of all signers are combinations of.
    pub keys: Vec<G1>,
    /// The messages, hashed to the curve.
    pub messages: &'a [G2],
    /// Further signatures on the messages, in order, by one more key.
    pub also: Option<&'a [G2]>,
}

/// How the keys follow from those of each [`SameKeys`].
pub struct Signers<'a> {
    /// The key of each signer whose signatures were weighed, as a combination.
    pub weighed: Vec<&'a [i64]>,
    /// The key of the further signatures.
    pub also: &'a [i64],
}

impl Weighing {
    /// Whether all signatures verify: those that were weighed, which are signer by signer the ones
    /// on all messages in order, and the further ones. One Miller loop for each message and one
    /// more. A false one passes with probability at most `q · 2^-127`.
    ///
    /// # Panics
    /// If there are not as many signatures as signers and messages.
    pub fn verify(&self, groups: &[SameKeys<'_>], signers: &Signers<'_>) -> bool {
        let messages: Vec<G2> =
            groups.iter().flat_map(|group| group.messages.iter().copied()).collect();
        assert_eq!(
            self.coins.len(),
            signers.weighed.len() * messages.len(),
            "a signature of every signer on every message"
        );
        let further: Vec<G2> =
            groups.iter().filter_map(|group| group.also).flatten().copied().collect();
        let spelled: Vec<u8> = further.iter().flat_map(G2::to_uncompressed).collect();
        let further_coins = coins(
            &tagged(Tag::BatchSeed, &[b"further", self.seed.as_ref(), &spelled]),
            further.len(),
        );
        let (mut message, mut next_further) = (0, further_coins.iter());
        let mut weigh_one = |group: &SameKeys<'_>| {
            assert!(
                group.also.is_none_or(|also| also.len() == group.messages.len()),
                "one for each message"
            );
            let weights = |_: &G2| -> Vec<KeyWeight> {
                let coin = |signer: usize| self.coins[signer * messages.len() + message];
                let rows = signers.weighed.iter().enumerate();
                let mut signed: Vec<(Coin, &[i64])> =
                    rows.map(|(signer, row)| (coin(signer), *row)).collect();
                if group.also.is_some() {
                    let coin = next_further.next().expect("one for each");
                    signed.push((*coin, signers.also));
                }
                message += 1;
                let weight =
                    |key: usize| KeyWeight::sum(signed.iter().map(|(coin, row)| (row[key], *coin)));
                (0..group.keys.len()).map(weight).collect()
            };
            let messages = group.messages.iter().map(weights).collect();
            Weighed { keys: group.keys.clone(), messages }
        };
        let weighed: Vec<Weighed> = groups.iter().map(&mut weigh_one).collect();
        let mut sum = self.sum;
        sum.add_sum(&weigh(&further, &further_coins));
        // Sums that are infinity have probability 2^-127; such a batch is simply not accepted.
        let Some(keys) = G1Sum::finish_all(&weigh_keys(&weighed)) else { return false };
        let mut pairs: Vec<(G1, G2)> = keys.into_iter().zip(messages).collect();
        let minus_g =
            G1Sum::from(G1::generator()).negated().finish().expect("the generator is not infinity");
        match sum.finish() {
            Some(signature) => pairs.push((minus_g, signature)),
            None => return pairs.is_empty(),
        }
        pairing_product_is_one(&pairs)
    }
}

/// `secret · message` for each: partial signatures. `None` if a secret is zero. Constant time in
/// the secrets.
pub fn sign_all(items: &[(&SecretScalar, &G2)]) -> Option<Vec<G2>> {
    let one = |(secret, message): &(&SecretScalar, &G2)| deep(|| secret.sign(message));
    items.par_iter().with_min_len(8).map(one).collect()
}
