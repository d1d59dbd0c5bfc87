//! The exhaustive audit: every equation of a transcript checked individually, with exact tests of
//! single points and single signatures. It uses no weights and no buckets, and none of the batch
//! code.

use rayon::prelude::*;

use crate::message::body::{Commit, Deal, Prepare, Stored};
use crate::message::envelope::{ENVELOPE_BYTES, Round, view_root};
use crate::message::shape::Shape;
use crate::primitives::batch::verify_signature;
use crate::primitives::codec::DecodeError;
use crate::primitives::commitment::{Commitments, evaluate_row};
use crate::primitives::curve::{G1, G1Sum, G2, G2Sum, Scalar};
use crate::primitives::hash::{Digest, Tag, tagged, weight};
use crate::primitives::lagrange::coefficients_at_zero;
use crate::primitives::possession;
use crate::protocol::checks::possession_message;
use crate::protocol::items::Messages;
use crate::protocol::outcome::ValidatorOutcome;
use crate::spec::ceremony::Ceremony;
use crate::spec::show::plural;
use crate::spec::threshold::Index;
use crate::transcript::container::Container;

use super::describe;

/// A transcript that passed all checks, and what they made of it.
struct Exhaustive<'a> {
    ceremony: &'a Ceremony,
    session: Digest,
    dkg: Digest,
    validators: &'a [ValidatorOutcome],
    deals: Vec<Deal>,
    prepares: Vec<Prepare>,
    commits: Vec<Commit>,
}

/// Checks everything that batches checked; says how much that was, or what does not hold.
/// `session`, `dkg` (the digest of the key generation) and `validators` are what an audit of the
/// same container found.
pub fn check(
    container: &Container<'_>,
    session: Digest,
    dkg: Digest,
    validators: &[ValidatorOutcome],
) -> Result<String, String> {
    let all = Exhaustive::read(container, session, dkg, validators)?;
    all.constants_known()?;
    all.sums()?;
    all.shares_proven()?;
    let messages = Messages::new(
        all.ceremony,
        &validators.iter().map(|validator| validator.public_key).collect::<Vec<_>>(),
    );
    all.partials(&messages)?;
    all.signatures(&messages)?;
    Ok(all.counted(container.shape()))
}

/// Both ways of checking must agree; a transcript on which they do not is of use to us.
fn contradiction(what: &str) -> String {
    format!(
        "{what}, although the batch check passed: do not use these keys; report this with the \
         transcript"
    )
}

impl<'a> Exhaustive<'a> {
    fn read(
        container: &'a Container<'_>,
        session: Digest,
        dkg: Digest,
        validators: &'a [ValidatorOutcome],
    ) -> Result<Self, String> {
        let ceremony: &Ceremony = container.ceremony();
        let shape = container.shape();
        let bodies = |round: Round| -> Vec<(Index, &[u8])> {
            let body =
                |index| Some((index, container.statement(round, index)?.get(ENVELOPE_BYTES..)?));
            shape.speakers(round).iter().filter_map(body).collect()
        };
        let outside = |round: Round, index: Index, error: &DecodeError| {
            let (who, round) = (describe::operator(Some(ceremony), index), describe::round(round));
            contradiction(&format!("{who}'s statement of {round} does not decode: {error}"))
        };
        let deal = |(index, body): (Index, &[u8])| {
            Deal::decode_exactly(body, shape, index).map_err(|e| outside(Round::Deal, index, &e))
        };
        let prepare = |(index, body): (Index, &[u8])| {
            Prepare::decode(body, shape, index).map_err(|e| outside(Round::Prepare, index, &e))
        };
        let commit = |(index, body): (Index, &[u8])| {
            Commit::decode_exactly(body, shape, index)
                .map_err(|e| outside(Round::Commit, index, &e))
        };
        Ok(Self {
            ceremony,
            session,
            dkg,
            validators,
            deals: bodies(Round::Deal).into_iter().map(deal).collect::<Result<_, _>>()?,
            prepares: bodies(Round::Prepare).into_iter().map(prepare).collect::<Result<_, _>>()?,
            commits: bodies(Round::Commit).into_iter().map(commit).collect::<Result<_, _>>()?,
        })
    }

    /// How much was looked at.
    fn counted(&self, shape: &Shape) -> String {
        let Shape { t, v, items, .. } = *shape;
        let brought = self.deals.iter().filter(|deal| deal.constants().is_some()).count();
        let dealt = self.deals.iter().filter(|deal| !deal.commitments.is_empty());
        let points: usize = dealt.flat_map(|deal| deal.commitments.rows()).map(<[G1]>::len).sum();
        let stored = self.prepares.iter().filter(|prepare| prepare.stored.is_some()).count();
        // The rows of a repair are the parent's.
        let rows = if self.ceremony.is_repair() { 0 } else { v * t };
        let signing = self.commits.iter().filter(|commit| !commit.partials.is_empty()).count();
        format!(
            "{} points, {brought} proofs of possession, {} sums, {stored} possession proofs, {} \
             partial and {}",
            points + brought,
            rows + v * shape.parts.receivers.len(),
            signing * items,
            plural(items, "combined signature")
        )
    }

