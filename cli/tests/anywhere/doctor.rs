//! `quorate doctor`: planted faults on one's own side and on the way to the others, each named with
//! its remedy; and a cluster that is well.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use quorate::identity::Operator;
use quorate::message::probe::Probe;
use quorate::message::sync::Frame;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::Ceremony;
use quorate_operator::carrier::{Event, Tcp, TcpConfig};
use quorate_operator::store::{IDENTITY_FILE, StateDir, open_with_passphrase};
use serde_json::Value;

use crate::scene::{NAMES, Scene};
use crate::support::files::private;
use crate::support::ports::free_port;
use crate::support::program::{Ended, behind, command, end};
use crate::support::running::Running;

fn doctor(scene: &Scene, i: usize, file: &str, more: &[&str]) -> Running {
    let address = scene.address(i);
    let args = ["--json", "doctor", file, "--listen", &address];
    Running::start(scene.by(i, &[&args, more].concat()))
}

/// What is said of one thing: whether it is well, the fact, and what to do.
pub(crate) fn said(ended: &Ended, of: impl Fn(&Value) -> bool) -> (Option<bool>, String, String) {
    let json = ended.json();
    let found: Vec<&Value> = json["checks"].as_array().unwrap().iter().filter(|c| of(c)).collect();
    let [found] = found[..] else { panic!("{json}") };
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (found["ok"].as_bool(), text("text"), text("do"))
}

fn of_peer(ended: &Ended, index: u16) -> (Option<bool>, String, String) {
    said(ended, |check| check["operator"]["index"] == index)
}

/// One thing of the own side has failed, like this, and nothing was called.
pub(crate) fn own_fault(ended: &Ended, check: &str, what: &str, fix: &str) {
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let (ok, text, todo) =
        said(ended, |found| found["check"] == check && found["ok"] == Value::Bool(false));
    assert_eq!(ok, Some(false));
    assert!(text.contains(what), "{what:?} in {text:?}");
    assert!(todo.contains(fix), "{fix:?} in {todo:?}");
    assert_eq!(ended.json()["ready"], false);
}

/// The way to an operator has failed, like this.
fn peer_fault(ended: &Ended, index: u16, what: &str, fix: &str) {
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    let (ok, text, todo) = of_peer(ended, index);
    assert_eq!(ok, Some(false), "{text}");
    assert!(text.contains(what), "{what:?} in {text:?}");
    assert!(todo.contains(fix), "{fix:?} in {todo:?}");
}

#[test]
fn three_doctors_find_each_other_and_sign_nothing() {
    let scene = Scene::new(3, &[0, 1]);
    let all: Vec<Running> =
        (0..3).map(|i| doctor(&scene, i, "ceremony.toml", &["--wait", "120"])).collect();
    for (i, running) in all.into_iter().enumerate() {
        let ended = running.ends_with(0);
        assert_eq!(ended.json()["ready"], true);
        for peer in (1..=3).filter(|peer| usize::from(*peer) != i + 1) {
            let (ok, text, _) = of_peer(&ended, peer);
            assert_eq!(ok, Some(true), "{text}");
            assert!(text.contains("with the same ceremony file; quorate 0."), "{text}");
            assert!(text.contains("clocks differ by "), "{text}");
        }
        assert!(!scene.here().join(NAMES[i]).join("ceremonies").exists(), "nothing was begun");
    }
}

/// A doctor beside operators who take part already disturbs nobody.
#[test]
fn doctors_beside_a_run_leave_it_alone() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let mut alice = scene.listen(0, &[]);
    alice.until("Waiting for");
    let doctors = [1, 2].map(|i| doctor(&scene, i, "ceremony.toml", &["--wait", "120"]));
    for running in doctors {
        let ended = running.ends_with(0);
        let (ok, text, _) = of_peer(&ended, 1);
        assert_eq!(ok, Some(true), "{text}");
        assert!(text.contains("it takes part already"), "{text}");
    }
    // Her own doctor would take her connections.
    let ended = doctor(&scene, 0, "ceremony.toml", &["--wait", "1"]).ended();
    own_fault(&ended, "use", "another quorate", "wait for the other process to finish");
    let others = [1, 2].map(|i| scene.listen(i, &[]));
    let ended = alice.ends_with(0);
    assert!(!ended.stderr.contains("not a message"), "{}", ended.stderr);
    others.into_iter().for_each(|running| drop(running.ends_with(0)));
}

