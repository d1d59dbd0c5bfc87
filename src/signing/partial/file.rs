//! Answers as JSON files.

use serde::{Deserialize, Serialize};

use super::{Content, Extent, Family, LEFT_OUT, PARTIAL, PartialError, PartialFile, payload};
use crate::ethereum::json::{self, HexError, Object, bare_hex, few_or_null, prefixed_hex};
use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::message::body::EncryptedShare;
use crate::primitives::hash::Digest;
use crate::primitives::noise::signed_box_len;
use crate::signing::request_file::{KEY_SHARES, LOCK, MANY, ONE, RequestFileError, check_format};
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::threshold::Index;

const PUBLIC_FORMAT: &str = "quorate-partial";
const SEALED_FORMAT: &str = "quorate-partial-sealed";
/// Most bytes of a file.
pub const LARGEST: usize = 12 << 20;
/// Most bytes of an answer without key shares.
const LARGEST_LIST: usize = 2 << 20;
/// Most bytes of an answer for one validator.
const LARGEST_SINGLE: usize = 4096;

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
    #[serde(
        default,
        deserialize_with = "few_or_null::<_, _, MOST_VALIDATORS>",
        skip_serializing_if = "Option::is_none"
    )]
    partials: Option<Vec<Option<String>>>,
    #[serde(
        default,
        deserialize_with = "few_or_null::<_, _, MOST_VALIDATORS>",
        skip_serializing_if = "Option::is_none"
    )]
    shares: Option<Vec<Object<ShareFields>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareFields {
    encrypted: String,
    proof: String,
}

impl PartialFile {
    /// Indented JSON with a line end.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut file = File {
            format: PUBLIC_FORMAT.to_owned(),
            version: ONE,
            request: self.request.to_string(),
            operator: None,
            partial: None,
            partials: None,
            shares: None,
            node: None,
            signature: None,
            sealed: None,
        };
        match &self.content {
            Content::Public { operator, partials, shares, node, signature } => {
                let text = |partial: &[u8; PARTIAL]| format!("0x{}", hex::encode(partial));
                file.operator = Some(operator.get());
                file.node = node.map(|node| format!("0x{}", hex::encode(node)));
                match &partials[..] {
                    partials if self.family != Family::Plain => {
                        file.version = version_of(self.family);
                        file.partials = Some(partials.iter().map(|one| Some(text(one))).collect());
                        let shares: Vec<_> = shares.iter().map(share_fields).collect();
                        file.shares = (!shares.is_empty()).then_some(shares);
                    }
                    [partial] => file.partial = Some(text(partial)),
                    partials => {
                        let one =
                            |partial: &[u8; PARTIAL]| (*partial != LEFT_OUT).then(|| text(partial));
                        file.version = MANY;
                        file.partials = Some(partials.iter().map(one).collect());
                    }
                }
                file.signature = Some(hex::encode(signature));
            }
            Content::Sealed(sealed) => {
                file.format = SEALED_FORMAT.to_owned();
                file.version = match sealed.len() == signed_box_len(payload(Extent::plain(1))) {
                    _ if self.family != Family::Plain => version_of(self.family),
                    true => ONE,
                    false => MANY,
                };
                file.sealed = Some(hex::encode(sealed));
            }
        }
        let mut bytes =
            serde_json::to_vec_pretty(&file).expect("texts and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a file of at most 12 MiB (4 KiB for one validator, 2 MiB for a list without key
    /// shares), strictly.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PartialError> {
        let file: File = json::parse(bytes, LARGEST).map_err(RequestFileError::from)?;
        let hex = |field| move |source| PartialError::Hex { field, source };
        let sealed = file.sealed.is_some();
        let format = if sealed { SEALED_FORMAT } else { PUBLIC_FORMAT };
        check_format(&file.format, format, file.version)?;
        let (length, limit) = match file.version {
            ONE => (bytes.len(), LARGEST_SINGLE),
            MANY | LOCK => (bytes.len(), LARGEST_LIST),
            _ => (bytes.len(), LARGEST),
        };
        if length > limit {
            return Err(RequestFileError::Json(json::JsonError::TooLong { length, limit }).into());
        }
        let request = Digest(bare_hex(&file.request).map_err(hex("request"))?);
        let one = |partial: &str| prefixed_hex(partial).map_err(hex("partial"));
        let node = file.node.as_deref().map(prefixed_hex::<SIGNATURE_BYTES>).transpose();
        let node = node.map_err(hex("node"))?;
        let open = |operator, partials, shares, signature: &str| {
            Ok::<_, PartialError>(Content::Public {
                operator: Index::new(operator).ok_or(PartialError::UnknownOperator(operator))?,
                partials,
                shares,
                node,
                signature: bare_hex(signature).map_err(hex("signature"))?,
            })
        };
        let File { version, operator, partial, partials, shares, signature, sealed, .. } = file;
        let family = match version {
            KEY_SHARES => Family::KeyShares,
            LOCK => Family::Lock,
            _ => Family::Plain,
        };
        let shares = match (family, shares) {
            (Family::Plain | Family::Lock, Some(_)) => return Err(shape()),
            (_, shares) => shares.unwrap_or_default(),
        };
        if node.is_some() != (family == Family::Lock && sealed.is_none()) {
            return Err(shape());
        }
        let shares: Vec<EncryptedShare> =
            shares.iter().map(|Object(fields)| share(fields)).collect::<Result<_, _>>()?;
        let content = match (version, operator, partial, partials, signature, sealed) {
            (KEY_SHARES | LOCK, Some(operator), None, Some(partials), Some(signature), None)
                if (1..=MOST_VALIDATORS).contains(&partials.len())
                    && (shares.is_empty() || shares.len() == partials.len()) =>
            {
                let read = |partial: &Option<String>| one(partial.as_deref().ok_or_else(shape)?);
                let partials = partials.iter().map(read).collect::<Result<_, _>>()?;
                open(operator, partials, shares, &signature)?
            }
            (ONE, Some(operator), Some(partial), None, Some(signature), None) => {
                open(operator, vec![one(&partial)?], shares, &signature)?
            }
            (MANY, Some(operator), None, Some(partials), Some(signature), None)
                if (2..=MOST_VALIDATORS).contains(&partials.len()) =>
            {
                let read = |partial: &Option<String>| match partial {
                    Some(partial) => one(partial),
                    None => Ok(LEFT_OUT),
                };
                let partials = partials.iter().map(read).collect::<Result<_, _>>()?;
                open(operator, partials, shares, &signature)?
            }
            (version, None, None, None, None, Some(sealed)) if shares.is_empty() => {
                Content::Sealed(box_bytes(version, &sealed).map_err(hex("sealed"))?)
            }
            _ => return Err(shape()),
        };
        Ok(Self { request, family, content })
    }
}

