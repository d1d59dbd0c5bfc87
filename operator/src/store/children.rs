//! The reshares to which this operator has committed its shares of a parent: a file for each,
//! written once, durable before the commit leaves.

use std::path::PathBuf;

use quorate::protocol::child::Child;

use super::atomic;
use super::dir::{Lock, StateDir, check_private};
use super::error::{At as _, StoreError};

/// Their folder in the state directory.
const CHILDREN: &str = "children";
/// How their names end.
const ENDING: &str = ".child";

fn name(child: &Child) -> String {
    format!("{}{ENDING}", hex::encode(&child.reshare.as_bytes()[..16]))
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
            let (bytes, stat) = atomic::read(&*self.disk, &path, Child::LONGEST)?;
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
        atomic::write_once(&*state.disk, &folder.join(name(child)), &child.encode(), 0o600)
    }
}
