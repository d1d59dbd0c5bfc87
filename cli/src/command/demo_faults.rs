//! `quorate demo --fault`: real operator processes, one of which crashes, is rolled back or cheats,
//! with an explanation of the result and, for a proven fault, the check of the evidence. A demo
//! that does not go as announced is an error.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::demo::{self, Demo};
use super::demo_process::{PATIENCE, Running};
use super::evidence::judged;
use crate::args::Fault;
use crate::cheat::{self, Rule};
use crate::messages;
use crate::report::{CliError, Exit, Output, talk};
use crate::verdict::{self, Compared, Verdict};
use quorate::protocol::evidence::Class;
use quorate::spec::threshold::Index;
use quorate_operator::machine;
use quorate_operator::store::StateDir;

/// How long a withheld box is waited for: longer than it takes until everybody is asked for it.
const WITHHELD: Duration = Duration::from_secs(9);
/// The operator that crashes, or goes back in time: bob.
const UNLUCKY: usize = 1;

/// Runs a demo of a fault.
pub(super) fn run(demo: &Demo<'_>, fault: Fault, out: &Output) -> Result<Exit, CliError> {
    match fault {
        Fault::Kill => kill(demo, out),
        Fault::Rollback => rollback(demo, out),
        Fault::BadShare => proven(demo, fault, Rule::BadShare, Class::E3, out),
        Fault::Equivocate => proven(demo, fault, Rule::Equivocate, Class::E1, out),
        Fault::RogueKey => proven(demo, fault, Rule::RogueKey, Class::E2, out),
        Fault::FalseComplaint => proven(demo, fault, Rule::FalseComplaint, Class::E4, out),
        Fault::Withhold => withhold(demo, out),
    }
}

/// The fault as it is typed.
fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Kill => "kill",
        Fault::BadShare => "bad-share",
        Fault::Equivocate => "equivocate",
        Fault::RogueKey => "rogue-key",
        Fault::Withhold => "withhold",
        Fault::Rollback => "rollback",
        Fault::FalseComplaint => "false-complaint",
    }
}

fn differs(demo: &Demo<'_>, fault: Fault, what: impl Into<String>) -> CliError {
    demo.differs(name(fault), &what.into())
}

/// One of the lines that say where an operator is, from `round` on.
fn from_round(round: usize) -> Vec<String> {
    let mut lines: Vec<String> = (round..=5).map(|round| format!("Round {round} of 5")).collect();
    lines.push("Outputs are written".to_owned());
    lines
}

/// Kills an operator in each round; the same command goes on each time.
fn kill(demo: &Demo<'_>, out: &Output) -> Result<Exit, CliError> {
    let who = demo.players[UNLUCKY].name.clone();
    let mut running = demo.start_all_but(UNLUCKY)?;
    let mut kills = 0;
    for round in 1..=5 {
        let mut unlucky = demo.start(UNLUCKY, None)?;
        if unlucky.until(&from_round(round), PATIENCE).is_some() {
            unlucky.kill();
            kills += 1;
            talk(&format!("demo: killed {who} (kill -9), and restarted it with the same command."));
        }
    }
    running.push(demo.start(UNLUCKY, None)?);
    demo.finish(name(Fault::Kill), running)?;
    let what = format!(
        "{who} was killed (kill -9) {kills} times, about once in each round, and restarted with \
         the same command."
    );
    let came = "It continued where it had stopped, signed nothing twice, and all operators \
                finished.";
    demo::conclude(
        demo,
        out,
        Some((&as_announced(&what, came), json!({ "fault": "kill", "kills": kills }))),
    )
}

