//! `quorate demo --duties`: the validators of the demo run a beacon chain by themselves, in the
//! executable consensus specification, which is Python's.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::demo::{Demo, PASSPHRASE_FILE};
use crate::args::DemoArgs;
use crate::messages;
use crate::report::{CliError, talk};
use quorate::ethereum::network::Network;
use quorate_operator::store::{self, StateDir};

/// Fewest validators: one for each slot of an epoch of the specification's minimal preset.
const LEAST_VALIDATORS: u16 = 8;
/// Enough for one to become final.
const EPOCHS: u64 = 5;
/// The chain, the reader of keystores and what is shown; not what else is in the folder.
const SCRIPTS: [(&str, &str); 3] = [
    ("beacon.py", include_str!("../../../conformance/beacon.py")),
    ("keystore.py", include_str!("../../../conformance/keystore.py")),
    ("short.py", include_str!("../../../conformance/short.py")),
];
/// At which versions this was tried, and what else stands there.
const REQUIREMENTS: &str = include_str!("../../../conformance/requirements.txt");
/// What is needed of them.
const PACKAGES: [&str; 2] = ["eth-consensus-specs==", "pycryptodome=="];
/// Whether it is there.
const IMPORTS: &str =
    "import tomllib, eth_consensus_specs.electra.minimal, py_arkworks_bls12381, Crypto.Cipher";

/// What has to be installed: `eth-consensus-specs==1 pycryptodome==2`.
fn packages() -> String {
    let named = |line: &&str| PACKAGES.iter().any(|name| line.starts_with(name));
    REQUIREMENTS.lines().filter(named).collect::<Vec<_>>().join(" ")
}

/// Refuses, before anything is made, where the chain could not run.
pub(super) fn check(args: &DemoArgs) -> Result<(), CliError> {
    if args.validators < LEAST_VALIDATORS {
        return Err(messages::duties_too_few(args.validators, LEAST_VALIDATORS));
    }
    fork_versions(&args.network)?;
    let tried = Command::new(&args.python)
        .args(["-I", "-B", "-c", IMPORTS])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| messages::duties_need(&args.python, &error.to_string(), &packages()))?;
    match tried.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&tried.stderr);
            let last = said.lines().last().unwrap_or("it does not run").to_owned();
            Err(messages::duties_need(&args.python, &last, &packages()))
        }
    }
}

/// The versions of the first fork and of Capella.
fn fork_versions(name: &str) -> Result<(Network, [u8; 4]), CliError> {
    let network = Network::known(name).ok_or_else(|| messages::unknown_network(name))?;
    match network.capella_fork_version() {
        Some(capella) if network.unit().name() == "ETH" => Ok((network, capella)),
        _ => Err(messages::duties_network(name)),
    }
}

/// Runs the chain; what came of it, for people and for programs.
pub(super) fn run(demo: &Demo<'_>) -> Result<(String, Value), CliError> {
    let scripts = demo.root.join("duties");
    std::fs::create_dir(&scripts).map_err(|error| messages::writing(&scripts, &error))?;
    for (name, text) in SCRIPTS {
        store::write_new(&scripts.join(name), text.as_bytes(), 0o644).map_err(messages::store)?;
    }
    let asked = asked(demo)?;
    talk("\nThe validators run a chain in the executable consensus specification.");
    let python = &demo.args.python;
    let failed = |why: &str| messages::duties_failed(python, why, &demo.root);
    let import = "import sys; sys.path.insert(0, sys.argv[1]); import short; short.main()";
    let mut child = Command::new(python)
        .args(["-I", "-B", "-c", import])
        .arg(&scripts)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    // One that does not read ends with an error of its own.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(asked.to_string().as_bytes()));
    drop(written);
    let ended = child.wait_with_output().map_err(|error| failed(&error.to_string()))?;
    if !ended.status.success() {
        return Err(failed(&ended.status.to_string()));
    }
    let made: Value = serde_json::from_slice(&ended.stdout)
        .map_err(|_| failed("it did not say what came of it"))?;
    let number = |field: &str| made[field].as_u64();
    let all = (number("validators"), number("blocks"), number("finalised_epoch"));
    let (Some(validators), Some(blocks), Some(finalised @ 1..)) = all else {
        return Err(failed("no epoch has become final"));
    };
    if validators != u64::from(demo.args.validators) {
        return Err(failed("not all validators have entered the chain"));
    }
    let text = format!(
        "Duties: {validators} validators made {blocks} blocks, each signature by {} of {} \
         operators. Epoch {finalised} is final.\nWhat ran: {}",
        demo.ceremony.t(),
        demo.ceremony.n(),
        messages::shown(&scripts)
    );
    Ok((text, json!({ "duties": made })))
}

/// What the scripts need to know. The passphrase goes by the name of its file.
fn asked(demo: &Demo<'_>) -> Result<Value, CliError> {
    let (network, capella) = fork_versions(&demo.args.network)?;
    let mut operators = Vec::new();
    let mut deposits = PathBuf::new();
    for (player, (_, seat)) in demo.players.iter().zip(demo.ceremony.roster().iter()) {
        let out = outputs(demo, &player.dir)?;
        deposits = out.join("public/deposit-data.json");
        operators.push(json!({
            "name": player.name,
            "point": seat.point,
            "keystores": out.join("secret/validator_keys"),
        }));
    }
    Ok(json!({
        "operators": operators,
        "threshold": demo.ceremony.t(),
        "deposits": deposits,
        "passphrase": demo.root.join(PASSPHRASE_FILE),
        "epochs": EPOCHS,
        "network": {
            "genesis_fork_version": hex::encode(network.genesis_fork_version()),
            "capella_fork_version": hex::encode(capella),
            "genesis_validators_root": hex::encode(network.genesis_validators_root()),
        },
    }))
}

/// An operator's outputs.
fn outputs(demo: &Demo<'_>, dir: &Path) -> Result<PathBuf, CliError> {
    let state = StateDir::open(dir).map_err(messages::store)?;
    let view = state.find(&demo.ceremony.digest()).map_err(messages::store)?;
    view.map(|view| view.out()).ok_or_else(|| messages::internal("a demo without outputs"))
}
