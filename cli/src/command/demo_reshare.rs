//! `quorate demo --reshare`: after the demo's own ceremony, its last operator leaves and a new one
//! comes, on real processes: drafted, run, stopped with what a validator client would export, and
//! audited with its parent.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::demo::{Demo, Held, Player};
use super::demo_faults::as_announced;
use super::demo_lock;
use super::demo_prepare::{free_ports, identity, operator_name};
use super::demo_process::{PATIENCE, Running};
use super::demo_ssv;
use super::export::now;
use crate::messages;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, secret_file};
use quorate::audit::facts::Audited;
use quorate::ethereum::interchange::{Interchange, Key, Signed, Vote};
use quorate::export::cut_over::{CUT_OVER_FILE, Clock};
use quorate::spec::Ceremony;
use quorate::spec::canonical::fingerprint;
use quorate::spec::roster::Seat;
use quorate::spec::show::plural;
use quorate_operator::store;

/// The file of the reshare, below the demo's folder.
const RESHARE_FILE: &str = "reshare.toml";
/// What is shown, as it is typed.
const SHOWN: &str = "reshare";

/// A reshare that is drafted.
struct Reshare<'a> {
    demo: &'a Demo<'a>,
    /// The transcript of the demo's ceremony.
    parent: PathBuf,
    /// All that held shares, by index; the last one leaves.
    dealers: Vec<Player>,
    /// The operator that comes.
    comer: Player,
    ceremony: Ceremony,
    words: String,
}

/// Replaces the last operator, after the demo's own ceremony.
pub(super) fn run(demo: &Demo<'_>, out: &Output) -> Result<Exit, CliError> {
    let held = demo.held()?;
    let Some(parent) = held.report.audited().filter(|_| held.report.is_clean()) else {
        // What is wrong with it is what there is to show.
        return held.conclude(demo, out, None);
    };
    let reshare = draft(demo, held.transcript())?;
    let (leaver, comer) = (reshare.leaver().name.as_str(), reshare.comer.name.as_str());
    talk(&format!(
        "demo: all operators finished. Now {leaver} leaves and {comer} comes, in a reshare: \
         quorate run {RESHARE_FILE} --from transcript.quorate"
    ));
    let comer_runs = reshare.start(&reshare.comer, &[])?;
    reshare.up_to_the_stop()?;
    talk(&format!(
        "demo: all new shares are stored and proven. {} remove their old shares, and say what \
         these have signed: quorate run {RESHARE_FILE} --stopped {}",
        plural(reshare.dealers.len(), "operator"),
        if demo.args.ssv { "--others-until-now" } else { "--protection protection.json" }
    ));
    let mut running = vec![comer_runs];
    for (place, dealer) in reshare.dealers.iter().enumerate() {
        let shares = parent.validators().iter().map(|one| one.public_shares[place].to_compressed());
        let mut stop = vec!["--stopped", "--yes-stopped", messages::REMOVED];
        let file;
        match demo.args.ssv {
            // Nobody exports what a node of SSV has signed.
            true => stop.push("--others-until-now"),
            false => {
                file = exported(demo, &dealer.name, shares)?;
                stop.extend(["--protection", &file]);
            }
        }
        running.push(reshare.start(dealer, &stop)?);
    }
    demo.finish(SHOWN, running)?;
    reshare.conclude(parent, out)
}

