//! The sums of all deals, and the result of a ceremony.

use crate::message::body::{EncryptedShare, Publishes};
use crate::primitives::commitment::{Commitments, evaluate};
use crate::primitives::curve::{G1, G1Sum, G2, Scalar, SecretScalar};
use crate::primitives::hash::{Digest, Tag, tagged, weight};
use crate::primitives::lagrange::Span;
use crate::spec::ceremony::Ceremony;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::checks::{
    CommitsFollowPrepares, DealsFollowHellos, DistinctConstants, DistinctHellos, KnownConstants,
    Opened, PartialsVerified, Prepared, SharesEncrypted, SharesProven, SignaturesVerified, Signed,
};

/// The sum of all deals: validator keys, public shares, and the weighted sums for the share check.
/// All public, all derived.
pub struct Sums {
    rows: Commitments,
    digest: Digest,
    public_keys: Vec<G1>,
    public_shares: Vec<Vec<G1>>,
    weights: Vec<u128>,
    folded: Vec<G1Sum>,
    span: Span,
    receivers: Seats,
}

impl Sums {
    /// From the sums of the commitments of all dealers and the points of `receivers`; `None` if a
    /// public share is infinity.
    pub(super) fn new(
        session: &Digest,
        deals_view: &Digest,
        sums: Commitments,
        receivers: Seats,
        points: &[u64],
    ) -> Option<Self> {
        let root = sums.merkle_root();
        let digest = tagged(Tag::Dkg, &[session.as_ref(), deals_view.as_ref(), root.as_ref()]);
        let public_shares =
            sums.evaluate(points)?.chunks_exact(points.len()).map(<[G1]>::to_vec).collect();
        let weights = confirmation_weights(&digest, sums.len());
        let folded = sums.fold(&weights);
        let span = match points.len() < sums.t() {
            // A repair has one receiver, and nothing is signed.
            true => Span::independent(points.len()),
            false => Span::new(points, sums.t()),
        };
        Some(Self {
            digest,
            public_keys: sums.constants().collect(),
            public_shares,
            weights,
            folded,
            span,
            receivers,
            rows: sums,
        })
    }

    /// Merkle root of the summed commitments, which every prepare signs.
    pub fn root(&self) -> Digest {
        self.rows.merkle_root()
    }

    /// The summed commitments, a row for each validator: what a reshare of these keys begins with.
    pub fn rows(&self) -> &Commitments {
        &self.rows
    }

    /// The same, of sums that are needed no more.
    pub fn into_rows(self) -> Commitments {
        self.rows
    }

    /// `D = TH("dkg", session, view root of the deals, root of the sums)`.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The key of validator `v`.
    pub fn public_key(&self, v: usize) -> G1 {
        self.public_keys[v]
    }

    /// The keys of all validators.
    pub fn public_keys(&self) -> &[G1] {
        &self.public_keys
    }

    /// Where `seat` stands among those that get shares; `None` if it gets none.
    pub fn place(&self, seat: Index) -> Option<usize> {
        self.receivers.place(seat)
    }

    /// The public share of validator `v` that `seat` holds; `None` if it holds none.
    pub fn public_share(&self, v: usize, seat: Index) -> Option<&G1> {
        self.public_shares(v).get(self.place(seat)?)
    }

    /// The public shares of validator `v`, by index of the receivers.
    pub fn public_shares(&self, v: usize) -> &[G1] {
        &self.public_shares[v]
    }

    /// How the public shares and the key of a validator follow from some of them.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// `K_j = Σ_v ρ_v P_{v,j}`, the key under which seat `j` (evaluation point `point`) proves
    /// possession of all its shares.
    pub fn confirmation_key(&self, point: u64) -> Option<G1> {
        evaluate(self.folded.iter().copied(), point).finish()
    }

    /// `κ_j = Σ_v ρ_v s_{j,v}`: the same linear form over the shares.
    pub fn confirmation_secret(&self, shares: &[SecretScalar]) -> SecretScalar {
        fold_shares(&self.weights, shares)
    }

    /// Whether `shares` are the ones of the seat at `point`: `κ·G = K`. If any is wrong, this holds
    /// with probability 2^-128 for each set of deals tried.
    pub fn shares_match(&self, point: u64, shares: &[SecretScalar]) -> bool {
        let own = self.confirmation_secret(shares).base_mult();
        own.is_some() && own == self.confirmation_key(point)
    }

