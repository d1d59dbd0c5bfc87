//! The memory of a running process, searched for many secrets at once (Linux: `/proc/PID/mem`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

/// Bytes that are looked for at once: half a key. A register holds as many, and what the stack has
/// of one is enough to shorten a search.
pub(crate) const PIECE: usize = 16;

/// Pieces, each with the number of the secret that it is of.
#[derive(Default)]
pub(crate) struct Pieces {
    of: BTreeMap<[u8; PIECE], usize>,
    /// Whether any piece begins with these two bytes.
    begins: Vec<bool>,
}

impl Pieces {
    /// Adds every piece of `bytes`; what is left over at the end is covered by one that overlaps.
    pub(crate) fn add(&mut self, bytes: &[u8], secret: usize) {
        assert!(bytes.len() >= PIECE, "too short to be told from chance");
        self.begins.resize(1 << 16, false);
        let (whole, _) = bytes.as_chunks::<PIECE>();
        for piece in whole.iter().chain(bytes.last_chunk()) {
            self.begins[usize::from(u16::from_le_bytes([piece[0], piece[1]]))] = true;
            self.of.insert(*piece, secret);
        }
    }

    /// Counts what is in `bytes`.
    fn count(&self, bytes: &[u8], found: &mut [usize]) {
        for window in bytes.windows(PIECE) {
            if self.begins[usize::from(u16::from_le_bytes([window[0], window[1]]))]
                && let Some(secret) = self.of.get(window)
            {
                found[*secret] += 1;
            }
        }
    }
}

/// The memory of a process, kept open.
pub(crate) struct Memory {
    maps: File,
    memory: File,
    pid: Pid,
}

impl Memory {
    /// Opens it. The program closes its memory to other processes of its user as the first thing
    /// that it does: without the superuser's rights this succeeds before that, or not at all.
    pub(crate) fn of(child: &Child) -> io::Result<Self> {
        let open = |what| File::open(format!("/proc/{}/{what}", child.id()));
        let (memory, maps) = (open("mem")?, open("maps")?);
        Ok(Self { maps, memory, pid: Pid::from_child(child) })
    }

    /// How many pieces of each of `secrets` are in memory that the process can write to, and in how
    /// many bytes was looked. The process stands still meanwhile.
    pub(crate) fn search(&self, pieces: &Pieces, secrets: usize) -> (Vec<usize>, usize) {
        kill_process(self.pid, Signal::STOP).unwrap();
        let mut text = String::new();
        let mut maps = &self.maps;
        maps.seek(SeekFrom::Start(0)).unwrap();
        maps.read_to_string(&mut text).unwrap();
        let mut regions = Vec::new();
        for line in text.lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let number = |hex| u64::from_str_radix(hex, 16).unwrap();
            if rest.starts_with("rw") {
                let mut bytes = vec![0; usize::try_from(number(end) - number(start)).unwrap()];
                self.memory.read_exact_at(&mut bytes, number(start)).unwrap();
                regions.push(bytes);
            }
        }
        kill_process(self.pid, Signal::CONT).unwrap();
        let mut found = vec![0; secrets];
        regions.iter().for_each(|bytes| pieces.count(bytes, &mut found));
        (found, regions.iter().map(Vec::len).sum())
    }
}

/// Whether a thread of this name runs in the process.
pub(crate) fn has_thread(child: &Child, name: &str) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok())
        .any(|found| found.trim() == name)
}
