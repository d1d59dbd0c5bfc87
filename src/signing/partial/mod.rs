//! Answers: one operator's partial signatures for one request, one for each validator that it does
//! not leave out, signed by that operator, open or sealed to the custodian; as files, and as bytes
//! for channels.

mod error;

mod extent;

mod file;

pub use error::PartialError;
pub(super) use extent::payload;
pub use extent::{Extent, Form};
use extent::{Family, read_node};
pub use file::LARGEST;

use super::key_shares::{first_unproven, seal};
use super::lock::node_has_signed;
use super::parent::{Cleared, Parent};
use super::request::Delivery;
use crate::ethereum::secp256k1::{NodeSecret, SIGNATURE_BYTES};
use crate::ethereum::ssv::RsaSecret;
use crate::identity::operator::Operator;
use crate::message::body::EncryptedShare;
use crate::primitives::batch::{SameMessage, Weights, verify_signatures};
use crate::primitives::codec::{self, Reader, Writer};
use crate::primitives::curve::{G2, SecretScalar};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::primitives::noise::{open_signed_box, seal_signed_box, signed_box_len};
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::DhSecret;
use crate::spec::threshold::Index;

/// Bytes of a partial signature; zeros in the place of one that is left out.
const PARTIAL: usize = 96;
const LEFT_OUT: [u8; PARTIAL] = [0; PARTIAL];

/// What one operator answers: for each validator of the request a partial signature that verifies
/// against the public share of its operator, or `None` if it is left out. Never all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// Whose.
    pub operator: Index,
    /// The points, in the request's order.
    pub partials: Vec<Option<G2>>,
    /// Of key shares: its shares, encrypted to its RSA key of the request, in the same order; or
    /// none, if those of the ceremony serve.
    pub sealed: Vec<EncryptedShare>,
    /// Of a lock: the signature of the operator's node on the lock hash.
    pub node: Option<[u8; SIGNATURE_BYTES]>,
    signature: [u8; 64],
}

/// An answer, not yet opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialFile {
    request: Digest,
    family: Family,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Public {
        operator: Index,
        partials: Vec<[u8; PARTIAL]>,
        shares: Vec<EncryptedShare>,
        node: Option<[u8; SIGNATURE_BYTES]>,
        signature: [u8; 64],
    },
    Sealed(Vec<u8>),
}

/// What an operator signs of its answer: request, operator, partial signatures, encrypted shares,
/// signature of its node.
fn statement(
    request: &Digest,
    operator: Index,
    partials: &[[u8; PARTIAL]],
    shares: &[EncryptedShare],
    node: Option<&[u8; SIGNATURE_BYTES]>,
) -> Vec<u8> {
    let writer = Writer::with_capacity(34 + PARTIAL * partials.len()).bytes(request.as_ref());
    body(writer, operator, partials, shares, node).finish()
}

/// `u16(operator) ‖ partials ‖ encrypted shares ‖ signature of the node`.
fn body(
    writer: Writer,
    operator: Index,
    partials: &[[u8; PARTIAL]],
    shares: &[EncryptedShare],
    node: Option<&[u8; SIGNATURE_BYTES]>,
) -> Writer {
    writer
        .u16(operator.get())
        .each(partials, |writer, partial| writer.bytes(partial))
        .each(shares, EncryptedShare::write)
        .each(node, |writer, node| writer.bytes(node))
}

/// The prologue that ties a sealed answer to its request.
fn prologue(request: &Digest) -> Digest {
    tagged(Tag::PartialBox, &[request.as_ref()])
}

impl Partial {
    /// The answer of the operator with these shares, one for each validator of the request; `None`
    /// for one that it leaves out. `None` if it leaves all of them out, or a share is zero. It is
    /// not verified here: the caller compares it with the public shares before it leaves.
    pub fn sign(
        cleared: &Cleared,
        operator: &Operator,
        index: Index,
        shares: &[Option<&SecretScalar>],
    ) -> Option<Self> {
        if shares.len() != cleared.targets.len() || shares.iter().all(Option::is_none) {
            return None;
        }
        if Extent::of(cleared).form != Form::Plain {
            return None;
        }
        Self::signed(cleared, (operator, index), shares, Vec::new(), None)
    }