    /// The weights `ρ_v = HW("rho", D, v)`.
    pub fn weights(&self) -> &[u128] {
        &self.weights
    }
}

pub(super) fn confirmation_weights(dkg: &Digest, validators: usize) -> Vec<u128> {
    let weight = |v: usize| {
        let v = u32::try_from(v).expect("at most 8192 validators");
        weight(Tag::Rho, &[dkg.as_ref(), &v.to_be_bytes()])
    };
    (0..validators).map(weight).collect()
}

/// `Σ weights[v] · shares[v]`.
pub(super) fn fold_shares(weights: &[u128], shares: &[SecretScalar]) -> SecretScalar {
    assert_eq!(weights.len(), shares.len(), "one share for each validator");
    let mut sum = SecretScalar::zero();
    weights
        .iter()
        .zip(shares)
        .for_each(|(weight, share)| sum.add_assign(&share.scaled(&Scalar::from_u128(*weight))));
    sum
}

/// What a validator got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorOutcome {
    /// The validator's key.
    pub public_key: G1,
    /// The public share of every operator that has one, by index.
    pub public_shares: Vec<G1>,
    /// Combined signatures: deposits in the spec's order, then the registration if there is one,
    /// then the consent for SSV if there is one.
    pub signatures: Vec<G2>,
    /// The encrypted shares of every operator, by index, of a ceremony for SSV; otherwise none.
    pub sealed: Vec<EncryptedShare>,
}

impl ValidatorOutcome {
    /// The public share of `seat`; `None` if it has none.
    pub fn public_share(&self, ceremony: &Ceremony, seat: Index) -> Option<&G1> {
        self.public_shares.get(ceremony.parts().receivers.place(seat)?)
    }

    /// All validators, with the combined signatures on the messages with these signing roots; no
    /// encrypted shares yet.
    pub fn all(sums: &Sums, roots: &[(usize, [u8; 32])], signatures: &[G2]) -> Vec<Self> {
        let mut all: Vec<Self> = sums
            .public_keys()
            .iter()
            .zip(&sums.public_shares)
            .map(|(key, shares)| Self {
                public_key: *key,
                public_shares: shares.clone(),
                signatures: Vec::new(),
                sealed: Vec::new(),
            })
            .collect();
        roots
            .iter()
            .zip(signatures)
            .for_each(|((v, _), signature)| all[*v].signatures.push(*signature));
        all
    }

    /// Adds the encrypted shares in these statements of all operators, if they are the ones that
    /// publish them.
    pub fn publish<B: Publishes>(all: &mut [Self], statements: &[Signed<B>]) {
        for (v, validator) in all.iter_mut().enumerate() {
            let shares = |signed: &Signed<B>| signed.body.encrypted_shares().get(v).cloned();
            validator.sealed.extend(statements.iter().filter_map(shares));
        }
    }
}

/// The checks behind an outcome.
#[derive(Debug)]
pub struct Receipts {
    pub(super) _distinct_hellos: DistinctHellos,
    pub(super) _deals_follow_hellos: DealsFollowHellos,
    pub(super) _opened: Opened,
    pub(super) _distinct_constants: DistinctConstants,
    pub(super) _known_constants: KnownConstants,
    pub(super) _prepared: Prepared,
    pub(super) _shares_proven: SharesProven,
    pub(super) _commits_follow_prepares: CommitsFollowPrepares,
    pub(super) _partials_verified: PartialsVerified,
    pub(super) _signatures_verified: SignaturesVerified,
    pub(super) _shares_encrypted: SharesEncrypted,
}

/// `TH("certificate", spec digest, D, O)`: the name of a complete ceremony. All honest operators
/// have the same, also where their transcripts differ in what has more than one valid form.
pub fn certificate(spec: &Digest, dkg: &Digest, outputs: &Digest) -> Digest {
    tagged(Tag::Certificate, &[spec.as_ref(), dkg.as_ref(), outputs.as_ref()])
}

/// What a ceremony yields. Made only with a receipt of every check; published only with certificate
/// 2.
#[derive(Debug)]
pub struct Outcome {
    /// The transcript digest `D`.
    pub digest: Digest,
    /// The output digest `O`.
    pub outputs: Digest,
    /// The digest of the certificate ([`certificate`]).
    pub certificate: Digest,
    /// Every validator, in the spec's order.
    pub validators: Vec<ValidatorOutcome>,
    pub(super) _receipts: Receipts,
}
