//! `quorate demo`: a whole ceremony on this machine, with one process per operator, then the audit.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, iter, thread};

use serde_json::{Value, json};

use super::demo_prepare::{CEREMONY_FILE, prepare};
use super::{demo_duties, demo_faults, demo_import, demo_repair, demo_reshare};
use crate::args::DemoArgs;
use crate::messages::{self, quoted};
use crate::report::{CliError, Exit, Output, talk};
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::audit::report::Report;
use quorate::audit::{audit_all, render};
use quorate::primitives::hash::Digest;
use quorate::spec::Ceremony;
use quorate::spec::canonical::fingerprint;
use quorate::spec::show::plural;
use quorate_operator::store::StateDir;

/// One operator of the demo.
pub(super) struct Player {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    pub(super) port: u16,
}

/// How often it is looked whether operators have ended.
const POLL: Duration = Duration::from_millis(20);

/// The demo's passphrase, the same for all its operators.
pub(super) const PASSPHRASE_FILE: &str = "passphrase";

/// Below the public outputs.
const TRANSCRIPT_FILE: &str = "transcript.quorate";

/// A demo that is prepared: who plays, in what.
pub(super) struct Demo<'a> {
    pub(super) args: &'a DemoArgs,
    pub(super) program: PathBuf,
    pub(super) root: PathBuf,
    pub(super) ceremony: Ceremony,
    pub(super) words: String,
    pub(super) players: Vec<Player>,
}

/// Runs the command.
pub(crate) fn run(args: &DemoArgs, out: &Output) -> Result<Exit, CliError> {
    let root = &args.out;
    if root.exists() {
        return Err(messages::demo_exists(root));
    }
    if args.duties {
        demo_duties::check(args)?;
    }
    if args.repair {
        demo_repair::check(args)?;
    }
    let (ceremony, players) = prepare(args, root)?;
    talk(&format!(
        "Demo ceremony: {} of {} operators, {}.",
        ceremony.t(),
        ceremony.n(),
        plural(ceremony.v(), "validator")
    ));
    let root = root.canonicalize().map_err(|error| messages::reading(root, &error))?;
    let program =
        env::current_exe().map_err(|error| messages::reading(Path::new("this program"), &error))?;
    let words = fingerprint(&ceremony.digest()).join(" ");
    let demo = Demo { args, program, root, ceremony, words, players };
    match args.fault {
        Some(fault) => demo_faults::run(&demo, fault, out),
        None if args.import => demo_import::run(&demo, out),
        None => {
            play(&demo)?;
            if args.reshare {
                return demo_reshare::run(&demo, out);
            }
            if args.repair {
                return demo_repair::run(&demo, out);
            }
            let duties = args.duties.then(|| demo_duties::run(&demo)).transpose()?;
            let told = duties.as_ref().map(|(text, fields)| (text.as_str(), fields.clone()));
            conclude(&demo, out, told)
        }
    }
}

/// Runs one process for each operator until all have ended, or one has failed: the others would
/// wait for it for ever.
fn play(demo: &Demo<'_>) -> Result<(), CliError> {
    let mut running = (0..demo.players.len())
        .map(|player| demo.start(player, None))
        .collect::<Result<Vec<_>, _>>()?;
    loop {
        let mut failed = Vec::new();
        let mut ended = 0;
        for one in &mut running {
            if let Some(status) = one.ended()? {
                ended += 1;
                if !status.success() {
                    failed.push(one.player.name.clone());
                }
            }
        }
        match failed.is_empty() {
            false => return Err(messages::demo_failed(&failed, &demo.root)),
            true if ended == running.len() => return Ok(()),
            true => thread::sleep(POLL),
        }
    }
}

/// What the operators of a finished ceremony hold, as a stranger audits it.
pub(super) struct Held {
    pub(super) report: Report,
    /// The public outputs of one of them.
    pub(super) public: PathBuf,
    /// The command that audits it again.
    next: String,
    /// How many operators hold the same.
    count: usize,
}

