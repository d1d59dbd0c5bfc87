//! The cost of a ceremony for one operator, step by step, beside the floor: the cost of the same
//! work with the best known technique for each step. No sockets, no disk, no keystores.
//!
//!     cargo bench --bench ceremony                              # the table
//!     cargo bench --bench ceremony -- --shape 4,3,1000          # operators, threshold, validators
//!     cargo bench --bench ceremony -- --shape 4,3,1000 --json   # one JSON object
//!
//!     cargo bench --bench ceremony -- --reshare                 # one beside its key generation
//!
//! Others: `--runs K` (medians of K pairs; 5, and 3 in the table), `--floor` (the floor alone),
//! `--spread` (ours may use every core; else each process keeps to one, because cores that share
//! their units slow one another). Method and figures: docs/performance.md.
//!
//! A ceremony is played once with every operator in one process, and what the last operator
//! receives is written down. Then ours and the floor run in turn, each in a process of its own, so
//! that CPU time and peak memory are one operator's.
#![allow(missing_docs, unreachable_pub)]

mod clock;
mod floor;
mod operator;
mod report;
mod reshare;
mod shape;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::Ordering;

use clock::Cost;
use report::{Measured, Sample};
use shape::{STEPS, Shape};

/// Shapes of the table.
const TABLE: [&str; 7] =
    ["4,3,1", "4,3,100", "4,3,1000", "7,5,1000", "10,7,1000", "13,9,1000", "32,22,100"];

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    shape: Option<Shape>,
    runs: Option<usize>,
    json: bool,
    spread: bool,
    floor: bool,
    reshare: bool,
    record: Option<PathBuf>,
    replay: Option<PathBuf>,
    one: Option<String>,
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word}: a value is missing"));
        match word.as_str() {
            "--shape" => asked.shape = Some(value()?.parse()?),
            "--runs" => {
                asked.runs =
                    Some(value()?.parse().ok().filter(|runs| *runs > 0).ok_or("--runs: a count")?)
            }
            "--json" => asked.json = true,
            "--spread" => asked.spread = true,
            "--floor" => asked.floor = true,
            "--reshare" => asked.reshare = true,
            // Of the runs for themselves, and of `.ci/instructions`.
            "--record" => asked.record = Some(value()?.into()),
            "--replay" => asked.replay = Some(value()?.into()),
            "--one" => asked.one = Some(value()?),
            // Cargo's own.
            "--bench" | "--test" => {}
            other => return Err(format!("{other}: unknown")),
        }
    }
    Ok(asked)
}

/// Files of a recording in its directory.
fn files(directory: &Path) -> (PathBuf, PathBuf) {
    (directory.join("received"), directory.join("transcript"))
}

/// In a process of its own: does one thing and prints what it cost.
fn one(what: &str, shape: Shape, directory: &Path) -> Result<(), String> {
    let (recording, transcript) = files(directory);
    if what == "count" {
        return operator::live(shape, &recording).map(|_| ()).map_err(|error| error.to_string());
    }
    let mut floor = (what == "floor").then(|| floor::Floor::new(shape));
    let mut life = || match what {
        "ours" => operator::live(shape, &recording).map(|costs| costs.to_vec()),
        "audit" => operator::audited(&transcript).map(|cost| vec![cost]),
        _ => Ok(floor.as_mut().map(|floor| floor.live().to_vec()).unwrap_or_default()),
    };
    let lives = shape.lives();
    let mut sum: Vec<Cost> = Vec::new();
    let mut peak = 0;
    for number in 0..lives {
        let costs = life().map_err(|error| format!("{what}: {error}"))?;
        match number {
            0 => {
                peak = clock::peak_memory();
                if lives == 1 {
                    sum = costs;
                }
            }
            1 => sum = costs,
            _ => sum.iter_mut().zip(costs).for_each(|(sum, cost)| *sum += cost),
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let counted = (lives - 1).max(1) as f64;
    sum.iter_mut().for_each(|cost| cost.divide(counted));
    println!(
        "{}",
        serde_json::to_string(&Sample { steps: sum, peak_kib: peak })
            .map_err(|error| error.to_string())?
    );
    Ok(())
}

/// Starts a process for one thing.
fn sample(what: &str, shape: Shape, directory: &Path, spread: bool) -> Result<Sample, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let text = format!("{},{},{}", shape.n, shape.t, shape.v);
    let mut command = Command::new(program);
    command.args(["--one", what, "--shape", &text, "--replay"]).arg(directory);
    command.args(spread.then_some("--spread"));
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => serde_json::from_slice(&output.stdout).map_err(|error| error.to_string()),
        false => Err(format!("{what} of {text}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn measure(shape: Shape, asked: &Asked) -> Result<Measured, String> {
    let runs = asked.runs.unwrap_or(if asked.shape.is_some() { 5 } else { 3 });
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let directory = directory.path();
    let (recording, transcript) = files(directory);
    let mut measured = Measured::new(shape);
    if !asked.floor {
        measured.bytes_out =
            operator::record(shape, &recording, &transcript).map_err(|error| error.to_string())?;
    }
    for _ in 0..runs {
        measured.floor.push(sample("floor", shape, directory, false)?);
        if !asked.floor {
            measured.ours.push(sample("ours", shape, directory, asked.spread)?);
            measured.audit.push(sample("audit", shape, directory, asked.spread)?);
        }
    }
    Ok(measured)
}

fn run(asked: &Asked) -> Result<(), String> {
    match (&asked.one, asked.shape) {
        (Some(what), Some(shape)) => {
            clock::COUNTING.store(what == "count", Ordering::Relaxed);
            if !asked.spread {
                clock::keep_to_one_core();
            }
            return one(what, shape, asked.replay.as_deref().unwrap_or(Path::new(".")));
        }
        (Some(_), None) => return Err("--one: --shape is missing".to_owned()),
        (None, _) => {}
    }
    if let (Some(directory), Some(shape)) = (&asked.record, asked.shape) {
        let (recording, transcript) = files(directory);
        return operator::record(shape, &recording, &transcript)
            .map(|_| ())
            .map_err(|error| error.to_string());
    }
    if asked.reshare {
        clock::keep_to_one_core();
        let shape = asked.shape.map_or_else(|| "4,3,1000".parse(), Ok)?;
        return reshare::compare(shape, asked.runs.unwrap_or(5));
    }
    let shapes = match asked.shape {
        Some(shape) => vec![shape],
        None => TABLE.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
    };
    let mut all = Vec::new();
    for shape in shapes {
        let measured = measure(shape, asked)?;
        if asked.json {
            println!("{}", measured.to_json());
        } else {
            println!("{}", measured.to_text());
        }
        all.push(measured);
    }
    if all.len() > 1 && !asked.json && !asked.floor {
        println!("{}", report::table(&all));
    }
    Ok(())
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
