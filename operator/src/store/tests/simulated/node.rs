//! Files and directories of a simulated disk: as they are seen, as they are durable, and the
//! changes in between, which a crash loses.

use std::collections::BTreeMap;
use std::ffi::OsString;

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::plan::{Content, Names};

const SECTOR: usize = 512;

#[derive(Clone)]
pub(super) enum FileOp {
    Len(usize),
    Write(usize, Vec<u8>),
}

impl FileOp {
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Write(at, mut new) if !new.is_empty() => {
                new[0] ^= 1;
                Self::Write(at, new)
            }
            other => other,
        }
    }

    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Len(len) => bytes.resize(*len, 0),
            Self::Write(at, new) => {
                bytes.resize(bytes.len().max(at + new.len()), 0);
                bytes[*at..at + new.len()].copy_from_slice(new);
            }
        }
    }
}

#[derive(Clone)]
pub(super) enum DirOp {
    Add(OsString, u64),
    Move(OsString, OsString),
    Remove(OsString),
}

pub(super) type Entries = BTreeMap<OsString, u64>;

impl DirOp {
    pub(super) fn apply(&self, names: &mut Entries) {
        match self {
            Self::Add(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Move(from, to) => {
                let node = names.remove(from).unwrap();
                names.insert(to.clone(), node);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

#[derive(Clone)]
pub(super) enum Node {
    Dir { mode: u32, live: Entries, durable: Entries, pending: Vec<DirOp> },
    File { mode: u32, live: Vec<u8>, durable: Vec<u8>, pending: Vec<FileOp> },
}

impl Node {
    pub(super) fn dir(mode: u32) -> Self {
        Self::Dir { mode, live: BTreeMap::new(), durable: BTreeMap::new(), pending: Vec::new() }
    }

    pub(super) fn after(&self, number: u64, content: Content, kept: Names) -> Self {
        let random = |seed: u64| ChaCha20Rng::seed_from_u64(seed << 32 | number);
        match self {
            Self::Dir { mode, durable, pending, .. } => {
                let count = match kept {
                    Names::All => pending.len(),
                    Names::Nothing => 0,
                    Names::Some(seed) => random(seed).next_u32() as usize % (pending.len() + 1),
                };
                let mut names = durable.clone();
                pending[..count].iter().for_each(|op| op.apply(&mut names));
                Self::Dir { mode: *mode, live: names.clone(), durable: names, pending: Vec::new() }
            }
            Self::File { mode, durable, pending, .. } => {
                let mut bytes = durable.clone();
                let mut random =
                    random(if let Content::Sectors(seed) = content { seed } else { 0 });
                for (position, op) in pending.iter().enumerate() {
                    lose(op, position + 1 == pending.len(), content, &mut random, &mut bytes);
                }
                Self::File { mode: *mode, live: bytes.clone(), durable: bytes, pending: Vec::new() }
            }
        }
    }
}

/// Applies what a crash leaves of one operation.
fn lose(
    op: &FileOp,
    is_last: bool,
    content: Content,
    random: &mut ChaCha20Rng,
    bytes: &mut Vec<u8>,
) {
    match (content, op) {
        (Content::All, _) => op.apply(bytes),
        (Content::Nothing, _) => {}
        (Content::Half, FileOp::Write(at, new)) if is_last => {
            FileOp::Write(*at, new[..new.len() / 2].to_vec()).apply(bytes)
        }
        (Content::Half, _) => op.apply(bytes),
        (Content::Sectors(_), FileOp::Len(_)) if random.next_u32().is_multiple_of(2) => {}
        (_, FileOp::Len(_)) => op.apply(bytes),
        (Content::Zeros, FileOp::Write(at, new)) => {
            FileOp::Write(*at, vec![0; new.len()]).apply(bytes)
        }
        (Content::Sectors(_), FileOp::Write(at, new)) => {
            for (sector, part) in new.chunks(SECTOR).enumerate() {
                let at = at + sector * SECTOR;
                match random.next_u32() % 4 {
                    0 => {}
                    1 => FileOp::Write(at, vec![0; part.len()]).apply(bytes),
                    _ => FileOp::Write(at, part.to_vec()).apply(bytes),
                }
            }
        }
    }
}
