//! The byte format of the log.
//!
//! ```text
//! block 0      "QLOG" ‖ version(1) ‖ salt(32) ‖ context(32) ‖ check(32), zeros up to 4096 bytes
//! block 1, 2   mark: length(8) ‖ tag(32)
//! from 12288   records: length(4) ‖ nonce(24) ‖ ciphertext of (body ‖ kind(1) ‖ last(1)) ‖ tag(16)
//! ```
//!
//! All numbers are big-endian; a record's length counts what comes after it. `file key =
//! TH(storage-key, "log.sealed", storage key, salt, context)`, `check = TH(storage-key, "log.sealed
//! check", file key)`, a mark's `tag = TH(storage-key, "log.sealed mark", file key, length)`.
//! Records are sealed with XChaCha20-Poly1305 under the file key; associated data: `"log.sealed" ‖
//! version(1) ‖ context(32) ‖ sequence number(8)`, the first record being number 0.
//!
//! `last` is 1 in the last record of each append: the records of one append count together or not
//! at all.
//!
//! A mark says how long the file is known to be durably. It is written after each append, into the
//! block that the previous mark is not in, and is synced only with the next append. So at most one
//! mark can be torn, and whatever a crash leaves half-written lies behind the mark that holds. What
//! does not authenticate behind it is the remainder of an append that was never acknowledged, and
//! is dropped; what does not authenticate before it is damage.

use std::path::Path;

use quorate::primitives::codec::Writer;
use quorate::primitives::hash::{Tag, secret_bytes, tagged};
use quorate::primitives::secret::{Secret32, SecretBytes, wiping};

use super::ceremony_dir::LOG_FILE;
use super::disk::Handle;
use super::error::{At as _, StoreError};
use super::seal::{NONCE, TAG, decrypt, encrypt};

const MAGIC: &[u8; 4] = b"QLOG";
const VERSION: u8 = 1;
const SALT: usize = 32;
const BLOCK: usize = 4096;
const MARK: usize = 40;
/// Where the marks are.
const SLOTS: [u64; 2] = [BLOCK as u64, 2 * BLOCK as u64];
/// Where the records begin.
pub(super) const RECORDS: u64 = 3 * BLOCK as u64;
const RECORD_OVERHEAD: usize = NONCE + 2 + TAG;

/// The longest body of a record, in bytes.
pub const LONGEST_BODY: usize = 64 << 20;

/// One thing to remember.
pub struct Record {
    /// What it is; the log does not care.
    pub kind: u8,
    /// The thing, at most [`LONGEST_BODY`].
    pub body: SecretBytes,
}

/// The key of one log file.
pub(super) struct LogKey {
    key: Secret32,
    salt: [u8; SALT],
    context: [u8; 32],
}

/// Which marks of a log hold.
#[derive(Clone, Copy)]
pub(super) struct Marked {
    /// The length that is known to be durable.
    pub(super) len: u64,
    /// The slot that says so.
    slot: usize,
}

impl Marked {
    /// What [`LogKey::empty_file`] writes.
    pub(super) const EMPTY: Self = Self { len: RECORDS, slot: 0 };

    /// Notes that the file is durable up to `len`. If this fails, the mark that holds still holds.
    pub(super) fn advance(&mut self, file: &dyn Handle, key: &LogKey, len: u64) {
        let slot = 1 - self.slot;
        if file.write_at(SLOTS[slot], &key.mark(len)).is_ok() {
            *self = Self { len, slot };
        }
    }
}

/// What a log holds.
pub(super) struct Scanned {
    /// Where its last complete append ends.
    pub(super) end: u64,
    /// Kinds of its records, in order.
    pub(super) kinds: Vec<u8>,
}

impl LogKey {
    /// The key of a new log.
    pub(super) fn fresh(storage: &Secret32, context: &[u8; 32]) -> Result<Self, StoreError> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(StoreError::Randomness)?;
        Ok(Self::derive(storage, salt, context))
    }

    fn derive(storage: &Secret32, salt: [u8; SALT], context: &[u8; 32]) -> Self {
        let parts: [&[u8]; 4] = [LOG_FILE.as_bytes(), storage.expose(), &salt, context];
        let key = wiping(|| secret_bytes(Tag::StorageKey, &parts));
        Self { key, salt, context: *context }
    }

    /// Whether this is the key of the same file.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.salt == other.salt
    }

    fn check(&self) -> [u8; 32] {
        wiping(|| tagged(Tag::StorageKey, &[b"log.sealed check", self.key.expose()]).0)
    }

    fn mark(&self, len: u64) -> [u8; MARK] {
        let parts: [&[u8]; 3] = [b"log.sealed mark", self.key.expose(), &len.to_be_bytes()];
        let tag = wiping(|| tagged(Tag::StorageKey, &parts));
        let mut mark = [0; MARK];
        mark[..8].copy_from_slice(&len.to_be_bytes());
        mark[8..].copy_from_slice(tag.as_bytes());
        mark
    }

    fn header(&self) -> Vec<u8> {
        let header = Writer::with_capacity(BLOCK)
            .bytes(MAGIC)
            .u8(VERSION)
            .bytes(&self.salt)
            .bytes(&self.context)
            .bytes(&self.check());
        let mut header = header.finish();
        header.resize(BLOCK, 0);
        header
    }

    /// A log without records.
    pub(super) fn empty_file(&self) -> Vec<u8> {
        let mut file = self.header();
        file.extend_from_slice(&self.mark(RECORDS));
        file.resize(3 * BLOCK, 0);
        file
    }

    fn associated(&self, sequence: u64) -> Vec<u8> {
        Writer::with_capacity(64)
            .bytes(LOG_FILE.as_bytes())
            .u8(VERSION)
            .bytes(&self.context)
            .u64(sequence)
            .finish()
    }

    /// A record's bytes in the file.
    pub(super) fn seal(
        &self,
        sequence: u64,
        kind: u8,
        last: bool,
        body: &SecretBytes,
    ) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(StoreError::Randomness)?;
        let body = body.expose();
        let length =
            u32::try_from(RECORD_OVERHEAD + body.len()).expect("bodies are bounded by the caller");
        let writer =
            Writer::with_capacity(4 + RECORD_OVERHEAD + body.len()).u32(length).bytes(&nonce);
        let mut sealed = writer.bytes(body).u8(kind).u8(u8::from(last)).finish();
        let tag = encrypt(
            self.key.expose(),
            &nonce,
            &self.associated(sequence),
            &mut sealed[4 + NONCE..],
        );
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// What a record's bytes (without the length) hold, and whether it is the last of its append.
    fn open(&self, sequence: u64, mut sealed: Vec<u8>) -> Option<(Record, bool)> {
        let (nonce, rest) = sealed.split_first_chunk_mut()?;
        let (body, tag) = rest.split_last_chunk_mut()?;
        decrypt(self.key.expose(), nonce, &self.associated(sequence), body, tag)?;
        let end = sealed.len() - TAG;
        let (kind, last) = (sealed[end - 2], sealed[end - 1]);
        // From here on it is secret.
        sealed.truncate(end - 2);
        sealed.copy_within(NONCE.., 0);
        sealed.truncate(end - 2 - NONCE);
        let body = SecretBytes::new(sealed);
        (last <= 1).then_some((Record { kind, body }, last == 1))
    }
}

