//! Ports of this machine on which nobody listens.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port: all are below the range from which systems take those of outgoing connections.
const FIRST: u16 = 11_000;
/// How many a program of tests has to itself. It gives each once, and then again from the first.
const BLOCK: u16 = 500;
const BLOCKS: u16 = 40;

/// The first port of this program's block, and the claim to it: other programs of tests that run at
/// the same time have other blocks.
static CLAIMED: LazyLock<(u16, File)> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ports");
    fs::create_dir_all(&folder).unwrap();
    // Those of other checkouts begin elsewhere, most likely.
    let begin = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
    let claim = |i: u16| {
        let block = (begin + i) % BLOCKS;
        let file = File::create(folder.join(block.to_string())).unwrap();
        file.try_lock().is_ok().then_some((FIRST + block * BLOCK, file))
    };
    (0..BLOCKS).find_map(claim).expect("fewer programs of tests at the same time")
});

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let port = || CLAIMED.0 + NEXT.fetch_add(1, Ordering::Relaxed) % BLOCK;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (0..BLOCK).map(|_| port()).find(free).expect("a free port")
}

/// An address on which nobody listens.
pub(crate) fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