    fn who(&self, position: usize) -> String {
        let index = self.ceremony.indices().nth(position).expect("one of each operator");
        describe::operator(Some(self.ceremony), index)
    }

    /// V10.
    fn constants_known(&self) -> Result<(), String> {
        let holds = |(index, deal): (Index, &Deal)| {
            let root = deal.commitments.merkle_root();
            let statement =
                possession::Statement { session: self.session, dealer: index.get(), root };
            // In a reshare the constants are of the parent, and known.
            let brought = deal.constants();
            brought.is_none_or(|(constants, proof)| statement.verify_by_terms(constants, &proof))
        };
        let dealers: Vec<(Index, &Deal)> = self.ceremony.indices().zip(&self.deals).collect();
        match dealers.par_iter().position_first(|dealer| !holds(*dealer)) {
            None => Ok(()),
            Some(at) => Err(contradiction(&format!(
                "the proof of possession of {} does not verify",
                self.who(at)
            ))),
        }
    }

    /// Of a reshare: each dealer's point in the parent, with its Lagrange coefficient.
    fn weights(&self) -> Result<Option<Vec<(u64, Scalar)>>, String> {
        let Some(spec) = self.ceremony.reshare() else { return Ok(None) };
        let points = spec.dealer_points();
        let weights = coefficients_at_zero(&points)
            .ok_or_else(|| contradiction("the dealers' points in the parent are not different"))?;
        Ok(Some(points.into_iter().zip(weights).collect()))
    }

    /// Coefficient `k` of what a dealer at this point of the parent has dealt in a reshare: the
    /// first is its public share there.
    fn dealt(&self, v: usize, k: usize, deal: &Deal, point: u64) -> Option<G1Sum> {
        match k.checked_sub(1) {
            Some(k) => Some(G1Sum::from(deal.commitments.row(v)[k])),
            None => Some(evaluate_row(self.ceremony.parent_shares()?.rows().row(v), point)),
        }
    }

    /// V11: every key and every public share; and that the sums are those of which the prepares
    /// have the root, and the key generation its digest.
    fn sums(&self) -> Result<(), String> {
        if self.ceremony.is_repair() {
            return self.regained();
        }
        let weights = self.weights()?;
        let sum = |v: usize, k: usize| {
            let mut sum = G1Sum::zero();
            for (at, deal) in self.deals.iter().enumerate() {
                match &weights {
                    None => sum.add(&deal.commitments.row(v)[k]),
                    Some(weights) => {
                        let (point, weight) = weights[at];
                        sum.add_sum(&self.dealt(v, k, deal, point)?.scaled(&weight));
                    }
                }
            }
            sum.finish()
        };
        let right = |(v, validator): (usize, &ValidatorOutcome)| {
            let row = (0..self.ceremony.t()).map(|k| sum(v, k)).collect::<Option<Vec<G1>>>()?;
            let shares =
                self.ceremony.receivers().map(|(_, seat)| evaluate_row(&row, seat.point).finish());
            let holds = row[0] == validator.public_key
                && shares.eq(validator.public_shares.iter().map(|share| Some(*share)));
            holds.then_some(row)
        };
        let rows: Vec<Option<Vec<G1>>> =
            self.validators.par_iter().enumerate().map(right).collect();
        if let Some(v) = rows.iter().position(Option::is_none) {
            return Err(contradiction(&format!(
                "validator {}: its key and public shares are not the sums of the contributions",
                v + 1
            )));
        }
        let root =
            Commitments::new(self.ceremony.t(), rows.into_iter().flatten().flatten().collect())
                .merkle_root();
        self.follows(root)
    }

    /// V11 of a repair: what the helpers send adds up to the public share that was lost, and this
    /// and the key are the parent's.
    fn regained(&self) -> Result<(), String> {
        let parent = self.ceremony.parent_shares();
        let parent = parent.ok_or_else(|| contradiction("the parent's rows are missing"))?;
        let rows = parent.rows();
        let (dealers, points) = (self.ceremony.parts().dealers, self.ceremony.receivers());
        let points: Vec<u64> = points.map(|(_, seat)| seat.point).collect();
        let right = |(v, validator): (usize, &ValidatorOutcome)| {
            let mut sum = G1Sum::zero();
            for (helper, deal) in dealers.iter().zip(&self.deals) {
                // One of nothing adds nothing.
                let sent = parent.masked_at_lost(helper, &deal.commitments, v);
                sent.iter().for_each(|sent| sum.add(sent));
            }
            let row = rows.row(v);
            let public = points.iter().map(|point| evaluate_row(row, *point).finish());
            let public: Option<Vec<G1>> = public.collect();
            row[0] == validator.public_key
                && public.as_ref() == Some(&validator.public_shares)
                && public.is_some_and(|shares| shares.first().copied() == sum.finish())
        };
        match self.validators.par_iter().enumerate().position_first(|one| !right(one)) {
            None => self.follows(rows.merkle_root()),
            Some(v) => Err(contradiction(&format!(
                "validator {}: what the helpers send does not add up to the lost share",
                v + 1
            ))),
        }
    }

