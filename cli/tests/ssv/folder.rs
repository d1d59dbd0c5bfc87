//! The folder for SSV's tools: as it is written, and as it is refused.

use std::fs;
use std::path::Path;

use quorate::export::ssv::{
    DirectoryError, DirectoryFile, Expected, directory_artifacts, verify_directory,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::altered::run;
use crate::example::owner_nonce;
use crate::scene::{Scene, withdrawal};

/// All files, with names from the ceremony's folder on.
fn files(scene: &Scene) -> Vec<DirectoryFile> {
    let artifacts = directory_artifacts(
        scene.created,
        &scene.network,
        &scene.registrations,
        &scene.proofs,
        &scene.deposits,
    );
    let front = "ceremony-2026-11-23--08-00-00.123/";
    artifacts
        .into_iter()
        .map(|file| DirectoryFile {
            path: file.name.strip_prefix(front).unwrap().to_owned(),
            bytes: file.bytes,
        })
        .collect()
}

fn expected(scene: &Scene) -> Expected {
    let validators = scene.registrations.len();
    Expected {
        network: scene.network.clone(),
        first: owner_nonce(),
        withdrawal: withdrawal(),
        validators,
    }
}

fn names(scene: &Scene) -> Vec<String> {
    scene
        .registrations
        .iter()
        .map(|r| {
            format!("{:06}-0x{}", r.owner_nonce.nonce, hex::encode(r.validator.to_compressed()))
        })
        .collect()
}

#[test]
fn folders_have_the_layout_that_verifiers_demand() {
    let one = Scene::new(4, 1);
    let paths = |scene: &Scene| files(scene).into_iter().map(|file| file.path).collect::<Vec<_>>();
    let folder = &names(&one)[0];
    let three = |front: &str| {
        ["deposit_data.json", "keyshares.json", "proofs.json"].map(|name| format!("{front}{name}"))
    };
    assert_eq!(paths(&one), three(&format!("{folder}/")));
    let two = Scene::new(7, 2);
    let mut all: Vec<String> =
        names(&two).iter().flat_map(|folder| three(&format!("{folder}/"))).collect();
    all.extend(three(""));
    assert_eq!(paths(&two), all);
    for scene in [one, two, Scene::new(13, 2)] {
        assert_eq!(verify_directory(&files(&scene), &expected(&scene)), Ok(scene.registrations));
    }
}

/// Exchanges a part of one file's JSON.
fn altered(files: &mut [DirectoryFile], path: &str, alter: impl FnOnce(&mut Value)) {
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    let mut value = serde_json::from_slice(&file.bytes).unwrap();
    alter(&mut value);
    file.bytes = value.to_string().into_bytes();
}

#[test]
fn altered_folders_are_refused() {
    let scene = Scene::new(4, 2);
    let names = names(&scene);
    let judge = |change: &dyn Fn(&mut Vec<DirectoryFile>)| {
        let mut files = files(&scene);
        change(&mut files);
        verify_directory(&files, &expected(&scene)).map(|_| ()).unwrap_err()
    };
    let file = |name: &str| DirectoryFile { path: name.to_owned(), bytes: vec![] };
    let deposit = format!("{}/deposit_data.json", names[0]);
    let inner = |name: &str| format!("{}/{name}", names[1]);

    assert_eq!(
        judge(&|files| files.push(file("FAILED"))),
        DirectoryError::Unexpected { path: "FAILED".to_owned() }
    );
    let stray = inner("report.html");
    assert_eq!(
        judge(&|files| files.push(file(&stray))),
        DirectoryError::Unexpected { path: stray.clone() }
    );
    assert_eq!(
        judge(&|files| files.push(file("other/keyshares.json"))),
        DirectoryError::Count { expected: 2, found: 3 }
    );
    let missing = inner("proofs.json");
    assert_eq!(
        judge(&|files| files.retain(|file| file.path != missing)),
        DirectoryError::Missing { path: missing.clone() }
    );
    let aggregate = |name: &str| DirectoryError::Missing { path: name.to_owned() };
    assert_eq!(
        judge(&|files| files.retain(|file| file.path != "keyshares.json")),
        aggregate("keyshares.json")
    );
    assert_eq!(
        judge(&|files| files.retain(|file| file.path != "deposit_data.json")),
        aggregate("deposit_data.json")
    );
    assert_eq!(
        judge(&|files| files.retain(|file| file.path != "proofs.json")),
        aggregate("proofs.json")
    );
    for name in ["deposit_data.json", "keyshares.json", "proofs.json"] {
        let swapped = judge(&|files| {
            altered(files, name, |value| {
                let list = if name == "keyshares.json" { &mut value["shares"] } else { value };
                list.as_array_mut().unwrap().swap(0, 1);
            });
        });
        assert_eq!(swapped, DirectoryError::Differs { path: name.to_owned() });
    }
    let renamed = judge(&|files| {
        for file in files.iter_mut() {
            file.path = file.path.replace("000002-", "000003-");
        }
    });
    assert!(
        matches!(&renamed, DirectoryError::Name { path, .. } if path.starts_with("000003-")),
        "{renamed}"
    );
    let foreign = judge(&|files| {
        let other = files
            .iter()
            .find(|file| file.path == inner("deposit_data.json"))
            .unwrap()
            .bytes
            .clone();
        files.iter_mut().find(|file| file.path == deposit).unwrap().bytes = other;
    });
    assert!(matches!(&foreign, DirectoryError::Name { path, .. } if *path == deposit), "{foreign}");
    let root = judge(&|files| {
        altered(files, &deposit, |value| value[0]["deposit_data_root"] = json!("11".repeat(32)))
    });
    assert_eq!(root.field(), "deposit_data_root");
    let signature = judge(&|files| {
        altered(files, &inner("proofs.json"), |v| v[2]["signature"] = v[1]["signature"].clone())
    });
    assert_eq!(signature.field(), "proofs[0][2].signature");

    let files = files(&scene);
    let elsewhere = Expected { withdrawal: owner_nonce().owner, ..expected(&scene) };
    assert_eq!(verify_directory(&files, &elsewhere).unwrap_err().field(), "withdrawal_credentials");
    let first = quorate::ethereum::ssv::OwnerNonce { nonce: 0, ..owner_nonce() };
    let later = Expected { first, ..expected(&scene) };
    assert_eq!(verify_directory(&files, &later).unwrap_err().field(), "shares[0].data.ownerNonce");
    let litter = [files, vec![file(".DS_Store"), file(&inner("Thumbs.db"))]].concat();
    assert!(verify_directory(&litter, &expected(&scene)).is_ok());
    let one = Scene::new(4, 1);
    let mut with_aggregate = self::files(&one);
    with_aggregate.push(file("keyshares.json"));
    let unexpected = DirectoryError::Unexpected { path: "keyshares.json".to_owned() };
    assert_eq!(verify_directory(&with_aggregate, &expected(&one)), Err(unexpected));
}

#[test]
fn a_small_deposit_does_not_do() {
    let mut scene = Scene::new(4, 1);
    scene.deposits[0].message.amount = 1_000_000_000;
    let secret = quorate::primitives::hash::secret_scalar(
        quorate::primitives::hash::Tag::Coefficient,
        &[&0u64.to_be_bytes(), &0usize.to_be_bytes()],
    );
    let root = scene.deposits[0].message.signing_root(&scene.network);
    scene.deposits[0].signature = quorate::ethereum::bls::bls_sign(&secret, &root).unwrap();
    assert_eq!(verify_directory(&files(&scene), &expected(&scene)).unwrap_err().field(), "amount");
}

fn write(folder: &Path, files: &[DirectoryFile]) {
    for file in files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }
}

#[test]
fn the_program_judges_folders() {
    let (folder, scene) = (TempDir::new().unwrap(), Scene::new(4, 2));
    write(folder.path(), &files(&scene));
    let withdrawal = withdrawal().to_string();
    let args = |nonce, validators| {
        [
            "ssv",
            ".",
            "--network",
            "hoodi",
            "--owner",
            "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9",
            "--nonce",
            nonce,
            "--withdrawal",
            &withdrawal,
            "--validators",
            validators,
        ]
    };
    let (code, said) = run(folder.path(), &args("1", "2"));
    assert_eq!((code, said["validators"].as_array().map(Vec::len)), (0, Some(2)), "{said}");
    let (code, said) = run(folder.path(), &args("2", "2"));
    assert_eq!((code, &said["field"]), (4, &json!("shares[0].data.ownerNonce")), "{said}");
    let (code, said) = run(folder.path(), &args("1", "1"));
    assert_eq!((code, &said["field"]), (4, &json!("folders")), "{said}");
    fs::create_dir(folder.path().join("empty")).unwrap();
    let (code, said) = run(folder.path(), &args("1", "2"));
    assert_eq!((code, &said["field"]), (4, &json!("empty")), "{said}");
}
