//! Benchmarks of each round of a ceremony for one operator: no sockets, no disk, no keystores.
//!
//! `cargo bench --bench rounds`. A ceremony is played once, and what the first operator received is
//! kept by round. Each sample lets that operator live through it again and takes the time of one
//! round: of the calls that end with its statement of that round.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Machine, ceremony, honest, operators, run};
use criterion::{Criterion, criterion_group, criterion_main};
use quorate::message::envelope::Round;
use quorate::message::sync::Frame;

/// What the first operator of a ceremony receives, by round.
struct Life {
    machine: Machine,
    frames: Vec<Vec<Frame>>,
}

impl Life {
    fn new(n: usize, t: usize, validators: usize) -> Self {
        let operators = operators(n);
        let text = format!(
            "[[validators]]\ncount = {validators}\nwithdrawal = \
             \"0x1111111111111111111111111111111111111111\"\ncompounding = false\n"
        );
        let ceremony = ceremony(&operators, t, &text);
        let mut machines: Vec<Machine> =
            operators.iter().map(|operator| Machine::new(&ceremony, operator)).collect();
        run(&mut machines, &mut honest);
        let me = machines[0].seat.me;
        let frames = Round::ALL.map(|round| {
            let statements = ceremony.indices().filter(|index| *index != me).map(|index| {
                Frame::Statement(
                    machines[0].participant().inbox().get(round, index).unwrap().bytes().to_vec(),
                )
            });
            let mut frames: Vec<Frame> = statements.collect();
            if round == Round::Deal {
                // Boxes are forgotten when a ceremony is over, so the dealers deal once more.
                frames.extend(boxes(&ceremony, &operators));
            }
            frames
        });
        Self { machine: Machine::new(&ceremony, &operators[0]), frames: frames.to_vec() }
    }

    /// The time that the operator takes from holding all of the round before to its statement of
    /// `round`; `None`: to its end.
    fn time(&mut self, round: Option<Round>) -> Duration {
        let end = round.map_or(Round::ALL.len(), |round| usize::from(round.number()));
        let machine = &mut self.machine;
        (machine.participant, machine.log) = (None, Vec::new());
        let start = Instant::now();
        machine.start().unwrap();
        if end == 0 {
            return start.elapsed();
        }
        for (number, frames) in self.frames.iter().enumerate() {
            let start = Instant::now();
            for frame in frames {
                machine.receive(frame.clone()).unwrap().unwrap();
            }
            if number + 1 == end {
                return start.elapsed();
            }
        }
        unreachable!("the loop returns in the round that was asked for")
    }
}

/// The boxes for the first operator, of dealers that hold all hellos and have just dealt.
fn boxes(
    ceremony: &std::sync::Arc<quorate::spec::Ceremony>,
    operators: &[std::sync::Arc<quorate::identity::Operator>],
) -> Vec<Frame> {
    let mut machines: Vec<Machine> =
        operators.iter().map(|operator| Machine::new(ceremony, operator)).collect();
    let hellos: Vec<Vec<Frame>> =
        machines.iter_mut().map(|machine| machine.start().unwrap()).collect();
    let me = machines[0].seat.me;
    let dealt = machines.iter_mut().enumerate().skip(1).map(|(at, machine)| {
        for frame in
            hellos.iter().enumerate().filter(|(from, _)| *from != at).flat_map(|(_, frames)| frames)
        {
            machine.receive(frame.clone()).unwrap().unwrap();
        }
        machine.participant().box_for(me).unwrap()
    });
    dealt.collect()
}

fn rounds(c: &mut Criterion) {
    for (n, t, validators) in [(4, 3, 1), (4, 3, 100)] {
        let mut life = Life::new(n, t, validators);
        let mut group = c.benchmark_group(format!("{t} of {n}, {validators} validators"));
        let steps = [
            ("0 hello", Some(Round::Hello)),
            ("1 deal", Some(Round::Deal)),
            ("2 check, store, prepare", Some(Round::Prepare)),
            ("3 check, sign", Some(Round::Commit)),
            ("4 verify, combine", Some(Round::Final)),
            ("5 end", None),
        ];
        for (name, round) in steps {
            group.bench_function(name, |b| {
                b.iter_custom(|count| (0..count).map(|_| life.time(round)).sum())
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .warm_up_time(Duration::from_millis(500));
    targets = rounds
}
criterion_main!(benches);