/// Puts an operator's directory back to what it was some rounds ago, as a restored backup would.
fn rollback(demo: &Demo<'_>, out: &Output) -> Result<Exit, CliError> {
    let player = &demo.players[UNLUCKY];
    let who = &player.name;
    let mut running = demo.start_all_but(UNLUCKY)?;
    let mut unlucky = demo.start(UNLUCKY, None)?;
    if unlucky.until(&from_round(2), PATIENCE).is_none() {
        return Err(differs(demo, Fault::Rollback, format!("{who} did not reach round 2")));
    }
    unlucky.kill();
    let image = demo.root.join(format!("{who}.image"));
    copy(&player.dir, &image)?;
    talk(&format!("demo: killed {who} (kill -9), copied its directory, and restarted it."));
    let unlucky = demo.start(UNLUCKY, None)?;
    // Whoever is in round 4 holds what this operator signed in round 3: its own word does not say
    // that it has left the machine.
    let held = running.first_mut().and_then(|other| other.until(&from_round(4), PATIENCE));
    if held.is_none() {
        return Err(differs(demo, Fault::Rollback, "the others did not reach round 4"));
    }
    unlucky.kill();
    let later = demo.root.join(format!("{who}.later"));
    fs::rename(&player.dir, &later).map_err(|error| messages::writing(&later, &error))?;
    fs::rename(&image, &player.dir).map_err(|error| messages::writing(&player.dir, &error))?;
    talk(&format!(
        "demo: killed {who} again, and replaced its directory with the copy: it has forgotten what \
         it signed since."
    ));
    let stopped = vec![demo.start(UNLUCKY, None)?];
    for (name, code) in demo.ended(name(Fault::Rollback), stopped)? {
        if code != Some(Exit::Local as i32) {
            let what = format!("{name} ended with exit code {code:?}, and should have stopped");
            return Err(differs(demo, Fault::Rollback, what));
        }
    }
    // What it noted when it stopped is in the older directory, and goes with it.
    fs::rename(&player.dir, &image).map_err(|error| messages::writing(&image, &error))?;
    fs::rename(&later, &player.dir).map_err(|error| messages::writing(&player.dir, &error))?;
    talk(&format!("demo: put the newest copy of {who}'s directory back, and restarted it."));
    running.push(demo.start(UNLUCKY, None)?);
    demo.finish(name(Fault::Rollback), running)?;
    let what = format!(
        "{who} was stopped, and its directory was restored to its state one round earlier, as from \
         a backup. Then its newest directory was put back."
    );
    let came = "From the older copy it signed nothing: the others showed it a statement of its \
                own that its log lacked, so it stopped with exit code 1. From the newest copy it \
                continued. Nobody was blamed, and all operators finished. Do not restore logs: \
                from a copy older than its hello, it would have signed a different hello, which \
                is equivocation.";
    demo::conclude(demo, out, Some((&as_announced(&what, came), json!({ "fault": "rollback" }))))
}

pub(super) fn as_announced(what: &str, came: &str) -> String {
    format!("As announced.\n{}", told(what, came))
}

pub(super) fn told(what: &str, came: &str) -> String {
    format!("What happened: {what}\nResult: {came}")
}

fn copy(from: &Path, to: &Path) -> Result<(), CliError> {
    let reading = |error| messages::reading(from, &error);
    fs::create_dir(to).map_err(|error| messages::writing(to, &error))?;
    let mode = fs::metadata(from).map_err(reading)?.permissions();
    fs::set_permissions(to, mode).map_err(|error| messages::writing(to, &error))?;
    for entry in fs::read_dir(from).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let (path, new) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &new)?,
            // With its mode.
            false => drop(fs::copy(&path, &new).map_err(|error| messages::writing(&new, &error))?),
        }
    }
    Ok(())
}

/// The evidence that an operator has, of this name.
fn evidence(demo: &Demo<'_>, player: usize, name: &str) -> Result<Option<PathBuf>, CliError> {
    let state = StateDir::open(&demo.players[player].dir).map_err(messages::store)?;
    let Some(view) = state.find(&demo.ceremony.digest()).map_err(messages::store)? else {
        return Ok(None);
    };
    let found = view.evidence().map_err(messages::store)?;
    Ok(found.into_iter().find(|path| super::run_ended::named(path, name)))
}

