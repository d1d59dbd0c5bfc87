//! Operators who are never online together, and meet at a folder that an enemy can write to.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use quorate::message::envelope::Round;
use quorate::spec::{Ceremony, CeremonyFile};
use serde_json::json;
use sha2::Digest as _;

use crate::scene::{NAMES, Scene};
use crate::support::board::Enemy;
use crate::support::files::{mode, tree};
use crate::support::program::{Ended, command, end, limited, names};

/// Operators without addresses, an empty board, and its enemy.
fn meeting(n: usize, seed: u64) -> (Scene, Ceremony, Enemy) {
    let scene = Scene::new(n, &[]);
    let board = scene.here().join("board");
    fs::create_dir(&board).unwrap();
    let text = fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
    let enemy = Enemy::new(&board, seed);
    (scene, ceremony, enemy)
}

/// A visit that goes well; whether its operator has finished.
fn visit(scene: &Scene, i: usize) -> bool {
    let ended = scene.step(i, "board", &[]);
    assert_eq!(ended.code, 0, "{}: {}{}", NAMES[i], ended.stdout, ended.stderr);
    assert!(!ended.stderr.contains("Fault"), "{}", ended.stderr);
    ended.json()["finished"].as_bool().unwrap()
}

fn all_agree(scene: &Scene, n: usize) {
    (0..n).for_each(|i| assert_eq!(scene.transcript(i), scene.transcript(0), "{}", NAMES[i]));
    fs::write(scene.here().join("transcript.quorate"), scene.transcript(0)).unwrap();
    let args = ["--json", "audit", "transcript.quorate", "--expect", "ceremony.toml"];
    let audited = end(command(scene.here(), &args)).done().json();
    assert_eq!(audited["verdict"], "verified");
}

/// Five operators in a new order each time, a board with a thousand foreign files, that loses,
/// exchanges, cuts and repeats what everybody has fetched, and holds back until the next turn what
/// was just written.
#[test]
fn attack_bd7_five_visits_say_everything_and_a_sixth_fetches() {
    let (scene, ceremony, mut enemy) = meeting(5, 0x0b0a_4d01);
    enemy.fill(&ceremony, 40);
    let mut fetched = BTreeMap::new();
    for turn in 1..=6 {
        enemy.give_back();
        let before = enemy.honest();
        for i in enemy.order(5) {
            enemy.harm(&fetched);
            let had = enemy.honest();
            let finished = visit(&scene, i);
            assert!(turn >= 5 || !finished, "{} in turn {turn}", NAMES[i]);
            assert!(turn < 6 || finished, "{}", NAMES[i]);
            if enemy.chance(3) == 0 {
                enemy.hold_back(&had);
            }
        }
        fetched = before;
    }
    all_agree(&scene, 5);
    // Once more changes nothing, and repairs what is left to repair.
    assert!(visit(&scene, 0));
    let ended = scene.step(0, "board", &[]);
    assert_eq!(ended.json()["finished"], true);
    assert!(ended.stderr.contains("wrote 0 files"), "{}", ended.stderr);
}

/// Whatever is lost, also before anybody has read it, is written again by whoever has it.
#[test]
fn a_board_that_loses_anything_delays_and_nothing_else() {
    let (scene, ceremony, mut enemy) = meeting(3, 7);
    enemy.fill(&ceremony, 3);
    let mut finished = [false; 3];
    let mut turns = 0;
    while finished != [true; 3] {
        turns += 1;
        assert!(turns < 40, "{finished:?}");
        for i in enemy.order(3) {
            let there = enemy.honest();
            enemy.harm(&there);
            finished[i] = visit(&scene, i);
        }
    }
    all_agree(&scene, 3);
}

