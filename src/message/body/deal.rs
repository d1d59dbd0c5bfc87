//! R1, the deal: commitments that are read first and tested together.

use rayon::prelude::*;

use super::{digests, outside, put_digests};
use crate::message::envelope::{Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::batch::{test_points, test_points_together};
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::commitment::{Commitments, UntestedCommitments};
use crate::primitives::curve::{G1, UntestedG1};
use crate::primitives::hash::Digest;
use crate::primitives::possession::Proof;
use crate::spec::threshold::Index;

/// R1: the reveal. `128 + 64n + 96Vt` bytes; in a reshare `32 + 96V(t - 1)`, the view, and `64` for
/// each receiver but the sender; in a repair `96V(t - 1)`, the view, and `64`. The shares travel
/// beside it, in boxes whose digests it signs.
#[derive(Clone, PartialEq, Eq)]
pub struct Deal {
    /// Digests of the hellos, by index.
    pub view: Vec<Digest>,
    /// Opens the hello's commitment; none in a repair, where hellos commit to nothing.
    pub salt: Option<[u8; 32]>,
    /// Digests of the share boxes, by recipient, the sender left out.
    pub box_digests: Vec<Digest>,
    /// In a reshare, by recipient: digests of the lists of blinded shares, so that one share can be
    /// shown without the others.
    pub share_lists: Vec<Digest>,
    /// Proof of possession of all constant terms; none in a reshare.
    pub proof: Option<Proof>,
    /// `V` rows of `t` commitments; in a reshare of `t - 1`, those to the constant terms left out;
    /// in a repair of `t - 1` to masks, one for each other helper.
    pub commitments: Commitments,
}

impl Deal {
    /// Reads the body; every commitment is checked for its subgroup.
    pub fn decode(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Self::decode_all(&[(sender, bytes)], shape, None).pop().expect("one for one")
    }

    /// Reads the body; every commitment is tested by itself, exactly.
    pub fn decode_exactly(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        let UntestedDeal { view, salt, box_digests, share_lists, proof, commitments } =
            UntestedDeal::read(bytes, shape, sender)?;
        let points: Result<Vec<G1>, _> =
            commitments.points().par_iter().map(UntestedG1::test).collect();
        let commitments = commitments.tested(points.map_err(|_| outside("commitment"))?);
        Ok(Self { view, salt, box_digests, share_lists, proof, commitments })
    }

    /// Reads several bodies; all their points are checked together, which is faster. `own` are
    /// commitments that the caller has made: they need no check.
    pub fn decode_all(
        bodies: &[(Index, &[u8])],
        shape: &Shape,
        own: Option<&Commitments>,
    ) -> Vec<Result<Self, DecodeError>> {
        let read: Vec<Result<UntestedDeal, DecodeError>> = bodies
            .par_iter()
            .map(|(sender, bytes)| UntestedDeal::read(bytes, shape, *sender))
            .collect();
        let bodies: Vec<&[u8]> = bodies.iter().map(|(_, bytes)| *bytes).collect();
        let known = |deal: &UntestedDeal| own.filter(|own| deal.commitments.are(own));
        let unknown = read.iter().flatten().filter(|deal| known(deal).is_none());
        let points: Vec<UntestedG1> =
            unknown.flat_map(|deal| deal.commitments.points()).copied().collect();
        let tested = test_points_together(&points, &bodies);
        let mut rest = tested.as_deref();
        let finish = |(deal, bytes): (Result<UntestedDeal, DecodeError>, &[u8])| {
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
            let UntestedDeal { view, salt, box_digests, share_lists, proof, commitments: _ } = deal;
            Ok(Self { view, salt, box_digests, share_lists, proof, commitments })
        };
        read.into_iter().zip(bodies).map(finish).collect()
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let w = put_digests(Writer::default(), &self.view);
        let w = w.each(&self.salt, |w, salt| w.bytes(salt));
        let w = put_digests(put_digests(w, &self.box_digests), &self.share_lists);
        let w = w.each(&self.proof, |w, proof| {
            w.bytes(&proof.r.to_uncompressed()).bytes(&proof.z.to_be_bytes())
        });
        self.commitments.write(w).finish()
    }

    /// The digest that `deal` signs for the box at `position` of its list, without decoding any
    /// point; `None` if it has no such place.
    pub fn signed_box_digest(deal: &Statement, shape: &Shape, position: usize) -> Option<Digest> {
        if position >= shape.recipients_of(deal.envelope.sender).len() {
            return None;
        }
        let salt = if shape.commits(deal.envelope.sender) { 32 } else { 0 };
        let start = 32 * shape.view_len(Round::Deal) + salt + 32 * position;
        deal.body().get(start..)?.first_chunk().copied().map(Digest)
    }

    /// The commitments to the constant terms, with the proof that the dealer knows these, where it
    /// brings them.
    pub fn constants(&self) -> Option<(impl Iterator<Item = G1> + '_, Proof)> {
        self.proof.map(|proof| (self.commitments.constants(), proof))
    }
}

/// A deal as it was read: the commitments are on the curve, and nobody has tested their subgroup
/// yet.
struct UntestedDeal {
    view: Vec<Digest>,
    salt: Option<[u8; 32]>,
    box_digests: Vec<Digest>,
    share_lists: Vec<Digest>,
    proof: Option<Proof>,
    commitments: UntestedCommitments,
}

impl UntestedDeal {
    fn read(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                view: digests(r, "view", shape.view_len(Round::Deal))?,
                salt: match shape.commits(sender) {
                    false => None,
                    true => Some(r.array("salt")?),
                },
                box_digests: digests(r, "box digest", shape.recipients_of(sender).len())?,
                share_lists: digests(r, "share list", shape.share_lists_of(sender))?,
                proof: match shape.makes_keys() {
                    false => None,
                    true => Some(Proof {
                        r: r.g1("proof of possession, R")?,
                        z: r.scalar("proof of possession, z")?,
                    }),
                },
                commitments: UntestedCommitments::read(r, shape.v, shape.dealt_coefficients())?,
            })
        })
    }
}
