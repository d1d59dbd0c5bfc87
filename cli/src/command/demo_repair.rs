//! `quorate demo --repair`: after the demo's own ceremony, one operator loses its machine, and the
//! others give its share back, on real processes: drafted, run, audited with its parent, and tried
//! by exits that the regained share signs with every choice of the others.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::demo::{Demo, Held, Player};
use super::demo_faults::as_announced;
use super::demo_prepare::free_ports;
use super::demo_process::Running;
use super::demo_reshare::first_epoch;
use crate::args::DemoArgs;
use crate::policy::POLICY_FILE;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages};
use quorate::audit::facts::Audited;
use quorate::spec::Ceremony;
use quorate::spec::canonical::fingerprint;
use quorate::spec::show::plural;
use quorate_operator::store::{self, IDENTITY_FILE, StateDir};

/// The file of the repair, below the demo's folder.
const REPAIR_FILE: &str = "repair.toml";
/// Beside it: the request for exits, and the exits.
const REQUEST_FILE: &str = "exit-request.json";
const EXITS: &str = "exits";
/// What is shown, as it is typed.
const SHOWN: &str = "repair";
/// The operator that loses its machine: carol.
const LOSER: usize = 2;
/// Most choices of signers that are tried: all of them, in clusters of up to eight.
const MOST_CHOICES: usize = 40;

/// Refuses, before anything is made, where nobody could help.
pub(super) fn check(args: &DemoArgs) -> Result<(), CliError> {
    match args.threshold < args.operators {
        true => Ok(()),
        false => Err(messages::demo_repair_needs_another(args.threshold)),
    }
}

/// A repair that is drafted.
struct Repair<'a> {
    demo: &'a Demo<'a>,
    /// The transcript of the demo's ceremony.
    parent: PathBuf,
    /// The operator that has lost its machine, then those that help.
    players: Vec<Player>,
    ceremony: Ceremony,
    words: String,
}

/// Loses a machine after the demo's own ceremony, and repairs its share.
pub(super) fn run(demo: &Demo<'_>, out: &Output) -> Result<Exit, CliError> {
    let held = demo.held()?;
    let Some(parent) = held.report.audited().filter(|_| held.report.is_clean()) else {
        // What is wrong with it is what there is to show.
        return held.conclude(demo, out, None);
    };
    let loser = &demo.players[LOSER];
    lose(loser)?;
    talk(&format!(
        "demo: all operators finished. Now the machine of {} is destroyed; its backup of \
         {IDENTITY_FILE} is left. The others give its share back, in a repair: quorate run \
         {REPAIR_FILE} --from transcript.quorate",
        loser.name
    ));
    let repair = draft(demo, held.transcript())?;
    let running = repair.players.iter().map(|player| repair.start(player));
    demo.finish(SHOWN, running.collect::<Result<_, _>>()?)?;
    talk(&format!(
        "demo: {} has its share again. It signs exits with {} of the others: quorate exit sign \
         {REQUEST_FILE}",
        loser.name,
        demo.ceremony.t() - 1
    ));
    let tried = repair.sign(parent)?;
    repair.conclude(tried, out)
}

/// Removes everything that an operator has, but for its keys, which it kept elsewhere.
fn lose(player: &Player) -> Result<(), CliError> {
    let path = player.dir.join(IDENTITY_FILE);
    let kept = fs::read(&path).map_err(|error| messages::reading(&path, &error))?;
    fs::remove_dir_all(&player.dir).map_err(|error| messages::writing(&player.dir, &error))?;
    let state = StateDir::open_or_create(&player.dir).map_err(messages::store)?;
    state.write_identity(&kept).map_err(messages::store)
}

