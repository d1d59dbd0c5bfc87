//! Operators who meet at a NATS server, which is killed, purged, filled with junk, or a liar.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use quorate::spec::{Ceremony, CeremonyFile};
use serde_json::json;

use crate::scene::{NAMES, Scene};
use crate::support::board::Enemy;
use crate::support::nats::Server;
use crate::support::ports::free_address;
use crate::support::program::{Ended, command, end};
use crate::support::running::{Running, Signal};

fn ceremony(scene: &Scene) -> Ceremony {
    let text = fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap()
}

/// A visit of an operator.
pub(crate) fn step(scene: &Scene, i: usize, url: &str, more: &[&str]) -> Ended {
    let args = ["--json", "step", "ceremony.toml", "--via", url, "--no-keystores"];
    let words = ["--yes-fingerprint", scene.words()];
    end(scene.by(i, &[&args[..], &words, more].concat()))
}

/// A visit that goes well; whether its operator has finished.
pub(crate) fn visit(scene: &Scene, i: usize, url: &str, more: &[&str]) -> bool {
    let ended = step(scene, i, url, more).done();
    ended.json()["finished"].as_bool().unwrap()
}

pub(crate) fn all_agree(scene: &Scene, n: usize) {
    (0..n).for_each(|i| assert_eq!(scene.transcript(i), scene.transcript(0), "{}", NAMES[i]));
}

/// Nobody is there when another is, the server dies in each turn, and files go in pieces.
#[test]
fn five_operators_at_a_server_that_is_killed_in_each_turn() {
    let Some(mut server) = Server::start("max_payload: 1024\nmax_pending: 8192") else { return };
    let scene = Scene::new(5, &[]);
    let mut chance = Enemy::new(Path::new("/nowhere"), 11);
    for turn in 1..=6 {
        let victim = chance.chance(5);
        for (at, i) in chance.order(5).into_iter().enumerate() {
            if at == victim {
                server.kill();
                let lost = step(&scene, i, &server.url(), &[]);
                lost.failed(1, &["nothing is lost", "run the same command again"]);
                server.up();
            }
            let finished = visit(&scene, i, &server.url(), &[]);
            assert!((turn >= 5 || !finished) && (turn < 6 || finished), "{} {turn}", NAMES[i]);
        }
    }
    all_agree(&scene, 5);
    assert_eq!(step(&scene, 0, &server.url(), &[]).done().json()["finished"], true);
}

/// Whoever may use the server purges the stream, and publishes junk under subjects like the honest
/// ones.
#[test]
fn attack_bd8_a_hostile_user_of_the_server() {
    let Some(server) = Server::start("") else { return };
    let scene = Scene::new(3, &[]);
    let topic = ceremony(&scene).digest().to_string();
    let stream = format!("quorate-{}", &topic[..32]);
    let mut chance = Enemy::new(Path::new("/nowhere"), 12);
    let (mut finished, mut turns) = ([false; 3], 0);
    while finished != [true; 3] {
        turns += 1;
        assert!(turns < 30, "{finished:?}");
        for i in chance.order(3) {
            finished[i] = visit(&scene, i, &server.url(), &[]);
            let mut lines = Vec::new();
            if turns % 3 == 0 && chance.chance(2) == 0 {
                lines.push(format!("PUB $JS.API.STREAM.PURGE.{stream} 0\r\n\r\n"));
            }
            for round in 0..5 {
                for seat in 1..=3 {
                    let name = hex::encode([u8::try_from(chance.chance(256)).unwrap(); 32]);
                    let shelf = format!("quorate.1.{topic}.{round}-{seat}");
                    lines.push(format!("PUB {shelf}.{name}.4.1.1 4\r\njunk\r\n"));
                    lines
                        .push(format!("PUB {shelf}.{name}.268.1.1 268\r\n{}\r\n", "x".repeat(268)));
                    lines.push(format!("PUB {shelf}.junk 4\r\njunk\r\n"));
                }
            }
            server.say(&lines);
        }
    }
    all_agree(&scene, 3);
}

/// `run --via` visits by itself until the end, also when the server comes late.
#[test]
fn run_by_way_of_a_server() {
    let Some(mut server) = Server::start("") else { return };
    let scene = Scene::new(3, &[]);
    let url = server.url();
    let via = ["--via", &url];
    let mut first = scene.run(0, "ceremony.toml", &via);
    first.until("Meeting the others at nats://127.0.0.1:");
    first.until("Waiting for \"bob\" (operator 2), \"carol\" (operator 3)");
    server.kill();
    first.until("Trying again; Ctrl-C is safe.");
    server.up();
    let others = [1, 2].map(|i| scene.run(i, "ceremony.toml", &via));
    let ended = first.ends_with(0);
    assert!(ended.stderr.contains("Leave what is on the board"), "{}", ended.stderr);
    others.into_iter().for_each(|running| drop(running.ends_with(0)));
    all_agree(&scene, 3);

    // Who is interrupted is told for whom it waited.
    let scene = Scene::new(3, &[]);
    let mut alone = scene.run(0, "ceremony.toml", &via);
    alone.until("Waiting for");
    alone.signal(Signal::INT);
    let ended = alone.ends_with(5);
    assert!(ended.stdout.contains("It was waiting for \"bob\""), "{}", ended.stdout);
}

