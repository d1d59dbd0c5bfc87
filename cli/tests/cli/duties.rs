//! `quorate demo --duties` around the Python that it starts: what it asks for, what it tells, and
//! what it does not believe. The chain itself is run by `.ci/run`, where Python has what it needs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::program::{Ended, quorate};

/// In the place of Python: it has everything, keeps what it is asked, and answers.
fn double(home: &Path, answer: &str) {
    let script = format!(
        "#!/bin/sh\ncase \"$4\" in *tomllib*) exit 0 ;; esac\ncat > asked.json\n/bin/ls \"$5\" > \
         scripts\necho '{answer}'\n"
    );
    let path = home.join("python");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
}

fn demo(home: &Path, more: &[&str]) -> Ended {
    let args = ["--json", "demo", "--duties", "--python", "./python", "--out", "demo"];
    quorate(home, &[&args[..], more].concat())
}

#[test]
fn python_is_told_where_the_shares_are_and_what_it_says_is_told() {
    let home = TempDir::new().unwrap();
    let answer = r#"{"validators":8,"blocks":40,"finalised_epoch":2,"signatures":{"block":40}}"#;
    double(home.path(), answer);
    let ended = demo(home.path(), &["--validators", "8"]).done();
    assert_eq!(ended.json()["duties"]["finalised_epoch"], json!(2));
    assert_eq!(ended.json()["verdict"], json!("verified"));
    let text = fs::read_to_string(home.path().join("asked.json")).unwrap();
    let asked: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&asked["threshold"], &asked["epochs"]), (&json!(3), &json!(5)));
    assert_eq!(asked["network"]["genesis_fork_version"], json!("10000910"));
    let operators = asked["operators"].as_array().unwrap();
    assert_eq!(operators.len(), 4);
    for (number, operator) in (1..).zip(operators) {
        assert_eq!(operator["point"], json!(number));
        let folder = Path::new(operator["keystores"].as_str().unwrap());
        assert_eq!(fs::read_dir(folder).unwrap().count(), 8);
    }
    let file = Path::new(asked["passphrase"].as_str().unwrap());
    let passphrase = fs::read_to_string(file).unwrap();
    assert!(!text.contains(passphrase.trim()), "the passphrase goes by the name of its file");
    assert!(Path::new(asked["deposits"].as_str().unwrap()).is_file());
    let scripts = fs::read_to_string(home.path().join("scripts")).unwrap();
    assert_eq!(scripts, "beacon.py\nkeystore.py\nshort.py\n");
}

#[test]
fn a_chain_that_is_not_final_or_not_of_all_validators_is_no_success() {
    for (answer, why) in [
        (r#"{"validators":8,"blocks":40,"finalised_epoch":0}"#, "no epoch has become final"),
        (
            r#"{"validators":7,"blocks":40,"finalised_epoch":2}"#,
            "not all validators have entered the chain",
        ),
        ("nothing", "it did not say what came of it"),
    ] {
        let home = TempDir::new().unwrap();
        double(home.path(), answer);
        demo(home.path(), &["--validators", "8"]).failed(1, &[why]);
    }
}
