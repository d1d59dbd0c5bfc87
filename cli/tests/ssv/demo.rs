//! Whole ceremonies for SSV with real processes: their outputs are verified as foreign files, and
//! every operator's share is decrypted.

use std::fs;
use std::path::{Path, PathBuf};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::ethereum::keystore::Password;
use quorate::ethereum::ssv::{RsaSecret, parse_operators_info, read_key_file};
use quorate::export::ssv::parse_keyshares;
use quorate::primitives::secret::SecretBytes;
use serde_json::json;
use tempfile::TempDir;

use crate::altered::run;
use crate::support::demo::{Demo, SSV};
use crate::support::files::{files, only};
use crate::support::program::quorate;
use crate::support::repository;

const NAMES: [&str; 13] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim",
    "leo", "mia",
];
/// Whom the demo's ceremony belongs to.
pub(crate) const OWNER: &str = "0x000000000000000000000000000000000000dEaD";

/// Consent to a ceremony for SSV says so.
const LIMIT: &str = "there is no forward secrecy";

/// What SSV's tools read of an operator's outputs.
fn ssv_folder(demo: &Path, name: &str) -> PathBuf {
    only(only(demo.join(name).join("ceremonies")).join("out/public/ssv"))
}

fn password(demo: &Path) -> Password {
    Password::new(&SecretBytes::new(fs::read(demo.join("ssv/password")).unwrap())).unwrap()
}

pub(crate) fn rsa(demo: &Path, name: &str) -> RsaSecret {
    let file = fs::read(demo.join("ssv").join(name).join("encrypted_private_key.json")).unwrap();
    read_key_file(&file, &password(demo)).ok().unwrap()
}

/// Judges the folder `demo` of a finished demo.
pub(crate) fn judge(home: &Path, operators: usize, validators: usize) {
    let demo = home.join("demo");
    let info =
        parse_operators_info(&fs::read(demo.join("ssv/operators_info.json")).unwrap()).unwrap();
    let ids: Vec<u64> = info.iter().map(|operator| operator.id).collect();
    assert_eq!(ids, (1..=operators as u64).map(|i| 11 * i).collect::<Vec<_>>());
    let first = ssv_folder(&demo, NAMES[0]);
    assert!(first.ends_with("ceremony-2025-03-17--12-10-00.000"), "{first:?}");
    let count = validators.to_string();
    let args = |count: &str, nonce: &str| {
        let args = [
            "ssv",
            first.to_str().unwrap(),
            "--network",
            "hoodi",
            "--validators",
            count,
            "--owner",
            OWNER,
            "--nonce",
            nonce,
        ];
        run(home, &[&args[..], &["--withdrawal", OWNER]].concat())
    };
    let (code, said) = args(&count, "0");
    assert_eq!((code, &said["validators"][0]["operators"]), (0, &json!(ids)), "{said}");
    assert_eq!(args(&count, "1").0, 4);
    let keyshares = match validators {
        1 => only(&first).join("keyshares.json"),
        _ => first.join("keyshares.json"),
    };
    let registrations = parse_keyshares(&fs::read(keyshares).unwrap()).unwrap();
    assert_eq!(registrations.len(), validators);
    let mut random = ChaCha20Rng::from_seed([5; 32]);
    for (position, name) in NAMES.iter().take(operators).enumerate() {
        assert_eq!(files(&ssv_folder(&demo, name)), files(&first), "{name} has other files");
        let key = rsa(&demo, name);
        for registration in &registrations {
            let own = &registration.operators[position];
            assert_eq!(own.key, *key.public());
            assert!(
                key.decrypt_share(&own.encrypted_share, &own.share_key, &mut random).is_ok(),
                "{name}"
            );
        }
    }
}

#[test]
fn a_cluster_of_four() {
    let made = Demo::new(SSV);
    assert!(made.ended.stderr.contains(LIMIT), "{}", made.ended.stderr);
    judge(made.home(), 4, 2);
    let demo = made.path("demo");
    // The same command again, without the key, with another operator's, and with a wrong password:
    // told before anything happens.
    let state = demo.join("alice");
    let again = |more: &[&str]| {
        let [state, passphrase, file] =
            [state.clone(), demo.join("passphrase"), demo.join("ceremony.toml")]
                .map(|path| path.to_str().unwrap().to_owned());
        let front = ["--json", "--dir", &state, "--passphrase-file", &passphrase, "run", &file];
        let ended = made.run(&[&front[..], more].concat());
        (ended.code, ended.json()["error"]["what"].as_str().unwrap_or_default().to_owned())
    };
    let path = |name: &str| demo.join("ssv").join(name).to_str().unwrap().to_owned();
    let (password, own, other) = (
        path("password"),
        path("alice/encrypted_private_key.json"),
        path("bob/encrypted_private_key.json"),
    );
    let (code, what) = again(&[]);
    assert!(code == 2 && what.contains("is for SSV"), "{what}");
    let (code, what) = again(&["--ssv-key", &other, "--ssv-password-file", &password]);
    assert!(
        code == 1 && what.ends_with("this is not the RSA key that the ceremony file has for you"),
        "{what}"
    );
    let wrong = demo.join("passphrase").to_str().unwrap().to_owned();
    let (code, what) = again(&["--ssv-key", &own, "--ssv-password-file", &wrong]);
    assert!(code == 1 && what.contains("wrong password"), "{what}");
}

/// `quorate export ssv`, with what it says went wrong.
fn export(home: &Path, transcript: &Path, out: &str) -> (i32, String) {
    let ended =
        quorate(home, &["--json", "export", "ssv", transcript.to_str().unwrap(), "--out", out]);
    (ended.code, ended.json()["error"]["what"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_folder_is_made_again_from_the_transcript_alone() {
    let demo = Demo::new(SSV);
    let home = demo.home();
    let transcript = demo.out("bob").join("public/transcript.quorate");
    assert_eq!(export(home, &transcript, "again").0, 0);
    assert_eq!(files(&only(home.join("again"))), files(&ssv_folder(&home.join("demo"), "carol")));
    let (code, what) = export(home, &transcript, "again");
    assert!(code == 1 && what.ends_with("will not be overwritten"), "{what}");

    let mut altered = fs::read(&transcript).unwrap();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    fs::write(home.join("altered"), altered).unwrap();
    let (code, what) = export(home, &home.join("altered"), "none");
    assert!(code == 4 && !home.join("none").exists(), "{what}");

    let other = repository("test-vectors/ceremony/3-of-4.quorate");
    let (code, what) = export(home, &other, "none");
    assert!(code == 2 && what.ends_with("the ceremony is not for SSV"), "{what}");
    assert!(!home.join("none").exists());
}

#[test]
fn a_cluster_of_thirteen() {
    let home = TempDir::new().unwrap();
    let args = ["--operators", "13", "--threshold", "9", "--validators", "1", "--no-keystores"];
    let ended =
        quorate(home.path(), &[&["demo", "--ssv", "--out", "demo"], &args[..]].concat()).done();
    assert!(ended.stderr.contains(LIMIT), "{}", ended.stderr);
    judge(home.path(), 13, 1);
}