#[test]
fn a_server_that_keeps_nothing_is_told() {
    let Some(server) = Server::with("") else { return };
    let scene = Scene::new(3, &[]);
    step(&scene, 0, &server.url(), &[]).failed(1, &["it has no JetStream", "nats-server -js"]);
    // Nothing was signed before it was asked what it has.
    assert!(!scene.here().join("alice/ceremonies").exists());
}

/// A board takes no room but for what is on it; where there is none for that, it is told so.
#[test]
fn a_server_with_little_room() {
    let config =
        |bytes: &str| format!("jetstream {{ store_dir: \"STORE\", max_file_store: {bytes} }}");
    let Some(little) = Server::with(&config("8MB")) else { return };
    let scene = Scene::new(3, &[]);
    assert_eq!(step(&scene, 0, &little.url(), &[]).done().json()["written"], 1);
    let Some(none) = Server::with(&config("100")) else { return };
    // The first one is taken, since nothing is there.
    step(&scene, 1, &none.url(), &[]).done();
    let refused = step(&scene, 2, &none.url(), &[]);
    refused.failed(1, &["the server has no room for more", "max_file_store"]);
}

/// A server that answers each request after `answers`, if ever, and tells of files without end.
fn slow(answers: Option<Duration>) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let (asked, heard) = channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let _ = stream.get_mut().write_all(b"INFO {\"max_payload\":1048576}\r\nPONG\r\n");
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
            if let Some(head) = line.strip_prefix("PUB ") {
                let _ = asked.send(());
                if let Some(after) = answers {
                    thread::sleep(after);
                    let reply = head.split(' ').nth(1).unwrap();
                    let page = r#"{"total":99999999,"state":{"subjects":{"a":1}}}"#;
                    let message = format!("MSG {reply} 1 {}\r\n{page}\r\n", page.len());
                    let _ = stream.get_mut().write_all(message.as_bytes());
                }
            }
            line.clear();
        }
    });
    (url, heard)
}

#[test]
fn a_visit_to_a_slow_server_can_be_ended() {
    let scene = Scene::new(3, &[]);
    let words = ["--yes-fingerprint", scene.words(), "--no-keystores"];
    let visit = |url: &str| {
        let args = ["step", "ceremony.toml", "--via", url];
        Running::start(scene.by(0, &[&args[..], &words].concat()))
    };
    let (url, asked) = slow(Some(Duration::from_millis(200)));
    let running = visit(&url);
    asked.recv().unwrap();
    running.signal(Signal::INT);
    let ended = running.ends_with(1);
    assert!(ended.stderr.contains("you ended this visit"), "{}", ended.stderr);
    // A second signal waits for no answer.
    let (url, asked) = slow(None);
    let mut running = visit(&url);
    asked.recv().unwrap();
    let ended = loop {
        if let Some(ended) = running.poll() {
            break ended;
        }
        running.signal(Signal::INT);
        thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("nothing is lost"), "{}", ended.stderr);
    assert!(!scene.here().join("alice/ceremonies").exists());
}

#[test]
fn who_is_no_server_costs_nothing() {
    let scene = Scene::new(3, &[]);
    let nobody = format!("nats://{}", free_address());
    step(&scene, 0, &nobody, &[]).failed(1, &["asking it failed", "nothing is lost"]);
    let onion = step(&scene, 0, "nats://abc.onion", &[]);
    onion.failed(2, &["cannot be reached without a proxy", "start a tunnel"]);
    step(&scene, 0, "tls://127.0.0.1", &[]).failed(2, &["begins with nats://", "use a tunnel"]);
    let info = r#"INFO {"max_payload":1048576}"#;
    let pong = format!("{info}\r\nPONG\r\n");
    for (says, told) in [
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "none of its protocol"),
        ("INFO {}\r\n".to_owned(), "this is no NATS server"),
        (format!("INFO {}\r\n", json!({ "max_payload": 1 << 20, "tls_required": true })), "TLS"),
        (format!("INFO {}\r\n", json!({ "max_payload": 100 })), "too little"),
        (format!("INFO {}", "x".repeat(1 << 20)), "a line without an end"),
        (format!("{pong}MSG a 1 99999999999\r\n"), "too long"),
        (format!("{pong}MSG a 1 20000000\r\nabc"), "unexpected end of file"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            // As often as it is asked; the test ends it.
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let _ = stream.write_all(says.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        let args = ["--json", "step", "ceremony.toml", "--via", &url, "--no-keystores"];
        let words = ["--yes-fingerprint", scene.words()];
        let failed = end(scene.by(0, &[&args[..], &words].concat()));
        failed.failed(1, &[told]);
        drop(TcpStream::connect(url.trim_start_matches("nats://")));
        server.join().unwrap();
    }
    assert!(!scene.here().join("alice/ceremonies").exists());
    let both = ["step", "ceremony.toml", "--via", &nobody, "--board", "board"];
    end(command(scene.here(), &both)).failed(2, &["cannot be used with"]);
    end(command(scene.here(), &both[..2])).failed(2, &["--board DIR", "--via nats://HOST:PORT"]);
    let listens = ["run", "ceremony.toml", "--via", &nobody, "--listen", "3610"];
    end(command(scene.here(), &listens)).failed(2, &["nobody calls anybody"]);
}
