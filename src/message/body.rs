//! The bodies of the five rounds. Layouts are fixed; sizes are in
//! [`super::shape::Shape::body_bytes`].

use rayon::prelude::*;

use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::ethereum::ssv::RSA_BYTES;
use crate::primitives::batch::{
    Weighing, test_points, test_points_together, test_signatures, weigh_signatures,
};
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::commitment::{Commitments, UntestedCommitments};
use crate::primitives::curve::{DecodeError as CurveError, G1, G2, UntestedG1, UntestedG2};
use crate::primitives::hash::Digest;
use crate::primitives::possession::Proof;
use crate::primitives::x25519::{DhKeyError, DhPublic};

use super::shape::Shape;

/// R0: what is fixed before anything is revealed. `64 + 32n` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Fresh randomness of the operator, which makes the session unique.
    pub nonce: [u8; 32],
    /// Commitment to the dealer's polynomials.
    pub commitment: Digest,
    /// A recent beacon block root, or zero: evidence of "not before", as far as the anchor is
    /// trusted.
    pub anchor: [u8; 32],
    /// One-time keys for the other operators' share boxes, by index, the sender left out.
    pub one_time_keys: Vec<DhPublic>,
}

/// R1: the reveal. `128 + 64n + 96Vt` bytes. The shares travel beside it, in boxes whose digests it
/// signs.
#[derive(Clone, PartialEq, Eq)]
pub struct Deal {
    /// Digests of the hellos, by index.
    pub view: Vec<Digest>,
    /// Opens the hello's commitment.
    pub salt: [u8; 32],
    /// Digests of the share boxes, by recipient, the sender left out.
    pub box_digests: Vec<Digest>,
    /// Proof of possession of all constant terms.
    pub proof: Proof,
    /// `V` rows of `t` commitments.
    pub commitments: Commitments,
}

/// R2: stored, re-read and proven. `132 + 32n` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepare {
    /// Digests of the deals, by index.
    pub view: Vec<Digest>,
    /// Merkle root of the summed commitments.
    pub sums_root: Digest,
    /// Possession proof made from the re-read shares.
    pub possession: G2,
    /// [`Prepare::DURABLE`] and nothing else.
    pub flags: u32,
}

impl Prepare {
    /// The shares were written, synced and read back through a fresh descriptor.
    pub const DURABLE: u32 = 1;
}

/// An operator's share of a validator, encrypted to its own RSA key, with the proof that it has
/// signed with that key (for SSV). Only the operator itself can tell whether it holds the share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedShare {
    /// RSAES-PKCS1-v1_5.
    pub ciphertext: [u8; RSA_BYTES],
    /// RSASSA-PSS over [`crate::ethereum::ssv::ShareProof`].
    pub proof: [u8; RSA_BYTES],
}

impl SealedShare {
    /// Bytes of one.
    pub const BYTES: usize = 2 * RSA_BYTES;
}

/// R3: the release. `32n + 192·items` bytes, for SSV `+ 512V`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Digests of certificate 1, the prepares by index.
    pub view: Vec<Digest>,
    /// Partial signatures on every message of every validator, in the spec's order.
    pub partials: Vec<G2>,
    /// The sender's share of every validator, for SSV; otherwise none.
    pub sealed: Vec<SealedShare>,
}

/// R4: the agreement on outputs. `36 + 32n` bytes, and 161 more if an Obol cluster is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Final {
    /// Digests of the commits, by index.
    pub view: Vec<Digest>,
    /// Output digest `O`.
    pub outputs: Digest,
    /// [`Final::KEYSTORES`] and [`Final::ERASED`].
    pub flags: u32,
    /// If an Obol cluster is made: what this operator signs of its lock.
    pub lock: Option<LockSignatures>,
}

/// An operator's signatures on the hash of a cluster's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSignatures {
    /// By the sum of its shares of all validators.
    pub shares: G2,
    /// By the key of its node: `r ‖ s ‖ v`, `v` being 0 or 1.
    pub node: [u8; SIGNATURE_BYTES],
}

impl Final {
    /// The sender's keystores are written and were read back.
    pub const KEYSTORES: u32 = 1;
    /// The sender's one-time keys and polynomials are erased.
    pub const ERASED: u32 = 2;
}

pub(super) fn digests(
    r: &mut Reader<'_>,
    what: &'static str,
    count: usize,
) -> Result<Vec<Digest>, DecodeError> {
    r.many(count, |r| r.array(what).map(Digest))
}

pub(super) fn put_digests(w: Writer, digests: &[Digest]) -> Writer {
    w.each(digests, |w, digest| w.bytes(digest.as_ref()))
}

