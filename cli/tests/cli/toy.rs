//! A program built with the toy curve (`--cfg quorate_toy_curve`) refuses to be used.
#![cfg(quorate_toy_curve)]

use crate::support::program::quorate;

#[test]
fn a_build_with_the_toy_says_so_and_does_nothing_but_simulate() {
    const TOY: &str = "TOY CURVE: no security";
    let here = tempfile::TempDir::new().unwrap();
    let quorate = |words: &str| quorate(here.path(), &words.split_whitespace().collect::<Vec<_>>());
    assert!(quorate("--version").stdout.contains(TOY));
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
        let said = ended.stderr;
        assert!(said.starts_with(&format!("error: {TOY}. ")), "{words}: {said}");
        assert_eq!((ended.code, ended.stdout.len()), (1, 0), "{words}");
    }
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0, "nothing was written");
    let ended = quorate("--json simulate --ceremonies 1 --seed 1");
    assert!(ended.stderr.starts_with(&format!("{TOY}\n")));
    assert_eq!(ended.code, 0);
    assert_eq!(ended.json()["toy_curve"], true);
}
