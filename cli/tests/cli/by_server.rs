//! What a dealer's person has decided, where the server at which operators meet is not there yet.
//! Needs a NATS server; says SKIPPED without one.

use crate::reshared::{SENTENCE, draft, generation, outputs, up_to_the_stop, words};
use crate::support::nats::Server;
use crate::support::running::Running;

const THREE: [&str; 3] = ["alice", "bob", "carol"];
const STOPPED: [&str; 4] = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];

/// The word that keys are stopped is given once, with the command: a first visit that fails does
/// not lose it, and it is carried out at the first that reads.
#[test]
fn a_stop_is_carried_out_when_the_server_is_there() {
    let Some(mut server) = Server::start("") else { return };
    let demo = generation();
    let file = draft(&demo, "next", &THREE, &["dave"]);
    up_to_the_stop(&demo, &file, &THREE);
    let url = server.url();
    server.kill();
    let via = |operator: &str, more: &[&str]| {
        let words = words(&demo, &file);
        let args = ["run", &file, "--kdf", "pbkdf2", "--yes-fingerprint", &words, "--via", &url];
        demo.start(operator, &[&args[..], more].concat())
    };
    let mut alice = via("alice", &STOPPED);
    alice.until("Trying again; Ctrl-C is safe.");
    server.up();
    alice.until("This operator has stopped");
    let others: Vec<Running> = THREE[1..].iter().map(|operator| via(operator, &STOPPED)).collect();
    for running in others.into_iter().chain([alice]) {
        let ended = running.ended().done();
        // Once, and at no later visit again.
        let said = ended.stderr.matches("This operator has stopped.").count();
        assert_eq!(said, 1, "{}", ended.stderr);
        // Nobody is asked for what it has said already.
        assert!(!ended.stderr.contains("Waiting for you to stop"), "{}", ended.stderr);
    }
    assert!(outputs(&demo, "alice", &file).join("public/transcript.quorate").exists());
}
