//! Generations of a key: whether a completed ceremony is the parent of a reshare, and what the file
//! of a reshare says of it. Chapter 13 of the specification, section 13.5.

use crate::primitives::commitment::Commitments;
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::{ParentEntry, ValidatorEntry};
use crate::spec::reshare::{Inherited, KEY_BYTES, OldShare};
use crate::spec::roster::Seat;
use crate::spec::threshold::Index;

use super::facts::Audited;

/// Why a completed ceremony is not the parent that a reshare names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A key generation or an import has no parent.
    #[error("this is no reshare")]
    NoReshare,
    /// Another ceremony.
    #[error("the parent has the certificate {named}, and this is {found}")]
    Certificate {
        /// That of the parent.
        named: Digest,
        /// That of the ceremony that was brought.
        found: Digest,
    },
    /// Its commitments are not at hand: a participant's own report has none.
    #[error("the commitments of the parent are not at hand")]
    NoRows,
    /// Another network.
    #[error("the parent is on the network {parent}, and the reshare on {child}")]
    Network {
        /// The parent's.
        parent: String,
        /// The reshare's.
        child: String,
    },
    /// Another number of shares, or of those that sign.
    #[error("the parent has {parent} operators, and the reshare says {child}")]
    Threshold {
        /// `t of n` of the parent.
        parent: String,
        /// As the reshare says.
        child: String,
    },
    /// A dealer, or the recipient of a repair, that is not who held the share.
    #[error("operator {seat} has the share of operator {old} of the parent, who has another key")]
    Dealer {
        /// The seat in the reshare.
        seat: Index,
        /// The index in the parent.
        old: Index,
    },
    /// A dealer at another evaluation point than its share has.
    #[error("operator {seat} deals the share at {named}, which is at {found} in the parent")]
    Point {
        /// The seat in the reshare.
        seat: Index,
        /// As the reshare says.
        named: u64,
        /// The parent's.
        found: u64,
    },
    /// A validator that the parent does not have there.
    #[error("validator {number} of the parent has not the key that the reshare says")]
    Key {
        /// Its number in the parent, from 1.
        number: usize,
    },
    /// Another destination.
    #[error("validator {number} of the parent has other withdrawal credentials")]
    Withdrawal {
        /// Its number in the parent, from 1.
        number: usize,
    },
    /// Other commitments.
    #[error("the root of the parent's commitments is {found}, and the reshare says {named}")]
    Rows {
        /// As the reshare says.
        named: Digest,
        /// The parent's.
        found: Digest,
    },
    /// A repair, which makes no generation.
    #[error("the ceremony with the certificate {found} is a repair, which is nobody's parent")]
    Repair {
        /// Its certificate.
        found: Digest,
    },
    /// A repair that is not of all validators of its parent.
    #[error("the parent has {parent} validators, and the repair lists {child}")]
    Count {
        /// The parent's.
        parent: usize,
        /// The repair's.
        child: usize,
    },
    /// A new public share is one of the parent's.
    #[error("validator {number}: a new share is one of the parent's")]
    SameShare {
        /// Its number in the reshare, from 1.
        number: usize,
    },
}

/// The holder of share `number` of a completed ceremony: an operator of a key generation by index,
/// a receiver of a reshare by its place among them.
fn holder(ceremony: &Ceremony, number: Index) -> Option<&Seat> {
    ceremony.receivers().nth(number.position()).map(|(_, seat)| seat)
}

/// The summed commitments of the validators at these positions of a completed ceremony, in this
/// order; `None` if it has not that many, or they are not at hand.
pub fn rows(parent: &Audited, positions: impl IntoIterator<Item = usize>) -> Option<Commitments> {
    let all = parent.rows.as_deref()?;
    let mut points = Vec::new();
    for position in positions {
        if position >= all.len() {
            return None;
        }
        points.extend_from_slice(all.row(position));
    }
    (!points.is_empty()).then(|| Commitments::new(all.t(), points))
}