    /// The answer to a request for key shares, with the operator's RSA key if the request asks for
    /// its shares. `None` if the key is missing then, or another than the request has for it; or as
    /// of [`Partial::sign`].
    pub fn sign_key_shares(
        cleared: &Cleared,
        parent: &Parent,
        (operator, index): (&Operator, Index),
        shares: &[&SecretScalar],
        key: Option<&RsaSecret>,
    ) -> Option<Self> {
        if shares.len() != cleared.targets.len() {
            return None;
        }
        let sealed = match Extent::of(cleared).form {
            Form::Plain | Form::Lock => return None,
            Form::Consents => Vec::new(),
            Form::KeyShares => seal(cleared, parent, (operator, index), shares, key?)?,
        };
        let all: Vec<Option<&SecretScalar>> = shares.iter().map(|share| Some(*share)).collect();
        Self::signed(cleared, (operator, index), &all, sealed, None)
    }

    /// The answer to a request for a lock, with the key of the operator's node. `None` as of
    /// [`Partial::sign`], or if the request is for something else.
    pub fn sign_lock(
        cleared: &Cleared,
        (operator, index): (&Operator, Index),
        shares: &[&SecretScalar],
        node: &NodeSecret,
    ) -> Option<Self> {
        let lock = cleared.lock.as_ref()?;
        if shares.len() != cleared.targets.len() {
            return None;
        }
        let node = node.sign(&lock.hash());
        let all: Vec<Option<&SecretScalar>> = shares.iter().map(|share| Some(*share)).collect();
        Self::signed(cleared, (operator, index), &all, Vec::new(), Some(node))
    }

    /// The answer with partial signatures that were made elsewhere, where the operator's shares
    /// are; `None` for a validator that is left out. `None` if all are, or of key shares. Nothing
    /// is verified here, as of [`Partial::sign`].
    pub fn of_signatures(
        cleared: &Cleared,
        operator: &Operator,
        index: Index,
        partials: Vec<Option<G2>>,
    ) -> Option<Self> {
        let fits = partials.len() == cleared.targets.len() && partials.iter().any(Option::is_some);
        (fits && Extent::of(cleared).form == Form::Plain)
            .then(|| Self::attested(cleared, (operator, index), partials, Vec::new(), None))
    }

    fn signed(
        cleared: &Cleared,
        (operator, index): (&Operator, Index),
        shares: &[Option<&SecretScalar>],
        sealed: Vec<EncryptedShare>,
        node: Option<[u8; SIGNATURE_BYTES]>,
    ) -> Option<Self> {
        let signed = cleared.targets.iter().zip(shares).map(|(target, share)| match share {
            Some(share) => share.sign(&target.message).map(Some),
            None => Some(None),
        });
        let partials: Vec<Option<G2>> = signed.collect::<Option<_>>()?;
        Some(Self::attested(cleared, (operator, index), partials, sealed, node))
    }

    /// Signed by the operator's key.
    fn attested(
        cleared: &Cleared,
        (operator, index): (&Operator, Index),
        partials: Vec<Option<G2>>,
        sealed: Vec<EncryptedShare>,
        node: Option<[u8; SIGNATURE_BYTES]>,
    ) -> Self {
        let mut answer = Self { operator: index, partials, sealed, node, signature: [0; 64] };
        let statement = answer.statement(cleared);
        answer.signature = operator.key().sign(Tag::PartialSignature, &statement);
        answer
    }

    fn statement(&self, cleared: &Cleared) -> Vec<u8> {
        let id = cleared.request.id();
        statement(&id, self.operator, &self.bytes(), &self.sealed, self.node.as_ref())
    }

    fn bytes(&self) -> Vec<[u8; PARTIAL]> {
        let partials = self.partials.iter();
        partials
            .map(|partial| partial.map_or(LEFT_OUT, |partial| partial.to_compressed()))
            .collect()
    }

    /// The answer as it leaves: sealed to the custodian of the request, from the operator's channel
    /// key, if it has one.
    pub fn to_answer(
        &self,
        cleared: &Cleared,
        operator: &Operator,
        ephemeral: Secret32,
    ) -> PartialFile {
        let request = cleared.request.id();
        let content = match &cleared.request.delivery {
            Delivery::Public => return self.to_public_answer(cleared),
            Delivery::Custodian(card) => {
                let writer = Writer::with_capacity(payload(Extent::of(cleared)));
                let (bytes, node) = (self.bytes(), self.node.as_ref());
                let payload = body(writer, self.operator, &bytes, &self.sealed, node);
                let payload = SecretBytes::new(payload.bytes(&self.signature).finish());
                let sealed = seal_signed_box(
                    operator.noise(),
                    &card.noise,
                    prologue(&request).as_ref(),
                    &payload,
                    ephemeral,
                );
                Content::Sealed(sealed)
            }
        };
        PartialFile { request, family: Extent::of(cleared).form.into(), content }
    }

