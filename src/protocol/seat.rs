//! An operator's seat in a ceremony, with the keys that it signs with.

use std::sync::Arc;

use crate::ethereum::secp256k1::NodeSecret;
use crate::ethereum::ssv::RsaSecret;
use crate::identity::operator::Operator;
use crate::message::envelope::{Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::reshare::ReshareSpec;
use crate::spec::threshold::Index;

use super::record::{Record, RecordKind, ReplayError};

/// Who this participant is, and in what.
#[derive(Clone)]
pub struct OwnSeat {
    /// The ceremony.
    pub ceremony: Arc<Ceremony>,
    /// This operator's index in it.
    pub me: Index,
    /// This operator's keys.
    pub operator: Arc<Operator>,
    /// Its RSA key, for a ceremony for SSV.
    pub ssv_key: Option<Arc<RsaSecret>>,
    /// The key of its node, for a ceremony that makes an Obol cluster.
    pub(super) node_key: Option<Arc<NodeSecret>>,
    /// What it deals, in a reshare.
    old_shares: Option<Arc<OldShares>>,
}

/// A dealer's shares of the parent, by validator of the reshare; in an import the keys.
///
/// # Security
/// They live: with enough others they sign for the validators until these are stopped.
pub struct OldShares(Vec<SecretScalar>);

impl OldShares {
    /// The secrets of an import's keys, in the order of its validators; or what a dealer deals in a
    /// rehearsal. That they are right is seen before anything is signed.
    pub fn whole(keys: Vec<SecretScalar>) -> Self {
        Self(keys)
    }

    /// Those that the records of the parent's log hold, of the validators that are dealt anew.
    ///
    /// # Errors
    /// The log holds none, or none of this shape. Whether they are the right ones is seen before
    /// anything is signed.
    pub fn of(
        parent: &[Record],
        validators: usize,
        spec: &ReshareSpec,
    ) -> Result<Self, ReplayError> {
        let stored = parent.iter().rfind(|record| record.kind == RecordKind::Shares);
        let stored = stored.ok_or(ReplayError::OldShares)?;
        let all = stored.to_shares(validators).map_err(|_| ReplayError::OldShares)?;
        let mut shares = Vec::with_capacity(spec.validators.len());
        for inherited in &spec.validators {
            let share = all.get(inherited.position).ok_or(ReplayError::OldShares)?;
            shares.push(share.scaled(&Scalar::one()));
        }
        Ok(Self(shares))
    }
}

impl OwnSeat {
    /// The seat that `operator` has in `ceremony`; `None` if it has none.
    pub fn find(ceremony: Arc<Ceremony>, operator: Arc<Operator>) -> Option<Self> {
        let me = ceremony.roster().find(&operator.key().public())?;
        let (ssv_key, node_key, old_shares) = (None, None, None);
        Some(Self { ceremony, me, operator, ssv_key, node_key, old_shares })
    }

    /// Whether the ceremony has the mark of the directory that this operator works in. In another
    /// one nothing is begun: what was signed may be in a log elsewhere.
    pub fn is_of_this_install(&self) -> bool {
        let seat = self.ceremony.roster().get(self.me);
        seat.is_some_and(|seat| seat.card.mark.is_some() && seat.card.mark == self.operator.mark())
    }

    /// The same seat with the RSA key that a ceremony for SSV asks for.
    pub fn with_ssv_key(self, key: Arc<RsaSecret>) -> Self {
        Self { ssv_key: Some(key), ..self }
    }

    /// The same seat with the shares that it deals in a reshare. Needed until it has dealt.
    pub fn with_old_shares(self, shares: Arc<OldShares>) -> Self {
        Self { old_shares: Some(shares), ..self }
    }

    /// What it deals: a share of each validator, none of them zero.
    pub(super) fn old_shares(&self) -> Result<&[SecretScalar], ReplayError> {
        let shares = self.old_shares.as_deref().map(|shares| shares.0.as_slice());
        let whole = |shares: &&[SecretScalar]| {
            shares.len() == self.ceremony.v() && !shares.iter().any(SecretScalar::is_zero)
        };
        shares.filter(whole).ok_or(ReplayError::OldShares)
    }

    pub(super) fn shape(&self) -> Shape {
        Shape::of(&self.ceremony)
    }

    pub(super) fn others(&self) -> impl Iterator<Item = Index> + '_ {
        self.ceremony.indices().filter(|index| *index != self.me)
    }

    pub(super) fn sign(
        &self,
        round: Round,
        session: Digest,
        view_root: Digest,
        body: &[u8],
    ) -> Statement {
        Statement::sign(self.operator.key(), self.me, round, session, view_root, body)
    }
}