/// Whether `parent` is the parent of `child`, with the rows that the reshare needs of it. That the
/// parent's own parents are given, its report says.
pub fn link(parent: &Audited, child: &Ceremony) -> Result<Commitments, LinkError> {
    let spec = child.reshare().ok_or(LinkError::NoReshare)?;
    let of_child = spec.origin.parent().ok_or(LinkError::NoReshare)?;
    let (named, found) = (of_child.certificate, parent.certificate());
    if named != found {
        return Err(LinkError::Certificate { named, found });
    }
    let old = parent.ceremony();
    if old.is_repair() {
        return Err(LinkError::Repair { found });
    }
    if child.is_repair() && child.v() != old.v() {
        return Err(LinkError::Count { parent: old.v(), child: child.v() });
    }
    if old.network() != child.network() {
        let (parent, child) = (old.network().name().into(), child.network().name().into());
        return Err(LinkError::Network { parent, child });
    }
    if old.threshold() != of_child.threshold {
        let (parent, child) = (old.threshold().to_string(), of_child.threshold.to_string());
        return Err(LinkError::Threshold { parent, child });
    }
    for ((seat, here), part) in child.roster().iter().zip(&spec.seats) {
        let Some(OldShare { index, point }) = spec.share_of(part) else { continue };
        let there = holder(old, index).filter(|there| there.card.key == here.card.key);
        let there = there.ok_or(LinkError::Dealer { seat, old: index })?;
        if there.point != point {
            return Err(LinkError::Point { seat, named: point, found: there.point });
        }
    }
    for (Inherited { position, key }, here) in spec.validators.iter().zip(child.validators()) {
        let number = position + 1;
        let there = parent.validators().get(*position);
        if there.is_none_or(|there| there.public_key.to_compressed() != *key) {
            return Err(LinkError::Key { number });
        }
        if old.validators()[*position].withdrawal != here.withdrawal {
            return Err(LinkError::Withdrawal { number });
        }
    }
    let positions = spec.validators.iter().map(|validator| validator.position);
    let rows = rows(parent, positions).ok_or(LinkError::NoRows)?;
    match (of_child.rows, rows.merkle_root()) {
        (named, found) if named != found => Err(LinkError::Rows { named, found }),
        _ => Ok(rows),
    }
}

/// That no share of a completed reshare is one of its parent's, which `link` has found it to be.
pub fn shares_are_new(parent: &Audited, child: &Audited) -> Result<(), LinkError> {
    let spec = child.ceremony().reshare().ok_or(LinkError::NoReshare)?;
    for (v, (inherited, here)) in spec.validators.iter().zip(child.validators()).enumerate() {
        let Some(there) = parent.validators().get(inherited.position) else { continue };
        if here.public_shares.iter().any(|share| there.public_shares.contains(share)) {
            return Err(LinkError::SameShare { number: v + 1 });
        }
    }
    Ok(())
}

/// `[parent]` of a reshare of the validators at these positions of a completed ceremony; `None` as
/// for [`rows`].
pub fn parent_entry(parent: &Audited, positions: &[usize]) -> Option<ParentEntry> {
    let count = |number| u16::try_from(number).expect("a threshold has at most 255 operators");
    let threshold = parent.ceremony().threshold();
    Some(ParentEntry {
        certificate: parent.certificate().to_string(),
        rows: rows(parent, positions.iter().copied())?.merkle_root().to_string(),
        operators: count(threshold.participants()),
        threshold: count(threshold.required()),
    })
}

/// `[[validators]]` of such a reshare: a block for each run of consecutive numbers with one
/// destination. Positions that the ceremony has not are left out.
pub fn validator_entries(parent: &Audited, positions: &[usize]) -> Vec<ValidatorEntry> {
    let specs = parent.ceremony().validators();
    let here: Vec<usize> = positions.iter().copied().filter(|at| *at < specs.len()).collect();
    let runs = here.chunk_by(|a, b| {
        a.checked_add(1) == Some(*b) && specs[*a].withdrawal == specs[*b].withdrawal
    });
    let key = |position: &usize| -> String {
        let key: [u8; KEY_BYTES] = parent.validators()[*position].public_key.to_compressed();
        format!("0x{}", hex::encode(key))
    };
    let block = |run: &[usize]| ValidatorEntry {
        count: u64::try_from(run.len()).unwrap_or(u64::MAX),
        withdrawal: specs[run[0]].withdrawal.address().to_string(),
        compounding: specs[run[0]].withdrawal.is_compounding(),
        amounts: None,
        fee_recipient: None,
        gas_limit: None,
        first: u64::try_from(run[0]).ok().and_then(|position| position.checked_add(1)),
        keys: Some(run.iter().map(key).collect()),
    };
    runs.map(block).collect()
}
