//! The bytes of a backup, before they are sealed and after they are opened.
//!
//! ```text
//! "QBAK" ‖ version(2) ‖ made(8) ‖ block(operator) ‖ many(ceremony) ‖ many(ledger)
//!        ‖ many(block(child)) ‖ block(node key) ‖ block(signing.toml) ‖ many(left out)
//!        ‖ many(block(note))                                              version 2 alone
//! ```
//!
//! `block`: length(4), then the bytes; `many`: count(2), then each. `ceremony-specs/09-storage.md`,
//! section 9.5, has the parts. One backup has one encoding.

use std::sync::Arc;

use rand_core::CryptoRng;

use quorate::identity::Operator;
use quorate::identity::operator::OperatorError;
use quorate::primitives::codec::{DecodeError, Reader, Writer};
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::record::RecordKind;

use super::{Backup, End, Kept, LABEL, Name};
use crate::child::parse_ceremony;
use crate::store::{Child, LONGEST_BODY, Record, Restored, SealCost, seal_with_passphrase};

const MAGIC: &[u8; 4] = b"QBAK";
/// Of a directory that came out of no backup.
const FIRST: u16 = 1;
/// With the notes of a directory that came out of one.
const VERSION: u16 = 2;

/// The longest backup, in bytes, before it is sealed.
pub const LONGEST: usize = 1 << 30;
const LONGEST_OPERATOR: usize = 256;
const LONGEST_CEREMONY_FILE: usize = 4 << 20;
const LONGEST_CHILD: usize = 1 << 20;
const LONGEST_NOTE: usize = 256;
const LONGEST_NODE_KEY: usize = 4 << 10;
const LONGEST_SIGNING: usize = 1 << 20;

/// Records of lasting use: what is never erased. Seeds, one-time keys and boxes are in no backup.
const KINDS: [RecordKind; 5] = [
    RecordKind::Statement,
    RecordKind::Shares,
    RecordKind::Confirmed,
    RecordKind::Signed,
    RecordKind::Done,
];

/// Whether records of this kind are in a backup.
pub(super) fn lasts(kind: u8) -> bool {
    KINDS.iter().any(|lasting| *lasting as u8 == kind)
}

