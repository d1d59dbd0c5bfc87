//! What a NATS server wants of its users: passwords, tokens, keys, and JWTs with keys (`.creds`).

use std::fs;

use crate::nats::{all_agree, step, visit};
use crate::nats_keys::{ACCOUNT, Key, Trust, USER};
use crate::scene::Scene;
use crate::support::files::private;
use crate::support::nats::Server;

/// A visit with a file of credentials.
fn with(scene: &Scene, server: &Server, file: &str) -> crate::support::program::Ended {
    step(scene, 0, &server.url(), &["--via-credentials", file])
}

/// Three operators, each with a file of credentials, until they have finished.
fn all_visit(scene: &Scene, server: &Server, files: &[&str; 3]) {
    let turn = |_| {
        let by = |i: usize| visit(scene, i, &server.url(), &["--via-credentials", files[i]]);
        [0, 1, 2].map(by) == [true; 3]
    };
    assert!((1..=6).any(turn), "six visits are enough");
    all_agree(scene, 3);
}

#[test]
fn credentials_come_from_a_file_alone() {
    let accounts = "authorization { user: quorate, password: \"fox lamp\" }";
    let Some(server) = Server::start(accounts) else { return };
    let scene = Scene::new(3, &[]);
    let url = server.url();
    let none = step(&scene, 0, &url, &[]);
    none.failed(1, &["asks for credentials, and none were given", "--via-credentials"]);
    private(scene.here().join("wrong"), "quorate:lamp fox\n");
    let wrong = with(&scene, &server, "wrong");
    wrong.failed(1, &["refuses these credentials: Authorization Violation", "ask for new ones"]);
    assert!(!wrong.stderr.contains("lamp fox"), "{}", wrong.stderr);
    private(scene.here().join("right"), "quorate:fox lamp\n");
    assert_eq!(with(&scene, &server, "right").done().json()["written"], 1);
    let typed = url.replace("nats://", "nats://quorate:fox@");
    let typed = step(&scene, 0, &typed, &[]);
    typed.failed(2, &["holds a user or a password", "--via-credentials"]);
    assert!(!typed.stderr.contains("quorate:fox"), "{}", typed.stderr);
}

#[test]
fn a_token() {
    let Some(server) = Server::start("authorization { token: s3cr3t }") else { return };
    let scene = Scene::new(3, &[]);
    private(scene.here().join("token"), "s3cr3t\n");
    assert_eq!(with(&scene, &server, "token").done().json()["written"], 1);
    private(scene.here().join("token"), "s3cr3T\n");
    with(&scene, &server, "token").failed(1, &["refuses these credentials"]);
}

/// Three operators with a key each; the server knows the public ones alone.
#[test]
fn keys() {
    let users = [1, 2, 3].map(|number| Key::new(USER, number));
    let known: Vec<String> =
        users.iter().map(|user| format!("{{ nkey: {} }}", user.public())).collect();
    let accounts = format!("authorization {{ users: [ {} ] }}", known.join(", "));
    let Some(server) = Server::start(&accounts) else { return };
    let scene = Scene::new(3, &[]);
    let files = ["a.nk", "b.nk", "c.nk"];
    for (user, file) in users.iter().zip(files) {
        private(scene.here().join(file), &format!("{}\n", user.seed()));
    }
    all_visit(&scene, &server, &files);

    let stranger = Key::new(USER, 9).seed();
    private(scene.here().join("stranger.nk"), &stranger);
    let refused = with(&scene, &server, "stranger.nk");
    refused.failed(1, &["refuses these credentials: Authorization Violation"]);
    assert!(!refused.stderr.contains(&stranger), "{}", refused.stderr);
}

/// A server with an operator, as hosted ones are: JWTs, and keys that sign what it sends.
#[test]
fn creds_files() {
    let trust = Trust::new();
    let Some(server) = Server::start(&trust.config()) else { return };
    let scene = Scene::new(3, &[]);
    let files = ["a.creds", "b.creds", "c.creds"];
    for (number, file) in (1..).zip(files) {
        private(scene.here().join(file), &trust.user(number, None));
    }
    all_visit(&scene, &server, &files);

    private(scene.here().join("old.creds"), &trust.user(1, Some(1_700_000_001)));
    with(&scene, &server, "old.creds")
        .failed(1, &["the server refuses these credentials", "they may have expired"]);
    // The JWT of one user, and the key of another.
    let (one, other) = (trust.user(1, None), trust.user(2, None));
    let mixed = one.replace(&Key::new(USER, 1).seed(), &Key::new(USER, 2).seed());
    assert_ne!(mixed, other);
    private(scene.here().join("mixed.creds"), &mixed);
    with(&scene, &server, "mixed.creds").failed(1, &["the server refuses these credentials"]);
}

/// What is wrong with a file is said before anybody is called, and nothing in it is repeated.
#[test]
fn files_that_hold_no_credentials() {
    let scene = Scene::new(3, &[]);
    let seed = Key::new(USER, 1).seed();
    let spoilt = seed.replace(&seed[20..22], if &seed[20..22] == "AA" { "BB" } else { "AA" });
    let cut = Trust::new().user(1, None).replace("------END USER NKEY SEED------", "");
    for (text, what, fix) in [
        (spoilt, "its checksum does not match", "copy the file"),
        (cut, "its block \"USER NKEY SEED\" is not there once and whole", "copy the file"),
        (Key::new(ACCOUNT, 1).seed(), "the key in this file is not a user's", "keep it away"),
        ("a\nb\n".to_owned(), "has several lines", "USER:PASSWORD, a token"),
        ("\n".to_owned(), "there is nothing in this file", "USER:PASSWORD, a token"),
    ] {
        private(scene.here().join("file"), &text);
        let ended = step(&scene, 0, "nats://127.0.0.1:1", &["--via-credentials", "file"]);
        ended.failed(2, &[what, fix]);
        assert!(text.len() < 9 || !ended.stderr.contains(&text[..9]), "{}", ended.stderr);
    }
    private(scene.here().join("file"), &"x".repeat(70_000));
    let long = step(&scene, 0, "nats://127.0.0.1:1", &["--via-credentials", "file"]);
    long.failed(1, &["file: 70000 bytes; the limit is 65536"]);
    fs::remove_file(scene.here().join("file")).unwrap();
    fs::write(scene.here().join("file"), seed).unwrap();
    step(&scene, 0, "nats://127.0.0.1:1", &["--via-credentials", "file"])
        .failed(1, &["other users can read this secret (mode 0644)"]);
}
