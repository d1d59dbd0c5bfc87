//! Key generation alone (no deposits, no signatures): one operator's CPU time for each validator,
//! by Quorate, by the floor of the ceremony bench, and by two published crates, in one run on one
//! thread.
//!
//!     cargo run --release --manifest-path benches/peers/Cargo.toml
//!     cargo run --release --manifest-path benches/peers/Cargo.toml -- --shape 10,7,1000 --runs 5
//!
//! What is timed is what one operator computes: dealing, receiving what the others dealt,
//! finalising. What the others compute is done beside it and not timed. Runs alternate; ratios are
//! medians of the ratios of each round, and times are those of a core at its fastest pace.
//!
//! The peers generate one key at a time, so they run on a few validators and are divided by their
//! number: a thousand cost them a thousand times as much. What they do differs, in their favour:
//! * commonware-cryptography (feldman_desmedt, MinPk, Ed25519 acknowledgements): messages are
//!   handed over as values, so no point is decoded and none is tested for its subgroup; no share is
//!   encrypted or stored.
//! * frost-dkg (blstrs_plus): messages are decoded; no share is encrypted or stored.
//! * Quorate decodes every message, tests every point it receives, encrypts and opens the shares,
//!   signs and verifies statements, and proves that it holds its shares. Its figure is that of the
//!   steps deal, receive and store.

mod commonware;
mod frost;

#[path = "../../ceremony/clock.rs"]
#[allow(dead_code)]
mod clock;
#[path = "../../ceremony/floor/mod.rs"]
mod floor;
#[path = "../../ceremony/operator.rs"]
#[allow(dead_code)]
mod operator;
#[path = "../../ceremony/shape.rs"]
#[allow(dead_code)]
mod shape;

use std::process::ExitCode;

use clock::Cost;
use shape::{STEPS, Shape};

/// Validators that the peers run on.
const FEW: u32 = 10;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The steps of key generation.
fn dkg(costs: &[Cost; STEPS.len()]) -> f64 {
    costs[..3].iter().map(|cost| cost.products).sum()
}

fn compare(shape: Shape, runs: usize) -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let (received, transcript) =
        (directory.path().join("received"), directory.path().join("transcript"));
    operator::record(shape, &received, &transcript)?;
    let mut floor = floor::Floor::new(shape);
    let validators = f64::from(u32::try_from(shape.v).expect("few validators"));
    let mut pace = f64::INFINITY;
    let mut rounds: Vec<[f64; 4]> = Vec::new();
    for _ in 0..runs {
        let ours = operator::live(shape, &received)?;
        let floor = floor.live();
        let peers = [commonware::live(shape, FEW), frost::live(shape, FEW)];
        pace = ours
            .iter()
            .chain(&floor)
            .chain(&peers)
            .map(|cost| cost.pace)
            .filter(|pace| *pace > 0.0)
            .fold(pace, f64::min);
        let [commonware, frost] = peers.map(|cost| cost.products / f64::from(FEW));
        rounds.push([dkg(&ours) / validators, dkg(&floor) / validators, commonware, frost]);
    }
    println!(
        "\n{} of {}, {} validators, {runs} rounds: milliseconds for each operator and \
              validator",
        shape.t, shape.n, shape.v
    );
    for (i, name) in
        ["quorate", "floor", "commonware-cryptography", "frost-dkg"].into_iter().enumerate()
    {
        let time = median(rounds.iter().map(|round| round[i] * pace).collect());
        let ratio = median(rounds.iter().map(|round| round[i] / round[0]).collect());
        println!("  {name:<24}{time:>10.3}{ratio:>9.2} x quorate");
    }
    Ok(())
}

fn run() -> Result<(), String> {
    clock::keep_to_one_core();
    let mut words = std::env::args().skip(1);
    let (mut shapes, mut runs) = (Vec::new(), 5);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word}: a value is missing"))?;
        match word.as_str() {
            "--shape" => shapes.push(value.parse()?),
            "--runs" => {
                runs = value.parse().ok().filter(|runs| *runs > 0).ok_or(
                    "--runs: a \
                count",
                )?
            }
            other => {
                return Err(format!(
                    "{other}: unknown; known are --shape n,t,v and --runs \
                                         count"
                ));
            }
        }
    }
    if shapes.is_empty() {
        shapes = vec!["4,3,1000".parse()?, "10,7,1000".parse()?];
    }
    shapes.into_iter().try_for_each(|shape| compare(shape, runs).map_err(|error| error.to_string()))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