    /// The answer for everybody.
    pub(super) fn to_public_answer(&self, cleared: &Cleared) -> PartialFile {
        let Self { operator, node, signature, .. } = *self;
        let (partials, shares) = (self.bytes(), self.sealed.clone());
        let content = Content::Public { operator, partials, shares, node, signature };
        let family = Extent::of(cleared).form.into();
        PartialFile { request: cleared.request.id(), family, content }
    }

    /// The file of [`Partial::to_answer`].
    pub fn to_json(&self, cleared: &Cleared, operator: &Operator, ephemeral: Secret32) -> Vec<u8> {
        self.to_answer(cleared, operator, ephemeral).to_json()
    }

    /// Whether its partial signatures are what its operator's shares give: the one check that
    /// counts. All partial
    /// signatures are verified together, with weights that depend on all of them.
    pub fn verifies(&self, cleared: &Cleared, parent: &Parent) -> bool {
        if self.partials.len() != cleared.targets.len() {
            return false;
        }
        let mut batch = Vec::with_capacity(self.partials.len());
        for (target, partial) in cleared.targets.iter().zip(&self.partials) {
            let Some(partial) = partial else { continue };
            let validator = &parent.validators()[target.validator];
            let Some(key) = validator.public_share(parent.ceremony(), self.operator) else {
                return false;
            };
            let signed = vec![(*key, *partial)];
            batch.push(SameMessage { message: target.message, signed });
        }
        // The request names the certificate, and so the public shares; and what is signed.
        let seed = self.statement(cleared);
        !batch.is_empty() && verify_signatures(&batch, &mut Weights::new(&[&seed]))
    }

    /// Whether it is complete for a request for key shares, and every share is proven; or for a
    /// lock, and the operator's node has signed. The fault otherwise. Always, of another kind of
    /// request.
    pub fn proven(&self, cleared: &Cleared, parent: &Parent) -> Result<(), PartialError> {
        let operator = self.operator.get();
        match (Extent::of(cleared).has_node(), &self.node) {
            (false, None) => {}
            (true, Some(node)) if node_has_signed(cleared, parent, self.operator, node) => {}
            (true, Some(_)) => return Err(PartialError::WrongNode(operator)),
            _ => return Err(PartialError::Node),
        }
        let (expected, found) = (Extent::of(cleared).sealed(), self.sealed.len());
        if expected != found {
            return Err(PartialError::Shares { expected, found });
        }
        match first_unproven(cleared, parent, self.operator, &self.sealed) {
            None => Ok(()),
            Some(position) => {
                let validator = position + 1;
                Err(PartialError::Unproven { operator, validator })
            }
        }
    }
}

impl PartialFile {
    /// What travels in a channel: `request(32) ‖` [`payload`], or `request(32) ‖ box`.
    pub(super) fn write(&self, writer: Writer) -> Writer {
        let writer = writer.bytes(self.request.as_ref());
        match &self.content {
            Content::Public { operator, partials, shares, node, signature } => {
                body(writer, *operator, partials, shares, node.as_ref()).bytes(signature)
            }
            Content::Sealed(sealed) => writer.bytes(sealed),
        }
    }

    /// The reverse of [`PartialFile::write`].
    pub(super) fn read(
        r: &mut Reader<'_>,
        sealed: bool,
        extent: Extent,
    ) -> Result<Self, codec::DecodeError> {
        let family = extent.form.into();
        let request = Digest(r.array("request")?);
        if sealed {
            let bytes = r.bytes("sealed", signed_box_len(payload(extent)))?.to_vec();
            return Ok(Self { request, family, content: Content::Sealed(bytes) });
        }
        let operator = Index::new(r.u16("operator")?);
        let operator = operator.ok_or(codec::DecodeError::Invalid {
            what: "operator",
            why: "operators are counted from 1",
        })?;
        let partials = r.many(extent.validators, |r| r.array("partial"))?;
        let shares = r.many(extent.sealed(), EncryptedShare::read)?;
        let node = read_node(r, extent)?;
        let signature = r.array("signature")?;
        let content = Content::Public { operator, partials, shares, node, signature };
        Ok(Self { request, family, content })
    }

