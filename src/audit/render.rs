//! Renders reports as text, JSON and HTML. None of these is ever read back: only the transcript can
//! be verified.

use core::fmt::Write;

use askama::Template;
use serde::Serialize;

use crate::spec::show::describe;

use super::code::Code;
use super::describe;
use super::facts::Audited;
use super::json::{Facts, Findings};
use super::report::{BEFORE_DEPOSIT, CANNOT_CONCLUDE, Report, Status};

/// The verdict in one sentence.
pub fn verdict(report: &Report) -> String {
    if let Some(culprits) = report.culprits() {
        let names: Vec<String> = culprits
            .iter()
            .map(|index| describe::operator(report.ceremony().map(|ceremony| &**ceremony), *index))
            .collect();
        let proven = match names.is_empty() {
            true => "These statements prove nobody at fault.".to_owned(),
            false => format!("These statements prove a fault of {}.", names.join(" and ")),
        };
        return format!(
            "NOT COMPLETED: no key of this ceremony may be used. {proven} Never deposit to its \
             keys."
        );
    }
    if report.failed().contains(&Code::Expected) {
        return "ANOTHER CEREMONY: this is not the one that you expect. Nothing else was checked. \
                Do \
                not deposit."
            .to_owned();
    }
    let own = report.failed().iter().filter(|code| code.is_own()).count();
    match (report.is_clean(), own, report.findings()) {
        (true, ..) => "VERIFIED: every check passed.".to_owned(),
        (false, 0, 1) => {
            "FINDING: the transcript is valid, but what you compared with it does not match. Do \
             not deposit."
                .to_owned()
        }
        (false, 0, many) => {
            format!(
                "FINDINGS: the transcript is valid, but {many} comparisons with it do not match. \
                 Do not deposit."
            )
        }
        (false, _, 1) => "FAILED: 1 check failed. Do not deposit.".to_owned(),
        (false, _, many) => format!("FAILED: {many} checks failed. Do not deposit."),
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
            let consented = report.line(Code::V4).is_some_and(|line| line.status == Status::Passed);
            let caution = match (report.culprits(), consented) {
                (Some(_), _) => {
                    "\nINTENDED CEREMONY: the following was never completed, and perhaps not every \
                     operator consented to it."
                }
                (None, true) => "",
                (None, false) => {
                    "\nNOT ESTABLISHED: the operators' consent to the following was not verified."
                }
            };
            writeln!(out, "{caution}\n{}", describe(ceremony).trim_end())?;
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
                "  {number:>4}  0x{}  to {address}",
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
    if report.is_clean() {
        writeln!(out, "\nBefore you deposit")?;
        (1..)
            .zip(BEFORE_DEPOSIT)
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

/// The page. Every value is escaped by the template engine; there is no script, and nothing is
/// loaded.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    verdict: &'a str,
    clean: bool,
    consented: bool,
    stopped: bool,
    report: Findings,
}

/// The report as one static HTML page.
pub fn to_html(report: &Report) -> String {
    let consented = report.line(Code::V4).is_some_and(|line| line.status == Status::Passed);
    let page = Page {
        verdict: &verdict(report),
        clean: report.is_clean(),
        consented,
        stopped: report.culprits().is_some(),
        report: Findings::of(report),
    };
    page.render().expect("a string takes everything")
}