/// Why bytes are no backup, or why there is none of what is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// Something else, sealed under this label.
    #[error("not a backup")]
    Magic,
    /// Of another version.
    #[error("a backup of version {0}; this program reads version {VERSION}")]
    Version(u16),
    /// Not the layout.
    #[error("not the layout of a backup: {0}")]
    Layout(#[from] DecodeError),
    /// The operator's keys.
    #[error("the keys in it: {0}")]
    Operator(#[from] OperatorError),
    /// The file of a ceremony is not one, or another ceremony's.
    #[error("the ceremony file in it is not that of the ceremony {0}")]
    Ceremony(Digest),
    /// Two of a kind are the same, or not in order.
    #[error("its {0} are not in ascending order, each once")]
    Order(&'static str),
    /// A ceremony is in it and left out.
    #[error("the ceremony {} is in it, and left out", hex::encode(.0))]
    LeftOut(Name),
    /// The note of a reshare is none.
    #[error("a note of a reshare in it is damaged")]
    Child,
    /// A note of an older backup is none, or is of a ceremony that is not in it.
    #[error("a note of an older backup in it is damaged, or of no finished ceremony in it")]
    Note,
    /// Two forms of one backup.
    #[error("a backup of version {VERSION} without a note of an older one")]
    NoNotes,
    /// More than a backup holds.
    #[error("{found} bytes of {what}; the limit is {most}")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        most: usize,
    },
}

impl Backup {
    /// Reads what [`Backup::encode`] wrote, and nothing else.
    pub fn parse(bytes: &SecretBytes) -> Result<Self, BackupError> {
        let bytes = bytes.expose();
        if !bytes.starts_with(MAGIC) {
            return Err(BackupError::Magic);
        }
        let mut failed = None;
        let read = |r: &mut Reader<'_>| {
            let read = parts(r);
            read.map_err(|error| match error {
                BackupError::Layout(error) => error,
                other => {
                    failed = Some(other);
                    DecodeError::Invalid { what: "backup", why: "not valid" }
                }
            })
        };
        let parsed = Reader::all(bytes, read);
        match failed {
            Some(error) => Err(error),
            None => Ok(parsed?),
        }
    }

    /// The bytes, exactly as many as are needed: a buffer that grows leaves copies behind.
    ///
    /// # Errors
    /// [`BackupError::TooLong`].
    pub fn encode(&self) -> Result<SecretBytes, BackupError> {
        let children: Vec<Vec<u8>> = self.children.iter().map(Child::encode).collect();
        let counts = [
            ("ceremonies", self.ceremonies.len()),
            ("logs of signatures", self.ledgers.len()),
            ("notes of reshares", children.len()),
            ("ceremonies that are left out", self.left_out.len()),
            ("notes of older backups", self.restored.len()),
        ];
        let histories = self.ceremonies.iter().map(|kept| ("transcripts", kept.history.len()));
        for (what, found) in counts.into_iter().chain(histories) {
            let most = usize::from(u16::MAX);
            if found > most {
                return Err(BackupError::TooLong { what, found, most });
            }
        }
        let found = self.len(&children);
        if found > LONGEST {
            return Err(BackupError::TooLong { what: "a backup", found, most: LONGEST });
        }
        let version = if self.restored.is_empty() { FIRST } else { VERSION };
        let mut w = Writer::with_capacity(found).bytes(MAGIC).u16(version).u64(self.made);
        w = block(w, self.operator.to_secret_bytes().expose());
        w = many(w, &self.ceremonies, |w, kept| {
            let w = w.bytes(kept.ceremony.digest().as_bytes()).u8(kept.end.number());
            let w = many(block(w, &kept.file), &kept.history, |w, bytes| block(w, bytes));
            let count = u32::try_from(kept.records.len()).expect("bounded by the length");
            w.u32(count)
                .each(&kept.records, |w, record| block(w.u8(record.kind), record.body.expose()))
        });
        w = many(w, &self.ledgers, |w, (name, log)| block(w.bytes(name), log));
        w = many(w, &children, |w, child| block(w, child));
        w = block(w, self.node_key.as_ref().map_or(&[], SecretBytes::expose));
        w = block(w, self.signing.as_deref().unwrap_or_default());
        w = many(w, &self.left_out, |w, name| w.bytes(name));
        if version == VERSION {
            w = many(w, &self.restored, |w, note| block(w, &note.encode()));
        }
        Ok(SecretBytes::new(w.finish()))
    }

    /// How many bytes it is.
    fn len(&self, children: &[Vec<u8>]) -> usize {
        let kept = |kept: &Kept| {
            let history: usize = kept.history.iter().map(|bytes| 4 + bytes.len()).sum();
            let records: usize =
                kept.records.iter().map(|record| 1 + 4 + record.body.expose().len()).sum();
            32 + 1 + 4 + kept.file.len() + 2 + history + 4 + records
        };
        let operator = self.operator.to_secret_bytes().expose().len();
        let node_key = self.node_key.as_ref().map_or(0, |key| key.expose().len());
        MAGIC.len()
            + 2
            + 8
            + (4 + operator)
            + 2
            + self.ceremonies.iter().map(kept).sum::<usize>()
            + 2
            + self.ledgers.iter().map(|(_, log)| 8 + 4 + log.len()).sum::<usize>()
            + 2
            + children.iter().map(|child| 4 + child.len()).sum::<usize>()
            + (4 + node_key)
            + (4 + self.signing.as_ref().map_or(0, Vec::len))
            + 2
            + 8 * self.left_out.len()
            + match self.restored.as_slice() {
                [] => 0,
                notes => 2 + notes.iter().map(|note| 4 + note.encode().len()).sum::<usize>(),
            }
    }
}

/// Seals a backup under the passphrase of the operator's keys.
///
/// # Errors
/// [`BackupError::TooLong`].
pub fn seal(
    backup: &Backup,
    passphrase: &SecretBytes,
    cost: SealCost,
    random: &mut impl CryptoRng,
) -> Result<Vec<u8>, BackupError> {
    Ok(seal_with_passphrase(&backup.encode()?, passphrase, LABEL, cost, random))
}

impl End {
    fn number(self) -> u8 {
        match self {
            Self::Finished => 1,
            Self::Abandoned => 2,
        }
    }
}

fn block(w: Writer, bytes: &[u8]) -> Writer {
    // The whole is bounded before the first byte.
    w.u32(u32::try_from(bytes.len()).expect("at most 1 GiB")).bytes(bytes)
}

fn many<T>(w: Writer, all: &[T], write: impl FnMut(Writer, &T) -> Writer) -> Writer {
    w.u16(u16::try_from(all.len()).expect("counted before")).each(all, write)
}

