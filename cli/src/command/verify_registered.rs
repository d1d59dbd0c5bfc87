//! `quorate verify registered`: whether the keys that a registry or the chain has are ours.

use std::path::Path;

use serde_json::{Value, json};

use super::verify::refused_by;
use crate::args::VerifyRegistered;
use crate::messages::shown;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::registered::{Comparison, Known, LARGEST, List, compare};
use quorate::spec::show::{few, plural};

/// Runs the command.
pub(super) fn run(args: &VerifyRegistered, out: &Output) -> Result<Exit, CliError> {
    let bytes = input::read(&args.file, LARGEST)?;
    let list = match List::read(&bytes) {
        Ok(list) => list,
        Err(error) => {
            let whole = ("file", error.to_string());
            return refused_by("verify registered", &args.file, whole, out);
        }
    };
    let audited: Vec<Audited> =
        args.transcript.iter().map(|path| transcript(path)).collect::<Result<_, _>>()?;
    let comparison = compare(&list, &audited.iter().collect::<Vec<_>>());
    let strangers = comparison.strangers(list.source).len();
    let told = Told { args, list: &list, audited: &audited, comparison: &comparison };
    let faults = [
        if args.in_part { 0 } else { comparison.missing.len() },
        strangers,
        comparison.repeated.len(),
        comparison.wrong.len(),
        if args.undeposited { comparison.deposited().count() } else { 0 },
    ];
    let exit = match faults.iter().sum() {
        0_usize => Exit::Done,
        _ => Exit::Finding,
    };
    out.finish(exit, told.json(exit == Exit::Done), &told.text(exit == Exit::Done, out.verbose))
}

/// The facts of a transcript, if its audit is clean.
fn transcript(path: &Path) -> Result<Audited, CliError> {
    let report = audit(&input::transcript(path)?, &Expectations::default());
    match report.audited().filter(|_| report.is_clean()) {
        Some(audited) => Ok(audited.clone()),
        None => Err(messages::not_audited(path)),
    }
}

/// What there is to tell.
struct Told<'a> {
    args: &'a VerifyRegistered,
    list: &'a List,
    audited: &'a [Audited],
    comparison: &'a Comparison,
}

impl Told<'_> {
    fn name(&self, known: &Known) -> String {
        let ceremony = self.audited[known.transcript].ceremony();
        let (number, name) = (known.validator + 1, ceremony.name());
        format!("validator {number} of \"{name}\", 0x{}", hex::encode(known.public_key))
    }

    fn text(&self, good: bool, everything: bool) -> String {
        let Self { comparison, list, .. } = self;
        let ours = comparison.registered.len() + comparison.missing.len();
        let mut text = format!(
            "{}: {}\n  {}, with {} of {} in it",
            if good { "Accepted" } else { "Refused" },
            shown(&self.args.file),
            list.source.name(),
            comparison.registered.len(),
            plural(ours, "validator"),
        );
        let mut part = |title: &str, rows: Vec<String>| {
            if !rows.is_empty() {
                text += &format!("\n  {title}: {}", rows.len());
                few(rows, everything).iter().for_each(|row| text += &format!("\n    {row}"));
            }
        };
        let missing = comparison.missing.iter().map(|known| self.name(known));
        part(if self.args.in_part { "NOT IN IT YET" } else { "MISSING" }, missing.collect());
        let strangers = comparison.strangers(list.source).iter();
        let strangers =
            strangers.map(|(place, key)| format!("entry {place}, 0x{}", hex::encode(key)));
        part("FOREIGN, of none of these ceremonies", strangers.collect());
        let repeated = comparison.repeated.iter().map(|(place, first, key)| {
            format!("entry {place}, 0x{}, first in entry {first}", hex::encode(key))
        });
        part("GIVEN TWICE", repeated.collect());
        let wrong = comparison.wrong.iter().map(|wrong| {
            format!(
                "entry {}, {}, {}: {} instead of {}",
                wrong.place,
                self.name(&wrong.known),
                wrong.field,
                wrong.found,
                wrong.expected
            )
        });
        part("REGISTERED OTHERWISE than agreed; send no money", wrong.collect());
        let deposited = comparison.deposited().map(|registered| {
            let status = registered.status.as_deref().unwrap_or("deposited");
            format!("{}: {status}", self.name(&registered.known))
        });
        part("DEPOSITED ALREADY", deposited.collect());
        text
    }

    fn json(&self, good: bool) -> Value {
        let Self { comparison, list, .. } = self;
        let known = |known: &Known| {
            json!({
                "ceremony": self.audited[known.transcript].ceremony().digest().to_string(),
                "validator": known.validator + 1,
                "public_key": format!("0x{}", hex::encode(known.public_key)),
            })
        };
        let with = |one: &Known, more: Value| {
            let mut value = known(one);
            if let (Some(fields), Value::Object(more)) = (value.as_object_mut(), more) {
                fields.extend(more);
            }
            value
        };
        let key = |key: &[u8; 48]| format!("0x{}", hex::encode(key));
        let registered = comparison.registered.iter().map(|one| {
            let (status, deposited) = (&one.status, one.deposited);
            with(
                &one.known,
                json!({
                    "entry": one.place, "status": status, "deposited": deposited,
                }),
            )
        });
        let wrong = comparison.wrong.iter().map(|one| {
            with(
                &one.known,
                json!({
                    "entry": one.place, "field": one.field, "found": one.found,
                    "expected": one.expected,
                }),
            )
        });
        let foreign = comparison.strangers(list.source).iter();
        let foreign = foreign.map(|(place, one)| json!({ "entry": place, "public_key": key(one) }));
        let repeated = comparison.repeated.iter().map(
            |(place, first, one)| json!({ "entry": place, "first": first, "public_key": key(one) }),
        );
        json!({
            "file": self.args.file.display().to_string(), "accepted": good,
            "list": list.source.name(), "entries": list.entries.len(),
            "registered": registered.collect::<Vec<_>>(),
            "missing": comparison.missing.iter().map(known).collect::<Vec<_>>(),
            "foreign": foreign.collect::<Vec<_>>(), "repeated": repeated.collect::<Vec<_>>(),
            "wrong": wrong.collect::<Vec<_>>(),
        })
    }
}
