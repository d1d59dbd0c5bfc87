//! A program built with the toy curve (`--cfg quorate_toy_curve`) refuses to be used.
#![allow(clippy::unwrap_used)]
#![cfg(quorate_toy_curve)]

#[test]
fn a_build_with_the_toy_says_so_and_does_nothing_but_simulate() {
    use std::process::{Command, Stdio};

    const TOY: &str = "TOY CURVE: no security";
    let here = tempfile::TempDir::new().unwrap();
    let quorate = |words: &str| {
        let args = words.split_whitespace();
        Command::new(env!("CARGO_BIN_EXE_quorate"))
            .args(args)
            .current_dir(&here)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert!(String::from_utf8(quorate("--version").stdout).unwrap().contains(TOY));
    for words in [
        "identity new --name alice",
        "identity show",
        "spec check ceremony.toml",
        "spec show ceremony.toml",
        "run ceremony.toml",
        "status",
        "audit transcript.quorate",
        "demo",
        "completions bash",
        "man",
    ] {
        let ended = quorate(words);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.starts_with(&format!("error: {TOY}. ")), "{words}: {said}");
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0), "{words}");
    }
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0, "nothing was written");
    let ended = quorate("--json simulate --ceremonies 1 --seed 1");
    assert!(String::from_utf8(ended.stderr).unwrap().starts_with(&format!("{TOY}\n")));
    assert_eq!(ended.status.code(), Some(0));
    let result: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(result["toy_curve"], true);
}