impl Held {
    /// Compares what these operators hold of the ceremony in `file`, and audits it together with
    /// its parents.
    pub(super) fn by(
        demo: &Demo<'_>,
        (file, ceremony): (&str, &Ceremony),
        players: &[&Player],
        parents: &[PathBuf],
    ) -> Result<Self, CliError> {
        let root = &demo.root;
        let mut folders = Vec::new();
        for player in players {
            let state = StateDir::open(&player.dir).map_err(messages::store)?;
            let view = state.find(&ceremony.digest()).map_err(messages::store)?;
            let failed = || messages::demo_failed(std::slice::from_ref(&player.name), root);
            folders.push(view.ok_or_else(failed)?.out().join("public"));
        }
        let read = |path: &Path| fs::read(path).map_err(|error| messages::reading(path, &error));
        let earlier: Vec<Vec<u8>> =
            parents.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        let judged = |transcript: &[u8]| {
            let files: Vec<&[u8]> =
                iter::once(transcript).chain(earlier.iter().map(Vec::as_slice)).collect();
            let expected = Expectations { ceremony: Some(ceremony), ..Expectations::default() };
            audit_all(&files, &expected).map_err(|error| messages::internal(&error.to_string()))
        };
        let transcript = read(&folders[0].join(TRANSCRIPT_FILE))?;
        let report = judged(&transcript)?;
        for (player, folder) in players.iter().zip(&folders) {
            // A ceremony is named by its certificate; bytes may differ where that does not.
            let held = read(&folder.join(TRANSCRIPT_FILE))?;
            if held != transcript && certificate(&judged(&held)?) != certificate(&report) {
                return Err(messages::internal(&format!(
                    "{} holds a different certificate",
                    player.name
                )));
            }
        }
        let public = folders.swap_remove(0);
        let files = iter::once(public.join(TRANSCRIPT_FILE)).chain(parents.iter().cloned());
        let files: Vec<String> = files.map(|path| quoted(&path)).collect();
        let expected = quoted(&root.join(file));
        let next = format!("quorate audit {} --expect {expected}", files.join(" "));
        Ok(Self { report, public, next, count: players.len() })
    }

    /// Where its transcript is.
    pub(super) fn transcript(&self) -> PathBuf {
        self.public.join(TRANSCRIPT_FILE)
    }

    /// Ends the demo with this, and with what was shown.
    pub(super) fn conclude(
        &self,
        demo: &Demo<'_>,
        out: &Output,
        story: Option<(&str, Value)>,
    ) -> Result<Exit, CliError> {
        let Self { report, public, next, count } = self;
        let told = story.as_ref().map(|(told, _)| format!("\n{told}\n"));
        let text = format!(
            "{}\nAll {count} operators hold the same certificate.\n{}Outputs: {}\nTo audit it \
             again: {next}",
            render::to_text(report),
            told.unwrap_or_default(),
            demo.root.display()
        );
        let mut fields = json!({
            "out": demo.root.display().to_string(),
            "public": public.display().to_string(),
            "findings": report.findings(),
            "verdict": report.verdict().word(),
            "next": next,
            "transcript": report.transcript().to_string(),
            "certificate": certificate(report).map(|digest| digest.to_string()),
        });
        if let (Some(fields), Some((_, Value::Object(more)))) = (fields.as_object_mut(), story) {
            fields.extend(more);
        }
        out.finish(if report.is_clean() { Exit::Done } else { Exit::Finding }, fields, &text)
    }
}

fn certificate(report: &Report) -> Option<Digest> {
    report.audited().map(Audited::certificate)
}

/// Compares what the operators hold, and audits it as a stranger would.
pub(super) fn conclude(
    demo: &Demo<'_>,
    out: &Output,
    story: Option<(&str, Value)>,
) -> Result<Exit, CliError> {
    demo.held()?.conclude(demo, out, story)
}

impl Demo<'_> {
    /// What the operators of the demo's own ceremony hold.
    pub(super) fn held(&self) -> Result<Held, CliError> {
        let players: Vec<&Player> = self.players.iter().collect();
        Held::by(self, (CEREMONY_FILE, &self.ceremony), &players, &[])
    }
}
