//! `quorate simulate`: whole ceremonies in memory, with faults and operators that break the rules.
//! Only in builds with the feature `simulation`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use crate::args::SimulateArgs;
use crate::report::{CliError, Exit, Output, talk};
use quorate::simulation::adversary::Adversary;
use quorate::simulation::campaign::{Totals, campaign_of};
use quorate::simulation::lie::Lie;
use quorate::simulation::plan::Plan;
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
    let kind = Kind::of(args);
    let totals = campaign_of(kind.draw, seed, args.ceremonies, threads, |done| {
        let now = begun.elapsed().as_secs() / TALK_EVERY;
        if talked.fetch_max(now, Ordering::Relaxed) < now {
            talk(&format!("{done} of {} done", args.ceremonies));
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let exit = if totals.violated == 0 { Exit::Done } else { Exit::Local };
    let told = Told { totals: &totals, seed, seconds, kind };
    out.finish(exit, told.fields(), &told.text())
}

fn fresh_seed() -> u64 {
    let bytes = random::public();
    // Short enough to be typed again.
    u64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) << 16
}

/// The plan of a seed.
type Draw = fn(u64) -> Plan;

/// What is simulated.
struct Kind {
    /// The flag, and the word for it; none of key generations.
    name: Option<&'static str>,
    draw: Draw,
}

impl Kind {
    fn of(args: &SimulateArgs) -> Self {
        let kinds: [(bool, &str, Draw); 5] = [
            (args.lives, "lives", Plan::draw_life),
            (args.reshares, "reshares", Plan::draw_reshare),
            (args.imports, "imports", Plan::draw_import),
            (args.repairs, "repairs", Plan::draw_repair),
            (args.forks, "forks", Plan::draw_fork),
        ];
        match kinds.into_iter().find(|(asked, _, _)| *asked) {
            Some((_, name, draw)) => Self { name: Some(name), draw },
            None => Self { name: None, draw: Plan::draw },
        }
    }
}

/// What came of a campaign.
struct Told<'a> {
    totals: &'a Totals,
    seed: u64,
    seconds: f64,
    kind: Kind,
}

/// Of each kind of cheat, by name: in how many ceremonies, of them finished by all who are honest.
type Counts = Vec<(&'static str, (u64, u64))>;

impl Told<'_> {
    fn per_second(&self) -> f64 {
        let thousands = u32::try_from(self.totals.ceremonies).unwrap_or(u32::MAX);
        f64::from(thousands) / self.seconds.max(0.001)
    }

    fn reproduce(&self, seed: u64) -> String {
        let flags =
            if cfg!(quorate_toy_curve) { "RUSTFLAGS=\"--cfg quorate_toy_curve\" " } else { "" };
        let kind = self.kind.name.map(|name| format!(" --{name}")).unwrap_or_default();
        format!(
            "{flags}cargo run --release --features simulation -- simulate{kind} --ceremonies 1 \
             --seed {seed}"
        )
    }

    fn cheats(&self) -> Counts {
        let totals = self.totals;
        let of = |counts: Option<&(u64, u64)>| counts.copied().unwrap_or_default();
        let lie = |lie: &Lie| (lie.name(), of(totals.lies.get(lie)));
        let adversary = |kind: &Adversary| (kind.name(), of(totals.adversaries.get(kind)));
        match self.kind.name {
            Some(_) => Lie::ALL.iter().map(lie).collect(),
            None => {
                let adversaries = Adversary::ALL.iter().map(adversary);
                adversaries.chain(Lie::OF_HUBS.iter().map(lie)).collect()
            }
        }
    }

    fn shapes(&self) -> Vec<(String, u64)> {
        let totals = self.totals;
        let shapes = totals.shapes.iter().map(|((n, t), count)| (format!("({n},{t})"), *count));
        let rosters = totals.rosters.iter().map(|(name, count)| ((*name).to_owned(), *count));
        shapes.chain(rosters).collect()
    }

    fn fields(&self) -> Value {
        let totals = self.totals;
        let endings: serde_json::Map<String, Value> = Ending::ALL
            .iter()
            .map(|(ending, name)| {
                ((*name).to_owned(), json!(totals.endings.get(ending).unwrap_or(&0)))
            })
            .collect();
        let shapes: serde_json::Map<String, Value> =
            self.shapes().into_iter().map(|(name, count)| (name, json!(count))).collect();
        let cheat = |(name, (all, finished)): (&str, (u64, u64))| {
            (name.to_owned(), json!({ "ceremonies": all, "finished": finished }))
        };
        let adversaries: serde_json::Map<String, Value> =
            self.cheats().into_iter().map(cheat).collect();
        let violations: Vec<Value> = totals
            .violations
            .iter()
            .map(|(seed, violation)| {
                json!({ "seed": seed, "oracle": format!("{:?}", violation.oracle),
                    "what": violation.what, "reproduce": self.reproduce(*seed) })
            })
            .collect();
        json!({
            "toy_curve": cfg!(quorate_toy_curve),
            "kind": self.kind.name.unwrap_or("ceremonies"),
            "seed": self.seed,
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
            "stops": totals.stops,
            "lost_seats": totals.losses,
            "finished_without_seats": totals.without,
            "forks": { "played": totals.forks.0, "both_completed": totals.forks.1,
                "refused_by_notes": totals.forks.2 },
            "events": totals.events,
            "subsets_checked": totals.subsets,
            "trace": format!("{:016x}", totals.trace),
            "seconds": self.seconds,
            "ceremonies_per_second": self.per_second(),
        })
    }

    fn text(&self) -> String {
        let totals = self.totals;
        let what = self.kind.name.unwrap_or("ceremonies");
        let mut lines = vec![format!("{} {what} from seed {}", totals.ceremonies, self.seed)];
        for (ending, name) in Ending::ALL {
            lines.push(format!("  {name:<18}{}", totals.endings.get(&ending).unwrap_or(&0)));
        }
        let shapes: Vec<String> =
            self.shapes().into_iter().map(|(name, count)| format!("{name} {count}")).collect();
        lines.push(format!("shapes            {}", shapes.join(", ")));
        lines
            .push(format!("without adversary {}, coalitions {}", totals.honest, totals.coalitions));
        lines.push(format!(
            "crashes {}, full disks {}, rollbacks {}",
            totals.crashes, totals.full, totals.rollbacks
        ));
        if self.kind.name.is_some() {
            let (forks, both, refused) = totals.forks;
            lines.push(format!(
                "stops {}, lost seats {}, finished without seats {}",
                totals.stops, totals.losses, totals.without
            ));
            lines.push(format!(
                "forks {forks}, both completed by those who ignore their notes {both}, refused by \
                 notes {refused}"
            ));
        }
        lines
            .push(format!("events {}, sets of shares that sign {}", totals.events, totals.subsets));
        lines
            .push("adversaries (ceremonies, of them finished by all honest operators):".to_owned());
        for (name, (all, finished)) in self.cheats() {
            lines.push(format!("  {name:<32}{all:>8}{finished:>8}"));
        }
        lines.push(format!("trace {:016x}", totals.trace));
        for (seed, violation) in &totals.violations {
            lines.push(format!("VIOLATION {violation}\n  {}", self.reproduce(*seed)));
        }
        lines.push(format!(
            "{} violations, {:.1} ceremonies per second",
            totals.violated,
            self.per_second()
        ));
        lines.join("\n")
    }
}
