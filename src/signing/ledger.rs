//! The log of signatures after the ceremony, and what it makes an operator refuse. An entry is
//! durable before its partial signature leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::key_shares::consented;
use super::parent::{Cleared, Parent};
use super::request::{Kind, Purpose};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::ssv::OwnerNonce;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::secret::SecretBytes;
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::obol::MOST_EXTENSION_BYTES;

/// Kinds of entries, as in canonical requests.
const EXIT: u8 = Kind::Exit as u8;
const DEPOSIT: u8 = Kind::Deposit as u8;
const REGISTRATION: u8 = Kind::Registration as u8;
const KEY_SHARES: u8 = Kind::KeyShares as u8;
const LOCK: u8 = Kind::Lock as u8;
/// What is added to the kind of an entry for a list of validators.
const LIST: u8 = 128;
/// Longest canonical request for one validator, and for a list.
const LONGEST_REQUEST: usize = 1024;
const LONGEST_LIST: usize = LONGEST_REQUEST + 80 * MOST_VALIDATORS;
/// What the RSA keys of a request for key shares take besides.
const LONGEST_KEYS: usize = 13 * 256;
/// What the cluster of a request for a lock takes besides.
const LONGEST_CLUSTER: usize = 4 + MOST_EXTENSION_BYTES;

/// An entry. For one validator: `u8(kind) ‖ signing root(32) ‖ public key(48) ‖ detail(32) ‖
/// canonical request`. For a list: `u8(128 + kind) ‖ u32(count) ‖ count × (signing root ‖ public
/// key ‖ detail) ‖ canonical request`, with those that were signed. The detail is zero of an exit,
/// the credentials of a deposit, `0^24 ‖ u64(date)` of a registration, `owner(20) ‖ 0^4 ‖
/// u64(nonce)` of key shares, and the definition hash of a lock, which are always a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    kind: u8,
    list: bool,
    signed: Vec<Signed>,
    request: Vec<u8>,
}

/// What was signed for one validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Signed {
    signing_root: [u8; 32],
    public_key: [u8; 48],
    detail: [u8; 32],
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
    /// A registration of this key with this date or a later one was signed.
    #[error(
        "this share has already signed another registration of 0x{public_key}, dated {signed}, and \
         will not sign one dated {asked}"
    )]
    NotNewer {
        /// The validator's key.
        public_key: String,
        /// The date of the one that was signed, in seconds since 1970.
        signed: u64,
        /// The date of the one that is asked for.
        asked: u64,
    },
    /// This share signs in one network of clusters, and would in another.
    #[error(
        "this share has already signed for {signed} of 0x{public_key}, and a share that signs in \
         two networks is slashed"
    )]
    OtherNetwork {
        /// The validator's key.
        public_key: String,
        /// What was signed.
        signed: &'static str,
    },
    /// This key consented to a later registration by the same owner.
    #[error(
        "this share has already consented to the nonce {signed} of 0x{public_key} for {owner}, and \
         nonces only grow: it will not consent to {asked}"
    )]
    LowerNonce {
        /// The validator's key.
        public_key: String,
        /// The account that registers.
        owner: ExecutionAddress,
        /// The highest nonce that was signed.
        signed: u64,
        /// The one that is asked for.
        asked: u64,
    },
}

/// What a log says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// This very request was answered before, for at least these validators: the answer may leave
    /// again.
    Again,
    /// Not answered yet: an entry has to be written first.
    New {
        /// For which validators of the request other exits were signed before, by position in it,
        /// and how many.
        other_exits: BTreeMap<usize, usize>,
        /// For which validators of a request for deposits an exit was signed before, by position
        /// in it: what is deposited to them is only paid out again.
        exited: BTreeSet<usize>,
    },
}

