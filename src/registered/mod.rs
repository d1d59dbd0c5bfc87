//! Whether the keys that a registry or the chain has are those of ceremonies: lists that others
//! export, compared with audited transcripts.

mod compare;

mod read;

mod table;

pub use compare::{Comparison, Known, Registered, Wrong, compare};
pub use read::{Entry, LARGEST, List, ListError, MOST_ENTRIES, Source};
