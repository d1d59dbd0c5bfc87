//! The log of signatures after the ceremony, and what it makes an operator refuse. An entry is
//! durable before its partial signature leaves.

use super::parent::Cleared;
use super::request::Purpose;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::secret::SecretBytes;

/// Kinds of entries, as in canonical requests.
const EXIT: u8 = 1;
const DEPOSIT: u8 = 2;
/// Longest canonical request.
const LONGEST_REQUEST: usize = 1024;

/// An entry: `u8(kind) ‖ signing root(32) ‖ public key(48) ‖ credentials(32, zero for an exit) ‖
/// canonical request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    kind: u8,
    signing_root: [u8; 32],
    public_key: [u8; 48],
    credentials: [u8; 32],
    request: Vec<u8>,
}

/// Why the log refuses a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// An entry that does not decode.
    #[error("an entry in the log of signed messages cannot be decoded: {0}")]
    Damaged(#[from] DecodeError),
    /// A deposit of this key to other credentials was signed.
    #[error(
        "this share has already signed a deposit to other withdrawal credentials and will not sign \
         for a second destination"
    )]
    SecondDestination,
}

/// What a log says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// This very request was answered before: the answer may leave again.
    Again,
    /// Not answered yet: an entry has to be written first.
    New {
        /// How many other exits of this validator were signed before.
        other_exits: usize,
    },
}

impl Entry {
    /// The entry of a request.
    pub fn of(cleared: &Cleared) -> Self {
        let (kind, credentials) = match cleared.request.purpose {
            Purpose::Exit(_) => (EXIT, [0; 32]),
            Purpose::Deposit { withdrawal_credentials, .. } => {
                (DEPOSIT, *withdrawal_credentials.as_bytes())
            }
        };
        Self {
            kind,
            signing_root: cleared.signing_root,
            public_key: cleared.request.public_key,
            credentials,
            request: cleared.request.canonical(),
        }
    }

    /// The body of a log record.
    pub fn encode(&self) -> SecretBytes {
        let writer =
            Writer::with_capacity(113 + self.request.len()).u8(self.kind).bytes(&self.signing_root);
        SecretBytes::new(
            writer.bytes(&self.public_key).bytes(&self.credentials).bytes(&self.request).finish(),
        )
    }

    /// The reverse of [`Entry::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            let kind = r.u8("kind")?;
            if !matches!(kind, EXIT | DEPOSIT) {
                return Err(DecodeError::Invalid { what: "kind", why: "unknown" });
            }
            let (signing_root, public_key, credentials) =
                (r.array("signing root")?, r.array("public key")?, r.array("credentials")?);
            let length = r.remaining();
            if length > LONGEST_REQUEST {
                return Err(DecodeError::Invalid { what: "request", why: "longer than allowed" });
            }
            Ok(Self {
                kind,
                signing_root,
                public_key,
                credentials,
                request: r.bytes("request", length)?.to_vec(),
            })
        })
    }
}

/// Whether what the log holds allows this request to be answered.
pub fn admit<'a>(
    bodies: impl Iterator<Item = &'a [u8]>,
    cleared: &Cleared,
) -> Result<Admission, LedgerError> {
    let wanted = Entry::of(cleared);
    let (mut again, mut other_exits) = (false, 0);
    for body in bodies {
        let entry = Entry::decode(body)?;
        if entry.public_key != wanted.public_key || entry.kind != wanted.kind {
            continue;
        }
        if entry.credentials != wanted.credentials {
            return Err(LedgerError::SecondDestination);
        }
        again |= entry == wanted;
        other_exits += usize::from(entry.kind == EXIT && entry.signing_root != wanted.signing_root);
    }
    Ok(if again { Admission::Again } else { Admission::New { other_exits } })
}
