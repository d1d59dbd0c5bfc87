//! What the judge costs for the worst file of statements that the format allows.
//!
//!     cargo bench --bench judge                              # three sizes of two shapes
//!     cargo bench --bench judge -- --shape 32,22,100         # operators, threshold, validators
//!     cargo bench --bench judge -- --shape 32,22,100 --prepares 4 --complaints 0 --finals 0
//!
//! Every operator is hostile. The file is made first, which takes longer than judging it; then a
//! process of its own reads and judges it, so that CPU time and peak memory are the judge's.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use quorate::identity::Operator;
use quorate::identity::card::OperatorName;
use quorate::primitives::secret::Secret32;
use quorate::protocol::judge::judge;
use quorate::simulation::flood::{Crowd, statements};
use quorate::simulation::machine::{bytes, ceremony};
use quorate::transcript::stopped::{Stopped, encode};
use rustix::time::{ClockId, clock_gettime};

/// The shapes of the table, with a quarter and a half of the validators before the whole.
const TABLE: [(usize, usize, usize); 6] =
    [(32, 22, 25), (32, 22, 50), (32, 22, 100), (13, 9, 250), (13, 9, 500), (13, 9, 1000)];

fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    #[allow(clippy::cast_precision_loss, reason = "nanoseconds of a run fit 52 bits")]
    let nanoseconds = now.tv_nsec as f64;
    #[allow(clippy::cast_precision_loss, reason = "as above")]
    let seconds = now.tv_sec as f64;
    seconds + nanoseconds / 1e9
}

/// Most memory that this process ever had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The worst file of a shape.
fn hostile(n: usize, t: usize, v: usize, crowd: Crowd) -> Vec<u8> {
    let operator = |i: usize| {
        let name = OperatorName::parse(&format!("member-{i}")).unwrap();
        let mut seed = bytes(&format!("hostile {i}"));
        Arc::new(Operator::generate(name, Secret32::new(&mut seed)))
    };
    let operators: Vec<Arc<Operator>> = (0..n).map(operator).collect();
    let validators = format!(
        "[[validators]]\ncount = {v}\nwithdrawal = \
         \"0x1111111111111111111111111111111111111111\"\ncompounding = false\n"
    );
    let ceremony = ceremony(&operators, t, &validators);
    encode(&ceremony, &statements(&ceremony, &operators, crowd))
}

/// In a process of its own: judges a file and prints what it cost.
fn judged(file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let read = Stopped::parse(&bytes).unwrap();
    let (before, held) = (cpu_seconds(), peak_kib());
    let faults = judge(&read.ceremony, &read.statements);
    #[allow(clippy::cast_precision_loss, reason = "sizes fit 52 bits")]
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!(
        "{:8.2} MiB {:6} statements {:8.1} s to judge {:7.1} MiB peak ({:.1} MiB when read) \
         {:5} faults",
        mib(u64::try_from(bytes.len()).unwrap()) / 1024.0,
        read.statements.len(),
        cpu_seconds() - before,
        mib(peak_kib()),
        mib(held),
        faults.len()
    );
}

fn measure((n, t, v): (usize, usize, usize), crowd: Crowd) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.quorate");
    std::fs::write(&file, hostile(n, t, v, crowd)).unwrap();
    let own = std::env::current_exe().unwrap();
    let run = Command::new(own).arg("--judge").arg(&file).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    print!("({n}, {t}, {v}) {}", String::from_utf8_lossy(&run.stdout));
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut shape, mut prepares, mut complaints, mut finals) = (None, None, None, None);
    while let Some(word) = words.next() {
        let mut number = || words.next().unwrap().parse::<usize>().unwrap();
        match word.as_str() {
            "--judge" => return judged(Path::new(&words.next().unwrap())),
            "--prepares" => prepares = Some(number()),
            "--complaints" => complaints = Some(number()),
            "--finals" => finals = Some(number()),
            "--shape" => {
                let text = words.next().unwrap();
                let mut parts = text.split(',').map(|part| part.parse::<usize>().unwrap());
                let mut next = || parts.next().unwrap();
                shape = Some((next(), next(), next()));
            }
            // Cargo's own.
            "--bench" | "--test" => {}
            other => panic!("{other}: unknown"),
        }
    }
    for shape in shape.map_or_else(|| TABLE.to_vec(), |one| vec![one]) {
        let most = Crowd::most(shape.0);
        let crowd = Crowd {
            prepares: prepares.unwrap_or(most.prepares).max(2),
            complaints: complaints.unwrap_or(most.complaints),
            finals: finals.unwrap_or(most.finals),
        };
        measure(shape, crowd);
    }
}