fn damaged(path: &Path, why: &'static str) -> StoreError {
    StoreError::LogDamaged { path: path.to_owned(), why }
}

/// Reads a log's header and marks: its key, if it is sealed with one made of `storage`.
pub(super) fn read_header(
    path: &Path,
    file: &dyn Handle,
    storage: &Secret32,
    context: &[u8; 32],
) -> Result<(LogKey, Marked), StoreError> {
    let len = file.stat().at(path, "looking at it")?.len;
    if len < RECORDS {
        return Err(damaged(path, "it is shorter than its header"));
    }
    let mut header = [0; BLOCK];
    file.read_at(0, &mut header).at(path, "reading")?;
    let (magic, rest) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(damaged(path, "it does not start like a log"));
    }
    if rest[0] != VERSION {
        return Err(StoreError::LogVersion {
            path: path.to_owned(),
            found: rest[0],
            known: VERSION,
        });
    }
    let salt = *rest[1..].first_chunk().expect("a block is longer");
    if rest[1 + SALT..][..32] != *context {
        return Err(StoreError::LogForeign { path: path.to_owned() });
    }
    let key = LogKey::derive(storage, salt, context);
    if header != *key.header() {
        return Err(StoreError::LogKey { path: path.to_owned() });
    }
    let mut best: Option<Marked> = None;
    for (slot, at) in SLOTS.into_iter().enumerate() {
        let mut mark = [0; MARK];
        file.read_at(at, &mut mark).at(path, "reading")?;
        let len = u64::from_be_bytes(*mark.first_chunk().expect("8 of 40 bytes"));
        if key.mark(len) == mark && best.is_none_or(|best| best.len < len) {
            best = Some(Marked { len, slot });
        }
    }
    let marked = best.ok_or_else(|| damaged(path, "neither of its two length marks is valid"))?;
    if marked.len > len {
        return Err(damaged(
            path,
            "records at its end are missing although they were written and synced",
        ));
    }
    Ok((key, marked))
}

/// Reads all complete appends, and hands their records to `visit` in order. Stops at the remainder
/// of an append that a crash interrupted.
pub(super) fn scan(
    path: &Path,
    file: &dyn Handle,
    key: &LogKey,
    marked: Marked,
    mut visit: impl FnMut(Record) -> Result<(), StoreError>,
) -> Result<Scanned, StoreError> {
    let len = file.stat().at(path, "looking at it")?.len;
    let mut scanned = Scanned { end: RECORDS, kinds: Vec::new() };
    let (mut at, mut pending) = (RECORDS, Vec::new());
    while let Some(sealed) = next(path, file, at, len)? {
        let after = at + 4 + sealed.len() as u64;
        let sequence = (scanned.kinds.len() + pending.len()) as u64;
        let Some((record, last)) = key.open(sequence, sealed) else { break };
        at = after;
        pending.push(record);
        if last {
            scanned.end = at;
            for record in pending.drain(..) {
                scanned.kinds.push(record.kind);
                visit(record)?;
            }
        }
    }
    if scanned.end < marked.len {
        return Err(damaged(
            path,
            "a record does not authenticate, and a crash cannot be the cause",
        ));
    }
    Ok(scanned)
}

/// The bytes of the record at `at`, without its length; `None` if the file has no whole record
/// there.
fn next(path: &Path, file: &dyn Handle, at: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let rest = len.saturating_sub(at);
    if rest < 4 {
        return Ok(None);
    }
    let mut length = [0; 4];
    file.read_at(at, &mut length).at(path, "reading")?;
    let length = u32::from_be_bytes(length);
    let bounds = RECORD_OVERHEAD..=RECORD_OVERHEAD + LONGEST_BODY;
    let Some(size) = usize::try_from(length).ok().filter(|size| bounds.contains(size)) else {
        return Ok(None);
    };
    if u64::from(length) > rest - 4 {
        return Ok(None);
    }
    let mut sealed = vec![0; size];
    file.read_at(at + 4, &mut sealed).at(path, "reading")?;
    Ok(Some(sealed))
}
