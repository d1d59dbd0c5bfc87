//! What other software writes, and where secrets come from: pipes, byte order marks, keystores with
//! their passwords beside them.

use std::fs;
use std::path::Path;

use quorate::ethereum::keystore::{Password, TextKeystore};
use quorate::primitives::secret::SecretBytes;
use serde_json::json;
use tempfile::TempDir;

use crate::support::files::private;
use crate::support::program::{Ended, behind, command, end, quorate};
use crate::support::repository;

/// `identity new` with the passphrase that a shell command writes to a pipe.
fn identity_from_pipe(here: &Path, writer: &str) -> Ended {
    let args = ["--dir", "state", "--passphrase-file", "pipe", "identity", "new", "--name", "a"];
    let program = command(here, &[&args[..], &["--kdf-cost", "10"]].concat());
    let script = format!("mkfifo pipe && {{ {writer} > pipe & }} && \"$@\" & wait $!");
    end(behind(&["sh", "-c", &script, "sh"], &program))
}

#[test]
fn a_passphrase_comes_through_a_pipe() {
    let here = TempDir::new().unwrap();
    // In two pieces, the second of which comes late.
    let writer = "{ printf 'correct horse '; sleep 1; echo battery; }";
    identity_from_pipe(here.path(), writer).done();
    private(here.path().join("file"), "correct horse battery");
    let mut opens = vec!["--dir", "state", "--passphrase-file", "file", "status"];
    quorate(here.path(), &opens).done();
    private(here.path().join("other"), "another passphrase");
    opens[3] = "other";
    quorate(here.path(), &opens).failed(1, &["wrong passphrase"]);
}

#[test]
fn a_pipe_without_an_end_is_bounded() {
    let here = TempDir::new().unwrap();
    let ended = identity_from_pipe(here.path(), "yes");
    ended.failed(1, &["pipe: ", "bytes", "4096"]);
    assert!(!here.path().join("state/identity.sealed").exists());
}

/// A copy of Charon's keystores, whose passwords lie beside them.
fn charon_keystores(here: &Path) {
    fs::create_dir_all(here.join("validator_keys")).unwrap();
    for entry in repository("test-vectors/others/charon-keystores").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let to = here.join("validator_keys").join(path.file_name().unwrap());
        private(&to, &fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn keystores_of_charon_open_with_the_passwords_beside_them() {
    let here = TempDir::new().unwrap();
    charon_keystores(here.path());
    let verified = quorate(here.path(), &["--json", "verify", "keystore", "."]).done().json();
    let keystores = verified["keystores"].as_array().unwrap();
    assert_eq!(keystores.len(), 3);
    for keystore in keystores {
        assert_eq!(
            keystore["remarks"],
            json!(["the uuid is not a lower-case version 4 UUID"]),
            "{keystore}"
        );
    }
    // Each has a password of its own: one for all is wrong, and says which keystore it fails.
    let one = ["verify", "keystore", "validator_keys", "--keystore-password-file"];
    let one = quorate(here.path(), &[&one[..], &["validator_keys/keystore-0.txt"]].concat());
    assert_eq!(one.code, 4, "{one:?}");
    assert!(one.stdout.contains("keystore-1.json"), "{one:?}");
    assert!(one.stdout.contains("wrong password"), "{one:?}");
}

#[test]
fn json_that_windows_saved() {
    let here = TempDir::new().unwrap();
    let genuine = repository("test-vectors/ethereum/deposits");
    let file = genuine.read_dir().unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    let network = if text.contains("\"hoodi\"") { "hoodi" } else { "mainnet" };
    let verify = |bytes: Vec<u8>| {
        fs::write(here.path().join("d.json"), bytes).unwrap();
        quorate(here.path(), &["verify", "deposit", "d.json", "--network", network])
    };
    verify([b"\xef\xbb\xbf", text.as_bytes()].concat()).done();
    verify(text.replace('\n', "\r\n").into_bytes()).done();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = verify([&b"\xff\xfe"[..], &wide].concat());
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stdout.contains("UTF-16 text; save the file as UTF-8"), "{refused:?}");
}

/// Locks that other software made, and accepts: accepted here, with what is unusual about them.
#[test]
fn locks_of_charon_and_of_the_sdk() {
    let unknown = "the field \"distributed_validators.0.partial_deposit_data.0.deposit_data_root\" \
                   is not one of the format and was not checked";
    let spelling = "some values are not spelled as Charon writes them: hexadecimal in upper case \
                    or without 0x, or an address without its checksum";
    let single = "each validator has a single deposit of 32 ETH, as in some clusters of version \
                  v1.8.0";
    let limit = "a registration is signed for a gas limit of 36000000, where the definition has \
                 30000000";
    let safe = ["--contract-wallet", "0x4d6c432b7E2F326B4DDf524ea9E56649e5A7C298"];
    for (file, flags, remarks) in [
        ("cluster-lock-by-charon.json", &[][..], vec![]),
        ("clusterLockSoloV1X10.json", &[], vec![unknown, limit, spelling]),
        ("clusterLockV1X10.json", &[], vec![unknown, spelling]),
        ("clusterLockWithCompoundingWithdrawals.json", &[], vec![]),
        ("clusterLockWithSafe.json", &safe, vec![]),
        ("nullDepositAmountsClusterLockV1X8.json", &[], vec![single]),
    ] {
        let path = repository("test-vectors/others").join(file);
        let args = ["--json", "verify", "cluster-lock", path.to_str().unwrap()];
        let verdict = quorate(Path::new("/"), &[&args[..], flags].concat()).done().json();
        assert_eq!(verdict["remarks"], json!(remarks), "{file}");
    }
}

#[test]
fn the_key_file_of_an_ssv_node() {
    let others = repository("test-vectors/others");
    let file = TextKeystore::from_json(&fs::read(others.join("ssv-node-key.json")).unwrap());
    let password = fs::read(others.join("ssv-node-key.password")).unwrap();
    let password = SecretBytes::new(password.trim_ascii_end().to_vec());
    let text = file.unwrap().decrypt(&Password::new(&password).unwrap()).unwrap();
    assert!(text.expose().starts_with(b"-----BEGIN RSA PRIVATE KEY-----"));
}
