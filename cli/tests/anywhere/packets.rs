//! Operator packets, from the coordinator to the end of a ceremony; and every packet that is not
//! this operator's.

use std::fs;
use std::path::Path;

use quorate::spec::Index;
use quorate::spec::packet::Packet;

use crate::scene::{NAMES, Scene};
use crate::support::program::{command, end};
use crate::support::running::{Running, Signal};

/// The files of the ceremonies of an operator whose name ends like this.
fn kept(scene: &Scene, i: usize, file: &str) -> Vec<std::path::PathBuf> {
    let ceremonies = fs::read_dir(scene.here().join(NAMES[i]).join("ceremonies")).unwrap();
    let files = ceremonies.map(|folder| folder.unwrap().path().join(file));
    files.filter(|path| path.exists()).collect()
}

fn pack(scene: &Scene, args: &[&str]) {
    end(command(scene.here(), &[&["spec", "pack"], args].concat())).done();
}

fn join(scene: &Scene, i: usize, packet: &str, words: &str, more: &[&str]) -> Running {
    let address = scene.address(i);
    let args = ["join", packet, "--yes-fingerprint", words, "--no-keystores", "--listen", &address];
    Running::start(scene.by(i, &[&args, more].concat()))
}

#[test]
fn three_packets_are_a_ceremony_and_three_more_its_reshare() {
    let scene = Scene::new(3, &[0, 1, 2]);
    pack(&scene, &["ceremony.toml", "--all"]);
    let words = scene.words_of("ceremony.toml");
    let all = |words: &str, folder: &str| -> Vec<Running> {
        let packet = |i: usize| format!("{folder}/{}.packet", NAMES[i]);
        (0..3).map(|i| join(&scene, i, &packet(i), words, &[])).collect()
    };
    all(&words, "packets").into_iter().for_each(|running| drop(running.ends_with(0)));
    let transcript = |i| fs::read(&kept(&scene, i, "out/public/transcript.quorate")[0]).unwrap();
    assert!((1..3).all(|i| transcript(i) == transcript(0)));
    // Again, it says that there is nothing to do.
    join(&scene, 0, "packets/alice.packet", &words, &[]).ends_with(0);

    fs::write(scene.here().join("parent.quorate"), transcript(0)).unwrap();
    let mut draft: Vec<String> =
        ["reshare", "new", "--from", "parent.quorate", "--name", "Next", "-o", "next.toml"]
            .map(str::to_owned)
            .to_vec();
    for (i, name) in NAMES[..3].iter().enumerate() {
        let card = fs::read_to_string(scene.here().join(name).join("operator.card")).unwrap();
        draft.extend(["--operator".to_owned(), format!("{}@{}", card.trim(), scene.address(i))]);
    }
    end(command(scene.here(), &draft)).done();
    let args = ["spec", "pack", "next.toml", "--all", "--out", "next"];
    let missing = end(command(scene.here(), &args));
    missing.failed(2, &["has a parent, and the transcript of its parent is not here"]);
    pack(&scene, &["next.toml", "--all", "--out", "next", "--from", "parent.quorate"]);
    // Nobody names the parent: it comes with the packet.
    for mut running in all(&scene.words_of("next.toml"), "next") {
        running.until("Waiting for you to stop the old keys");
        running.signal(Signal::INT);
        running.ends_with(5);
    }
    assert_eq!(kept(&scene, 1, "history").len(), 1);
}