/// What a person and a program are told at each visit.
#[test]
fn a_visit_says_who_is_awaited_and_what_comes_next() {
    let (scene, _, enemy) = meeting(3, 1);
    let first = scene.step(0, "board", &[]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let told = first.json();
    assert_eq!(told["finished"], false);
    assert_eq!(names(&told["waiting_for"]), json!(["bob", "carol"]));
    assert_eq!(
        (&told["written"], &told["taken"], &told["junk"]),
        (&json!(1), &json!(0), &json!(0))
    );
    assert!(
        first.stderr.contains(
            "Round 1 of 5, hellos: 1 of 3. Waiting for \"bob\" (operator 2), \"carol\" (operator \
             3)."
        ),
        "{}",
        first.stderr
    );
    // What is on the board is public, and nothing else is there.
    let shared = tree(&scene.here().join("board"));
    let files: Vec<_> = shared.keys().filter(|path| path.extension().is_none()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    assert_eq!(mode(scene.here().join("board").join(enemy.honest().keys().next().unwrap())), 0o644);

    // The last one to come in a turn goes on at once.
    assert!(!visit(&scene, 1));
    let third = scene.step(2, "board", &[]).json();
    assert_eq!((&third["written"], &third["taken"]), (&json!(2), &json!(2)));
    assert_eq!(names(&third["waiting_for"]), json!(["alice", "bob"]));

    // For people.
    let args = ["step", "ceremony.toml", "--board", "board", "--no-keystores"];
    let said = end(scene.by(0, &args)).done();
    assert!(
        said.stdout.contains("Not finished: waiting for \"bob\" (operator 2)"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("let the others visit the board"), "{}", said.stdout);
}

#[test]
fn a_board_that_is_not_there_is_not_made() {
    let scene = Scene::new(3, &[]);
    let missing = scene.step(0, "stick", &[]);
    missing.failed(2, &["there is no such folder", "plug it in"]);
    fs::write(scene.here().join("file"), "").unwrap();
    scene.step(0, "file", &[]).failed(2, &["this is not a folder"]);
    // Nothing was agreed to, and nothing signed.
    assert!(!scene.here().join("alice/ceremonies").exists());
    fs::create_dir(scene.here().join("board")).unwrap();
    let args = ["step", "ceremony.toml", "--board", "board", "--yes-fingerprint", "wrong words"];
    end(scene.by(0, &args)).failed(2, &["fingerprint"]);
    assert!(!scene.here().join("alice/ceremonies").exists());
    assert_eq!(tree(&scene.here().join("board")).len(), 0);
}

#[test]
fn who_gives_up_says_so_on_the_board() {
    let (scene, _, enemy) = meeting(3, 1);
    assert!(!visit(&scene, 0) && !visit(&scene, 1));
    let abandon = ["abandon", "ceremony.toml", "--board", "board", "--yes-fingerprint"];
    let missing = ["abandon", "ceremony.toml", "--board", "stick", "--yes-fingerprint"];
    end(scene.by(0, &[&missing[..], &[scene.words()]].concat()))
        .failed(2, &["there is no such folder"]);
    for _ in 0..2 {
        end(scene.by(0, &[&abandon[..], &[scene.words()]].concat())).done();
        assert_eq!(enemy.honest().len(), 3, "two hellos, and one abandonment");
    }
    let told = scene.step(1, "board", &[]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert_eq!(names(&told.json()["abandoned_by"]), json!(["alice"]));
    // Whoever has given up begins nothing, in whatever directory.
    scene.step(0, "board", &[]).failed(3, &["permanently abandoned"]);
    fs::remove_dir_all(scene.here().join("alice/ceremonies")).unwrap();
    scene.step(0, "board", &[]).failed(1, &["you have begun this ceremony"]);
}

/// From a copy that holds its share and lacks its FINAL, and from one that lacks its PREPARE.
#[test]
fn attack_bd11_who_has_signed_the_outputs_gives_up_nothing() {
    let (scene, ceremony, enemy) = meeting(3, 1);
    assert!(!visit(&scene, 0));
    let log = scene.ceremony(0).join("log.sealed");
    let mut copies = vec![fs::read(&log).unwrap()];
    for i in [1, 2, 0, 1, 2, 0] {
        assert!(!visit(&scene, i));
        if i == 0 {
            copies.push(fs::read(&log).unwrap());
        }
    }
    // Alice has prepared, and the others too; now all commit, and she signs her final.
    for i in [1, 2, 0, 1, 2] {
        visit(&scene, i);
    }
    let newest = fs::read(&log).unwrap();
    let finals = enemy.slot(&ceremony, Round::Final, 1);
    assert_eq!(fs::read_dir(&finals).unwrap().count(), 1);
    let args = ["abandon", "ceremony.toml", "--board", "board", "--yes-fingerprint", scene.words()];
    let abandon = || end(scene.by(0, &args));
    let given_up = || {
        let names = enemy.honest();
        let mut all = names.values();
        all.any(|content| content[6] == 3)
    };
    let prepared = copies.pop().unwrap();
    fs::write(&log, &prepared).unwrap();
    abandon().failed(2, &["has signed the outputs of the ceremony", "rely on its share"]);
    // The hello alone: everything later is of a session that the board tells, by any deal where a
    // hello is missing, or not at all.
    fs::write(&log, &copies[0]).unwrap();
    let mut hidden: Vec<_> = (1..=3).map(|seat| enemy.slot(&ceremony, Round::Deal, seat)).collect();
    hidden.push(enemy.slot(&ceremony, Round::Hello, 2));
    let aside = |at: usize| scene.here().join(format!("hidden-{at}"));
    for (at, shelf) in hidden.iter().enumerate() {
        fs::rename(shelf, aside(at)).unwrap();
    }
    abandon().failed(1, &["nothing there tells whether it is of this ceremony"]);
    assert!(!given_up());
    fs::rename(aside(2), &hidden[2]).unwrap();
    abandon().failed(1, &["was put back to an earlier state", "others hold your FINAL"]);
    // It is noted: the next time, also without the board.
    let alone = ["abandon", "ceremony.toml", "--yes-fingerprint", scene.words()];
    end(scene.by(0, &alone)).failed(1, &["was put back to an earlier state"]);
    assert!(!given_up());
    for at in [0, 1, 3] {
        fs::rename(aside(at), &hidden[at]).unwrap();
    }
    fs::write(&log, &newest).unwrap();
    for _ in 0..2 {
        (0..3).for_each(|i| _ = visit(&scene, i));
    }
    all_agree(&scene, 3);
}

/// An honest deal behind which there is junk, in many files: none is read twice.
#[test]
fn attack_bd9_junk_behind_an_honest_deal_is_read_once() {
    let (scene, ceremony, enemy) = meeting(3, 1);
    assert!(!visit(&scene, 0) && !visit(&scene, 1) && !visit(&scene, 2) && !visit(&scene, 1));
    let shelf = enemy.slot(&ceremony, Round::Deal, 2);
    let (_, deal) = enemy
        .honest()
        .into_iter()
        .find(|(path, _)| shelf.ends_with(path.parent().unwrap()))
        .unwrap();
    // The honest file is held back: what is left is the deal with other boxes.
    let own = fs::read_dir(&shelf).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&own).unwrap();
    for i in 0..300_u32 {
        let mut junk = deal.clone();
        let end = junk.len();
        junk[end - 4..].copy_from_slice(&i.to_be_bytes());
        fs::write(shelf.join(hex::encode(sha2::Sha256::digest(&junk))), &junk).unwrap();
    }
    let first = scene.step(0, "board", &[]).json();
    assert_eq!(first["junk"], 300, "{first}");
    assert!(names(&first["waiting_for"]).to_string().contains("bob"), "{first}");
    let second = scene.step(0, "board", &[]).json();
    assert_eq!(second["junk"], 0, "{second}");
    fs::write(&own, &deal).unwrap();
    for _ in 0..5 {
        (0..3).for_each(|i| _ = visit(&scene, i));
    }
    all_agree(&scene, 3);
}

/// A folder that somebody put in the place of a board's, or a link, is neither followed nor
/// replaced.
#[test]
fn attack_bd2_links_are_not_followed() {
    let (scene, ceremony, enemy) = meeting(3, 1);
    let outside = scene.here().join("outside");
    fs::create_dir(&outside).unwrap();
    let slot = enemy.slot(&ceremony, Round::Hello, 1);
    fs::create_dir_all(slot.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&outside, &slot).unwrap();
    let blocked = scene.step(0, "board", &[]);
    blocked.failed(1, &["something else stands where the board needs a folder"]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    // Nothing is lost: where it is removed, the same statement is written.
    fs::remove_file(&slot).unwrap();
    assert!(!visit(&scene, 0));
    assert_eq!(enemy.honest().len(), 1);
}

/// Own files are compared to the byte at each visit, and written again beside what has their name.
#[test]
fn attack_bd3_own_files_that_differ_are_written_again() {
    let (scene, _, enemy) = meeting(3, 1);
    assert!(!visit(&scene, 0));
    let board = scene.here().join("board");
    let (path, content) = enemy.honest().pop_first().unwrap();
    let harms: [&dyn Fn(&PathBuf); 4] = [
        &|path| fs::remove_file(path).unwrap(),
        &|path| fs::write(path, "junk").unwrap(),
        &|path| {
            let mut other = content.clone();
            other[180] ^= 1;
            fs::write(path, other).unwrap();
        },
        &|path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
    ];
    for harm in harms {
        enemy.honest().keys().for_each(|path| fs::remove_file(board.join(path)).unwrap());
        let _ = fs::remove_dir(board.join(&path));
        let _ = fs::remove_file(board.join(&path));
        fs::write(board.join(&path), &content).unwrap();
        harm(&board.join(&path));
        assert!(!visit(&scene, 0));
        let honest = enemy.honest();
        assert_eq!(honest.values().collect::<Vec<_>>(), [&content], "{honest:?}");
        // And only once.
        assert_eq!(scene.step(0, "board", &[]).json()["written"], 0);
    }
}

/// The board shows this operator's hello, and its directory has no log.
#[test]
fn attack_bd4_a_lost_log_is_noticed_before_anything_is_signed() {
    let (scene, ceremony, enemy) = meeting(3, 1);
    assert!(!visit(&scene, 0));
    fs::remove_dir_all(scene.here().join("alice/ceremonies")).unwrap();
    let refused = scene.step(0, "board", &[]);
    refused
        .failed(1, &["this board shows that you have begun this ceremony", "do not start again"]);
    assert!(!scene.here().join("alice/ceremonies").exists());
    // Others' hellos there, or one's own of elsewhere, keep nobody from beginning.
    let own = enemy.slot(&ceremony, Round::Hello, 1);
    let bobs = enemy.slot(&ceremony, Round::Hello, 2);
    fs::rename(own, bobs).unwrap();
    assert!(!visit(&scene, 1));
    assert!(!visit(&scene, 0));
}

/// A log that was put back signs nothing more, once the board shows what it lacks. From a hello
/// alone, it makes the same deal again, to the byte.
#[test]
fn attack_bd5_a_log_that_was_put_back_signs_nothing() {
    let (scene, ceremony, enemy) = meeting(3, 1);
    assert!(!visit(&scene, 0));
    let log = scene.ceremony(0).join("log.sealed");
    let hello = fs::read(&log).unwrap();
    assert!(!visit(&scene, 1) && !visit(&scene, 2) && !visit(&scene, 0));
    let deals = |round| {
        let shelf = enemy.slot(&ceremony, round, 1);
        let honest = enemy.honest();
        honest.keys().filter(|path| shelf.ends_with(path.parent().unwrap())).count()
    };
    fs::write(&log, hello).unwrap();
    assert!(!visit(&scene, 0));
    assert_eq!(deals(Round::Deal), 1);
    let dealt = fs::read(&log).unwrap();
    assert!(!visit(&scene, 1) && !visit(&scene, 2) && !visit(&scene, 0));
    assert_eq!(deals(Round::Prepare), 1);
    fs::write(&log, dealt).unwrap();
    let refused = scene.step(0, "board", &[]);
    refused.failed(1, &["was put back to an earlier state"]);
    assert_eq!(deals(Round::Prepare), 1);
    assert!(!visit(&scene, 1) && !visit(&scene, 2));
}

#[test]
fn attack_bd1_very_many_foreign_files() {
    one_among(5_000);
}

#[test]
#[ignore = "making so many files takes minutes on some file systems"]
fn a_hundred_thousand_foreign_files() {
    one_among(100_000);
}

/// Bob's hello among so many files that look like it: one visit finds it, with little memory, and
/// the next one reads none of those again that have their names.
fn one_among(many: u32) {
    let (scene, ceremony, enemy) = meeting(3, 1);
    let shelf = enemy.slot(&ceremony, Round::Hello, 2);
    assert!(!visit(&scene, 1) && !visit(&scene, 2));
    let hello =
        enemy.honest().into_iter().find(|(path, _)| shelf.ends_with(path.parent().unwrap()));
    let (path, content) = hello.unwrap();
    let (mut junk, mut misnamed) = (content.clone(), 0);
    for i in 0..many {
        junk[content.len() - 4..].copy_from_slice(&i.to_be_bytes());
        // Half of them have the names that they should have.
        let mut name = hex::encode(sha2::Sha256::digest(&junk));
        if i % 2 == 1 {
            let other = if name.ends_with('0') { '1' } else { '0' };
            name = format!("{}{other}", &name[..63]);
            misnamed += 1;
        }
        fs::write(shelf.join(name), &junk).unwrap();
    }
    assert_eq!(fs::read(scene.here().join("board").join(path)).unwrap(), content);
    // Alice says hello, and deals.
    let args = ["--json", "step", "ceremony.toml", "--board", "board", "--no-keystores"];
    let words = ["--yes-fingerprint", scene.words()];
    let little = limited("-v 400000", &scene.by(0, &[&args[..], &words].concat()));
    let first = end(little).done().json();
    assert_eq!((&first["junk"], &first["written"]), (&json!(many), &json!(2)), "{first}");
    // What was junk for good is not read again.
    let second = scene.step(0, "board", &[]).json();
    assert_eq!((&second["junk"], &second["written"]), (&json!(misnamed), &json!(0)), "{second}");
    assert!(!visit(&scene, 1) && !visit(&scene, 2));
}

fn fault(ended: &Ended) -> String {
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    ended.json()["fault"].as_str().unwrap().to_owned()
}

/// Whoever signs two hellos and shows each to half of the others, on two boards, is proven to have
/// done so as soon as one operator visits both.
#[test]
fn attack_bd6_two_contents_are_carried_from_board_to_board() {
    let (scene, _, _) = meeting(3, 1);
    fs::create_dir(scene.here().join("other")).unwrap();
    // Alice with two directories, of one identity.
    let step = |i: usize, board: &str| scene.step(i, board, &[]);
    assert_eq!(step(0, "board").code, 0);
    fs::rename(scene.ceremony(0), scene.here().join("first")).unwrap();
    assert_eq!(step(0, "other").code, 0);
    assert_eq!(step(1, "board").code, 0);
    let ended = step(1, "other");
    assert!(fault(&ended).contains("alice"), "{}", ended.stdout);
    assert_eq!(ended.json()["certainty"], "proven");
    // Bob leaves on both boards what proves it.
    let carol = step(2, "other");
    assert!(fault(&carol).contains("alice"), "{}", carol.stdout);
}
