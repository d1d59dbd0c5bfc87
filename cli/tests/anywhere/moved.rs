//! An operator that moves: the newest address counts, wherever it was given.

use std::fs;

use crate::scene::Scene;
use crate::support::ports::free_port;
use crate::support::running::Signal;

fn address_of_alice(scene: &Scene, i: usize) -> String {
    scene.kept(i).operators[0].address.clone().unwrap()
}

/// An edited file, a flag by name, and a flag by seat: each is what `status` then names.
#[test]
fn the_newest_address_is_kept_and_named() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let mut begun = scene.listen(2, &[]);
    begun.until("Waiting for");
    drop(begun.kill());
    assert_eq!(address_of_alice(&scene, 2), scene.address(0));

    let file = fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    let edited = format!("127.0.0.1:{}", free_port());
    fs::write(scene.here().join("moved.toml"), file.replace(&scene.address(0), &edited)).unwrap();
    let mut moved = scene.run(2, "moved.toml", &[]);
    moved.until(&format!("\"alice\" (operator 1) is not reachable at {edited} yet"));
    drop(moved.kill());
    assert_eq!(address_of_alice(&scene, 2), edited);

    for who in ["ALICE", "1"] {
        let place = format!("localhost:{}", free_port());
        let mut moved = scene.run(2, "ceremony.toml", &["--at", &format!("{who}={place}")]);
        moved.until(&format!("\"alice\" (operator 1) is not reachable at {place} yet"));
        drop(moved.kill());
        assert_eq!(address_of_alice(&scene, 2), place);
    }
    // What status names next goes on, and calls where she is now.
    let status = scene.status(2).stdout;
    let next = status.lines().find_map(|line| line.trim().strip_prefix("next ")).unwrap();
    let next = next.trim().rsplit(' ').next().unwrap().to_owned();
    let mut again = scene.run(2, &next, &[]);
    again.until(&format!("is not reachable at {} yet", address_of_alice(&scene, 2)));
    again.signal(Signal::INT);
    again.ends_with(5);
}

#[test]
fn addresses_that_cannot_be_are_refused_before_anything_is_written() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let taken = format!("alice={}", scene.address(1));
    for (at, part) in [
        (&["alice"][..], "--at \"alice\": not OPERATOR=HOST:PORT"),
        (&["alice=nowhere"], "--at \"alice=nowhere\": not host:port"),
        (
            &["mallory=a.example:1"],
            "--at \"mallory\": no operator of \"Anywhere\" has this name or index",
        ),
        (&["alice=a.example:1", "1=a.example:2"], "a second address of this operator"),
        (&[&taken], "is also the address of operators[0]"),
    ] {
        let flags: Vec<&str> = at.iter().flat_map(|at| ["--at", *at]).collect();
        let ended = scene.run(2, "ceremony.toml", &flags).ended();
        ended.failed(2, &[part]);
        assert!(!scene.here().join("carol/ceremonies").exists());
    }
}