    /// That the prepares have this root of the sums, and the key generation its digest.
    fn follows(&self, root: Digest) -> Result<(), String> {
        if let Some(at) = self.prepares.iter().position(|prepare| {
            prepare.stored.as_ref().is_some_and(|stored| stored.sums_root != root)
        }) {
            return Err(contradiction(&format!(
                "the root in the prepare of {} does not match the sums",
                self.who(at)
            )));
        }
        let view =
            self.prepares.first().map(|prepare| view_root(&prepare.view)).unwrap_or(Digest::ZERO);
        match tagged(Tag::Dkg, &[self.session.as_ref(), view.as_ref(), root.as_ref()]) == self.dkg {
            true => Ok(()),
            false => Err(contradiction("the digest of the key generation does not match the sums")),
        }
    }

    /// V13: the keys of the possession proofs as sums of public shares.
    fn shares_proven(&self) -> Result<(), String> {
        let dkg = self.dkg;
        let holds = |(at, prepare): (usize, &Prepare)| {
            let seat = self.ceremony.indices().nth(at).expect("one of each operator");
            let Some(place) = self.ceremony.parts().receivers.place(seat) else {
                return prepare.stored.is_none();
            };
            let mut key = G1Sum::zero();
            for (v, validator) in (0u32..).zip(self.validators) {
                let rho = Scalar::from_u128(weight(Tag::Rho, &[dkg.as_ref(), &v.to_be_bytes()]));
                key.add_sum(&G1Sum::from(validator.public_shares[place]).scaled(&rho));
            }
            let proven = |(key, stored): (G1, &Stored)| {
                verify_signature(&key, &possession_message(&dkg, seat), &stored.possession)
            };
            key.finish().zip(prepare.stored.as_ref()).is_some_and(proven)
        };
        match self.prepares.par_iter().enumerate().position_first(|prepare| !holds(prepare)) {
            None => Ok(()),
            Some(at) => Err(contradiction(&format!(
                "the possession proof of {} does not verify",
                self.who(at)
            ))),
        }
    }

    /// V16.
    fn partials(&self, messages: &Messages) -> Result<(), String> {
        let count = messages.points.len();
        let valid = |at: usize| {
            let (operator, item) = (at / count, at % count);
            let (v, _) = messages.roots[item];
            let share = &self.validators[v].public_shares[operator];
            verify_signature(share, &messages.points[item], &self.commits[operator].partials[item])
        };
        match (0..self.commits.len() * count).into_par_iter().position_first(|at| !valid(at)) {
            None => Ok(()),
            Some(at) => {
                let (who, what) =
                    (self.who(at / count), describe::item(Some(self.ceremony), at % count));
                Err(contradiction(&format!(
                    "the partial signature of {who} on {what} does not verify"
                )))
            }
        }
    }

    /// V15: every signature combined by the book, and verified.
    fn signatures(&self, messages: &Messages) -> Result<(), String> {
        let points: Vec<u64> =
            self.ceremony.receivers().map(|(_, seat)| seat.point).take(self.ceremony.t()).collect();
        let coefficients =
            coefficients_at_zero(&points).expect("the points of a roster differ and are not zero");
        let given: Vec<G2> =
            self.validators.iter().flat_map(|validator| validator.signatures.clone()).collect();
        let valid = |item: usize| {
            let mut sum = G2Sum::zero();
            for (commit, coefficient) in self.commits.iter().zip(&coefficients) {
                sum.add_sum(&G2Sum::from(commit.partials[item]).scaled(coefficient));
            }
            let (v, _) = messages.roots[item];
            let key = &self.validators[v].public_key;
            sum.finish().is_some_and(|signature| {
                given.get(item) == Some(&signature)
                    && verify_signature(key, &messages.points[item], &signature)
            })
        };
        match (0..messages.points.len()).into_par_iter().position_first(|item| !valid(item)) {
            None => Ok(()),
            Some(item) => {
                let what = describe::item(Some(self.ceremony), item);
                Err(contradiction(&format!(
                    "the combined signature on {what} is different or does not verify"
                )))
            }
        }
    }
}
