//! `quorate doctor --via`: faults planted in servers, and on the way to them, each named with who
//! can do what about it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::doctor::{own_fault, said};
use crate::nats::{step, visit};
use crate::nats_keys::{Key, USER};
use crate::scene::Scene;
use crate::support::files::private;
use crate::support::nats::Server;
use crate::support::ports::free_address;
use crate::support::program::{Ended, end};
use crate::support::repository;

fn doctor(scene: &Scene, url: &str, more: &[&str]) -> Ended {
    let args = ["--json", "doctor", "ceremony.toml", "--via", url];
    end(scene.by(0, &[&args, more].concat()))
}

/// Somebody who says this to whoever calls.
fn says(what: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let what = what.to_owned();
    thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            let _ = caller.write_all(what.as_bytes());
            let _ = caller.shutdown(std::net::Shutdown::Write);
            let _ = caller.read_to_end(&mut Vec::new());
        }
    });
    url
}

fn info(more: &str) -> String {
    says(&format!("INFO {{\"max_payload\":1048576{more}}}\r\nPONG\r\n"))
}

/// The doctor of a reshare that is not told of its parent's transcript.
fn doctor_without_parent(scene: &Scene, url: &str) -> Ended {
    if !scene.here().join("reshare.toml").exists() {
        let parent = repository("test-vectors/ceremony/3-of-4.quorate");
        let args = ["--from", parent.to_str().unwrap(), "--name", "Next", "-o", "reshare.toml"];
        end(scene.by(0, &[&["reshare", "new"][..], &args].concat())).done();
    }
    end(scene.by(0, &["--json", "doctor", "reshare.toml", "--via", url]))
}

/// A reshare without its parent's transcript: what does not depend on it is looked at all the same.
#[test]
fn a_server_is_looked_at_without_the_transcript_of_a_parent() {
    let scene = Scene::new(3, &[]);
    let ended = doctor_without_parent(&scene, &format!("nats://{}", free_address()));
    own_fault(&ended, "parent", "", "--from");
    own_fault(&ended, "server", "connection refused", "nothing listens there");
    // And a board.
    let args = ["--json", "doctor", "reshare.toml", "--board", "no-folder"];
    own_fault(&end(scene.by(0, &args)), "board", "no-folder", "");
}

/// Faults that need no server.
#[test]
fn servers_that_are_none_are_named_with_their_remedy() {
    let scene = Scene::new(3, &[]);
    private(scene.here().join("key"), &Key::new(USER, 1).seed());
    let key = ["--via-credentials", "key"];
    let nobody = format!("nats://{}", free_address());
    let faults = [
        (nobody, &[][..], "connection refused", "nothing listens there: ask whoever keeps"),
        ("nats://nobody.invalid".to_owned(), &[], "does not resolve", "your own name server"),
        (says("HTTP/1.1 400 Bad Request\r\n\r\n"), &[], "none of its protocol", ""),
        (says("INFO {}\r\n"), &[], "no NATS server", "another program answers there"),
        (info(",\"tls_required\":true"), &[], "wants TLS", "docs/anywhere.md"),
        (info(",\"version\":\"2.8.4\""), &[], "this is nats-server 2.8.4", "a newer nats-server"),
        (says("INFO {\"max_payload\":512}\r\n"), &[], "too little in one message: 512", "1MB"),
        (info(""), &key, "the server asks for none", "leave --via-credentials away"),
        (says("-ERR 'maximum connections exceeded'\r\n"), &[], "maximum connections", ""),
        (info(""), &[], "unexpected end of file", "try another network"),
    ];
    for (url, more, what, fix) in &faults[..9] {
        own_fault(&doctor(&scene, url, more), "server", what, fix);
    }
    // It lets us in, and says no more.
    let (url, more, ..) = &faults[9];
    let ended = doctor(&scene, url, more);
    own_fault(&ended, "jetstream", "unexpected end of file", "nothing is lost");
    assert_eq!(faults.len(), 10);
    assert!(!scene.here().join("alice/ceremonies").exists());
}

