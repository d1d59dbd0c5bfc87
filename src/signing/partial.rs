//! Answers: one operator's partial signature for one request, signed by that operator, open or
//! sealed to the custodian; as files, and as bytes for channels.

use serde::{Deserialize, Serialize};

use super::parent::{Cleared, Parent};
use super::request::Delivery;
use super::request_file::{RequestFileError, check_format};
use crate::ethereum::json::{self, HexError, bare_hex, prefixed_hex};
use crate::identity::operator::Operator;
use crate::primitives::batch::verify_signature;
use crate::primitives::codec::{self, Reader, Writer};
use crate::primitives::curve::{self, G2, SecretScalar};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::primitives::noise::{open_signed_box, seal_signed_box, signed_box_len};
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::DhSecret;
use crate::spec::threshold::Index;

const PUBLIC_FORMAT: &str = "quorate-partial";
const SEALED_FORMAT: &str = "quorate-partial-sealed";
/// Most bytes of a file.
pub const LARGEST: usize = 4096;
/// `u16(operator) ‖ partial(96) ‖ signature(64)`.
pub(super) const PAYLOAD: usize = 162;
const SEALED: usize = signed_box_len(PAYLOAD);

/// Why a partial signature is not counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartialError {
    /// Not the bytes of an answer.
    #[error("not an answer: {0}")]
    Bytes(#[from] codec::DecodeError),
    /// The operator signed it, and it is not a point.
    #[error("partial: {source}; operator {operator} signed it")]
    Point {
        /// The operator.
        operator: u16,
        /// Why.
        source: curve::DecodeError,
    },
    /// Not the format.
    #[error("{0}")]
    File(#[from] RequestFileError),
    /// Not lower-case hexadecimal of the right length.
    #[error("{field}: {source}")]
    Hex {
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// For another request: another validator, index, epoch, amount, ceremony or custodian.
    #[error("request: it answers another request, {found}; this one is {expected}")]
    Request {
        /// The id of this request.
        expected: Digest,
        /// The id in the file.
        found: Digest,
    },
    /// Another operator sealed it than the one that it names.
    #[error("sealed: it was not sealed by operator {0}, whom it names")]
    Sealer(u16),
    /// It does not open: for another custodian, or altered.
    #[error("sealed: it does not open with these keys: it is for another custodian or was altered")]
    Sealed,
    /// Not signed by the operator that it names.
    #[error(
        "signature: not by operator {0}, whom it names: the answer was altered or is somebody \
         else's"
    )]
    Signature(u16),
    /// No operator has this index.
    #[error("operator: the ceremony has no operator {0}")]
    UnknownOperator(u16),
    /// The request asks for the other kind.
    #[error("the request asks for {expected} answers, but this one is {found}")]
    Delivery {
        /// What the request asks for.
        expected: &'static str,
        /// What this one is.
        found: &'static str,
    },
    /// The operator signed it, and it is not the partial signature of its share.
    #[error("partial: does not verify under the public share of operator {0}, who signed it")]
    Wrong(u16),
}

impl PartialError {
    /// Whose fault it is, beyond doubt: an operator that has signed what its share does not give.
    pub fn culprit(&self) -> Option<Index> {
        match self {
            Self::Wrong(operator) | Self::Point { operator, .. } => Index::new(*operator),
            _ => None,
        }
    }
}

/// A partial signature that verifies against the public share of its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// Whose.
    pub operator: Index,
    /// The point.
    pub partial: G2,
    signature: [u8; 64],
}

