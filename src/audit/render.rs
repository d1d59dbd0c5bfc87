//! Renders reports as text, JSON and HTML. None of these is ever read back: only the transcript can
//! be verified.

use core::fmt::Write;

use askama::Template;
use serde::Serialize;

use crate::protocol::outcome::ValidatorOutcome;
use crate::spec::ceremony::ValidatorSpec;
use crate::spec::show::{describe, few};
use crate::spec::threshold::Index;

use super::code::Code;
use super::describe;
use super::facts::Audited;
use super::json::{Facts, Findings};
use super::report::{CANNOT_CONCLUDE, Line, Report, Status, Verdict};

/// Of a clean transcript of the expected ceremony.
const VERIFIED: &str = "VERIFIED: every check passed, and this is the ceremony that you expect.";
/// Of a clean transcript that nobody has compared with anything.
const SOUND: &str = "SOUND, NOT COMPARED: every check passed, but nothing shows that this is the \
                     ceremony that you agreed to. Anybody can make a sound transcript with \
                     operators and an address of their own. Compare it with your ceremony file \
                     (--expect) before you rely on it.";

/// Of a reshare without its parents.
const UNLINKED: &str = "UNLINKED: no check failed, but nothing shows that these are shares of the \
                        keys that it names. Audit again with the transcripts of its parents:";

/// What to do with a set of statements.
const ASK: &str = "Do not deposit by this file: that needs a transcript that is verified.";
/// What stands before the agreed ceremony of a set of statements.
const INTENDED: &str = "these statements do not show that the following was completed, nor that \
                        every operator consented to it.";
/// The same, where the set holds a completed ceremony.
const HELD: &str = "the following was completed. Only its transcript tells with which keys.";
/// What stands there where the hellos do not hold.
const UNCONSENTED: &str = "the operators' consent to the following was not verified.";

/// What a reader must know before the agreed ceremony: a word, and a sentence. Nothing of a
/// transcript with every operator's consent.
fn caution(report: &Report) -> Option<(&'static str, &'static str)> {
    let consented = report.line(Code::V4).is_some_and(|line| line.status == Status::Passed);
    match (report.culprits(), report.completed()) {
        (Some(_), Some(_)) => Some(("Statements only", HELD)),
        (Some(_), None) => Some(("Not established", INTENDED)),
        (None, _) if !consented => Some(("Not established", UNCONSENTED)),
        (None, _) => None,
    }
}

/// Of a transcript with a check that failed: what the reader must not conclude from it.
const DAMAGED: &str = "A copy that was damaged or altered on its way fails like this, too, so this \
                       accuses nobody. Get the transcript again, from two operators.";

/// The same, where it has been said what follows from it.
const SOUND_IN_SHORT: &str = "SOUND, NOT COMPARED: every check passed, but nothing shows that this \
                              is the ceremony that you agreed to.";

/// The verdict in a few sentences; the first words are the verdict.
pub fn verdict(report: &Report) -> String {
    if let Some(culprits) = report.culprits() {
        let names: Vec<String> = culprits
            .iter()
            .map(|index| describe::operator(report.ceremony().map(|ceremony| &**ceremony), *index))
            .collect();
        let proven = match names.is_empty() {
            true => "They prove nobody at fault.".to_owned(),
            false => format!("They prove a fault of {}.", names.join(" and ")),
        };
        let outcome = match report.completed() {
            Some(certificate) => format!(
                "They hold a completed ceremony with the certificate {certificate}: its keys may \
                 be in use. {ASK}"
            ),
            None => format!("They do not show whether the ceremony was completed. {ASK}"),
        };
        return format!(
            "STATEMENTS ONLY: this is a set of statements and no transcript. {outcome} {proven}"
        );
    }
    let warning = match report.is_of_reshare() {
        false => "Do not deposit.",
        true => "Do not use its shares.",
    };
    if report.failed().contains(&Code::Expected) {
        return format!(
            "ANOTHER CEREMONY: this is not the one that you expect. None of its statements was \
             checked. {warning}"
        );
    }
    match report.verdict() {
        Verdict::Verified => return format!("{VERIFIED}{}", left_out(report)),
        Verdict::Sound => return format!("{SOUND}{}", left_out(report)),
        Verdict::Unlinked => {
            let missing = report.line(Code::V18).map_or("", |line| line.detail.as_str());
            return format!("{UNLINKED} {missing}.");
        }
        Verdict::Statements | Verdict::Failed => {}
    }
    let own = report.failed().iter().filter(|code| code.is_own()).count();
    match (own, report.findings()) {
        (0, 1) => {
            format!(
                "FINDING: the transcript is valid, but what you compared with it does not match. \
                 {warning}"
            )
        }
        (0, many) => {
            format!(
                "FINDINGS: the transcript is valid, but {many} comparisons with it do not match. \
                 {warning}"
            )
        }
        (_, 1) => format!("FAILED: 1 check failed. {warning}"),
        (_, many) => format!("FAILED: {many} checks failed. {warning}"),
    }
}

