//! Writes the seed corpora: `cargo run --example seeds`, in this directory. The same files come out
//! every time; `tests/seeds.rs` compares.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (target, name, bytes) in quorate_fuzz::seeds::all() {
        let folder = root.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
