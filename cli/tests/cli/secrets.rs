//! No secret is where it does not belong: the demo's whole tree, all output of its operators, and
//! their command lines are searched for every secret, in every encoding.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use quorate::ethereum::keystore::{Keystore, Password};
use quorate::identity::operator::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate_operator::store::{IDENTITY_FILE, open_with_passphrase};

use crate::support::files::{files, tree};
use crate::support::program::quorate;

/// The spellings in which a secret could leak: raw, reversed (little-endian), hexadecimal in both
/// cases, decimal lists, base64.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let mut all = vec![secret.to_vec(), reversed.clone()];
    for bytes in [secret, &reversed] {
        all.push(hex::encode(bytes).into_bytes());
        all.push(hex::encode_upper(bytes).into_bytes());
        all.push(bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ").into_bytes());
        all.push(base64(bytes).into_bytes());
    }
    all
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = bytes.chunks_exact(3).flat_map(|chunk| {
        let group = u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]);
        [18, 12, 6, 0]
            .map(|shift| char::from(ALPHABET[usize::try_from(group >> shift & 63).unwrap()]))
    });
    // The tail of a group would differ by what follows it; the whole groups are enough to find the
    // secret.
    whole.collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// All command lines on the machine that name this demo's folder, while `until` is not set.
fn watch_command_lines(folder: String, until: Arc<AtomicBool>) -> thread::JoinHandle<Vec<Vec<u8>>> {
    thread::spawn(move || {
        let mut seen = BTreeSet::new();
        while !until.load(Ordering::Relaxed) {
            for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                if let Ok(line) = fs::read(entry.path().join("cmdline"))
                    && contains(&line, b"--passphrase-file")
                    && contains(&line, folder.as_bytes())
                {
                    seen.insert(line);
                }
            }
            thread::sleep(std::time::Duration::from_millis(2));
        }
        seen.into_iter().collect()
    })
}

#[test]
fn no_secret_is_anywhere_but_where_it_belongs() {
    let root = tempfile::TempDir::new().unwrap();
    let out = root.path().join("demo");
    let over = Arc::new(AtomicBool::new(false));
    let folder = out.to_str().unwrap();
    let watch = watch_command_lines(folder.to_owned(), over.clone());
    let log = root.path().join("demo.log");
    let logged = ["--verbose", "--log", log.to_str().unwrap()];
    let demo = ["demo", "--validators", "2", "--out", folder];
    let ended = quorate(root.path(), &[&logged[..], &demo].concat());
    over.store(true, Ordering::Relaxed);
    let command_lines = watch.join().unwrap();
    let ended = ended.done();
    assert!(command_lines.len() >= 4, "the operators' command lines were seen");

    let files = files(&out);
    let passphrase = SecretBytes::new(files["passphrase"].trim_ascii().to_vec());
    let mut secrets: Vec<(String, Vec<u8>)> =
        vec![("the passphrase".to_owned(), passphrase.expose().to_vec())];
    let (mut salts, mut ivs) = (BTreeSet::new(), BTreeSet::new());
    let mut identities = 0;
    let mut keystores = 0;
    for (name, bytes) in &files {
        if name.ends_with(IDENTITY_FILE) {
            let opened = open_with_passphrase(bytes, &passphrase, IDENTITY_FILE).unwrap();
            let operator = Operator::from_secret_bytes(&opened).unwrap();
            secrets.push((format!("the Noise key of {name}"), operator.noise().expose().to_vec()));
            secrets.push((
                format!("the storage key of {name}"),
                operator.storage_key().expose().to_vec(),
            ));
            for (i, chunk) in opened.expose().chunks_exact(32).enumerate() {
                secrets.push((format!("part {i} of {name}"), chunk.to_vec()));
            }
            identities += 1;
        }
        if name.contains("keystore-") {
            let keystore = Keystore::from_json(bytes).unwrap();
            let share = keystore.decrypt(&Password::new(&passphrase).unwrap()).unwrap();
            secrets.push((format!("the share of {name}"), share.to_be_bytes().to_vec()));
            keystores += 1;
            let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let text = |pointer: &str| json.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            salts.insert(text("/crypto/kdf/params/salt"));
            ivs.insert(text("/crypto/cipher/params/iv"));
        }
    }
    assert_eq!((identities, keystores), (4, 8));
    assert_eq!((salts.len(), ivs.len()), (4, 8), "a salt for each operator, an IV for each file");

    // The demo's own log, and those of its operators in their directories.
    let log = fs::read(log).unwrap();
    let logs = files.iter().filter(|(name, _)| name.ends_with("run.log"));
    let logs: Vec<&[u8]> = logs.map(|(_, bytes)| &bytes[..]).chain([&log[..]]).collect();
    assert_eq!(logs.len(), 5);
    for log in &logs {
        let log = core::str::from_utf8(log).unwrap();
        let levels: Vec<&str> =
            log.lines().map(|line| line[25..].split(' ').next().unwrap()).collect();
        assert!(levels.len() > 5 && levels.iter().all(|level| ["INFO", "DETAIL"].contains(level)));
        assert!(log.ends_with(" INFO   ends with exit code 0 (done)\n"), "{log}");
    }
    assert!(logs[..4].iter().all(|log| contains(log, b"Z DETAIL ")));

    let ended_said = [ended.stdout.as_bytes(), ended.stderr.as_bytes()].concat();
    let said = [&ended_said[..], &command_lines.concat(), &log].concat();
    for (what, secret) in &secrets {
        for spelling in spellings(secret) {
            assert!(!contains(&said, &spelling), "{what} was said");
            for (name, bytes) in files.iter().filter(|(name, _)| *name != "passphrase") {
                assert!(!contains(bytes, &spelling), "{what} is in {name}");
            }
        }
    }

    // What others may read is public by name; everything else is closed to them.
    for (path, found) in tree(&out).iter().filter(|(path, _)| out.join(path).is_file()) {
        let mode = found.mode & 0o777;
        let public = path.components().any(|part| part.as_os_str() == "public")
            || path.ends_with("ceremony.toml");
        if !public {
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        }
    }
}

/// `memory/` searches the memory of a running operator, by way of `/proc/PID/mem`.
#[test]
#[cfg(not(target_os = "linux"))]
fn the_memory_of_an_operator_is_searched() {
    eprintln!("!! SKIPPED: the memory of running operators is searched on Linux only");
}
