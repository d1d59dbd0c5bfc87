//! A small reshare for the targets and their seeds: three of four deal, one of them leaves, and two
//! come. The same bytes every time.

use std::sync::{Arc, LazyLock};

use quorate::message::shape::Shape;
use quorate::simulation::machine::{Machine, honest, machines, run};
use quorate::simulation::reshare::{Part, minima, reshare, reshare_toml};
use quorate::spec::Ceremony;
use quorate::transcript::container;

const VALIDATORS: &str = "[[validators]]\ncount = 2\n\
                          withdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n\
                          compounding = false\n";
/// Deals and receives; deals; receives.
const PARTS: [Part; 5] = [
    ("alice", true, true),
    ("bob", true, true),
    ("carol", true, false),
    ("erin", false, true),
    ("frank", false, true),
];

/// A finished reshare.
pub struct Reshared {
    /// The file that people would have.
    pub toml: String,
    pub ceremony: Arc<Ceremony>,
    pub shape: Shape,
    pub transcript: Vec<u8>,
    /// That of the key generation whose shares it deals anew.
    pub parent: Vec<u8>,
    /// The first operator's, which deals and receives.
    pub alice: Machine,
}

thread_local! {
    static PLAYED: Reshared = play();
}

/// What the kinds of lengths follow from: shared by all threads, unlike a machine.
pub static SHAPE: LazyLock<Shape> = LazyLock::new(|| with(|reshared| reshared.shape));

/// Does something with the reshare.
pub fn with<T>(what: impl FnOnce(&Reshared) -> T) -> T {
    PLAYED.with(what)
}

fn play() -> Reshared {
    let mut parents = machines(4, 3, VALIDATORS);
    run(&mut parents, &mut honest);
    let born = parents[0].participant().inbox().statements();
    let parent = container::encode(&parents[0].seat.ceremony, born).expect("it has finished");
    let toml = reshare_toml(&parents, &PARTS, 3, &[0, 1]);
    let mut all = reshare(&parents, &PARTS, 3, &[0, 1]);
    run(&mut all, &mut honest);
    for (height, machine) in (1..).zip(all.iter_mut().take(3)) {
        let stopped = machine.stop(minima(2, height)).expect("no crash is planned");
        drop(stopped.expect("it is certified"));
    }
    run(&mut all, &mut honest);
    let alice = all.swap_remove(0);
    let inbox = alice.participant().inbox();
    let ceremony = alice.seat.ceremony.clone();
    let transcript = container::encode(&ceremony, inbox.statements().chain(inbox.minima()))
        .expect("it has finished");
    Reshared { toml, shape: Shape::of(&ceremony), ceremony, transcript, parent, alice }
}