/// An answer, not yet opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialFile {
    request: Digest,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Public { operator: Index, partial: [u8; 96], signature: [u8; 64] },
    Sealed(Vec<u8>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// What an operator signs of its answer: request, operator, partial signature.
fn statement(request: &Digest, operator: Index, partial: &[u8; 96]) -> Vec<u8> {
    Writer::with_capacity(130).bytes(request.as_ref()).u16(operator.get()).bytes(partial).finish()
}

/// The prologue that ties a sealed answer to its request.
fn prologue(request: &Digest) -> Digest {
    tagged(Tag::PartialBox, &[request.as_ref()])
}

impl Partial {
    /// The answer of the operator with this share, `None` if the share is zero. It is not verified
    /// here: the caller compares it with the public share before it leaves.
    pub fn sign(
        cleared: &Cleared,
        operator: &Operator,
        index: Index,
        share: &SecretScalar,
    ) -> Option<Self> {
        let partial = share.sign(&cleared.message)?;
        let signature = operator.key().sign(
            Tag::PartialSignature,
            &statement(&cleared.request.id(), index, &partial.to_compressed()),
        );
        Some(Self { operator: index, partial, signature })
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
                let payload = Writer::with_capacity(PAYLOAD)
                    .u16(self.operator.get())
                    .bytes(&self.partial.to_compressed());
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
        PartialFile { request, content }
    }

    /// The answer for everybody.
    pub(super) fn to_public_answer(self, cleared: &Cleared) -> PartialFile {
        let Self { operator, partial, signature } = self;
        let content = Content::Public { operator, partial: partial.to_compressed(), signature };
        PartialFile { request: cleared.request.id(), content }
    }

    /// The file of [`Partial::to_answer`].
    pub fn to_json(&self, cleared: &Cleared, operator: &Operator, ephemeral: Secret32) -> Vec<u8> {
        self.to_answer(cleared, operator, ephemeral).to_json()
    }

    /// Whether it is what its operator's share gives: the one check that counts.
    pub fn verifies(&self, cleared: &Cleared, parent: &Parent) -> bool {
        let validator = &parent.validators()[cleared.validator];
        let public_share = validator.public_share(parent.ceremony(), self.operator);
        public_share.is_some_and(|key| verify_signature(key, &cleared.message, &self.partial))
    }
}

impl PartialFile {
    /// Indented JSON with a line end.
    fn to_json(&self) -> Vec<u8> {
        let mut file = File {
            format: PUBLIC_FORMAT.to_owned(),
            version: 1,
            request: self.request.to_string(),
            operator: None,
            partial: None,
            signature: None,
            sealed: None,
        };
        match &self.content {
            Content::Public { operator, partial, signature } => {
                file.operator = Some(operator.get());
                file.partial = Some(format!("0x{}", hex::encode(partial)));
                file.signature = Some(hex::encode(signature));
            }
            Content::Sealed(sealed) => {
                file.format = SEALED_FORMAT.to_owned();
                file.sealed = Some(hex::encode(sealed));
            }
        }
        let mut bytes =
            serde_json::to_vec_pretty(&file).expect("texts and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// What travels in a channel: `request(32) ‖ u16(operator) ‖ partial(96) ‖ signature(64)`, or
    /// `request(32) ‖ box(258)`.
    pub(super) fn write(&self, writer: Writer) -> Writer {
        let writer = writer.bytes(self.request.as_ref());
        match &self.content {
            Content::Public { operator, partial, signature } => {
                writer.u16(operator.get()).bytes(partial).bytes(signature)
            }
            Content::Sealed(sealed) => writer.bytes(sealed),
        }
    }

    /// The reverse of [`PartialFile::write`].
    pub(super) fn read(r: &mut Reader<'_>, sealed: bool) -> Result<Self, codec::DecodeError> {
        let request = Digest(r.array("request")?);
        if sealed {
            return Ok(Self {
                request,
                content: Content::Sealed(r.bytes("sealed", SEALED)?.to_vec()),
            });
        }
        let operator = Index::new(r.u16("operator")?);
        let operator = operator.ok_or(codec::DecodeError::Invalid {
            what: "operator",
            why: "operators are counted from 1",
        })?;
        let (partial, signature) = (r.array("partial")?, r.array("signature")?);
        Ok(Self { request, content: Content::Public { operator, partial, signature } })
    }

    /// Whose it says to be, if that can be seen from outside.
    pub(super) fn operator(&self) -> Option<Index> {
        match &self.content {
            Content::Public { operator, .. } => Some(*operator),
            Content::Sealed(_) => None,
        }
    }

    /// Reads a file of at most 4 KiB, strictly.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PartialError> {
        let file: File =
            json::parse_without_arrays(bytes, LARGEST).map_err(RequestFileError::from)?;
        let hex = |field| move |source| PartialError::Hex { field, source };
        let request = Digest(bare_hex(&file.request).map_err(hex("request"))?);
        let content = match (file.operator, file.partial, file.signature, file.sealed) {
            (Some(operator), Some(partial), Some(signature), None) => {
                check_format(&file.format, PUBLIC_FORMAT, file.version)?;
                Content::Public {
                    operator: Index::new(operator)
                        .ok_or(PartialError::UnknownOperator(operator))?,
                    partial: prefixed_hex(&partial).map_err(hex("partial"))?,
                    signature: bare_hex(&signature).map_err(hex("signature"))?,
                }
            }
            (None, None, None, Some(sealed)) => {
                check_format(&file.format, SEALED_FORMAT, file.version)?;
                Content::Sealed(bare_hex::<SEALED>(&sealed).map_err(hex("sealed"))?.to_vec())
            }
            _ => {
                check_format(&file.format, PUBLIC_FORMAT, file.version)?;
                let why = "its fields must be operator, partial and signature; or sealed alone"
                    .to_owned();
                return Err(RequestFileError::Json(json::JsonError::Shape(why)).into());
            }
        };
        Ok(Self { request, content })
    }

    /// Whether a custodian's keys are needed.
    pub fn is_sealed(&self) -> bool {
        matches!(self.content, Content::Sealed(_))
    }

    /// Opens it, with the custodian's secret if it is sealed, and checks everything: request,
    /// sealer, signature, and the partial signature itself.
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
        let (operator, bytes, signature) = match (&self.content, &cleared.request.delivery) {
            (Content::Public { operator, partial, signature }, Delivery::Public) => {
                (*operator, *partial, *signature)
            }
            (Content::Sealed(sealed), Delivery::Custodian(_)) => {
                let secret = custodian.ok_or(PartialError::Sealed)?;
                let opened = open_signed_box(secret, prologue(&expected).as_ref(), sealed, PAYLOAD);
                let (sealer, payload) = opened.map_err(|_| PartialError::Sealed)?;
                let fields = Reader::all(payload.expose(), |r| {
                    Ok((r.u16("operator")?, r.array::<96>("partial")?, r.array::<64>("signature")?))
                });
                let (operator, partial, signature) = fields.map_err(|_| PartialError::Sealed)?;
                let index = Index::new(operator).ok_or(PartialError::UnknownOperator(operator))?;
                if seat(index)?.card.noise != sealer {
                    return Err(PartialError::Sealer(operator));
                }
                (index, partial, signature)
            }
            (Content::Public { .. }, _) => {
                return Err(PartialError::Delivery { expected: "sealed", found: "public" });
            }
            (Content::Sealed(_), _) => {
                return Err(PartialError::Delivery { expected: "public", found: "sealed" });
            }
        };
        let key = &seat(operator)?.card.key;
        key.verify(Tag::PartialSignature, &statement(&expected, operator, &bytes), &signature)
            .map_err(|_| PartialError::Signature(operator.get()))?;
        let point = G2::from_compressed(&bytes);
        let point =
            point.map_err(|source| PartialError::Point { operator: operator.get(), source })?;
        let partial = Partial { operator, partial: point, signature };
        if partial.verifies(cleared, parent) {
            Ok(partial)
        } else {
            Err(PartialError::Wrong(operator.get()))
        }
    }
}