#[test]
fn faults_of_the_own_side_are_named_with_their_remedy() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let here = scene.here().to_owned();
    let of = |more: &[&str]| doctor(&scene, 0, "ceremony.toml", more);
    let own = || of(&["--wait", "1"]).ended();
    let state = here.join("alice");

    private(here.join("wrong.pass"), "not the words of alice\n");
    let args = ["--json", "--dir", "alice", "--passphrase-file", "wrong.pass", "doctor"];
    let ended = end(command(&here, &[&args, &["ceremony.toml"][..]].concat()));
    own_fault(&ended, "identity", "wrong passphrase", "passphrase");

    let taken = TcpListener::bind(scene.address(0)).unwrap();
    own_fault(&own(), "port", "another program already listens there", "choose another port");
    drop(taken);

    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    own_fault(&own(), "directory", "other users have access (mode 0755)", "chmod");
    fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();

    let other = ["--dir", "mallory", "--passphrase-file", "alice.pass"];
    let make = ["identity", "new", "--name", "mallory", "--kdf-cost", "10"];
    end(command(&here, &[&other, &make[..]].concat())).done();
    let ended =
        end(command(&here, &[&["--json"], &other[..], &["doctor", "ceremony.toml"]].concat()));
    own_fault(
        &ended,
        "seat",
        "operator \"mallory\" has no seat",
        "that --dir is the right directory",
    );

    let empty = ["--json", "--dir", "empty", "doctor", "ceremony.toml"];
    fs::create_dir(here.join("empty")).unwrap();
    fs::set_permissions(here.join("empty"), Permissions::from_mode(0o700)).unwrap();
    own_fault(&end(command(&here, &empty)), "identity", "not found", "quorate identity new");

    // Traces of a ceremony whose log is gone.
    let digest = end(command(&here, &["--json", "spec", "check", "ceremony.toml"])).json();
    let folder = state.join("ceremonies").join(&digest["digest"].as_str().unwrap()[..16]);
    fs::create_dir_all(&folder).unwrap();
    fs::copy(here.join("ceremony.toml"), folder.join("ceremony.toml")).unwrap();
    own_fault(&own(), "state", "its log is missing", "do not start it again");
    fs::remove_dir_all(state.join("ceremonies")).unwrap();

    // Only the keys were restored.
    for file in ["install.mark", "operator.card"] {
        fs::rename(state.join(file), here.join(file)).unwrap();
    }
    own_fault(&own(), "seat", "this identity was restored", "quorate identity show");
    for file in ["install.mark", "operator.card"] {
        fs::rename(here.join(file), state.join(file)).unwrap();
    }
    // All is well again: what is left is the others.
    peer_fault(&of(&["--wait", "5"]).ended(), 2, "connection refused", "nothing listens there");
}

/// On a disk of its own, if this system lets a test have one.
#[test]
fn a_full_disk_is_named() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let script = "mount -t tmpfs -o size=64k,mode=700 tmpfs /mnt && cp -a alice/. /mnt && \
                  { head -c 1m /dev/zero > /mnt/ballast || true; } 2> /dev/null && exec \"$@\"";
    let front = ["unshare", "-Urm", "sh", "-c", script, "sh"];
    let tried = end(behind(&front, &command(scene.here(), &["--version"])));
    if tried.code != 0 {
        eprintln!("SKIPPED: no disk of its own here: {}", tried.stderr);
        return;
    }
    let args = ["--json", "--dir", "/mnt", "--passphrase-file", "alice.pass", "doctor"];
    let more = ["ceremony.toml", "--wait", "1", "--listen", &scene.address(0)];
    let ended = end(behind(&front, &command(scene.here(), &[&args, &more[..]].concat())));
    own_fault(&ended, "disk", "no space left on this file system", "free some space");

    // It takes a file, and not a ceremony.
    let roomy = script.replace("head -c 1m", "head -c 8k");
    let front = ["unshare", "-Urm", "sh", "-c", &roomy, "sh"];
    let ended = end(behind(&front, &command(scene.here(), &[&args, &more[..]].concat())));
    own_fault(&ended, "disk", "MiB are free; this ceremony needs ", "free some space");
}

