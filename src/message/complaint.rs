//! Complaints and abandonments, the two statements outside the regular rounds. A complaint reveals
//! a one-time key so that anyone can judge a share box. An abandonment states whom its sender was
//! waiting for; it is not proof.

use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::Digest;
use crate::primitives::noise::box_len;
use crate::spec::threshold::Index;

use super::body::{digests, put_digests};
use super::envelope::{Round, Statement};
use super::shape::Shape;
use super::share_box::ShownShare;

/// What is wrong with a share box. Validators are positions from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It does not open at its address.
    Sealed,
    /// A share is at or above the group order.
    NotAScalar {
        /// The first such validator.
        validator: usize,
    },
    /// A share is below the group order and does not match the dealer's commitments. Other shares
    /// of the box do not matter.
    Mismatch {
        /// The validator.
        validator: usize,
    },
    /// In a repair, by a helper of another: the mask between both that `dealer` deals is not the
    /// one that their one-time keys give.
    Mask {
        /// The validator.
        validator: usize,
    },
}

/// In the place of R2: `dealer`'s box was bad. `32n + 39` bytes and the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Digests of the deals, by index.
    pub view: Vec<Digest>,
    /// Who dealt the box.
    pub dealer: Index,
    /// What is wrong with it.
    pub claim: Claim,
    /// What shows it.
    pub shown: Shown,
}

/// What a complaint makes public, so that anyone can judge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The box as a whole: all that a key generation has, and in a reshare what shows that a box
    /// does not open.
    Box {
        /// The secret of the one-time key for this dealer, public from now on. It opens this one
        /// box, of a ceremony that is over.
        opened: [u8; 32],
        /// The box.
        sealed: Vec<u8>,
    },
    /// In a reshare: the share that is wrong, and no other. Dealers deal shares of keys that live.
    Share(ShownShare),
    /// In a repair: the secret of the one-time key for the other helper, which gives the masks
    /// between both and opens nothing.
    Key {
        /// The secret.
        opened: [u8; 32],
        /// Validators of the ceremony: how much filling stands behind it.
        validators: usize,
    },
}

/// The sender gives up; final for it. `n` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandon {
    /// What was awaited of whom, by index.
    pub awaited: Vec<Awaited>,
}

/// What was missing of an operator. An accusation, never a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Awaited {
    /// Its statement of the round that the envelope names.
    pub statement: bool,
    /// Its share box.
    pub share_box: bool,
}

impl Complaint {
    /// Reads the body. `sender` is whose complaint it is: nobody deals itself a box.
    pub fn decode(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            let view = digests(r, "view", shape.view_len(Round::Prepare))?;
            let what = "dealer";
            let dealer = Index::new(r.u16(what)?).filter(|dealer| dealer.position() < shape.n);
            let dealer =
                dealer.ok_or(DecodeError::Invalid { what, why: "no seat has this index" })?;
            if dealer == sender {
                return Err(DecodeError::Invalid { what, why: "the sender itself" });
            }
            let claim = r.u8("claim")?;
            let validator = usize::try_from(r.u32("validator")?).unwrap_or(usize::MAX);
            let claim = match (claim, validator) {
                (1, 0) => Claim::Sealed,
                (2, _) if validator < shape.v => Claim::NotAScalar { validator },
                (3, _) if validator < shape.v => Claim::Mismatch { validator },
                (4, _) if validator < shape.v && shape.masks() => Claim::Mask { validator },
                _ => {
                    return Err(DecodeError::Invalid {
                        what: "claim",
                        why: "unknown, or not about a validator of the ceremony",
                    });
                }
            };
            // A complaint that nobody can judge would stop a ceremony and name nobody. In a repair
            // the one whose share is lost gets boxes, and helpers share keys.
            let about_box = !matches!(claim, Claim::Mask { .. });
            let gets_box = shape.place_of_box(dealer, sender).is_some();
            let shares_key = shape.place_of_key(sender, dealer).is_some();
            if about_box != gets_box || (shape.masks() && !shares_key) {
                return Err(DecodeError::Invalid { what: "claim", why: "not about this operator" });
            }
            let shown = match claim {
                Claim::Mask { .. } => {
                    Shown::Key { opened: r.array("one-time secret")?, validators: shape.v }
                }
                Claim::NotAScalar { .. } | Claim::Mismatch { .. } if !shape.makes_keys() => {
                    Shown::Share(ShownShare {
                        blind: r.array("blind")?,
                        share: r.array("share")?,
                        list: digests(r, "blinded share", shape.v)?,
                    })
                }
                _ => Shown::Box {
                    opened: r.array("one-time secret")?,
                    sealed: r.bytes("share box", shape.box_bytes())?.to_vec(),
                },
            };
            // A complaint has one length, whatever it shows.
            let filling = shape.complaint_bytes().saturating_sub(bytes.len() - r.remaining());
            match r.bytes("filling", filling)?.iter().all(|byte| *byte == 0) {
                true => Ok(Self { view, dealer, claim, shown }),
                false => Err(DecodeError::Invalid { what: "filling", why: "not zero" }),
            }
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let (claim, validator) = match self.claim {
            Claim::Sealed => (1, 0),
            Claim::NotAScalar { validator } => (2, validator),
            Claim::Mismatch { validator } => (3, validator),
            Claim::Mask { validator } => (4, validator),
        };
        let w = put_digests(Writer::default(), &self.view)
            .u16(self.dealer.get())
            .u8(claim)
            .u32(u32::try_from(validator).expect("at most 8192 validators"));
        match &self.shown {
            Shown::Box { opened, sealed } => w.bytes(opened).bytes(sealed).finish(),
            Shown::Share(shown) => {
                // As long as the secret and the box in its place: what it is too short by.
                let filling = box_len(32 * shown.list.len() + 32) - 32 * (shown.list.len() + 1);
                let w = put_digests(w.bytes(&shown.blind).bytes(&shown.share), &shown.list);
                w.bytes(&vec![0; filling]).finish()
            }
            Shown::Key { opened, validators } => {
                w.bytes(opened).bytes(&vec![0; box_len(32 * validators + 32)]).finish()
            }
        }
    }
}

impl Abandon {
    /// Why a signed abandonment is not one: its view root is not zero, or its body does not decode.
    pub fn fault(statement: &Statement, shape: &Shape) -> Option<DecodeError> {
        match statement.envelope.view_root {
            Digest::ZERO => Self::decode(statement.body(), shape).err(),
            _ => Some(DecodeError::Invalid { what: "view root", why: "not zero" }),
        }
    }

    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        let awaited = |r: &mut Reader<'_>| match r.u8("awaited")? {
            bits @ 0..=3 => Ok(Awaited { statement: bits & 1 != 0, share_box: bits & 2 != 0 }),
            _ => Err(DecodeError::Invalid { what: "awaited", why: "an unknown bit is set" }),
        };
        Reader::all(bytes, |r| Ok(Self { awaited: r.many(shape.n, awaited)? }))
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let bits =
            |awaited: &Awaited| u8::from(awaited.statement) | u8::from(awaited.share_box) << 1;
        Writer::default().each(&self.awaited, |w, awaited| w.u8(bits(awaited))).finish()
    }
}
