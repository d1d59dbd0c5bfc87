//! Writes outputs: all of them appear together, by one rename, or none does. Nothing is ever
//! overwritten.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use quorate::export::{Artifact, Audience};

use super::atomic;
use super::ceremony_dir::CeremonyDir;
use super::disk::{Access, Disk, RealDisk};
use super::error::{At as _, StoreError};

/// Where written outputs are.
pub(super) const OUT: &str = "out";
/// How the names of staging directories begin.
const STAGING: &str = "out.staging-";
pub(super) const PUBLIC: &str = "public";
/// Where the secret ones are, in there.
pub(super) const SECRET: &str = "secret";

/// Outputs that are written, synced and read back, but have no name that anybody looks for.
///
/// Public artifacts go to `public/` (files 0644, folders 0755), secret ones to `secret/` (0600,
/// 0700), with these modes from the moment they exist. One that is dropped unwritten stays on
/// disk until outputs are staged again.
pub struct Staging {
    dir: CeremonyDir,
    root: PathBuf,
    folders: BTreeSet<PathBuf>,
    /// Names of the public artifacts.
    public: Vec<String>,
}

/// How writing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Outputs of an earlier run are there, and were left as they are.
    Earlier {
        /// Public artifacts that are not there, or not with these bytes. Secret ones are encrypted
        /// afresh each time, and not compared.
        different: Vec<String>,
    },
    /// They are out.
    Now,
}

/// Outputs that were staged in the folder of a ceremony and not written, the keystores of its
/// operator among them; none if the folder cannot be read.
pub fn staged(folder: &Path) -> Vec<PathBuf> {
    let mut staged = staged_on(&RealDisk, folder).unwrap_or_default();
    staged.sort();
    staged
}

/// Outputs that were staged in a folder and not written.
pub(super) fn staged_on(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let names = disk.list(folder).at(folder, "listing")?;
    let staged = names.into_iter().filter(|name| atomic::starts_with(name, STAGING));
    Ok(staged.map(|name| folder.join(name)).collect())
}

impl Staging {
    pub(super) fn new(dir: CeremonyDir, artifacts: &[Artifact]) -> Result<Self, StoreError> {
        let disk = &*dir.view().disk;
        let home = dir.view().path();
        for path in staged_on(disk, home)? {
            disk.remove_tree(&path).at(&path, "removing")?;
        }
        let root = home.join(atomic::fresh_name(STAGING)?);
        disk.make_dir(&root, 0o755).at(&root, "making the directory")?;
        let mut staging =
            Self { folders: BTreeSet::from([root.clone()]), dir, root, public: Vec::new() };
        match staging.add(artifacts) {
            Ok(()) => Ok(staging),
            Err(error) => {
                // Gives the space back; what cannot be removed now is removed when outputs are
                // staged again.
                let _ = staging.disk().remove_tree(&staging.root);
                Err(error)
            }
        }
    }

    fn disk(&self) -> &dyn Disk {
        &*self.dir.view().disk
    }

    /// Adds more. After an error the whole staging is of no use.
    pub fn add(&mut self, artifacts: &[Artifact]) -> Result<(), StoreError> {
        let mut written = Vec::with_capacity(artifacts.len());
        for artifact in artifacts {
            let path = self.place(artifact)?;
            let mode = if artifact.audience == Audience::Secret { 0o600 } else { 0o644 };
            let file = self.disk().create(&path, mode).at(&path, "creating")?;
            file.write_at(0, &artifact.bytes).at(&path, "writing")?;
            written.push(path);
        }
        // In a second pass, so that the system can write many files at a time.
        let whole = self
            .disk()
            .sync_below(&self.root, written.len())
            .at(&self.root, "syncing all files of it")?;
        for (path, artifact) in written.iter().zip(artifacts) {
            if !whole {
                let file = self.disk().open(path, Access::ReadWrite).at(path, "opening")?;
                file.sync().at(path, "syncing")?;
            }
            if !atomic::holds(self.disk(), path, &artifact.bytes)? {
                return Err(StoreError::ReadBack { path: path.clone() });
            }
        }
        // Names in the innermost folders first.
        for folder in self.folders.iter().rev().filter(|_| !whole) {
            self.disk().sync_dir(folder).at(folder, "syncing the directory")?;
        }
        let public = artifacts.iter().filter(|artifact| artifact.audience == Audience::Public);
        self.public.extend(public.map(|artifact| artifact.name.clone()));
        Ok(())
    }

    /// Where an artifact goes; makes the folders on the way.
    fn place(&mut self, artifact: &Artifact) -> Result<PathBuf, StoreError> {
        let parts = parts(&artifact.name)
            .ok_or_else(|| StoreError::BadName { name: artifact.name.clone() })?;
        let (top, mode) = match artifact.audience {
            Audience::Public => (PUBLIC, 0o755),
            Audience::Secret => (SECRET, 0o700),
        };
        let (last, folders) = parts.split_last().expect("parts() gives at least one");
        let mut path = self.root.clone();
        for folder in [top].iter().chain(folders) {
            path.push(folder);
            if !self.folders.contains(&path) {
                self.disk().make_dir(&path, mode).at(&path, "making the directory")?;
                self.folders.insert(path.clone());
            }
        }
        Ok(path.join(last))
    }