#[test]
fn addresses_and_proxies_that_lead_nowhere_are_told_apart() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let nowhere = free_port();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = format!("carol={}", other.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut caller in other.incoming().flatten() {
            let _ = caller.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = caller.read(&mut [0; 4096]);
        }
    });
    let more = ["--at", "bob=nobody.invalid:3610", "--at", &web, "--wait", "6"];
    let ended = doctor(&scene, 0, "ceremony.toml", &more).ended();
    peer_fault(&ended, 2, "its host name does not resolve", "check the name");
    peer_fault(&ended, 3, "does not speak Quorate's channel protocol", "another program answers");

    let onion = "bob=duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion:3610";
    let ended = doctor(&scene, 0, "ceremony.toml", &["--at", onion, "--wait", "6"]).ended();
    peer_fault(&ended, 2, "it is an onion service", "--socks5 127.0.0.1:9050");
    peer_fault(&ended, 3, "connection refused", "ask the operator to run quorate doctor");

    let proxy = format!("127.0.0.1:{nowhere}");
    let more = ["--at", onion, "--socks5", &proxy, "--wait", "6"];
    let ended = doctor(&scene, 0, "ceremony.toml", &more).ended();
    peer_fault(&ended, 2, "the proxy is not reachable", &format!("now it is {proxy}"));
}

#[test]
fn another_file_and_another_operator_are_told_by_both_sides() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let text = fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    fs::write(scene.here().join("other.toml"), text.replace("Anywhere", "Elsewhere")).unwrap();
    // The two addresses are exchanged.
    let (moved, back) =
        (format!("bob={}", scene.address(2)), format!("carol={}", scene.address(1)));
    let more = ["--wait", "10", "--at", &moved, "--at", &back];
    let alice = doctor(&scene, 0, "ceremony.toml", &more);
    let bob = doctor(&scene, 1, "other.toml", &["--wait", "10"]);
    let carol = doctor(&scene, 2, "ceremony.toml", &["--wait", "10"]);
    let (alice, bob, carol) = (alice.ended(), bob.ended(), carol.ended());
    for (ended, index) in [(&bob, 1), (&bob, 3), (&carol, 2)] {
        peer_fault(ended, index, "with a different ceremony file", "compare the twelve words");
    }
    assert_eq!(of_peer(&alice, 3).0, Some(true));
    let (ok, text, fix) = of_peer(&alice, 2);
    assert_eq!((alice.code, ok), (5, Some(false)));
    // Whichever came last: carol at his address, or bob's own call.
    assert!(
        text.contains("operator 3 claims to answer at this address")
            || text.contains("with a different ceremony file"),
        "{text}"
    );
    assert!(fix.contains("--at OPERATOR=HOST:PORT") || fix.contains("twelve words"), "{fix}");
}

/// An operator's keys.
pub(crate) fn seat_of(scene: &Scene, i: usize) -> OwnSeat {
    let name = NAMES[i];
    let state = StateDir::open(&scene.here().join(name)).unwrap();
    let passphrase = SecretBytes::new(format!("the words of {name}").into_bytes());
    let sealed = state.read_identity().unwrap();
    let secret = open_with_passphrase(&sealed, &passphrase, IDENTITY_FILE).unwrap();
    let operator = Operator::from_secret_bytes(&secret).unwrap();
    let text = fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    let file = quorate::spec::CeremonyFile::parse(&text).unwrap();
    let ceremony = Arc::new(Ceremony::try_from(file).unwrap());
    OwnSeat::find(ceremony, Arc::new(operator)).unwrap()
}