/// The file of the repair: drafted by the program, with a new card of the operator that has lost
/// its directory.
fn draft<'a>(demo: &'a Demo<'a>, parent: PathBuf) -> Result<Repair<'a>, CliError> {
    let loser = &demo.players[LOSER];
    let mut command = demo.command(loser);
    command.args(["--json", "identity", "show"]);
    let shown = demo.quietly(SHOWN, &loser.name, command)?;
    let shown: serde_json::Value = serde_json::from_slice(&shown)
        .map_err(|error| messages::internal(&format!("identity show: {error}")))?;
    let card = shown["card"].as_str().unwrap_or_default().to_owned();
    let seats = demo.ceremony.roster().iter().map(|(_, seat)| seat.card.encode());
    let mut all: Vec<(&Player, String)> = demo.players.iter().zip(seats).collect();
    all.remove(LOSER);
    all.truncate(demo.ceremony.t());
    all.insert(0, (loser, card));
    let path = demo.root.join(REPAIR_FILE);
    let mut command = demo.command(all[1].0);
    command.args(["repair", "new", "--lost", &loser.name, "--from"]).arg(&parent);
    command.args(["--yes-destroyed", messages::DESTROYED, "--output"]).arg(&path);
    let mut players = Vec::new();
    for ((player, card), port) in all.iter().zip(free_ports(all.len())?) {
        command.args(["--operator", &format!("{card}@127.0.0.1:{port}")]);
        players.push(Player { name: player.name.clone(), dir: player.dir.clone(), port });
    }
    demo.quietly(SHOWN, &players[1].name, command)?;
    let (_, ceremony) = input::any_ceremony(&path)?;
    let words = fingerprint(&ceremony.digest()).join(" ");
    Ok(Repair { demo, parent, players, ceremony, words })
}

/// How many choices of signers were tried, and how many there are.
struct Tried {
    choices: usize,
    all: u128,
}

