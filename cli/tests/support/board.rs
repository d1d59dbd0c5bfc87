//! Boards in the hands of an enemy: files are lost, repeated, delayed, exchanged and made up.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use quorate::message::envelope::Round;
use quorate::message::posting::Posting;
use quorate::message::shape::Shape;
use quorate::spec::Ceremony;
use sha2::{Digest, Sha256};

/// A board and who can write to it.
pub(crate) struct Enemy {
    board: PathBuf,
    seed: u64,
    made: u64,
    /// Files that are held back, with what they hold.
    held: BTreeMap<PathBuf, Vec<u8>>,
}

impl Enemy {
    /// One who is given to chance with this seed.
    pub(crate) fn new(board: &Path, seed: u64) -> Self {
        Self { board: board.to_owned(), seed, made: 0, held: BTreeMap::new() }
    }

    /// A number below `below`, by chance.
    pub(crate) fn chance(&mut self, below: usize) -> usize {
        self.made += 1;
        let bytes = Sha256::digest([self.seed.to_be_bytes(), self.made.to_be_bytes()].concat());
        let number = u64::from_be_bytes(bytes[..8].try_into().unwrap());
        usize::try_from(number % below as u64).unwrap()
    }

    /// `0..n`, in an order by chance.
    pub(crate) fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        (1..n).for_each(|i| order.swap(i, self.chance(i + 1)));
        order
    }

    /// The folder of a slot.
    pub(crate) fn slot(&self, ceremony: &Ceremony, round: Round, seat: u16) -> PathBuf {
        let folder = format!("quorate-1/{}/{}-{seat}", ceremony.digest(), round.number());
        self.board.join(folder)
    }

    /// In every slot of a ceremony, so many files of the right lengths and with names as they
    /// should be; and what no reader should follow or wait for.
    pub(crate) fn fill(&mut self, ceremony: &Ceremony, each: usize) {
        let shape = Shape::of(ceremony);
        for round in Round::ALL {
            for seat in ceremony.indices() {
                let folder = self.slot(ceremony, round, seat.get());
                fs::create_dir_all(&folder).unwrap();
                let lengths = Posting::lengths(&shape, round, seat);
                for _ in 0..each {
                    let length = lengths[self.chance(lengths.len())];
                    let mut junk: Vec<u8> =
                        (0..length).map(|_| u8::try_from(self.chance(256)).unwrap()).collect();
                    let name = hex::encode(Sha256::digest(&junk));
                    // Of some, name and content fit.
                    let other = self.chance(4);
                    junk[length - 1] ^= u8::from(other > 0);
                    fs::write(folder.join(name), junk).unwrap();
                }
                let name = |what: &str| folder.join(hex::encode(Sha256::digest(what)));
                symlink("/dev/zero", name("endless")).unwrap();
                symlink(".", name("round")).unwrap();
                fs::create_dir(name("folder")).unwrap();
                rustix::fs::mknodat(
                    rustix::fs::CWD,
                    name("pipe"),
                    rustix::fs::FileType::Fifo,
                    rustix::fs::Mode::RUSR,
                    0,
                )
                .unwrap();
                fs::write(folder.join("notes.txt"), "not ours").unwrap();
                fs::write(folder.join(".new-0011223344556677"), "half").unwrap();
            }
        }
        symlink("/", self.board.join("quorate-1").join("0".repeat(64))).unwrap();
    }

    /// What operators have written: files whose names are those of their bytes, and that begin as
    /// statements do.
    pub(crate) fn honest(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let all = super::files::tree(&self.board);
        let is_one = |(path, found): &(PathBuf, super::files::Found)| {
            let name = path.file_name().unwrap().to_str().unwrap();
            found.content.starts_with(b"QRTE")
                && name.starts_with(&hex::encode(Sha256::digest(&found.content)))
        };
        all.into_iter().filter(is_one).map(|(path, found)| (path, found.content)).collect()
    }

    /// Loses, exchanges or repeats one of these files.
    pub(crate) fn harm(&mut self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        let files: Vec<_> = files.iter().collect();
        if files.is_empty() {
            return;
        }
        let (path, content) = files[self.chance(files.len())];
        let (other, others) = files[self.chance(files.len())];
        let at = |path: &Path| self.board.join(path);
        let beside = other.with_file_name(path.file_name().unwrap());
        match self.seed.wrapping_add(self.made) % 4 {
            0 => drop(fs::remove_file(at(path))),
            1 => {
                fs::write(at(path), others).unwrap();
                fs::write(at(other), content).unwrap();
            }
            2 => fs::write(at(&beside), content).unwrap(),
            _ => fs::write(at(path), &content[..content.len() - 1]).unwrap(),
        }
    }

    /// Holds back what is there and was not there before.
    pub(crate) fn hold_back(&mut self, before: &BTreeMap<PathBuf, Vec<u8>>) {
        for (path, content) in self.honest() {
            if !before.contains_key(&path) {
                fs::remove_file(self.board.join(&path)).unwrap();
                self.held.insert(path, content);
            }
        }
    }

    /// Gives what was held back.
    pub(crate) fn give_back(&mut self) {
        for (path, content) in core::mem::take(&mut self.held) {
            fs::write(self.board.join(path), content).unwrap();
        }
    }
}