/// Of a reshare that was finished without operators: who.
fn left_out(report: &Report) -> String {
    let Some(audited) = report.audited() else { return String::new() };
    let name = |seat| describe::operator(Some(&**audited.ceremony()), seat);
    let names: Vec<String> = audited.finished_without().into_iter().map(name).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(
            " The others finished without {}, whose last statement is not here.",
            names.join(" and ")
        ),
    }
}

/// How much of a report is written, and what its reader does next.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading<'a> {
    /// Every check and every validator, where otherwise a line stands for many.
    pub everything: bool,
    /// A command to run next.
    pub next: Option<&'a str>,
}

/// The report as text: the verdict; what failed; people and money; the checks; what nobody can
/// conclude; the verdict again.
pub fn to_text(report: &Report) -> String {
    to_text_for(report, Reading::default())
}

/// The same, as its reader wants it.
pub fn to_text_for(report: &Report, reading: Reading<'_>) -> String {
    let mut out = String::new();
    write_text(report, reading, &mut out).expect("a string takes everything");
    out
}

fn write_text(report: &Report, reading: Reading<'_>, out: &mut String) -> core::fmt::Result {
    if let Some(sentence) = report.whole_keys() {
        writeln!(out, "{sentence}\n")?;
    }
    writeln!(out, "{}", verdict(report))?;
    let failed = || report.lines().iter().filter(|line| line.status == Status::Failed);
    if failed().next().is_some() {
        writeln!(out, "\nWhat failed")?;
        for line in failed() {
            writeln!(out, "  {}: {}: {}", line.code, line.code.title(), line.detail)?;
        }
        if report.failed().iter().any(|code| code.is_own()) && report.culprits().is_none() {
            writeln!(out, "  {DAMAGED}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Transcript {}", report.transcript())?;
    if let Some(audited) = report.audited() {
        writeln!(out, "Certificate {}", audited.certificate())?;
    }
    agreed(report, out)?;
    if let Some(audited) = report.audited() {
        validators(audited, reading.everything, out)?;
    }
    checks(report, reading.everything, out)?;
    let before_deposit = report.before_deposit();
    if !before_deposit.is_empty() {
        writeln!(out, "\nBefore you deposit")?;
        (1..)
            .zip(before_deposit)
            .try_for_each(|(number, sentence): (u8, _)| writeln!(out, "  {number}. {sentence}"))?;
    }
    let after_reshare = report.after_reshare();
    if !after_reshare.is_empty() {
        writeln!(out, "\nAfter the {}", report.kind_word())?;
        (1..)
            .zip(after_reshare)
            .try_for_each(|(number, sentence): (u8, _)| writeln!(out, "  {number}. {sentence}"))?;
    }
    writeln!(out, "\nWhat nobody can conclude from a transcript")?;
    CANNOT_CONCLUDE.iter().try_for_each(|sentence| writeln!(out, "  - {sentence}"))?;
    if let Some(next) = reading.next {
        writeln!(out, "\nNext, with the ceremony file that you agreed to\n  {next}")?;
    }
    let last = match report.verdict() {
        Verdict::Sound => SOUND_IN_SHORT.to_owned(),
        _ => verdict(report),
    };
    writeln!(out, "\n{last}")
}

/// What the transcript says was agreed, and whether the operators consented to it.
fn agreed(report: &Report, out: &mut String) -> core::fmt::Result {
    let Some(ceremony) = report.ceremony() else {
        return writeln!(out, "\nThe agreed ceremony cannot be read.");
    };
    if let Some((word, sentence)) = caution(report) {
        write!(out, "\n{}: {sentence}", word.to_uppercase())?;
    }
    writeln!(out, "\n{}", describe(ceremony).trim_end())
}

/// The validators' keys, each with its address where there are several.
fn validators(audited: &Audited, everything: bool, out: &mut String) -> core::fmt::Result {
    let wanted = audited.ceremony().validators();
    let one_address = wanted.iter().all(|other| other.withdrawal == wanted[0].withdrawal);
    let row = |(number, (made, wanted)): (usize, (&ValidatorOutcome, &ValidatorSpec))| {
        let key = hex::encode(made.public_key.to_compressed());
        let address = match one_address {
            true => String::new(),
            false => format!(" to {}", wanted.withdrawal.address()),
        };
        format!("  {number:>4}  0x{key}{address}")
    };
    let rows = (1..).zip(audited.validators().iter().zip(wanted)).map(row).collect();
    writeln!(out, "\nValidators: {}", wanted.len())?;
    few(rows, everything).iter().try_for_each(|row| writeln!(out, "{row}"))
}

/// Each check with what became of it; where none of the protocol's failed, one line for all of
/// those.
fn checks(report: &Report, everything: bool, out: &mut String) -> core::fmt::Result {
    let numbered = |line: &&Line| line.code <= Code::V20;
    let in_full = everything
        || report.lines().iter().filter(numbered).any(|line| line.status == Status::Failed);
    writeln!(out, "\nChecks")?;
    if !in_full {
        let lines: Vec<&Line> = report.lines().iter().filter(numbered).collect();
        let runs = lines.chunk_by(|a, b| a.status == b.status).map(|run| match run {
            [first, .., last] => format!("{} to {} {}", first.code, last.code, first.status),
            run => run.iter().map(|only| format!("{} {}", only.code, only.status)).collect(),
        });
        writeln!(out, "  {} (--verbose lists them)", runs.collect::<Vec<_>>().join(", "))?;
    }
    for line in report.lines().iter().filter(|line| in_full || !numbered(line)) {
        writeln!(
            out,
            "  {:<12}  {:<14}  {}: {}",
            line.code,
            line.status,
            line.code.title(),
            line.detail
        )?;
    }
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("texts and numbers are always JSON");
    bytes.push(b'\n');
    bytes
}

/// The report as one JSON object: verdict, spec, checks, what nobody can conclude and, if the
/// transcript holds, its facts. The same report gives the same bytes.
pub fn to_json(report: &Report) -> Vec<u8> {
    json(&Findings::of(report))
}

/// A verified transcript as JSON (`transcript.json`): everything public that it establishes. The
/// same transcript gives the same bytes.
pub fn transcript_json(audited: &Audited) -> Vec<u8> {
    json(&Facts::of(audited))
}

/// Who made a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Somebody who audited the transcript.
    Auditor,
    /// An operator of the ceremony, at its end.
    Operator(Index),
}

impl Author {
    /// In a sentence. It is what the page says of itself, and nobody can check it.
    fn sentence(self, report: &Report) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self {
            Self::Auditor => format!(
                "This page was made with quorate audit (version {version}) by whoever gave it to \
                 you."
            ),
            Self::Operator(index) => format!(
                "This page was made by {} at the end of its own ceremony, with quorate run \
                 (version {version}).",
                describe::operator(report.ceremony().map(|ceremony| &**ceremony), index)
            ),
        }
    }
}

/// The page. Every value is escaped by the template engine; there is no script, and nothing is
/// loaded.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    author: &'a str,
    /// As the audit prints it, like the certificate: the two are compared by eye.
    digest: String,
    certificate: Option<String>,
    verdict: &'a str,
    /// The colour of the verdict: `good` only for what was compared.
    tone: &'static str,
    caution: Option<(&'static str, &'static str)>,
    /// Of imported keys: the first thing to say.
    whole: Option<String>,
    report: Findings,
}

/// The report as one static HTML page. It proves nothing by itself, and says so first, with who
/// made it and how to verify what it says.
pub fn to_html(report: &Report, author: Author) -> String {
    let page = Page {
        author: &author.sentence(report),
        digest: report.transcript().to_string(),
        certificate: report.audited().map(|audited| audited.certificate().to_string()),
        verdict: &verdict(report),
        tone: match report.verdict() {
            Verdict::Verified => "good",
            Verdict::Sound => "open",
            Verdict::Statements | Verdict::Unlinked | Verdict::Failed => "bad",
        },
        caution: caution(report),
        whole: report.whole_keys(),
        report: Findings::of(report),
    };
    page.render().expect("a string takes everything")
}
