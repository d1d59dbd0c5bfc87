//! `quorate simulate`: whole ceremonies in memory, with faults and operators that break the rules.
//! Only in builds with the feature `simulation`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use crate::args::SimulateArgs;
use crate::report::{CliError, Exit, Output, talk};
use quorate::simulation::adversary::Adversary;
use quorate::simulation::campaign::{Totals, campaign};
use quorate::simulation::verdict::Ending;
use quorate_operator::random;

/// Between two words on stderr, in seconds.
const TALK_EVERY: u64 = 30;

/// Runs the command.
pub(crate) fn run(args: &SimulateArgs, out: &Output) -> Result<Exit, CliError> {
    let seed = args.seed.unwrap_or_else(fresh_seed);
    let threads = args
        .threads
        .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    talk(&format!(
        "Simulating {} ceremonies from seed {seed} on {threads} threads",
        args.ceremonies
    ));
    let begun = Instant::now();
    let talked = AtomicU64::new(0);
    let totals = campaign(seed, args.ceremonies, threads, |done| {
        let now = begun.elapsed().as_secs() / TALK_EVERY;
        if talked.fetch_max(now, Ordering::Relaxed) < now {
            talk(&format!("{done} of {} done", args.ceremonies));
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let exit = if totals.violated == 0 { Exit::Done } else { Exit::Local };
    out.finish(exit, fields(&totals, seed, seconds), &text(&totals, seed, seconds))
}

fn fresh_seed() -> u64 {
    let bytes = random::public();
    // Short enough to be typed again.
    u64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) << 16
}

fn per_second(totals: &Totals, seconds: f64) -> f64 {
    let thousands = u32::try_from(totals.ceremonies).unwrap_or(u32::MAX);
    f64::from(thousands) / seconds.max(0.001)
}

fn reproduce(seed: u64) -> String {
    let flags = if cfg!(quorate_toy_curve) { "RUSTFLAGS=\"--cfg quorate_toy_curve\" " } else { "" };
    format!(
        "{flags}cargo run --release --features simulation -- simulate --ceremonies 1 --seed {seed}"
    )
}

fn fields(totals: &Totals, seed: u64, seconds: f64) -> Value {
    let endings: serde_json::Map<String, Value> = Ending::ALL
        .iter()
        .map(|(ending, name)| ((*name).to_owned(), json!(totals.endings.get(ending).unwrap_or(&0))))
        .collect();
    let shapes: serde_json::Map<String, Value> =
        totals.shapes.iter().map(|((n, t), count)| (format!("({n},{t})"), json!(count))).collect();
    let adversaries: serde_json::Map<String, Value> = Adversary::ALL
        .iter()
        .map(|kind| {
            let (all, finished) = totals.adversaries.get(kind).copied().unwrap_or_default();
            (kind.name().to_owned(), json!({ "ceremonies": all, "finished": finished }))
        })
        .collect();
    let violations: Vec<Value> = totals
        .violations
        .iter()
        .map(|(seed, violation)| {
            json!({ "seed": seed, "oracle": format!("{:?}", violation.oracle),
                "what": violation.what, "reproduce": reproduce(*seed) })
        })
        .collect();
    json!({
        "toy_curve": cfg!(quorate_toy_curve),
        "seed": seed,
        "ceremonies": totals.ceremonies,
        "violations": totals.violated,
        "violation_list": violations,
        "endings": endings,
        "shapes": shapes,
        "without_adversary": totals.honest,
        "coalitions": totals.coalitions,
        "adversaries": adversaries,
        "crashes": totals.crashes,
        "full_disks": totals.full,
        "rollbacks": totals.rollbacks,
        "events": totals.events,
        "subsets_checked": totals.subsets,
        "trace": format!("{:016x}", totals.trace),
        "seconds": seconds,
        "ceremonies_per_second": per_second(totals, seconds),
    })
}

fn text(totals: &Totals, seed: u64, seconds: f64) -> String {
    let mut lines = vec![format!("{} ceremonies from seed {seed}", totals.ceremonies)];
    for (ending, name) in Ending::ALL {
        lines.push(format!("  {name:<18}{}", totals.endings.get(&ending).unwrap_or(&0)));
    }
    let shapes: Vec<String> =
        totals.shapes.iter().map(|((n, t), count)| format!("({n},{t}) {count}")).collect();
    lines.push(format!("shapes            {}", shapes.join(", ")));
    lines.push(format!("without adversary {}, coalitions {}", totals.honest, totals.coalitions));
    lines.push(format!(
        "crashes {}, full disks {}, rollbacks {}",
        totals.crashes, totals.full, totals.rollbacks
    ));
    lines.push(format!("events {}, sets of shares that sign {}", totals.events, totals.subsets));
    lines.push("adversaries (ceremonies, of them finished by all honest operators):".to_owned());
    for kind in Adversary::ALL {
        let (all, finished) = totals.adversaries.get(kind).copied().unwrap_or_default();
        lines.push(format!("  {:<28}{all:>8}{finished:>8}", kind.name()));
    }
    lines.push(format!("trace {:016x}", totals.trace));
    for (seed, violation) in &totals.violations {
        lines.push(format!("VIOLATION {violation}\n  {}", reproduce(*seed)));
    }
    lines.push(format!(
        "{} violations, {:.1} ceremonies per second",
        totals.violated,
        per_second(totals, seconds)
    ));
    lines.join("\n")
}
