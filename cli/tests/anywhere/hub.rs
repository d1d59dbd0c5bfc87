//! Operators without an address: one that all others reach is enough.

use crate::scene::Scene;

/// Three operators that nobody can call, and whose statements meet at the fourth. Everybody ends by
/// itself, and long before the time given is over.
#[test]
fn one_reachable_operator_is_enough() {
    let scene = Scene::new(4, &[1]);
    let patient = ["--linger", "100000"];
    let all: Vec<_> = (0..4)
        .map(|i| match i {
            1 => scene.listen(i, &patient),
            _ => scene.run(i, "ceremony.toml", &patient),
        })
        .collect();
    let ended: Vec<_> = all.into_iter().map(|running| running.ends_with(0)).collect();
    for (i, ended) in ended.iter().enumerate() {
        let others = ended.stderr.matches("Connected to ").count();
        assert_eq!(others, if i == 1 { 3 } else { 1 }, "{}", ended.stderr);
        assert!(!ended.stderr.contains("have not confirmed"), "{}", ended.stderr);
    }
    assert!(
        ended[0].stderr.contains("This operator does not listen: it only calls.")
            && ended[0].stderr.contains("It calls \"bob\" (operator 2).")
            && ended[0].stderr.contains(
                "No direct connection is possible with \"carol\" (operator 3), \"dave\" (operator \
                 4): neither side has an address. What they say comes through the others."
            ),
        "{}",
        ended[0].stderr
    );
    assert!(ended[1].stderr.contains("must call it: \"alice\" (operator 1), \"carol\""));
    // Whoever leaves while others are there has finished, and was not lost.
    assert!(ended.iter().any(|ended| ended.stderr.contains(" has finished.")));
    (0..4).for_each(|i| assert_eq!(scene.transcript(i), scene.transcript(1)));
}

#[test]
fn nobody_to_call_is_an_error_that_says_what_to_do() {
    let scene = Scene::new(3, &[]);
    let ended = scene.run(0, "ceremony.toml", &[]).ended();
    ended.failed(2, &["nobody can call anybody", "one operator that all others can reach"]);
    assert!(!scene.here().join("alice/ceremonies").exists(), "nothing was signed");
}

/// Within a minute it is said that nobody is there, why, and who can mend it.
#[test]
fn whom_nobody_reaches_is_told_what_to_check() {
    let scene = Scene::new(3, &[0, 1]);
    let mut alone = scene.listen(0, &[]);
    let address = scene.address(1);
    alone.until("Without an address, and must call it: \"carol\" (operator 3).");
    alone.until("Nobody is connected yet.");
    let said = alone.said();
    assert!(
        said.contains(&format!("\"bob\" (operator 2), not connected (at {address}: ")),
        "{said}"
    );
    assert!(said.contains("your own port must be open"), "{said}");
    drop(alone.kill());
}

/// An operator with another file is named with that reason, which stays.
#[test]
fn the_reason_stays_with_its_operator() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let other = std::fs::read_to_string(scene.here().join("ceremony.toml")).unwrap();
    std::fs::write(scene.here().join("other.toml"), other.replace("Anywhere", "Elsewhere"))
        .unwrap();
    let mut first = scene.listen(0, &[]);
    first.until("Waiting for");
    let words = scene.words_of("other.toml");
    let mut third = scene.run_with(2, "other.toml", &words, &[]);
    third.until("not reachable at");
    // It is said at once, and again with the next reminder.
    first.until("\"carol\" (operator 3), not connected (");
    let said = first.said();
    let line = said.lines().rfind(|line| line.contains("not connected (")).unwrap();
    assert!(line.contains("with a different ceremony file"), "{line}");
    drop((first.kill(), third.kill()));
}
