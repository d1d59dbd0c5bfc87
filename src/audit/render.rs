//! Renders reports as text, JSON and HTML. None of these is ever read back: only the transcript can
//! be verified.

use core::fmt::Write;

use askama::Template;
use serde::Serialize;

use crate::spec::show::describe;
use crate::spec::threshold::Index;

use super::code::Code;
use super::describe;
use super::facts::Audited;
use super::json::{Facts, Findings};
use super::report::{CANNOT_CONCLUDE, Report, Status, Verdict};

/// Of a clean transcript of the expected ceremony.
const VERIFIED: &str = "VERIFIED: every check passed, and this is the ceremony that you expect.";
/// Of a clean transcript that nobody has compared with anything.
const SOUND: &str = "SOUND, NOT COMPARED: every check passed, but nothing shows that this is the \
                     ceremony that you agreed to. Anybody can make a sound transcript with \
                     operators and an address of their own. Compare it with your ceremony file \
                     (--expect) before you rely on it.";

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
    if report.failed().contains(&Code::Expected) {
        return "ANOTHER CEREMONY: this is not the one that you expect. Nothing else was checked. \
                Do \
                not deposit."
            .to_owned();
    }
    match report.verdict() {
        Verdict::Verified => return VERIFIED.to_owned(),
        Verdict::Sound => return SOUND.to_owned(),
        Verdict::Statements | Verdict::Failed => {}
    }
    let own = report.failed().iter().filter(|code| code.is_own()).count();
    match (own, report.findings()) {
        (0, 1) => {
            "FINDING: the transcript is valid, but what you compared with it does not match. Do \
             not deposit."
                .to_owned()
        }
        (0, many) => {
            format!(
                "FINDINGS: the transcript is valid, but {many} comparisons with it do not match. \
                 Do not deposit."
            )
        }
        (_, 1) => "FAILED: 1 check failed. Do not deposit.".to_owned(),
        (_, many) => format!("FAILED: {many} checks failed. Do not deposit."),
    }
}

/// The report as text: the verdict, money and people, one line for each check, and what nobody can
/// conclude.
pub fn to_text(report: &Report) -> String {
    let mut out = String::new();
    write_text(report, &mut out).expect("a string takes everything");
    out
}

fn write_text(report: &Report, out: &mut String) -> core::fmt::Result {
    writeln!(out, "{}\nTranscript {}", verdict(report), report.transcript())?;
    if let Some(audited) = report.audited() {
        writeln!(out, "Certificate {}", audited.certificate())?;
    }
    match report.ceremony() {
        None => writeln!(out, "\nThe agreed ceremony cannot be read.")?,
        Some(ceremony) => {
            if let Some((word, sentence)) = caution(report) {
                write!(out, "\n{}: {sentence}", word.to_uppercase())?;
            }
            writeln!(out, "\n{}", describe(ceremony).trim_end())?;
        }
    }
    if let Some(audited) = report.audited() {
        writeln!(out, "\nValidators")?;
        for (number, (validator, wanted)) in
            (1..).zip(audited.validators().iter().zip(audited.ceremony().validators()))
        {
            let address = wanted.withdrawal.address();
            writeln!(
                out,
                "  {number:>4}  0x{} to {address}",
                hex::encode(validator.public_key.to_compressed())
            )?;
        }
    }
    writeln!(out, "\nChecks")?;
    for line in report.lines() {
        writeln!(
            out,
            "  {:<12}  {:<14}  {}: {}",
            line.code,
            line.status,
            line.code.title(),
            line.detail
        )?;
    }
    let before_deposit = report.before_deposit();
    if !before_deposit.is_empty() {
        writeln!(out, "\nBefore you deposit")?;
        (1..)
            .zip(before_deposit)
            .try_for_each(|(number, sentence): (u8, _)| writeln!(out, "  {number}. {sentence}"))?;
    }
    writeln!(out, "\nWhat nobody can conclude from a transcript")?;
    CANNOT_CONCLUDE.iter().try_for_each(|sentence| writeln!(out, "  - {sentence}"))
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
            Verdict::Statements | Verdict::Failed => "bad",
        },
        caution: caution(report),
        report: Findings::of(report),
    };
    page.render().expect("a string takes everything")
}
