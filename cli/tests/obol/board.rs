//! An Obol cluster whose operators are never there together: they come to a folder.

use std::fs;

use crate::support::demo::{Demo, OBOL, OPERATORS};

#[test]
fn a_cluster_by_a_board() {
    let demo = Demo::new(OBOL);
    // As before the ceremony: keys, of the nodes too, and no log.
    for operator in OPERATORS {
        fs::remove_dir_all(demo.path("demo").join(operator).join("ceremonies")).unwrap();
    }
    fs::create_dir(demo.path("board")).unwrap();
    let file = "demo/ceremony.toml";
    let shown = demo.run(&["--json", "spec", "check", file]).done().json();
    let words = shown["fingerprint"].as_str().unwrap();
    for turn in 1..=6 {
        for operator in OPERATORS {
            let args = ["step", file, "--board", "board", "--yes-fingerprint", words];
            let more = ["--kdf", "pbkdf2"];
            let ended = demo.by(operator, &[&args[..], &more].concat()).done();
            let finished = ended.json()["finished"] == true;
            assert!(turn < 6 || finished, "{operator}");
        }
    }
    let out = |operator: &str| demo.out(operator);
    let lock = out("alice").join("public/cluster-lock.json");
    let transcript = out("alice").join("public/transcript.quorate");
    let (lock, transcript) = (lock.to_str().unwrap(), transcript.to_str().unwrap());
    let audited = demo.run(&["audit", transcript, "--lock", lock]).done();
    assert!(audited.stdout.contains("8 shares and 4 nodes have signed it"), "{}", audited.stdout);
    for operator in OPERATORS {
        let folder = out(operator).join("secret/obol");
        assert_eq!(fs::read(folder.join("cluster-lock.json")).unwrap(), fs::read(lock).unwrap());
        assert!(folder.join("validator_keys/keystore-1.json").exists(), "{operator}");
    }
}