/// Faults of real servers, each with nothing else wrong.
#[test]
fn faults_of_servers_are_named_with_their_remedy() {
    let scene = Scene::new(3, &[]);
    let user = |may: &str| {
        format!("authorization {{ users: [{{ user: a, password: b, permissions: {{ {may} }} }}] }}")
    };
    private(scene.here().join("ab"), "a:b\n");
    private(scene.here().join("wrong"), "a:c\n");
    let (ab, wrong) = (&["--via-credentials", "ab"][..], &["--via-credentials", "wrong"][..]);
    let store = "jetstream { store_dir: \"STORE\" }\n";
    let deny = |subject: &str| user(&format!("publish: {{ deny: [ \"{subject}\" ] }}"));
    let accounts = "accounts { A { users: [ { user: a, password: b } ] }\n\
                    B { jetstream: enabled, users: [ { user: c, password: d } ] } }";
    let faults = [
        (format!("{store}max_payload: 512"), &[][..], "server", "too little in one message", "1MB"),
        (format!("{store}{}", user("")), &[], "server", "none were given", "ask whoever keeps"),
        (format!("{store}{}", user("")), wrong, "server", "refuses these", "ask for new ones"),
        (
            format!("{store}{}", user("subscribe: { deny: [ \"_INBOX.>\" ] }")),
            ab,
            "server",
            "Permissions Violation for Subscription",
            "docs/anywhere.md",
        ),
        (String::new(), &[], "jetstream", "it has no JetStream", "nats-server -js"),
        (format!("{store}{accounts}"), ab, "jetstream", "not for this account", "enable JetStream"),
        (
            format!("{store}{}", deny("$JS.API.STREAM.CREATE.*")),
            ab,
            "jetstream",
            "Permissions Violation for Publish",
            "allow this user",
        ),
        (
            format!("{store}{}", deny("quorate.>")),
            ab,
            "jetstream",
            "Permissions Violation for Publish",
            "allow this user",
        ),
        (
            format!("{store}{}", deny("$JS.API.STREAM.MSG.GET.*")),
            ab,
            "jetstream",
            "Permissions Violation for Publish",
            "allow this user",
        ),
        (
            format!("{store}{}", deny("$JS.API.STREAM.INFO.*")),
            ab,
            "board",
            "Permissions Violation for Publish",
            "allow this user",
        ),
    ];
    for (config, more, check, what, fix) in &faults {
        let Some(server) = Server::with(config) else { return };
        own_fault(&doctor(&scene, &server.url(), more), check, what, fix);
    }
    assert_eq!(faults.len(), 10);

    // Somebody has taken all room.
    let full = "jetstream { store_dir: \"STORE\", max_file_store: 1 }";
    let Some(server) = Server::with(full) else { return };
    step(&scene, 1, &server.url(), &[]).done();
    own_fault(&doctor(&scene, &server.url(), &[]), "jetstream", "no room", "max_file_store");
}

/// What docs/anywhere.md says that a user has to be allowed is enough, and nothing stays.
#[test]
fn a_server_that_is_well() {
    let docs = fs::read_to_string(crate::support::repository("docs/anywhere.md")).unwrap();
    let allowed = docs.split("```").find(|part| part.contains("authorization {")).unwrap();
    let Some(server) = Server::start(allowed) else { return };
    let scene = Scene::new(3, &[]);
    private(scene.here().join("user"), "quorate:CHANGE-ME\n");
    let user = ["--via-credentials", "user"];
    let ended = doctor(&scene, &server.url(), &user).ended_with(0);
    let of = |check: &'static str| said(&ended, |found| found["check"] == check);
    let (ok, text, _) = of("server");
    assert_eq!(ok, Some(true));
    assert!(text.contains("nats-server 2.") && text.contains("1048576 bytes"), "{text}");
    let (ok, text, _) = of("jetstream");
    assert_eq!(ok, Some(true));
    assert!(text.contains("this user may not delete it"), "{text}");
    assert_eq!(of("others").1, "not called: they come to the board");
    let turn = |_| [0, 1, 2].map(|i| visit(&scene, i, &server.url(), &user)) == [true; 3];
    assert!((1..=6).any(turn), "six visits are enough");
    // One who begins elsewhere is told so.
    fs::remove_dir_all(scene.here().join("alice/ceremonies")).unwrap();
    let ended = doctor(&scene, &server.url(), &user);
    own_fault(&ended, "board", "you have begun this ceremony", "Use the directory");

    // Whoever may do all leaves nothing behind.
    let Some(free) = Server::start("") else { return };
    let ended = doctor(&scene, &free.url(), &[]).ended_with(0);
    let (_, text, _) = said(&ended, |found| found["check"] == "jetstream");
    assert_eq!(text, "a stream was made, written, read and deleted");
    assert_eq!(free.streams(), 0);
    // Nor does who lacks the transcript of a parent, and lacks nothing else.
    let ended = doctor_without_parent(&scene, &free.url());
    own_fault(&ended, "parent", "", "--from");
    for check in ["server", "jetstream"] {
        assert_eq!(said(&ended, |found| found["check"] == check).0, Some(true), "{check}");
    }
    assert_eq!(free.streams(), 0);
}

#[test]
fn a_board_and_calls_are_not_looked_at_together() {
    let scene = Scene::new(3, &[]);
    for more in [["--wait", "3"], ["--listen", "127.0.0.1:0"], ["--socks5", "127.0.0.1:1"]] {
        doctor(&scene, "nats://127.0.0.1:1", &more).failed(2, &["cannot be used with"]);
    }
}