impl Signed {
    /// Of the validator at this position of the request.
    fn of(cleared: &Cleared, position: usize) -> Self {
        let item = cleared.request.items[position];
        Self {
            signing_root: cleared.targets[position].signing_root,
            public_key: item.public_key,
            detail: match item.purpose {
                Purpose::Exit(_) => [0; 32],
                Purpose::Deposit { withdrawal_credentials, .. } => {
                    *withdrawal_credentials.as_bytes()
                }
                Purpose::Registration(terms) => {
                    let mut detail = [0; 32];
                    detail[24..].copy_from_slice(&terms.timestamp.to_be_bytes());
                    detail
                }
                Purpose::KeyShares(OwnerNonce { owner, nonce }) => {
                    let mut detail = [0; 32];
                    detail[..20].copy_from_slice(owner.as_bytes());
                    detail[24..].copy_from_slice(&nonce.to_be_bytes());
                    detail
                }
                Purpose::Lock => {
                    let cluster = cleared.request.items.cluster();
                    cluster.map_or([0; 32], |cluster| cluster.definition().definition_hash)
                }
            },
        }
    }

    /// The date of a registration, or the nonce of key shares.
    fn date(&self) -> u64 {
        self.detail[24..].iter().fold(0, |date, byte| date << 8 | u64::from(*byte))
    }

    fn write(&self, writer: Writer) -> Writer {
        writer.bytes(&self.signing_root).bytes(&self.public_key).bytes(&self.detail)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            signing_root: r.array("signing root")?,
            public_key: r.array("public key")?,
            detail: r.array("detail")?,
        })
    }
}

impl Entry {
    /// The entry of a request, of which the validators at these positions are signed for.
    pub fn of(cleared: &Cleared, positions: &[usize]) -> Self {
        Self {
            kind: cleared.request.items.kind() as u8,
            list: !cleared.request.is_single(),
            signed: positions.iter().map(|position| Signed::of(cleared, *position)).collect(),
            request: cleared.request.canonical(),
        }
    }

    /// The body of a log record.
    pub fn encode(&self) -> SecretBytes {
        let writer = Writer::with_capacity(113 * self.signed.len() + self.request.len());
        let writer = match self.list {
            false => writer.u8(self.kind),
            true => {
                let count = u32::try_from(self.signed.len()).expect("at most 8192");
                writer.u8(LIST + self.kind).u32(count)
            }
        };
        let writer = writer.each(&self.signed, |writer, signed| signed.write(writer));
        SecretBytes::new(writer.bytes(&self.request).finish())
    }

    /// The reverse of [`Entry::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let invalid = |what, why| DecodeError::Invalid { what, why };
        Reader::all(bytes, |r| {
            let byte = r.u8("kind")?;
            let (kind, list) = (byte % LIST, byte >= LIST);
            if !matches!(
                (kind, list),
                (EXIT | DEPOSIT | REGISTRATION, _) | (KEY_SHARES | LOCK, true)
            ) {
                return Err(invalid("kind", "unknown"));
            }
            let (count, longest) = match list {
                false => (1, LONGEST_REQUEST),
                true => (usize::try_from(r.u32("count")?).unwrap_or(usize::MAX), LONGEST_LIST),
            };
            let longest = match kind {
                KEY_SHARES => longest + LONGEST_KEYS,
                LOCK => longest + LONGEST_CLUSTER,
                _ => longest,
            };
            if !(1..=MOST_VALIDATORS).contains(&count) {
                return Err(invalid("count", "not 1 to 8192"));
            }
            let signed = r.many(count, Signed::read)?;
            if kind == REGISTRATION && signed.iter().any(|signed| signed.detail[..24] != [0; 24]) {
                return Err(invalid("detail", "not a date"));
            }
            if kind == KEY_SHARES && signed.iter().any(|signed| signed.detail[20..24] != [0; 4]) {
                return Err(invalid("detail", "not an owner and a nonce"));
            }
            let length = r.remaining();
            if length > longest {
                return Err(invalid("request", "longer than allowed"));
            }
            Ok(Self { kind, list, signed, request: r.bytes("request", length)?.to_vec() })
        })
    }
}

/// The validators, by compressed key, of which the log holds that an exit was signed.
pub fn exits<'a>(
    bodies: impl Iterator<Item = &'a [u8]>,
) -> Result<BTreeSet<[u8; 48]>, LedgerError> {
    let mut exits = BTreeSet::new();
    for body in bodies {
        let entry = Entry::decode(body)?;
        if entry.kind == EXIT {
            exits.extend(entry.signed.iter().map(|signed| signed.public_key));
        }
    }
    Ok(exits)
}