/// A new operator, and the file of the reshare: drafted by the program.
fn draft<'a>(demo: &'a Demo<'a>, parent: PathBuf) -> Result<Reshare<'a>, CliError> {
    let mut ports = free_ports(demo.players.len() + 1)?.into_iter();
    let mut port = || ports.next().ok_or_else(|| messages::internal("too few ports"));
    let passphrase = secret_file::read(&demo.root.join(super::demo::PASSPHRASE_FILE))?;
    let name = operator_name(demo.players.len());
    let comer = Player { dir: demo.root.join(&name), name, port: port()? };
    let card = identity(&comer.name, &comer.dir, &passphrase)?;
    let mut entries = vec![format!("{card}@127.0.0.1:{}", comer.port)];
    let mut dealers = Vec::new();
    for ((_, seat), player) in demo.ceremony.roster().iter().zip(&demo.players) {
        let dealer = Player { name: player.name.clone(), dir: player.dir.clone(), port: port()? };
        entries.push(format!("{}@127.0.0.1:{}", seat.card.encode(), dealer.port));
        dealers.push(dealer);
    }
    let leaver = dealers.last().map(|dealer| dealer.name.clone()).unwrap_or_default();
    let path = demo.root.join(RESHARE_FILE);
    let mut command = demo.command(&dealers[0]);
    command.args(["reshare", "new", "--name", &format!("{} for {leaver}", comer.name)]);
    command.arg("--from").arg(&parent).args(["--leaves", &leaver]).arg("--output").arg(&path);
    for entry in &entries {
        command.args(["--operator", entry]);
    }
    if demo.args.ssv {
        command.args(["--ssv-id", &format!("{}={}", comer.name, demo_ssv::COMER)]);
    }
    if demo.args.threshold == demo.args.operators {
        command.arg("--allow-all-required");
    }
    demo.quietly(SHOWN, &dealers[0].name, command)?;
    let (_, ceremony) = input::any_ceremony(&path)?;
    let words = fingerprint(&ceremony.digest()).join(" ");
    Ok(Reshare { demo, parent, dealers, comer, ceremony, words })
}

impl Reshare<'_> {
    /// The operator that deals and gets no new share.
    fn leaver(&self) -> &Player {
        self.dealers.last().expect("a ceremony has operators")
    }

    fn start<'a>(&self, player: &'a Player, more: &[&str]) -> Result<Running<'a>, CliError> {
        let mut command = self.demo.command(player);
        command.arg("run").arg(self.demo.root.join(RESHARE_FILE)).arg("--from").arg(&self.parent);
        command.args(["--yes-fingerprint", &self.words]).args(more);
        self.demo.launch(player, command)
    }

    /// Runs the dealers until each of them is asked to stop, then interrupts them.
    fn up_to_the_stop(&self) -> Result<(), CliError> {
        let dealers = self.dealers.iter();
        let mut running: Vec<Running<'_>> =
            dealers.map(|dealer| self.start(dealer, &[])).collect::<Result<_, _>>()?;
        for one in &mut running {
            if one.until(&[messages::MAY_STOP.to_owned()], PATIENCE).is_none() {
                let what = format!("{} was not asked to stop", one.player.name);
                return Err(self.demo.differs(SHOWN, &what));
            }
        }
        running.iter().try_for_each(Running::interrupt)?;
        self.demo.all_end_with(SHOWN, Exit::Waiting, running)
    }

    /// Compares what all of them hold, and audits the chain.
    fn conclude(&self, parent: &Audited, out: &Output) -> Result<Exit, CliError> {
        let Self { demo, comer, ceremony, .. } = self;
        let players: Vec<&Player> = self.dealers.iter().chain([comer]).collect();
        let of_seat = |(_, seat): (_, &Seat)| {
            players.iter().copied().find(|one| one.name == seat.card.name.as_str())
        };
        let players: Vec<&Player> = ceremony.roster().iter().filter_map(of_seat).collect();
        let parents = [self.parent.clone()];
        let held = Held::by(demo, (RESHARE_FILE, ceremony), &players, &parents)?;
        let keys = |audited: &Audited| -> Vec<_> {
            audited.validators().iter().map(|validator| validator.public_key).collect()
        };
        if held.report.audited().is_some_and(|audited| keys(audited) != keys(parent)) {
            return Err(messages::internal("the reshare has other validator keys"));
        }
        let first_epoch = first_epoch(&held.public)?;
        let lock = match demo.args.obol {
            false => None,
            true => {
                let transcript = held.transcript();
                let file = demo.root.join(RESHARE_FILE);
                let own = parent.validators().iter().map(|one| one.public_key.to_compressed());
                let receives = |index| ceremony.parts().receivers.contains(index);
                let seats = ceremony.roster().iter().zip(&players);
                let receivers = seats.filter(|((index, _), _)| receives(*index));
                let receivers: Vec<&Player> = receivers.map(|(_, player)| *player).collect();
                let keys: Vec<[u8; 48]> = own.collect();
                Some(demo_lock::run(demo, (&file, &transcript), &keys, &receivers)?)
            }
        };
        let (leaver, comer) = (&self.leaver().name, &comer.name);
        let (old, new) = (parent.ceremony().threshold(), ceremony.threshold());
        let what = format!(
            "{leaver} left and {comer} came. One operator drafted {RESHARE_FILE} from the old \
             transcript, and all ran it. Those who held shares dealt them anew, and {comer} got \
             one. When all new shares were stored and proven, each dealer removed its old shares. \
             Then it ran the command again with --stopped, and {}",
            match demo.args.ssv {
                true =>
                    "said that they had signed until then: nobody exports what a node of SSV has \
                     signed. (This demo has no nodes.)",
                false =>
                    "gave what its validator client had exported. (This demo has no clients: it \
                     wrote these files as one would.)",
            }
        );
        let begin = first_epoch.map_or_else(String::new, |epoch| {
            format!(
                " They may be loaded from epoch {epoch} on, with the slashing-protection.json \
                 beside them: it forbids whatever the old shares may have signed."
            )
        });
        let came = format!(
            "The keys of {} and their withdrawal addresses are the same as before. Their shares \
             are new: {} of {} sign with them, {} of {} signed with the old ones.{begin} {leaver} \
             holds no new share. If {} kept their old shares, those could still sign: a reshare \
             takes a share from nobody.",
            plural(ceremony.v(), "validator"),
            new.required(),
            new.participants(),
            old.required(),
            old.participants(),
            plural(old.required(), "operator"),
        );
        let more = json!({ "reshare": {
            "file": demo.root.join(RESHARE_FILE).display().to_string(),
            "leaves": leaver,
            "joins": comer,
            "parent": parent.certificate().to_string(),
            "parent_transcript": self.parent.display().to_string(),
            "first_epoch": first_epoch,
            "cluster_lock": lock,
        } });
        held.conclude(demo, out, Some((&as_announced(&what, &came), more)))
    }
}