    /// Whose it says to be, if that can be seen from outside.
    pub(super) fn operator(&self) -> Option<Index> {
        match &self.content {
            Content::Public { operator, .. } => Some(*operator),
            Content::Sealed(_) => None,
        }
    }

    /// Whether a custodian's keys are needed.
    pub fn is_sealed(&self) -> bool {
        matches!(self.content, Content::Sealed(_))
    }

    /// Opens it, with the custodian's secret if it is sealed, and checks everything: request,
    /// sealer, signature, the partial signatures themselves, and the proofs of encrypted shares.
    pub fn open(
        &self,
        cleared: &Cleared,
        parent: &Parent,
        custodian: Option<&DhSecret>,
    ) -> Result<Partial, PartialError> {
        let expected = cleared.request.id();
        if self.request != expected {
            return Err(PartialError::Request { expected, found: self.request });
        }
        let roster = parent.ceremony().roster();
        let seat =
            |index: Index| roster.get(index).ok_or(PartialError::UnknownOperator(index.get()));
        let extent = Extent::of(cleared);
        let count = extent.validators;
        if self.family != extent.form.into() {
            return Err(PartialError::Version);
        }
        let opened = match (&self.content, &cleared.request.delivery) {
            (Content::Public { operator, partials, shares, node, signature }, Delivery::Public) => {
                (*operator, partials.clone(), shares.clone(), *node, *signature)
            }
            (Content::Sealed(sealed), Delivery::Custodian(_)) => {
                let secret = custodian.ok_or(PartialError::Sealed)?;
                let (sealer, payload) =
                    open_signed_box(secret, prologue(&expected).as_ref(), sealed, payload(extent))
                        .map_err(|_| PartialError::Sealed)?;
                let fields = Reader::all(payload.expose(), |r| {
                    let operator = r.u16("operator")?;
                    let partials = r.many(count, |r| r.array::<PARTIAL>("partial"))?;
                    let shares = r.many(extent.sealed(), EncryptedShare::read)?;
                    let node = read_node(r, extent)?;
                    Ok((operator, partials, shares, node, r.array::<64>("signature")?))
                });
                let (operator, partials, shares, node, signature) =
                    fields.map_err(|_| PartialError::Sealed)?;
                let index = Index::new(operator).ok_or(PartialError::UnknownOperator(operator))?;
                if seat(index)?.card.noise != sealer {
                    return Err(PartialError::Sealer(operator));
                }
                (index, partials, shares, node, signature)
            }
            (Content::Public { .. }, _) => {
                return Err(PartialError::Delivery { expected: "sealed", found: "public" });
            }
            (Content::Sealed(_), _) => {
                return Err(PartialError::Delivery { expected: "public", found: "sealed" });
            }
        };
        let (operator, bytes, sealed, node, signature) = opened;
        if bytes.len() != count {
            return Err(PartialError::Count { expected: count, found: bytes.len() });
        }
        let key = &seat(operator)?.card.key;
        let stated = statement(&expected, operator, &bytes, &sealed, node.as_ref());
        key.verify(Tag::PartialSignature, &stated, &signature)
            .map_err(|_| PartialError::Signature(operator.get()))?;
        let point = |bytes: &[u8; PARTIAL]| match bytes {
            // One validator alone is not left out: there would be no answer. Of key shares and of a
            // lock none is: nonces follow one another, and all shares sign.
            left_out if *left_out == LEFT_OUT && count > 1 && self.family == Family::Plain => {
                Ok(None)
            }
            bytes => G2::from_compressed(bytes).map(Some).map_err(|source| {
                let operator = operator.get();
                PartialError::Point { operator, source }
            }),
        };
        let partials: Vec<Option<G2>> = bytes.iter().map(point).collect::<Result<_, _>>()?;
        if partials.iter().all(Option::is_none) {
            return Err(PartialError::Empty(operator.get()));
        }
        let partial = Partial { operator, partials, sealed, node, signature };
        if !partial.verifies(cleared, parent) {
            return Err(PartialError::Wrong(operator.get()));
        }
        partial.proven(cleared, parent).map(|()| partial)
    }
}
