//! A ceremony for SSV whose operators are never there together: they come to a folder.

use std::fs;

use crate::demo::judge;
use crate::support::demo::{Demo, OPERATORS, SSV};

#[test]
fn a_cluster_by_a_board() {
    let demo = Demo::new(SSV);
    // As before the ceremony: keys, and no log.
    for operator in OPERATORS {
        fs::remove_dir_all(demo.path("demo").join(operator).join("ceremonies")).unwrap();
    }
    fs::create_dir(demo.path("board")).unwrap();
    let file = "demo/ceremony.toml";
    let shown = demo.run(&["--json", "spec", "check", file]).done().json();
    let words = shown["fingerprint"].as_str().unwrap();
    let visit = |operator: &str, more: &[&str]| {
        let args = ["step", file, "--board", "board", "--no-keystores", "--yes-fingerprint", words];
        demo.by(operator, &[&args[..], more].concat())
    };
    visit("alice", &[]).failed(2, &["is for SSV"]);
    for turn in 1..=6 {
        for operator in OPERATORS {
            let key = format!("demo/ssv/{operator}/encrypted_private_key.json");
            let rsa = ["--ssv-key", &key, "--ssv-password-file", "demo/ssv/password"];
            let finished = visit(operator, &rsa).done().json()["finished"] == true;
            assert!(turn < 6 || finished, "{operator}");
        }
    }
    judge(demo.home(), 4, 2);
}