fn flags(r: &mut Reader<'_>, known: u32) -> Result<u32, DecodeError> {
    match r.u32("flags")? {
        flags if flags & !known == 0 => Ok(flags),
        _ => Err(DecodeError::Invalid { what: "flags", why: "an unknown flag is set" }),
    }
}

fn dh_public(r: &mut Reader<'_>) -> Result<DhPublic, DecodeError> {
    let what = "one-time key";
    DhPublic::from_bytes(r.array(what)?).map_err(|error| DecodeError::Invalid {
        what,
        why: match error {
            DhKeyError::NotCanonical => "not the canonical encoding of an X25519 key",
            DhKeyError::LowOrder => "an X25519 key of low order",
        },
    })
}

impl Hello {
    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                nonce: r.array("nonce")?,
                commitment: Digest(r.array("commitment")?),
                anchor: r.array("anchor")?,
                one_time_keys: r.many(shape.n - 1, dh_public)?,
            })
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        Writer::default()
            .bytes(&self.nonce)
            .bytes(self.commitment.as_ref())
            .bytes(&self.anchor)
            .each(&self.one_time_keys, |w, key| w.bytes(key.as_bytes()))
            .finish()
    }
}

impl Deal {
    /// Reads the body; every commitment is checked for its subgroup.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Self::decode_all(&[bytes], shape, None).pop().expect("one for one")
    }

    /// Reads the body; every commitment is tested by itself, exactly.
    pub fn decode_exactly(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        let UntestedDeal { view, salt, box_digests, proof, commitments } =
            UntestedDeal::read(bytes, shape)?;
        let points: Result<Vec<G1>, _> =
            commitments.points().par_iter().map(UntestedG1::test).collect();
        let commitments = commitments.tested(points.map_err(|_| outside("commitment"))?);
        Ok(Self { view, salt, box_digests, proof, commitments })
    }

    /// Reads several bodies; all their points are checked together, which is faster. `own` are
    /// commitments that the caller has made: they need no check.
    pub fn decode_all(
        bodies: &[&[u8]],
        shape: &Shape,
        own: Option<&Commitments>,
    ) -> Vec<Result<Self, DecodeError>> {
        let read: Vec<Result<UntestedDeal, DecodeError>> =
            bodies.par_iter().map(|bytes| UntestedDeal::read(bytes, shape)).collect();
        let known = |deal: &UntestedDeal| own.filter(|own| deal.commitments.are(own));
        let unknown = read.iter().flatten().filter(|deal| known(deal).is_none());
        let points: Vec<UntestedG1> =
            unknown.flat_map(|deal| deal.commitments.points()).copied().collect();
        let tested = test_points_together(&points, bodies);
        let mut rest = tested.as_deref();
        let finish = |(deal, bytes): (Result<UntestedDeal, DecodeError>, &&[u8])| {
            let deal = deal?;
            let count = deal.commitments.points().len();
            // If there is a point outside, each body by itself tells whose it is.
            let tested = match known(&deal) {
                Some(own) => Ok(own.clone()),
                None => match rest.as_mut().and_then(|rest| rest.split_off(..count)) {
                    Some(points) => Ok(deal.commitments.tested(points.to_vec())),
                    None => test_points(deal.commitments.points(), &[bytes])
                        .map(|points| deal.commitments.tested(points)),
                },
            };
            let commitments = tested.map_err(|_| outside("commitment"))?;
            let UntestedDeal { view, salt, box_digests, proof, commitments: _ } = deal;
            Ok(Self { view, salt, box_digests, proof, commitments })
        };
        read.into_iter().zip(bodies).map(finish).collect()
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let w = put_digests(Writer::default(), &self.view).bytes(&self.salt);
        let w = put_digests(w, &self.box_digests)
            .bytes(&self.proof.r.to_uncompressed())
            .bytes(&self.proof.z.to_be_bytes());
        self.commitments.write(w).finish()
    }
}

/// A deal as it was read: the commitments are on the curve, and nobody has tested their subgroup
/// yet.
struct UntestedDeal {
    view: Vec<Digest>,
    salt: [u8; 32],
    box_digests: Vec<Digest>,
    proof: Proof,
    commitments: UntestedCommitments,
}

impl UntestedDeal {
    fn read(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                view: digests(r, "view", shape.n)?,
                salt: r.array("salt")?,
                box_digests: digests(r, "box digest", shape.n - 1)?,
                proof: Proof {
                    r: r.g1("proof of possession, R")?,
                    z: r.scalar("proof of possession, z")?,
                },
                commitments: UntestedCommitments::read(r, shape.v, shape.t)?,
            })
        })
    }
}

/// A commit as it was read.
struct UntestedCommit {
    view: Vec<Digest>,
    partials: Vec<UntestedG2>,
    sealed: Vec<SealedShare>,
}

const PARTIAL: &str = "partial signature";