/// What the fields of an answer are.
fn shape() -> PartialError {
    let why = "its fields must be operator, partial (or 2 to 8192 partials, in version 2; or 1 to \
               8192 partials and none or as many shares, in version 3; or these and node, in \
               version 4) and signature; or sealed alone";
    RequestFileError::Json(json::JsonError::Shape(why.to_owned())).into()
}

/// The version of the files of answers without a validator that is left out.
fn version_of(family: Family) -> u64 {
    match family {
        Family::Plain => MANY,
        Family::KeyShares => KEY_SHARES,
        Family::Lock => LOCK,
    }
}

fn share_fields(share: &EncryptedShare) -> Object<ShareFields> {
    let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    Object(ShareFields { encrypted: text(&share.ciphertext), proof: text(&share.proof) })
}

fn share(fields: &ShareFields) -> Result<EncryptedShare, PartialError> {
    let hex = |field| move |source| PartialError::Hex { field, source };
    Ok(EncryptedShare {
        ciphertext: prefixed_hex(&fields.encrypted).map_err(hex("shares.encrypted"))?,
        proof: prefixed_hex(&fields.proof).map_err(hex("shares.proof"))?,
    })
}

/// The bytes of a box in a file: for one validator, or for 2 to 8192.
fn box_bytes(version: u64, text: &str) -> Result<Vec<u8>, HexError> {
    const ONE_BOX: usize = signed_box_len(payload(Extent::plain(1)));
    if version == ONE {
        return bare_hex::<ONE_BOX>(text).map(|bytes| bytes.to_vec());
    }
    let least = match version {
        KEY_SHARES | LOCK => ONE_BOX,
        _ => signed_box_len(payload(Extent::plain(2))),
    };
    if text.len() < 2 * least || text.bytes().any(|b| b.is_ascii_uppercase()) {
        let (expected, found) = (2 * least, text.len());
        return Err(match text.len() < 2 * least {
            true => HexError::Length { expected, found },
            false => HexError::Digit,
        });
    }
    hex::decode(text).map_err(|_| HexError::Digit)
}