/// One operator cheats, all others stop with proof of it.
fn proven(
    demo: &Demo<'_>,
    fault: Fault,
    rule: Rule,
    class: Class,
    out: &Output,
) -> Result<Exit, CliError> {
    let cheat = demo.players.len() - 1;
    let index = Index::from_position(cheat).expect("at most 32 operators");
    let victim = &demo.players[cheat::victim(&demo.ceremony, index).position()].name;
    let who = &demo.players[cheat].name;
    let cheating = demo.start(cheat, Some(rule))?;
    for (name, code) in demo.ended(name(fault), demo.start_all_but(cheat)?)? {
        if code != Some(Exit::Aborted as i32) {
            return Err(differs(demo, fault, format!("{name} ended with exit code {code:?}")));
        }
    }
    drop(cheating);
    let found: Vec<(PathBuf, Verdict)> = (0..cheat)
        .map(|honest| convicted(demo, fault, honest, index, class))
        .collect::<Result<_, _>>()?;
    let (what, came) = story(rule, who, victim);
    let (path, verdict) = &found[0];
    let honest: Vec<&str> =
        demo.players[..cheat].iter().map(|player| player.name.as_str()).collect();
    let text = format!(
        "{}\nAll others stopped with exit code {}, and the evidence of each gives the same \
         verdict: {}.\nEvidence: {}\n\nWhat anyone can see in that file, with: {}\n\n{}",
        told(&what, &came),
        Exit::Aborted as i32,
        honest.join(", "),
        path.display(),
        messages::check_evidence(path, Some(&demo.root.join("ceremony.toml"))),
        verdict.text(Compared::Expected)
    );
    let mut fields =
        json!({ "fault": name(fault), "culprit": who, "class": format!("E{}", class as u8) });
    fields["evidence"] =
        found.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().into();
    done(demo, out, fields, &text)
}

/// The evidence that an honest operator has: of this class, and against the cheat alone.
fn convicted(
    demo: &Demo<'_>,
    fault: Fault,
    honest: usize,
    cheat: Index,
    class: Class,
) -> Result<(PathBuf, Verdict), CliError> {
    let name = &demo.players[honest].name;
    let path = evidence(demo, honest, machine::FAULT)?
        .ok_or_else(|| differs(demo, fault, format!("{name} has no evidence")))?;
    let verdict = judged_as(demo, &path)?;
    let as_announced = |proven: &quorate::protocol::evidence::Fault| {
        proven.rule.class() == Some(class) && proven.rule.culprits() == [cheat]
    };
    if verdict.proven.is_empty() || !verdict.proven.iter().all(as_announced) {
        let shown: Vec<String> = verdict.proven.iter().map(verdict::class).collect();
        return Err(differs(demo, fault, format!("{name} has evidence of {shown:?}")));
    }
    Ok((path, verdict))
}

/// The verdict on a file, which is about the demo's own ceremony.
fn judged_as(demo: &Demo<'_>, path: &Path) -> Result<Verdict, CliError> {
    let verdict = judged(path)?;
    match verdict.ceremony.digest() == demo.ceremony.digest() {
        true => Ok(verdict),
        false => Err(messages::internal("the evidence of the demo is about another ceremony")),
    }
}

/// What `who` did, to `victim` or to all, and what came of it.
fn story(rule: Rule, who: &str, victim: &str) -> (String, String) {
    match rule {
        Rule::BadShare => (
            format!(
                "{who} sealed shares for {victim} that do not match its public commitments. Only \
                 {victim} could see that."
            ),
            format!(
                "{victim} revealed the one-time key of that one box in a signed complaint. So \
                 everyone can open the box and see that it is bad, and {who} had signed its \
                 digest. The ceremony produced no key, and the revealed key opens nothing else."
            ),
        ),
        Rule::Equivocate => (
            format!("{who} signed two different hellos and sent one to each half of the others."),
            "The operators tell each other which statements they hold. Two different signed \
             statements for the same round prove the fault."
                .to_owned(),
        ),
        Rule::RogueKey => (
            format!(
                "{who} waited for all other deals, then dealt a constant term that would make the \
                 sum a key that it knows."
            ),
            "Its hello had committed it to a deal before it saw any other, and this deal does not \
             open that commitment. The ceremony produced no key at all."
                .to_owned(),
        ),
        Rule::FalseComplaint => (
            format!("{who} complained about the share box of {victim}, which was valid."),
            format!(
                "A complaint must open the box. This one does not, so it proves a fault of \
                 {who}, not of {victim}."
            ),
        ),
        Rule::Withhold => unreachable!("nothing is proven by silence"),
    }
}