    /// Gives the outputs their name.
    pub fn write_out(self) -> Result<Written, StoreError> {
        let home = self.dir.view().path();
        let out = self.dir.view().out();
        let written = match self.disk().rename_new(&self.root, &out).at(&out, "naming") {
            Ok(()) => Written::Now,
            Err(StoreError::Exists { .. }) => {
                let different = self.different(&out)?;
                self.disk().remove_tree(&self.root).at(&self.root, "removing")?;
                Written::Earlier { different }
            }
            Err(error) => return Err(error),
        };
        // Also for an earlier run, which may have been killed before this.
        self.disk().sync_dir(home).at(home, "syncing the directory")?;
        Ok(written)
    }

    fn different(&self, out: &Path) -> Result<Vec<String>, StoreError> {
        let mut different = Vec::new();
        for name in &self.public {
            let (staged, _) =
                atomic::read(self.disk(), &self.root.join(PUBLIC).join(name), u64::from(u32::MAX))?;
            match atomic::holds(self.disk(), &out.join(PUBLIC).join(name), &staged) {
                Ok(true) => {}
                Ok(false) | Err(StoreError::Missing { .. }) => different.push(name.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(different)
    }
}

/// How the name of a folder begins that a person asked for, until it is whole. Of a program that
/// was killed it stays, where it is seen.
const UNFINISHED: &str = "unfinished-";

/// Writes artifacts to a new folder that a person named, without `public` and `secret` in between:
/// it appears by one rename, with everything in it, or not at all. Folders and files are open to
/// their owner only if anything in it is secret.
pub fn write_folder(path: &Path, artifacts: &[Artifact]) -> Result<(), StoreError> {
    let secret = artifacts.iter().any(|artifact| artifact.audience == Audience::Secret);
    let (folder_mode, file_mode) = if secret { (0o700, 0o600) } else { (0o755, 0o644) };
    build_folder(path, folder_mode, |root| {
        let disk = &RealDisk;
        let mut folders = BTreeSet::from([root.to_owned()]);
        for artifact in artifacts {
            let parts = parts(&artifact.name)
                .ok_or_else(|| StoreError::BadName { name: artifact.name.clone() })?;
            let (last, inner) = parts.split_last().expect("parts() gives at least one");
            let mut place = root.to_owned();
            for folder in inner {
                place.push(folder);
                if folders.insert(place.clone()) {
                    disk.make_dir(&place, folder_mode).at(&place, "making the directory")?;
                }
            }
            atomic::write_file(disk, &place.join(last), &artifact.bytes, file_mode)?;
        }
        // Names in the innermost folders first.
        folders
            .iter()
            .rev()
            .try_for_each(|folder| disk.sync_dir(folder).at(folder, "syncing the directory"))
    })?
}

/// Makes a new folder of this mode at a path that a person named: `build` fills it where nobody
/// looks yet, durably, and then it appears by one rename, or it does not appear at all. The inner
/// error is that of `build`.
pub fn build_folder<T, E>(
    path: &Path,
    mode: u32,
    build: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<Result<T, E>, StoreError> {
    let disk = &RealDisk;
    let path = std::path::absolute(path).at(path, "finding it")?;
    if atomic::look(disk, &path)?.is_some() {
        return Err(StoreError::Exists { path });
    }
    let Some(home) = path.parent() else { return Err(StoreError::Exists { path }) };
    // Not among what a run sweeps: the folder may be one of ours, and another process may still be
    // at this.
    let root = home.join(atomic::fresh_name(UNFINISHED)?);
    disk.make_dir(&root, mode).at(&root, "making the directory")?;
    let built = build(&root);
    let named = match &built {
        Ok(_) => disk.rename_new(&root, &path).at(&path, "naming"),
        Err(_) => Ok(()),
    };
    if built.is_err() || named.is_err() {
        let _ = disk.remove_tree(&root);
    }
    named.and_then(|()| disk.sync_dir(home).at(home, "syncing the directory")).map(|()| built)
}

/// The components of a name; `None` unless each is plain: ASCII letters, digits, `-`, `_`, `.`, the
/// first of them a letter or a digit.
fn parts(name: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = name.split('/').collect();
    let plain = |part: &&str| {
        part.len() <= 200
            && part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    (parts.len() <= 8 && parts.iter().all(plain)).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert_eq!(parts("transcript.quorate"), Some(vec!["transcript.quorate"]));
        assert_eq!(
            parts("validator_keys/keystore-0_1.json"),
            Some(vec!["validator_keys", "keystore-0_1.json"])
        );
        let long = "a".repeat(201);
        let deep = "a/".repeat(8) + "a";
        for name in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", ".a", "-a", "a b",
            "a\\b", "a\0", "ä", &long, &deep,
        ] {
            assert_eq!(parts(name), None, "{name:?}");
        }
    }
}
