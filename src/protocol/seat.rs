//! An operator's seat in a ceremony, with the keys that it signs with.

use std::sync::Arc;

use crate::ethereum::secp256k1::NodeSecret;
use crate::ethereum::ssv::RsaSecret;
use crate::identity::operator::Operator;
use crate::message::envelope::{Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

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
}

impl OwnSeat {
    /// The seat that `operator` has in `ceremony`; `None` if it has none.
    pub fn find(ceremony: Arc<Ceremony>, operator: Arc<Operator>) -> Option<Self> {
        let me = ceremony.roster().find(&operator.key().public())?;
        Some(Self { ceremony, me, operator, ssv_key: None, node_key: None })
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