/// The file that a dealer's validator client would export after the removal of these keys: they
/// have attested until the epoch before this one.
pub(super) fn exported(
    demo: &Demo<'_>,
    dealer: &str,
    keys: impl IntoIterator<Item = Key>,
) -> Result<String, CliError> {
    let network = demo.ceremony.network();
    // A clock that says nothing is the ceremony's own to refuse.
    let clock = Clock::at(network, now()).ok().flatten();
    let target = clock.map_or(0, |clock| clock.epoch().saturating_sub(1));
    let slot = clock.map(|clock| target.saturating_mul(clock.slots_per_epoch));
    let vote = Some(Vote { source: target.saturating_sub(1), target });
    let mut data = Interchange::empty(network.genesis_validators_root());
    keys.into_iter().for_each(|key| data.add(key, Signed { slot, vote }));
    let path = demo.root.join(format!("{dealer}-protection.json"));
    store::write_new(&path, &data.to_json(), 0o600).map_err(messages::store)?;
    Ok(path.display().to_string())
}

/// From which epoch on the new keystores may be loaded, as their outputs say; `None` if there are
/// no keystores, or no clock.
pub(super) fn first_epoch(public: &Path) -> Result<Option<u64>, CliError> {
    let path = public.with_file_name("secret").join(CUT_OVER_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(|error| messages::reading(&path, &error))?;
    let said: Value = serde_json::from_slice(&bytes)
        .map_err(|error| messages::internal(&format!("{CUT_OVER_FILE}: {error}")))?;
    Ok(said["first_epoch"].as_u64())
}
