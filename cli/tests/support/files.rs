//! Files of tests: private ones, whole folders, and copies.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that only its owner may read.
pub(crate) fn private(path: impl AsRef<Path>, text: &str) {
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The permissions of a file or folder.
pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The only entry of a folder.
pub(crate) fn only(folder: impl AsRef<Path>) -> PathBuf {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

/// The kind of something in a folder, its mode, and the content of a file that can be read without
/// waiting.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// Kind and permissions, as the system has them.
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
}

/// Everything below a folder, by its path there; links are not followed.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, Found> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        // What this user may not read, the program could not write to.
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = match metadata.is_file() && metadata.len() < 64 << 20 {
                true => fs::read(&path).unwrap_or_default(),
                false => Vec::new(),
            };
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            let below = path.strip_prefix(root).unwrap().to_owned();
            found.insert(below, Found { mode: metadata.mode(), content });
        }
    }
    found
}

/// Every file below a folder, by its path there.
pub(crate) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    assert!(root.is_dir(), "{}", root.display());
    let mut found = BTreeMap::new();
    for (path, _) in tree(root) {
        if root.join(&path).is_file() {
            let bytes = fs::read(root.join(&path)).unwrap();
            found.insert(path.into_os_string().into_string().unwrap(), bytes);
        }
    }
    found
}

/// Copies a folder and all that is in it, with its permissions.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}
