//! The operators of a demo for SSV: their numbers, RSA keys, and the files in which SSV's tools
//! store them.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::json;

use super::demo_prepare::operator_name;
use crate::messages;
use crate::report::CliError;
use quorate::ethereum::keystore::{Kdf, Password};
use quorate::ethereum::ssv::{RsaSecret, write_key_file};
use quorate::primitives::secret::SecretBytes;
use quorate_operator::random;
use quorate_operator::store;

/// The folder of it all.
const FOLDER: &str = "ssv";
/// The password of all key files.
const PASSWORD: &str = "password";
/// The key file of an operator, as SSV's tools name it.
const KEY_FILE: &str = "encrypted_private_key.json";

/// The number of the operator that comes in a reshare: between those of the first two.
pub(super) const COMER: u64 = 16;

/// The number of the operator at `position` (from 0): 11, 22, 33, and so on.
fn id(position: usize) -> u64 {
    u64::try_from(position).map_or(u64::MAX, |position| 11 * (position + 1))
}

fn numbered((position, name): (usize, String)) -> (u64, String) {
    (id(position), name)
}

/// Where an operator's key file is.
pub(super) fn key_file(root: &Path, name: &str) -> PathBuf {
    root.join(FOLDER).join(name).join(KEY_FILE)
}

/// Where the password is.
pub(super) fn password_file(root: &Path) -> PathBuf {
    root.join(FOLDER).join(PASSWORD)
}

/// Makes keys and writes their files; of one more operator if one comes in a reshare. For each
/// operator of the ceremony, its lines of the ceremony file.
pub(super) fn prepare(root: &Path, names: &[String], comes: bool) -> Result<Vec<String>, CliError> {
    let mut all: Vec<(u64, String)> = names.iter().cloned().enumerate().map(numbered).collect();
    all.extend(comes.then(|| (COMER, operator_name(names.len()))));
    let keys: Result<Vec<RsaSecret>, _> =
        all.par_iter().map(|_| RsaSecret::generate(&mut random::os())).collect();
    let keys = keys.map_err(|error| messages::internal(&error.to_string()))?;
    let text = SecretBytes::new(hex::encode(random::secret().expose()).into_bytes());
    let make = |folder: &Path| {
        fs::create_dir_all(folder).map_err(|error| messages::writing(folder, &error))
    };
    make(&root.join(FOLDER))?;
    store::write_new(&password_file(root), text.expose(), 0o600).map_err(messages::store)?;
    let password = Password::new(&text).map_err(|error| messages::ssv_password(&error))?;
    let mut info = Vec::new();
    for (position, ((id, name), key)) in all.iter().zip(&keys).enumerate() {
        let path = key_file(root, name);
        make(path.parent().unwrap_or(root))?;
        let file = write_key_file(key, &password, Kdf::pbkdf2(), &mut random::os());
        store::write_new(&path, &file, 0o600).map_err(messages::store)?;
        let address = format!("https://127.0.0.1:{}", 3030 + position);
        info.push(json!({ "id": id, "public_key": key.public().to_text(), "ip": address }));
    }
    let info =
        serde_json::to_vec_pretty(&info).map_err(|error| messages::internal(&error.to_string()))?;
    store::write_new(&root.join(FOLDER).join("operators_info.json"), &info, 0o644)
        .map_err(messages::store)?;
    let lines = |((id, _), key): (&(u64, String), &RsaSecret)| {
        format!("point = {id}\nssv_key = \"{}\"\n", key.public().to_text())
    };
    Ok(all.iter().zip(&keys).take(names.len()).map(lines).collect())
}