/// Whether what the log holds allows this request to be answered for the validators at these
/// positions.
pub fn admit<'a>(
    bodies: impl Iterator<Item = &'a [u8]>,
    cleared: &Cleared,
    positions: &[usize],
) -> Result<Admission, LedgerError> {
    let wanted = Entry::of(cleared, positions);
    let places: BTreeMap<[u8; 48], usize> = wanted
        .signed
        .iter()
        .enumerate()
        .map(|(place, signed)| (signed.public_key, place))
        .collect();
    let mut again = vec![false; positions.len()];
    let (mut other_exits, mut exited) = (BTreeMap::new(), BTreeSet::new());
    for body in bodies {
        let entry = Entry::decode(body)?;
        if (entry.kind, wanted.kind) == (EXIT, DEPOSIT) {
            let places = entry.signed.iter().filter_map(|exit| places.get(&exit.public_key));
            exited.extend(places.map(|place| positions[*place]));
        }
        let other = match (entry.kind, wanted.kind) {
            (KEY_SHARES, LOCK) => Some("key shares for SSV"),
            (LOCK, KEY_SHARES) => Some("the lock of an Obol cluster"),
            _ => None,
        };
        let common = entry.signed.iter().find(|one| places.contains_key(&one.public_key));
        if let Some((signed, common)) = other.zip(common) {
            let public_key = hex::encode(common.public_key);
            return Err(LedgerError::OtherNetwork { public_key, signed });
        }
        if entry.kind != wanted.kind {
            continue;
        }
        let same = entry.request == wanted.request;
        for earlier in &entry.signed {
            let Some(place) = places.get(&earlier.public_key) else { continue };
            let now = &wanted.signed[*place];
            again[*place] |= same && earlier == now;
            let differs = earlier.signing_root != now.signing_root;
            match entry.kind {
                EXIT if differs => *other_exits.entry(positions[*place]).or_default() += 1,
                DEPOSIT if earlier.detail != now.detail => {
                    return Err(LedgerError::SecondDestination);
                }
                REGISTRATION if differs && now.date() <= earlier.date() => {
                    return Err(LedgerError::NotNewer {
                        public_key: hex::encode(now.public_key),
                        signed: earlier.date(),
                        asked: now.date(),
                    });
                }
                _ => {}
            }
        }
    }
    Ok(match again.iter().all(|again| *again) {
        true => Admission::Again,
        false => Admission::New { other_exits, exited },
    })
}

/// Whether no validator of a request for key shares is to consent to a lower nonce than one to
/// which it has consented for the same owner: in the ceremony, or as the log says. A person may
/// know that the earlier one was a mistake, so this is asked apart from [`admit`].
pub fn nonces<'a>(
    bodies: impl Iterator<Item = &'a [u8]>,
    cleared: &Cleared,
    parent: &Parent,
) -> Result<(), LedgerError> {
    let mut highest: BTreeMap<([u8; 48], [u8; 20]), u64> = BTreeMap::new();
    for (item, target) in cleared.request.items.iter().zip(&cleared.targets) {
        if let Some(OwnerNonce { owner, nonce }) = consented(parent, target.validator) {
            highest.insert((item.public_key, *owner.as_bytes()), nonce);
        }
    }
    for body in bodies {
        let entry = Entry::decode(body)?;
        for earlier in entry.signed.iter().filter(|_| entry.kind == KEY_SHARES) {
            let owner = *earlier.detail.first_chunk().expect("20 of 32 bytes");
            let nonce = highest.entry((earlier.public_key, owner)).or_default();
            *nonce = (*nonce).max(earlier.date());
        }
    }
    for item in cleared.request.items.iter() {
        let Purpose::KeyShares(OwnerNonce { owner, nonce: asked }) = item.purpose else { continue };
        let signed = highest.get(&(item.public_key, *owner.as_bytes())).copied().unwrap_or(0);
        if asked < signed {
            let public_key = hex::encode(item.public_key);
            return Err(LedgerError::LowerNonce { public_key, owner, signed, asked });
        }
    }
    Ok(())
}
