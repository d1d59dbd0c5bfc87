//! The reshares to which this operator has committed its shares of a parent: a file for each,
//! written once, durable before the commit leaves.

use std::path::PathBuf;

use quorate::primitives::codec::{Reader, Writer};
use quorate::primitives::hash::{Digest, sha256};

use super::atomic;
use super::dir::{Lock, StateDir, check_private};
use super::error::{At as _, StoreError};

/// Their folder in the state directory.
const CHILDREN: &str = "children";
/// How their names end.
const ENDING: &str = ".child";
const MAGIC: &[u8; 4] = b"QCHD";
const VERSION: u16 = 1;
/// 8192 keys, and what stands around them.
const LONGEST: u64 = 4 + 2 + 32 + 32 + 4 + 48 * 8192 + 32;

/// A reshare that this operator has committed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Certificate of the ceremony whose shares it deals anew; of an import zero.
    pub parent: Digest,
    /// Digest of the reshare's file.
    pub reshare: Digest,
    /// The keys of its validators, compressed.
    pub validators: Vec<[u8; 48]>,
}

impl Child {
    /// Whether both deal shares of one validator of one parent, and are not one reshare.
    pub fn excludes(&self, other: &Self) -> bool {
        self.parent == other.parent
            && self.reshare != other.reshare
            && self.validators.iter().any(|key| other.validators.contains(key))
    }

    fn name(&self) -> String {
        format!("{}{ENDING}", hex::encode(&self.reshare.as_bytes()[..16]))
    }

    /// Its file, with a digest behind it: a damaged one must not look like another.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.validators.len()).expect("at most 8192 validators");
        let w = Writer::default()
            .bytes(MAGIC)
            .u16(VERSION)
            .bytes(self.parent.as_bytes())
            .bytes(self.reshare.as_bytes());
        let mut bytes = w.u32(count).each(&self.validators, |w, key| w.bytes(key)).finish();
        bytes.extend(sha256(&[&bytes]));
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        if sha256(&[body]) != digest {
            return None;
        }
        let what = "child";
        let read = |r: &mut Reader<'_>| {
            let magic: [u8; 4] = r.array(what)?;
            let version = r.u16(what)?;
            let (parent, reshare) = (Digest(r.array(what)?), Digest(r.array(what)?));
            let count = r.u32(what)?;
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len() / 48 + 1);
            let validators = r.many(count, |r| r.array(what))?;
            Ok(((magic, version), Self { parent, reshare, validators }))
        };
        let (front, child) = Reader::all(body, read).ok()?;
        (front == (*MAGIC, VERSION)).then_some(child)
    }
}

impl StateDir {
    /// Every reshare that this operator has committed to.
    ///
    /// # Errors
    /// One that is damaged is [`StoreError::ChildDamaged`]: without it nobody knows which reshare
    /// excludes which.
    pub fn children(&self) -> Result<Vec<Child>, StoreError> {
        let folder = self.path().join(CHILDREN);
        if atomic::look(&*self.disk, &folder)?.is_none() {
            return Ok(Vec::new());
        }
        let mut names = self.disk.list(&folder).at(&folder, "listing")?;
        names.sort();
        let named = |name: &std::ffi::OsString| {
            name.to_str().is_some_and(|name| !name.starts_with('.') && name.ends_with(ENDING))
        };
        let paths: Vec<PathBuf> =
            names.iter().filter(|name| named(name)).map(|name| folder.join(name)).collect();
        let read = |path: PathBuf| {
            let (bytes, stat) = atomic::read(&*self.disk, &path, LONGEST)?;
            check_private(&path, &stat)?;
            Child::decode(&bytes).ok_or(StoreError::ChildDamaged { path })
        };
        paths.into_iter().map(read).collect()
    }
}

impl Lock {
    /// Notes, durably and for ever, that this operator commits to a reshare. The same again is
    /// fine.
    pub fn write_child(&self, child: &Child) -> Result<(), StoreError> {
        let state = self.state();
        let folder = state.path().join(CHILDREN);
        atomic::ensure_dir(&*state.disk, &folder, 0o700)?;
        atomic::write_once(&*state.disk, &folder.join(child.name()), &child.encode(), 0o600)
    }
}
