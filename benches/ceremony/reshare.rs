//! What a reshare costs one operator, beside the key generation that it repeats: the same shape,
//! without the key generation's deposits.
//!
//! Everybody plays in one process. What the last operator does with what it is given is measured:
//! of the key generation until it has signed that its shares are stored, and of the reshare until
//! its end, with what it takes from its parent. They run in turn, as a pair; a ratio is the median
//! of the ratios of the pairs.

use quorate::message::sync::Frame;
use quorate::primitives::memo::Memory;
use quorate::simulation::machine::{Machine, machines};
use quorate::simulation::reshare::{Part, minima, reshare, rows};
use quorate::spec::Ceremony;

use super::clock::{Cost, measure};
use super::shape::Shape;

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

fn validators(count: usize) -> String {
    format!(
        "[[validators]]\ncount = {count}\ncompounding = false\n\
         withdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n"
    )
}

/// Gives everybody what it lacks until nothing is new. What the last operator does is measured, as
/// long as `counts` says so of it; the others answer a question once for all.
fn play(all: &mut [Machine], costs: &mut Cost, counts: impl Fn(&Machine) -> bool) {
    let last = all.len() - 1;
    for (at, machine) in all.iter_mut().enumerate() {
        if machine.participant.is_some() {
            continue;
        }
        let (started, cost) = measure(|| machine.start());
        drop(started.expect("no crash is planned"));
        if at == last {
            *costs += cost;
        }
    }
    loop {
        let mut new = false;
        for from in 0..all.len() {
            for to in (0..all.len()).filter(|to| *to != from) {
                let have = all[to].participant().have(true);
                let peer = all[to].seat.me;
                let frames: Vec<Frame> = all[from].participant().lacking(peer, &have);
                for frame in frames {
                    new = true;
                    let machine = &mut all[to];
                    let taken = if to == last && counts(machine) {
                        let (taken, cost) = measure(|| machine.receive(frame));
                        *costs += cost;
                        taken
                    } else {
                        let _memory = Memory::begin();
                        machine.receive(frame)
                    };
                    // What it has already, it refuses.
                    drop(taken.expect("no crash is planned"));
                }
            }
        }
        if !new {
            return;
        }
    }
}

/// The key generation, and what its last operator paid until its shares were stored.
fn generation(shape: Shape) -> (Vec<Machine>, Cost) {
    let mut all = machines(shape.n, shape.t, &validators(shape.v));
    let mut cost = Cost::default();
    play(&mut all, &mut cost, |machine| !machine.participant().is_prepared());
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    (all, cost)
}

/// The reshare to the same operators, and what its last operator paid.
fn again(parents: &[Machine], shape: Shape) -> Cost {
    let parts: Vec<Part> = NAMES[..shape.n].iter().map(|name| (*name, true, true)).collect();
    let which: Vec<usize> = (0..shape.v).collect();
    let mut all = reshare(parents, &parts, shape.t, &which);
    // What it takes from its parent.
    let canonical = all[0].seat.ceremony.canonical().to_vec();
    let rows = rows(&parents[0]);
    let read = Ceremony::from_canonical(&canonical).expect("its own bytes");
    let (attached, mut cost) = measure(|| read.with_parent_rows(rows));
    drop(attached.expect("its parent's rows"));
    play(&mut all, &mut cost, |_| true);
    let last = all.len() - 1;
    for (at, machine) in all.iter_mut().enumerate() {
        let minima = minima(shape.v, 9);
        let (stopped, stop) = measure(|| machine.stop(minima));
        drop(stopped.expect("no crash is planned").expect("certified"));
        if at == last {
            cost += stop;
        }
    }
    play(&mut all, &mut cost, |_| true);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    cost
}

/// Runs pairs, and prints their ratios.
pub fn compare(shape: Shape, runs: usize) -> Result<(), String> {
    let Shape { n, t, v } = shape;
    if n > NAMES.len() {
        return Err(format!("a reshare has at most {} operators here", NAMES.len()));
    }
    let mut ratios = Vec::new();
    for _ in 0..runs {
        let (parents, first) = generation(shape);
        let second = again(&parents, shape);
        let ratio = second.products / first.products;
        println!(
            "({n}, {t}, {v}): key generation {:.0} ms, reshare {:.0} ms of CPU, {ratio:.2} times",
            first.process, second.process
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median of {runs} pairs: {:.2}", ratios[runs / 2]);
    Ok(())
}