fn parts(r: &mut Reader<'_>) -> Result<Backup, BackupError> {
    r.bytes("magic", MAGIC.len())?;
    let version = r.u16("version")?;
    if version != FIRST && version != VERSION {
        return Err(BackupError::Version(version));
    }
    let made = r.u64("time")?;
    let operator = read_block(r, "operator", LONGEST_OPERATOR)?;
    let operator = Operator::from_secret_bytes(&SecretBytes::new(operator.to_vec()))?;
    let ceremonies = list(r, "ceremonies", read_ceremony)?;
    ascending("ceremonies", ceremonies.iter().map(|kept| kept.ceremony.digest()))?;
    let ledgers = list(r, "ledgers", |r| {
        let name: Name = r.array("name of a ledger")?;
        Ok((name, read_block(r, "ledger", LONGEST)?.to_vec()))
    })?;
    ascending("logs of signatures", ledgers.iter().map(|(name, _)| name))?;
    let children = list(r, "children", |r| Ok(read_block(r, "child", LONGEST_CHILD)?))?;
    ascending("notes of reshares", children.iter())?;
    let children = children.iter().map(|bytes| Child::decode(bytes).ok_or(BackupError::Child));
    let children = children.collect::<Result<Vec<_>, _>>()?;
    let node_key = read_block(r, "node key", LONGEST_NODE_KEY)?;
    let signing = read_block(r, "signing.toml", LONGEST_SIGNING)?;
    let left_out: Vec<Name> = list(r, "left out", |r| Ok(r.array("name of a ceremony")?))?;
    ascending("ceremonies that are left out", left_out.iter())?;
    if let Some(both) = ceremonies.iter().map(Kept::name).find(|name| left_out.contains(name)) {
        return Err(BackupError::LeftOut(both));
    }
    let restored = if version == VERSION { notes(r, &ceremonies)? } else { Vec::new() };
    Ok(Backup {
        made,
        operator: Arc::new(operator),
        ceremonies,
        ledgers,
        children,
        node_key: (!node_key.is_empty()).then(|| SecretBytes::new(node_key.to_vec())),
        signing: (!signing.is_empty()).then(|| signing.to_vec()),
        left_out,
        restored,
    })
}

/// The notes of older backups: of finished ceremonies that are here, or of the directory.
fn notes(r: &mut Reader<'_>, ceremonies: &[Kept]) -> Result<Vec<Restored>, BackupError> {
    let all = list(r, "notes", |r| Ok(read_block(r, "note", LONGEST_NOTE)?))?;
    let all = all.iter().map(|bytes| Restored::decode(bytes).ok_or(BackupError::Note));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    ascending("notes of older backups", all.iter().map(|note| note.ceremony))?;
    let is_here = |note: &Restored| {
        let finished = ceremonies.iter().filter(|kept| kept.end == End::Finished);
        let mut named = finished.map(|kept| kept.ceremony.digest());
        note.ceremony == Digest::ZERO || named.any(|digest| digest == note.ceremony)
    };
    match all.iter().all(is_here) {
        _ if all.is_empty() => Err(BackupError::NoNotes),
        true => Ok(all),
        false => Err(BackupError::Note),
    }
}

fn read_ceremony(r: &mut Reader<'_>) -> Result<Kept, BackupError> {
    let digest = Digest(r.array("ceremony digest")?);
    let end = match r.u8("end")? {
        1 => End::Finished,
        2 => End::Abandoned,
        _ => {
            let why = "neither finished nor abandoned";
            return Err(DecodeError::Invalid { what: "end", why }.into());
        }
    };
    let file = read_block(r, "ceremony file", LONGEST_CEREMONY_FILE)?;
    let ceremony = parse_ceremony(file).filter(|ceremony| ceremony.digest() == digest);
    let ceremony = ceremony.ok_or(BackupError::Ceremony(digest))?;
    let history = list(r, "transcripts", |r| Ok(read_block(r, "transcript", LONGEST)?))?;
    ascending("transcripts", history.iter())?;
    let history = history.into_iter().map(<[u8]>::to_vec).collect();
    let count = r.u32("records")?;
    let mut records = Vec::new();
    // The bytes bound it: nothing is set aside for what is only said to come.
    for _ in 0..count {
        let kind = r.u8("kind of record")?;
        if !lasts(kind) {
            let why = "not one that a backup holds";
            return Err(DecodeError::Invalid { what: "kind of record", why }.into());
        }
        let body = read_block(r, "record", LONGEST_BODY)?;
        records.push(Record { kind, body: SecretBytes::new(body.to_vec()) });
    }
    Ok(Kept { ceremony: Arc::new(ceremony), file: file.to_vec(), end, history, records })
}

fn read_block<'a>(
    r: &mut Reader<'a>,
    what: &'static str,
    most: usize,
) -> Result<&'a [u8], DecodeError> {
    let length = usize::try_from(r.u32(what)?).unwrap_or(usize::MAX);
    if length > most {
        return Err(DecodeError::Invalid { what, why: "longer than allowed" });
    }
    r.bytes(what, length)
}

fn list<'a, T>(
    r: &mut Reader<'a>,
    what: &'static str,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, BackupError>,
) -> Result<Vec<T>, BackupError> {
    let count = r.u16(what)?;
    (0..count).map(|_| read(r)).collect()
}

fn ascending<T: Ord>(
    what: &'static str,
    all: impl Iterator<Item = T> + Clone,
) -> Result<(), BackupError> {
    match all.clone().zip(all.skip(1)).all(|(one, next)| one < next) {
        true => Ok(()),
        false => Err(BackupError::Order(what)),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