#[test]
fn a_packet_that_is_not_ones_own_is_refused_before_the_passphrase() {
    let scene = Scene::new(3, &[0, 1, 2]);
    pack(&scene, &["ceremony.toml", "--for", "carol"]);
    pack(&scene, &["ceremony.toml", "--for", "2", "-o", "mine"]);
    let make = |dir: &str, name: &str| {
        let args = ["--dir", dir, "--passphrase-file", "bob.pass", "identity", "new", "--name"];
        end(command(scene.here(), &[&args, &[name, "--kdf-cost", "10"][..]].concat())).done();
    };
    make("bob-again", "bob");
    make("mallory", "mallory");
    let refused = |dir: &str, packet: &str, what: &str| {
        for kept_card in [true, false] {
            let mut args = vec!["--dir", dir, "join", packet];
            if !kept_card {
                // Only the keys tell whose they are.
                fs::remove_file(scene.here().join(dir).join("operator.card")).unwrap();
                args.extend(["--passphrase-file", "bob.pass"]);
            }
            end(command(scene.here(), &args)).failed(4, &[what]);
            assert!(!scene.here().join(dir).join("ceremonies").exists());
        }
    };
    refused(
        "bob",
        "carol.packet",
        "this packet is for \"carol\" (operator 3), and you are \"bob\" (operator 2)",
    );
    refused("bob-again", "mine", "this packet is for \"bob\" (operator 2) with the key ");
    fs::create_dir(scene.here().join("board")).unwrap();
    for command in [&["run"][..], &["step", "--board", "board"]] {
        let args = [command, &["carol.packet"]].concat();
        end(scene.by(1, &args)).failed(4, &["this packet is for \"carol\" (operator 3)"]);
    }
    refused("mallory", "mine", "operator \"mallory\" has no seat in the ceremony \"Anywhere\"");
}

#[test]
fn a_packet_that_was_spoilt_is_refused_with_the_reason() {
    let scene = Scene::new(3, &[0, 1, 2]);
    pack(&scene, &["ceremony.toml", "--for", "bob"]);
    let whole = fs::read(scene.here().join("bob.packet")).unwrap();
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut moved = whole.clone();
    moved[39] = 3;
    // Whoever alters one and its hashes too has made another packet: of another ceremony.
    let text = fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    let other = text.replace("Anywhere", "Elsewhere").into_bytes();
    let other = Packet::new(other, Index::new(2).unwrap(), Vec::new()).unwrap().encode().unwrap();
    let spoilt = |bytes: &[u8], code: i32, what: &str| {
        fs::write(scene.here().join("spoilt.packet"), bytes).unwrap();
        let words = scene.words_of("ceremony.toml");
        let ended = join(&scene, 1, "spoilt.packet", &words, &[]).ended();
        ended.failed(code, &[what]);
        assert!(!scene.here().join("bob/ceremonies").exists(), "nothing was begun");
    };
    spoilt(&altered, 4, "altered: its ceremony file does not have the hash in its list");
    spoilt(&moved, 4, "altered: the list of its files does not have the hash");
    spoilt(&whole[..whole.len() - 1], 4, "its list of files says");
    spoilt(&[&whole[..], b"\0"].concat(), 4, "its list of files says");
    spoilt(&whole[..60], 4, "damaged: hash of a file: ");
    spoilt(&text.into_bytes(), 4, "not an operator packet: this is a ceremony file");
    // Its words are not those that the others have told.
    spoilt(&other, 2, "this is not the fingerprint of this ceremony: word 1 is not");
    // Commands that look take a packet as well as a file.
    for (packet, code, part) in
        [("bob.packet", 0, "\"Anywhere\""), ("spoilt.packet", 0, "Elsewhere")]
    {
        let shown = end(command(scene.here(), &["spec", "show", packet])).ended_with(code);
        assert!(shown.stdout.contains(part), "{}", shown.stdout);
    }
    let args = ["doctor", "bob.packet", "--wait", "1"];
    let foreign = end(scene.by(2, &args)).ended_with(1).stdout;
    assert!(
        foreign.contains("FAILED  packet: bob.packet: this packet is for \"bob\""),
        "{foreign}"
    );
    assert!(end(scene.by(1, &args)).ended_with(5).stdout.contains("ok      packet: it is for you"));
    // A newer address is packed, and is no part of what is agreed.
    pack(&scene, &["ceremony.toml", "--for", "bob", "--at", "carol=c.example:1", "-o", "moved"]);
    let moved = Packet::parse(&fs::read(scene.here().join("moved")).unwrap()).unwrap();
    let carol = moved.ceremony.roster().get(Index::new(3).unwrap()).unwrap();
    assert_eq!(carol.address.as_ref().unwrap().to_string(), "c.example:1");
    assert_eq!(Packet::parse(&whole).unwrap().ceremony.digest(), moved.ceremony.digest());
    assert!(Path::new(&scene.here().join("bob.packet")).exists());
}
