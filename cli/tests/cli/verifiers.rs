//! `quorate verify` on files of other tools: every genuine file is accepted, and each of the 47
//! tampered ones is refused with exit code 4 and the name of the invalid field.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::files::private;
use crate::support::program::quorate;
use crate::support::repository;

/// The key of both genuine exits.
const KEY: &str = "b384f767d964e100c8a9b21018d08c25ffebae268b3ab6d610353897541971726dbfc3c7463884c68a531515aab94c87";
/// The password of the genuine keystores.
const PASSWORD: &str = "dkg-test-password-1";

fn vectors() -> PathBuf {
    repository("test-vectors/ethereum")
}

/// The exit code of the program with these arguments, and the one JSON object that it prints.
fn verify(args: &[&str]) -> (i32, Value) {
    let ended = quorate(Path::new("/"), &[&["--json", "verify"], args].concat());
    (ended.code, ended.json())
}

/// A private file with a password.
fn password_file(folder: &Path, password: &str) -> String {
    let path = folder.join("password");
    private(&path, password);
    path.to_str().unwrap().to_owned()
}

/// The field at fault, and a part of the reason.
fn expected(file: &str) -> (&'static str, &'static str) {
    match file {
        "deposit/amount-roots-stale.json" | "deposit/message-root-only.json" => {
            ("deposit_message_root", "instead of")
        }
        "deposit/data-root-only.json" => ("deposit_data_root", "instead of"),
        "deposit/amount-string.json" => ("amount", "a string instead of a whole number"),
        "deposit/below-1-eth.json" => ("amount", "0.5 ETH is less than 1 ETH"),
        "deposit/fork-version-field.json" => ("fork_version", "00000000 instead of 10000910"),
        "deposit/hex-0x-prefixed.json" => ("pubkey", "starts with 0x"),
        "deposit/infinity-pair.json" => ("pubkey", "infinity"),
        "deposit/missing-cli-version.json" => ("deposit_cli_version", "missing"),
        "deposit/not-an-array.json" => ("file", "not a deposit file"),
        "deposit/wrong-network-file.json" => ("network_name", "mainnet instead of hoodi"),
        "deposit/sig-bitflip.json" => ("signature", "entry 2, signature: "),
        "deposit/second-partial-bad.json" => ("signature", "entry 2, signature: "),
        "exit/integers.json" => ("epoch", "a whole number instead of a string"),
        "exit/in-array.json" => ("file", "an array"),
        "exit/no-0x.json" => ("signature", "does not start with 0x"),
        "exit/sig-bitflip.json" => ("signature", "not a point"),
        "exit/signed-with-deneb-fork-version.json" => (
            "signature",
            "it was made for mainnet, Deneb (fork version 0x04000000): only an exit for Capella \
             is ever valid",
        ),
        "exit/signed-with-fulu-fork-version.json" => {
            ("signature", "it was made for mainnet, Fulu (fork version 0x06000000)")
        }
        "exit/signed-with-genesis-fork-version.json" => {
            ("signature", "it was made for mainnet, phase 0 (fork version 0x00000000)")
        }
        "exit/wrong-network.json" => (
            "signature",
            "it was made for hoodi, Capella (fork version 0x40000910): on sepolia it is not valid",
        ),
        "keystore/checksum-bitflip.json" | "keystore/cipher-bitflip.json" => {
            ("password or crypto", "checksum or ciphertext")
        }
        "keystore/kdf-n-lowered.json" | "keystore/wrong-password.json" => {
            ("password or crypto", "wrong password")
        }
        "keystore/iv-bitflip.json" | "keystore/other-pubkey.json" => {
            ("pubkey or crypto.cipher.params.iv", "does not decrypt to the key")
        }
        "keystore/version-3.json" => ("version", "3 instead of 4"),
        "keystore/weak-pbkdf2.json" => ("crypto.kdf.params", "too weak"),
        "registration/integers.json" => ("gas_limit", "a whole number instead of a string"),
        "registration/sig-bitflip.json" => ("signature", "subgroup"),
        // Well-formed, but for the signature.
        _ if file.starts_with("deposit/") => ("signature", "does not verify on hoodi"),
        _ if file.starts_with("exit/") => ("signature", "does not verify for epoch"),
        _ if file.starts_with("registration/") => {
            ("signature", "entry 1, signature: does not verify")
        }
        _ => panic!("{file} is new"),
    }
}

/// What is said of a keystore that was changed and is in order all the same.
fn unusual(file: &str) -> Option<&'static str> {
    Some(match file {
        "keystore/empty-path.json" => "the path is empty, which some importers refuse",
        "keystore/unknown-field.json" => {
            "the field \"share_index\" is not one of EIP-2335 and was not checked"
        }
        "keystore/uuid-upper.json" => "the uuid is not a lower-case version 4 UUID",
        _ => return None,
    })
}

