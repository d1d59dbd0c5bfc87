//! Finds and decrypts keystores in the layouts of this program and of the common validator clients,
//! with the passwords that lie beside them.

use std::path::{Path, PathBuf};

use super::report::{CliError, Output};
use super::{input, messages, prompt, secret_file};
use quorate::ethereum::keystore::{DerivedKey, Keystore, KeystoreError, Password};
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::ceremony::MOST_VALIDATORS;

/// Longest keystore that is looked at; its own bound is lower.
pub(crate) const MOST_KEYSTORE_BYTES: usize = 64 << 10;
/// Where keystores lie inside of a folder: those of Ethereum's deposit tools, Charon and Prysm; of
/// Web3Signer and Lodestar; of Lighthouse and Nimbus; of Teku.
const FOLDERS: [&str; 4] = ["validator_keys", "keystores", "validators", "keys"];
/// What Lighthouse, Lodestar and Nimbus call a keystore, in a folder named after its key.
const OF_A_KEY: [&str; 2] = ["voting-keystore.json", "keystore.json"];
/// Where passwords lie, beside the folder of the keystores.
const PASSWORDS: [&str; 3] = ["validator_passwords", "passwords", "secrets"];

/// A keystore that was decrypted.
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    pub(crate) keystore: Keystore,
    pub(crate) secret: SecretScalar,
}

/// Why keystores were not opened.
pub(crate) enum Unopened {
    /// A file or a password that is missing.
    Local(CliError),
    /// A keystore that is wrong.
    Refused(PathBuf, KeystoreError),
}

impl From<CliError> for Unopened {
    fn from(error: CliError) -> Self {
        Self::Local(error)
    }
}

/// The keystores that a path names: a file itself, or those of a folder or of the first of its
/// usual inner folders that has any; by name.
pub(crate) fn find(named: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !named.is_dir() {
        return Ok(vec![named.to_owned()]);
    }
    let inner = FOLDERS.iter().map(|name| named.join(name)).filter(|folder| folder.is_dir());
    for folder in std::iter::once(named.to_owned()).chain(inner) {
        let found = within(&folder)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(messages::no_keystores(named, &FOLDERS))
}

/// The keystores in one folder, or in folders that are named after their keys.
fn within(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let reading = |error| messages::reading(folder, &error);
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(reading)? {
        let name = entry.map_err(reading)?.file_name();
        let Some(text) = name.to_str() else { continue };
        let path = folder.join(&name);
        if text.starts_with("keystore") && text.ends_with(".json") {
            paths.push(path);
        } else if text.starts_with("0x") {
            paths.extend(OF_A_KEY.map(|name| path.join(name)).into_iter().find(|at| at.is_file()));
        }
        if paths.len() > MOST_VALIDATORS {
            return Err(messages::too_many_keystores(folder, MOST_VALIDATORS));
        }
    }
    paths.sort();
    Ok(paths)
}

/// The file with a keystore's password, if one lies where tools put it: beside it with the same
/// name and `.txt`, or in a folder of passwords beside its folder.
fn password_beside(keystore: &Path) -> Option<PathBuf> {
    let folder = keystore.parent()?;
    let named = Path::new(keystore.file_stem()?).with_extension("txt");
    let beside = std::iter::once(keystore.with_extension("txt"));
    let apart = folder.parent().into_iter().flat_map(|above| {
        PASSWORDS.iter().map(|name| above.join(name).join(&named)).collect::<Vec<_>>()
    });
    // Of a folder that is named after its key, as Lighthouse has it: `secrets/0x...`.
    let of_key = folder.file_name().zip(folder.parent().and_then(Path::parent));
    let of_key = of_key.map(|(key, above)| above.join("secrets").join(key));
    beside.chain(apart).chain(of_key).find(|path| path.is_file())
}

/// Reads and decrypts keystores. Their passwords are in `password_file`; or else beside them; or
/// else it is the passphrase, or asked for once, after all files were read.
pub(crate) fn open(
    paths: Vec<PathBuf>,
    parse: impl Fn(&[u8]) -> Result<Keystore, KeystoreError>,
    password_file: Option<&Path>,
    out: &Output,
) -> Result<Vec<Opened>, Unopened> {
    let mut read = Vec::with_capacity(paths.len());
    for path in paths {
        match parse(&input::read(&path, MOST_KEYSTORE_BYTES)?) {
            Ok(keystore) => read.push((path, keystore)),
            Err(error) => return Err(Unopened::Refused(path, error)),
        }
    }
    // Those of one run share a password and a derived key.
    let mut last: Option<(SecretBytes, DerivedKey)> = None;
    let mut for_all: Option<SecretBytes> = None;
    let mut opened = Vec::with_capacity(read.len());
    for (path, keystore) in read {
        let beside = password_file.is_none().then(|| password_beside(&path)).flatten();
        let own = beside.map(|file| secret_file::read(&file)).transpose()?;
        let password = match (&own, &mut for_all) {
            (Some(own), _) => own,
            (None, Some(asked)) => &*asked,
            (None, empty) => {
                let opens = |typed: &SecretBytes| {
                    let text = Password::new(typed)
                        .map_err(|error| messages::keystore_password(&error))?;
                    let key = keystore.derive(&text);
                    let wrong = keystore.decrypt_with(&key).err();
                    last = Some((SecretBytes::new(typed.expose().to_vec()), key));
                    Ok(!matches!(wrong, Some(KeystoreError::Checksum)))
                };
                empty.insert(prompt::keystore_password(password_file, out, opens)?)
            }
        };
        let known = last.as_ref().filter(|(used, _)| used.expose() == password.expose());
        let decrypted = match known.map(|(_, key)| keystore.decrypt_with(key)) {
            None | Some(Err(KeystoreError::AnotherDerivation)) => {
                let text =
                    Password::new(password).map_err(|error| messages::keystore_password(&error))?;
                let key = keystore.derive(&text);
                let decrypted = keystore.decrypt_with(&key);
                last = Some((SecretBytes::new(password.expose().to_vec()), key));
                decrypted
            }
            Some(decrypted) => decrypted,
        };
        match decrypted {
            Ok(secret) => opened.push(Opened { path, keystore, secret }),
            Err(error) => return Err(Unopened::Refused(path, error)),
        }
    }
    Ok(opened)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn laid_out(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn layouts_of_validator_clients() {
        let key = format!("0x{}", "ab".repeat(48));
        let lighthouse =
            [format!("validators/{key}/voting-keystore.json"), format!("secrets/{key}")];
        let lighthouse = lighthouse.each_ref().map(String::as_str);
        for [keystore, password] in [
            ["keystore-0.json", "keystore-0.txt"],
            ["validator_keys/keystore-0.json", "validator_keys/keystore-0.txt"],
            ["validator_keys/keystore-m_0.json", "validator_passwords/keystore-m_0.txt"],
            ["keystores/keystore-0.json", "passwords/keystore-0.txt"],
            ["keys/keystore-0.json", "passwords/keystore-0.txt"],
            lighthouse,
        ] {
            let folder = laid_out(&[keystore, password, "deposit_data.json"]);
            let found = find(folder.path()).ok().unwrap();
            assert_eq!(found, [folder.path().join(keystore)]);
            assert_eq!(password_beside(&found[0]), Some(folder.path().join(password)));
            fs::remove_file(folder.path().join(password)).unwrap();
            assert_eq!(password_beside(&found[0]), None, "{keystore}");
        }
        let none = laid_out(&["deposit_data.json", "validators/0xab/other.json"]);
        assert!(find(none.path()).is_err());
    }
}