fn done(demo: &Demo<'_>, out: &Output, mut fields: Value, text: &str) -> Result<Exit, CliError> {
    fields["out"] = demo.root.display().to_string().into();
    out.finish(Exit::Done, fields, &format!("As announced.\n{text}"))
}

/// One operator never gives another its box. Nothing can be proven; the others wait, by name, until
/// a person gives up.
fn withhold(demo: &Demo<'_>, out: &Output) -> Result<Exit, CliError> {
    let fault = Fault::Withhold;
    let cheat = demo.players.len() - 1;
    let index = Index::from_position(cheat).expect("at most 32 operators");
    let victim = cheat::victim(&demo.ceremony, index).position();
    let (who, whom) = (demo.players[cheat].name.clone(), demo.players[victim].name.clone());
    let cheating = demo.start(cheat, Some(Rule::Withhold))?;
    let mut honest = demo.start_all_but(cheat)?;
    let n = demo.players.len();
    let waiting =
        format!("Round 2 of 5, shares: {} of {n}. Waiting for \"{who}\" (operator {n}).", n - 1);
    if honest[victim].until(&[waiting], PATIENCE).is_none() {
        return Err(differs(demo, fault, format!("{whom} does not wait for {who}")));
    }
    talk(&format!(
        "demo: {whom} waits for its share box, and asks every operator for it. In {} s the demo \
         abandons the ceremony.",
        WITHHELD.as_secs()
    ));
    thread::sleep(WITHHELD);
    honest.iter().try_for_each(Running::interrupt)?;
    for (name, code) in demo.ended(name(fault), honest)? {
        if code != Some(Exit::Waiting as i32) {
            return Err(differs(demo, fault, format!("{name} ended with exit code {code:?}")));
        }
    }
    drop(cheating);
    abandon(demo, victim)?;
    let path = evidence(demo, victim, machine::GIVEN_UP)?
        .ok_or_else(|| differs(demo, fault, "there is no record of the abandonment"))?;
    let verdict = judged_as(demo, &path)?;
    if !verdict.proven.is_empty()
        || !verdict.said.iter().any(|said| said.contains(&format!("the share box of \"{who}\"")))
    {
        return Err(differs(demo, fault, "the record does not name it"));
    }
    let what =
        format!("{who} never sent {whom} its share box, neither directly nor through others.");
    let came = format!(
        "{whom} waited for {who} and said so, and the others waited for {whom}. Silence proves \
         nothing, so nobody is blamed. Nobody could finish, but nothing was lost: with the box \
         from {who}, all would have continued. In the end {whom} abandoned the ceremony, and its \
         record names the operator it waited for."
    );
    let text = format!(
        "{}\nRecord: {}\n\nWhat anyone can see in that file, with: {}\n\n{}",
        told(&what, &came),
        path.display(),
        messages::check_evidence(&path, Some(&demo.root.join("ceremony.toml"))),
        verdict.text(Compared::Expected)
    );
    let fields = json!({ "fault": name(fault), "withheld_by": who,
        "evidence": [path.display().to_string()] });
    done(demo, out, fields, &text)
}

/// An operator abandons the ceremony.
fn abandon(demo: &Demo<'_>, player: usize) -> Result<(), CliError> {
    let whom = &demo.players[player].name;
    talk(&format!("demo: {whom} abandons the ceremony, with: quorate abandon ceremony.toml"));
    let mut abandon = demo.command(&demo.players[player]);
    abandon
        .arg("abandon")
        .arg(demo.root.join("ceremony.toml"))
        .args(["--yes-fingerprint", &demo.words]);
    let done = demo.quietly(name(Fault::Withhold), whom, abandon);
    done.map(drop)
}
