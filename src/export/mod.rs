//! The files of a finished ceremony for other programs: named bytes with an audience. Nothing here
//! touches a disk.

pub mod cut_over;

pub mod exits;

pub mod keystores;

pub mod launchpad;

pub mod obol;

pub mod recover;

pub mod ssv;

/// Who may see an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Public,
    /// The operator it was made for.
    Secret,
}

/// A file to be: its relative name, `/` between folders, and its bytes. The same inputs give the
/// same bytes, except for what is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Relative to the output folder; lower-case ASCII, digits, `-`, `_`, `.`, and `/` between
    /// folders. Never `..`.
    pub name: String,
    /// Who may see it.
    pub audience: Audience,
    /// What is in it.
    pub bytes: Vec<u8>,
}