#[test]
fn every_tampered_file_is_refused_for_its_fault() {
    let manifest: Value =
        serde_json::from_slice(&fs::read(vectors().join("tampered/manifest.json")).unwrap())
            .unwrap();
    let folder = TempDir::new().unwrap();
    let mut counted = 0;
    for case in manifest.as_array().unwrap() {
        let text = |field: &str| case[field].as_str().unwrap();
        let file = text("file");
        let path = vectors().join("tampered").join(file);
        let path = path.to_str().unwrap();
        let (code, verdict) = match text("kind") {
            "deposit" => verify(&["deposit", path, "--network", text("network")]),
            "exit" => verify(&[
                "exit",
                path,
                "--network",
                text("network"),
                "--public-key",
                text("pubkey"),
            ]),
            "registration" => verify(&["registration", path, "--network", text("network")]),
            "keystore" => {
                let password = password_file(folder.path(), text("password"));
                verify(&["keystore", path, "--keystore-password-file", &password])
            }
            kind => panic!("{kind} is new"),
        };
        if let Some(remark) = unusual(file) {
            assert_eq!(code, 0, "{file}: {verdict}");
            assert_eq!(verdict["keystores"][0]["remarks"], serde_json::json!([remark]), "{file}");
            counted += 1;
            continue;
        }
        let (field, reason) = expected(file);
        assert_eq!(code, 4, "{file} ({}): {verdict}", text("why"));
        assert_eq!(verdict["accepted"], false, "{file}");
        assert_eq!(verdict["field"], field, "{file}: {verdict}");
        assert!(verdict["reason"].as_str().unwrap().contains(reason), "{file}: {verdict}");
        counted += 1;
    }
    assert_eq!(counted, 47);
}

/// The names of all files in a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(vectors().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn assert_accepted(args: &[&str]) -> Value {
    let (code, verdict) = verify(args);
    assert_eq!((code, &verdict["accepted"]), (0, &Value::Bool(true)), "{args:?}: {verdict}");
    verdict
}

#[test]
fn every_genuine_file_is_accepted() {
    let mut counted = 0;
    for path in files("deposits") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let network = name.split('-').next().unwrap();
        let args = ["deposit", path.to_str().unwrap(), "--network", network];
        if name == "hoodi-00" {
            // Credentials of a BLS key, which newer versions of the tool that made it refuse too.
            let (code, verdict) = verify(&args);
            assert_eq!((code, &verdict["field"]), (4, &Value::from("withdrawal_credentials")));
        } else {
            assert_accepted(&args);
        }
        counted += 1;
    }
    for path in files("exits") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (network, index) = name.split_once('-').unwrap();
        for key in [KEY.to_owned(), format!("0x{KEY}")] {
            let verdict = assert_accepted(&[
                "exit",
                path.to_str().unwrap(),
                "--network",
                network,
                "--public-key",
                &key,
            ]);
            assert_eq!(verdict["validator_index"].as_u64(), index.parse().ok());
            assert_eq!(verdict["withdrawal_request"]["data"], format!("0x{KEY}0000000000000000"));
        }
        counted += 1;
    }
    // On its own network, the registration that the manifest offers for another one is genuine.
    let registration = vectors().join("tampered/registration/wrong-network.json");
    let verdict =
        assert_accepted(&["registration", registration.to_str().unwrap(), "--network", "mainnet"]);
    assert_eq!(verdict["registrations"], 2);
    assert!(
        verdict["entries"][1]["fee_recipient"].as_str().unwrap().starts_with("0x"),
        "{verdict}"
    );

    let folder = TempDir::new().unwrap();
    let password = password_file(folder.path(), PASSWORD);
    let keystores = files("keystores");
    let mut args = vec!["keystore"];
    args.extend(keystores.iter().map(|path| path.to_str().unwrap()));
    args.extend(["--keystore-password-file", &password]);
    assert_eq!(assert_accepted(&args)["keystores"].as_array().unwrap().len(), 3);
    assert_eq!(counted, 9);
}

/// A registration given twice is accepted, and told.
#[test]
fn a_registration_given_twice_is_told() {
    let path = vectors().join("tampered/registration/wrong-network.json");
    let entries: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let [first, second] = &entries[..] else { panic!("{entries:?}") };
    let folder = TempDir::new().unwrap();
    for (given, repeated) in [
        (vec![first, second], json!([])),
        (vec![first, second, first], json!([[1, 3]])),
        (vec![second, second, second, first], json!([[1, 2], [1, 3]])),
    ] {
        let file = folder.path().join("registrations.json");
        fs::write(&file, serde_json::to_vec(&given).unwrap()).unwrap();
        let args = ["registration", file.to_str().unwrap(), "--network", "mainnet"];
        let verdict = assert_accepted(&args);
        assert_eq!(verdict["repeated"], repeated);
        let said = quorate(Path::new("/"), &[&["verify"], &args[..]].concat()).stdout;
        let told = said.matches("GIVEN TWICE: entry ").count();
        assert_eq!(told, repeated.as_array().unwrap().len(), "{said}");
        assert_eq!(said.contains("entry 3 is the same registration as entry 1"), told > 0);
    }
}

#[test]
fn another_withdrawal_address_is_refused() {
    let file = vectors().join("deposits/hoodi-01.json");
    let args = |address| {
        ["deposit", file.to_str().unwrap(), "--network", "hoodi", "--withdrawal", address]
    };
    assert_accepted(&args("0x4D496CcC28058B1D74B7a19541663E21154f9c84"));
    let (code, verdict) = verify(&args("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));
    assert_eq!((code, &verdict["field"]), (4, &Value::from("withdrawal_credentials")));
}