/// What alice's doctor says when bob's program tells this of itself.
fn told(scene: &Scene, ahead: i64, program: &str) -> Ended {
    let running = doctor(scene, 0, "ceremony.toml", &["--wait", "8"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let time = now.as_secs().saturating_add_signed(ahead);
    let probe = Frame::Probe(Probe::new(time, program).unwrap()).encode();
    let mut heard = false;
    runtime.block_on(async {
        let listen = scene.address(1);
        let config = TcpConfig::of(&seat_of(scene, 1), Some(listen.as_str().into()));
        let mut tcp = Tcp::start(config).await.unwrap();
        while !heard {
            match tcp.next().await {
                Event::Up { peer: 1, .. } => assert!(tcp.send(1, probe.clone())),
                Event::Frame { peer: 1, bytes } => heard = bytes[0] == 6,
                _ => {}
            }
        }
        tcp.shutdown().await;
    });
    running.ended()
}

#[test]
fn clocks_and_versions_that_differ_are_named() {
    let scene = Scene::new(3, &[0, 1]);
    let release = env!("CARGO_PKG_VERSION");
    let ended = told(&scene, 3600, release);
    peer_fault(&ended, 2, " s ahead of yours", "timedatectl set-ntp true");
    let ended = told(&scene, -3600, release);
    peer_fault(&ended, 2, " s behind yours", "compare yours with a time server");
    let ended = told(&scene, 0, "0.0.9");
    peer_fault(&ended, 2, "it is quorate 0.0.9, and this is", "use the same release everywhere");
    // Carol has no address, and did not call.
    peer_fault(&ended, 3, "has no address in the ceremony file, and has not called", "your port");
}

/// Where the ceremony goes by a board, that is looked at and nobody is called.
#[test]
fn a_board_is_looked_at_instead_of_calling() {
    let scene = Scene::new(3, &[]);
    let on_board = |board: &str| {
        let args = ["--json", "doctor", "ceremony.toml", "--board", board];
        end(scene.by(0, &args))
    };
    own_fault(&on_board("stick"), "board", "there is no such folder", "plug it");
    fs::write(scene.here().join("stick"), "").unwrap();
    own_fault(&on_board("stick"), "board", "this is not a folder", "the folder of the board");
    fs::remove_file(scene.here().join("stick")).unwrap();
    fs::create_dir(scene.here().join("stick")).unwrap();
    let ended = on_board("stick").ended_with(0);
    assert_eq!(said(&ended, |check| check["check"] == "board").0, Some(true));
    let (ok, text, _) = said(&ended, |check| check["check"] == "others");
    assert_eq!((ok, text.as_str()), (None, "not called: they come to the board"));
    assert_eq!(fs::read_dir(scene.here().join("stick")).unwrap().count(), 0, "nothing stays");

    let words = scene.words_of("ceremony.toml");
    let step = ["step", "ceremony.toml", "--board", "stick", "--no-keystores"];
    end(scene.by(0, &[&step[..], &["--yes-fingerprint", &words]].concat())).done();
    on_board("stick").ended_with(0);
    // The log is gone, and the board knows better.
    fs::remove_dir_all(scene.here().join("alice/ceremonies")).unwrap();
    own_fault(&on_board("stick"), "board", "you have begun this ceremony", "");
}

/// Another version of the channel protocol, as its refusal tells.
#[test]
fn an_old_channel_is_named() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let digest = seat_of(&scene, 1).ceremony.digest();
    let refusal = [&[1, 0, 0, 0, 2], &digest.0[..]].concat();
    let listener = TcpListener::bind(scene.address(1)).unwrap();
    std::thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            let mut flight = [0; 42 + 96];
            let _ = caller.read_exact(&mut flight).and_then(|()| caller.write_all(&refusal));
        }
    });
    let ended = doctor(&scene, 0, "ceremony.toml", &["--wait", "5"]).ended();
    peer_fault(&ended, 2, "it claims version 0 of the channel protocol", "use the same release");
}