impl UntestedCommit {
    fn read(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            let sealed = |r: &mut Reader<'_>| {
                Ok(SealedShare {
                    ciphertext: r.array("encrypted share")?,
                    proof: r.array("proof of an encrypted share")?,
                })
            };
            Ok(Self {
                view: digests(r, "view", shape.n)?,
                partials: r.many(shape.items, |r| r.untested_g2(PARTIAL))?,
                sealed: r.many(shape.sealed, sealed)?,
            })
        })
    }
}

/// Which of several bodies does not decode, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Its position.
    pub at: usize,
    /// Why.
    pub error: DecodeError,
}

fn outside(what: &'static str) -> DecodeError {
    DecodeError::Curve { what, source: CurveError::NotInSubgroup }
}

impl Prepare {
    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            let body = Self {
                view: digests(r, "view", shape.n)?,
                sums_root: Digest(r.array("root of the sums")?),
                possession: r.g2("possession proof")?,
                flags: flags(r, Self::DURABLE)?,
            };
            match body.flags {
                Self::DURABLE => Ok(body),
                _ => Err(DecodeError::Invalid {
                    what: "flags",
                    why: "not the flag for stored shares",
                }),
            }
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        put_digests(Writer::default(), &self.view)
            .bytes(self.sums_root.as_ref())
            .bytes(&self.possession.to_compressed())
            .u32(self.flags)
            .finish()
    }
}

impl Commit {
    /// Reads the body; every signature is checked for its subgroup.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        let UntestedCommit { view, partials, sealed } = UntestedCommit::read(bytes, shape)?;
        Ok(Self {
            view,
            partials: test_signatures(&partials, &[bytes]).map_err(|_| outside(PARTIAL))?,
            sealed,
        })
    }

    /// Reads the body; every signature is tested by itself, exactly.
    pub fn decode_exactly(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        let UntestedCommit { view, partials, sealed } = UntestedCommit::read(bytes, shape)?;
        let partials: Result<Vec<G2>, _> = partials.par_iter().map(UntestedG2::test).collect();
        Ok(Self { view, partials: partials.map_err(|_| outside(PARTIAL))?, sealed })
    }

    /// Reads several bodies; all their signatures are checked for their subgroup together, and
    /// weighed for their verification under keys that `keys` is a digest of.
    pub fn decode_and_weigh(
        bodies: &[&[u8]],
        shape: &Shape,
        keys: Digest,
    ) -> Result<(Vec<Self>, Weighing), Misfit> {
        let read = |(at, bytes): (usize, &&[u8])| {
            UntestedCommit::read(bytes, shape).map_err(|error| Misfit { at, error })
        };
        let read: Vec<UntestedCommit> = bodies
            .par_iter()
            .enumerate()
            .map(read)
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<_, _>>()?;
        let partials: Vec<UntestedG2> =
            read.iter().flat_map(|commit| commit.partials.iter().copied()).collect();
        let parts: Vec<&[u8]> =
            core::iter::once(keys.as_ref()).chain(bodies.iter().copied()).collect();
        let weighed = weigh_signatures(&partials, &parts);
        let (partials, weighing) =
            weighed.map_err(|at| Misfit { at: at / shape.items, error: outside(PARTIAL) })?;
        let mut partials = partials.chunks(shape.items.max(1)).map(<[G2]>::to_vec);
        let commit = |UntestedCommit { view, sealed, .. }| Self {
            view,
            partials: partials.next().unwrap_or_default(),
            sealed,
        };
        Ok((read.into_iter().map(commit).collect(), weighing))
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        put_digests(Writer::default(), &self.view)
            .each(&self.partials, |w, partial| w.bytes(&partial.to_uncompressed()))
            .each(&self.sealed, |w, sealed| w.bytes(&sealed.ciphertext).bytes(&sealed.proof))
            .finish()
    }
}

impl Final {
    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                view: digests(r, "view", shape.n)?,
                outputs: Digest(r.array("output digest")?),
                flags: flags(r, Self::KEYSTORES | Self::ERASED)?,
                lock: match shape.lock {
                    false => None,
                    true => Some(LockSignatures {
                        shares: r.g2("signature of the shares on the lock")?,
                        node: r.array("signature of the node on the lock")?,
                    }),
                },
            })
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        put_digests(Writer::default(), &self.view)
            .bytes(self.outputs.as_ref())
            .u32(self.flags)
            .each(&self.lock, |w, lock| w.bytes(&lock.shares.to_compressed()).bytes(&lock.node))
            .finish()
    }
}

/// A decoded body, whatever its round.
#[derive(Clone)]
pub enum Body {
    /// R0.
    Hello(Hello),
    /// R1.
    Deal(Deal),
    /// R2.
    Prepare(Prepare),
    /// R3.
    Commit(Commit),
    /// R4.
    Final(Final),
}
