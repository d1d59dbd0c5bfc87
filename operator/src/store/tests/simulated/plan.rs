//! What goes wrong with a simulated disk, and what a crash leaves of it.

/// The fault to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::tests) enum Plan {
    /// Nothing.
    Fine,
    /// Before this effect the power goes.
    Crash(usize),
    /// This effect fails once; a write fails half-way, a sync forgets what it should have written.
    Fail(usize),
    /// If this effect is a write, it says that it succeeded, but one bit is wrong.
    Flip(usize),
    /// If this effect is a sync, it says that it succeeded, but nothing was written.
    Lie(usize),
    /// From this effect on there is no space.
    Full(usize),
}

/// What a crash leaves of writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::tests) enum Content {
    All,
    /// The last write stops half-way.
    Half,
    Nothing,
    /// Each sector is new, old or zero.
    Sectors(u64),
    /// The length is right and the content is zero.
    Zeros,
}

/// What a crash leaves of directory changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::tests) enum Names {
    All,
    Nothing,
    /// Those before some point, in each directory.
    Some(u64),
}

/// Ways to lose things.
pub(in crate::store::tests) fn aftermaths() -> Vec<(Content, Names)> {
    let contents = [Content::All, Content::Half, Content::Nothing, Content::Zeros];
    let contents = contents.into_iter().chain((0..4).map(Content::Sectors));
    let names = [Names::All, Names::Nothing, Names::Some(1), Names::Some(2)];
    contents.flat_map(|content| names.map(|names| (content, names))).collect()
}