impl Repair<'_> {
    fn start<'a>(&self, player: &'a Player) -> Result<Running<'a>, CliError> {
        let mut command = self.demo.command(player);
        command.arg("run").arg(self.demo.root.join(REPAIR_FILE)).arg("--from").arg(&self.parent);
        command.args(["--yes-fingerprint", &self.words]);
        self.demo.launch(player, command)
    }

    /// Lets every operator sign an exit of every validator, and combines what the repaired one
    /// signed with what every choice of the others did.
    fn sign(&self, parent: &Audited) -> Result<Tried, CliError> {
        let Self { demo, parent: transcript, .. } = self;
        let keys: Vec<String> = parent
            .validators()
            .iter()
            .map(|validator| format!("0x{}", hex::encode(validator.public_key.to_compressed())))
            .collect();
        let request = demo.root.join(REQUEST_FILE);
        let first = &demo.players[0];
        let mut command = demo.command(first);
        command.args(["exit", "request"]).arg(transcript).args(["--public", "--output"]);
        command.arg(&request);
        for (index, key) in keys.iter().enumerate() {
            command.args(["--public-key", key, "--index", &index.to_string()]);
        }
        demo.quietly(SHOWN, &first.name, command)?;
        let folder = demo.root.join(EXITS);
        fs::create_dir(&folder).map_err(|error| messages::writing(&folder, &error))?;
        let policy = format!("exits = \"allow-list\"\nallow = [\"{}\"]\n", keys.join("\", \""));
        for player in &demo.players {
            // Nobody is there to be asked.
            store::write_new(&player.dir.join(POLICY_FILE), policy.as_bytes(), 0o600)
                .map_err(messages::store)?;
            let mut command = demo.command(player);
            command.args(["exit", "sign", "--yes"]).arg(&request).arg("--output");
            command.arg(answer(&folder, player));
            demo.quietly(SHOWN, &player.name, command)?;
        }
        let (loser, t) = (&demo.players[LOSER], demo.ceremony.t());
        let others: Vec<&Player> =
            demo.players.iter().filter(|player| player.name != loser.name).collect();
        let tried = choices(others.len(), t - 1, MOST_CHOICES);
        for chosen in &tried {
            let signers: Vec<&Player> =
                [loser].into_iter().chain(chosen.iter().map(|place| others[*place])).collect();
            let names: Vec<&str> = signers.iter().map(|player| player.name.as_str()).collect();
            let mut command = demo.command(first);
            command.args(["exit", "combine"]).arg(&request).arg("--transcript").arg(transcript);
            command.arg("--output").arg(folder.join(format!("by-{}", names.join("-"))));
            command.args(signers.iter().map(|player| answer(&folder, player)));
            demo.quietly(SHOWN, &first.name, command)?;
        }
        Ok(Tried { choices: tried.len(), all: binomial(others.len(), t - 1) })
    }

    /// Compares what all of them hold, and audits the chain.
    fn conclude(&self, tried: Tried, out: &Output) -> Result<Exit, CliError> {
        let Self { demo, ceremony, players, .. } = self;
        let all: Vec<&Player> = players.iter().collect();
        let parents = [self.parent.clone()];
        let held = Held::by(demo, (REPAIR_FILE, ceremony), &all, &parents)?;
        let first_epoch = first_epoch(&held.public)?;
        let (loser, helpers) = (&players[0].name, plural(players.len() - 1, "other operator"));
        let what = format!(
            "The machine of {loser} was destroyed, with its share; {loser} had kept \
             {IDENTITY_FILE}. It made a new directory with a new card. One operator drafted \
             {REPAIR_FILE} from the old transcript, and {loser} and {helpers} ran it."
        );
        let how = match u128::try_from(tried.choices) == Ok(tried.all) {
            true => format!("all {} choices of signers with {loser}", tried.all),
            false => format!("{} of {} choices of signers with {loser}", tried.choices, tried.all),
        };
        let begin = first_epoch.map_or_else(String::new, |epoch| {
            format!(
                " {loser} may load it from epoch {epoch} on, with the slashing-protection.json \
                 beside it."
            )
        });
        let came = format!(
            "{loser} has the share that it had, and nobody else's changed. Then all operators \
             signed exits of {}: {how} gave valid ones, which are in {}.{begin} Had the share been \
             stolen, a repair would not have helped: then deal all shares anew.",
            plural(demo.ceremony.v(), "validator"),
            messages::shown(&demo.root.join(EXITS))
        );
        let names: Vec<&str> = players[1..].iter().map(|player| player.name.as_str()).collect();
        let more = json!({ "repair": {
            "file": demo.root.join(REPAIR_FILE).display().to_string(),
            "lost": loser,
            "helpers": names,
            "parent_transcript": self.parent.display().to_string(),
            "first_epoch": first_epoch,
            "exits": demo.root.join(EXITS).display().to_string(),
            "choices_tried": tried.choices,
        } });
        held.conclude(demo, out, Some((&as_announced(&what, &came), more)))
    }
}

/// Where an operator's answer is.
fn answer(folder: &Path, player: &Player) -> PathBuf {
    folder.join(format!("partial-{}.json", player.name))
}

/// The first choices of `count` places out of `of`, in order, at most so many.
fn choices(of: usize, count: usize, most: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut chosen: Vec<usize> = (0..count).collect();
    while all.len() < most {
        all.push(chosen.clone());
        let Some(place) = (0..count).rev().find(|place| chosen[*place] < of - count + place) else {
            break;
        };
        chosen[place] += 1;
        for next in place + 1..count {
            chosen[next] = chosen[next - 1] + 1;
        }
    }
    all
}

/// How many there are.
fn binomial(of: usize, count: usize) -> u128 {
    (0..count).fold(1, |all, taken| all * (of - taken) as u128 / (taken as u128 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_once_and_no_more_than_wanted() {
        assert_eq!(choices(3, 2, 9), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(choices(2, 1, 9), [[0], [1]]);
        assert_eq!(choices(2, 2, 9), [[0, 1]]);
        assert_eq!(choices(31, 16, 5).len(), 5);
        for (of, count) in [(2, 1), (3, 2), (7, 4)] {
            assert_eq!(choices(of, count, 1000).len() as u128, binomial(of, count));
        }
        assert_eq!(binomial(31, 16), 300_540_195);
    }
}
