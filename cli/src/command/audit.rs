//! `quorate audit`: verifies a transcript offline.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::AuditArgs;
use crate::keystores::{self, Opened, Unopened};
use crate::messages::{quoted, shown};
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, pack};
use quorate::audit::expectation::{Expectations, HeldShare};
use quorate::audit::render::{Author, Reading};
use quorate::audit::report::Verdict;
use quorate::audit::{audit_all, render};
use quorate::ethereum::keystore::Keystore;
use quorate::ethereum::obol::lock::MOST_BYTES;
use quorate::spec::Ceremony;
use quorate::transcript::container::Header;

/// Longest deposit file: 8 deposits of each of 8192 validators, at most 1 KiB each.
const MOST_DEPOSIT_BYTES: usize = 64 << 20;
/// Longest file for SSV: key shares of 13 operators take 18 KiB for each validator.
const MOST_SSV_BYTES: usize = 192 << 20;

/// Runs the command.
pub(crate) fn run(args: &AuditArgs, out: &Output) -> Result<Exit, CliError> {
    if let Some(html) = &args.html {
        input::can_be_written(html)?;
    }
    let packs = pack::load_all(&args.policy)?;
    let expected: Option<Ceremony> =
        args.expect.as_deref().map(input::any_ceremony).transpose()?.map(|(_, one)| one);
    let deposits = named(&args.deposit_data, MOST_DEPOSIT_BYTES)?;
    let keyshares = named(&args.keyshares, MOST_SSV_BYTES)?;
    let proofs = named(&args.proofs, MOST_SSV_BYTES)?;
    let lock = args
        .lock
        .as_ref()
        .map(|path| Ok((shown(path), input::read(path, MOST_BYTES)?)))
        .transpose()?;
    let lock =
        lock.as_ref().map(|(name, bytes): &(String, Vec<u8>)| (name.as_str(), bytes.as_slice()));
    let (paths, files): (Vec<PathBuf>, Vec<Vec<u8>>) =
        input::with_history(&args.transcripts)?.into_iter().unzip();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let shares = match &args.share {
        // Of another ceremony nothing is checked, and no keystore is decrypted.
        Some(folder) if expected.as_ref().is_none_or(|one| files.iter().any(|f| is_of(f, one))) => {
            shares(folder, args.keystore_password_file.as_deref(), out)?
        }
        _ => Vec::new(),
    };

    let expectations = Expectations {
        ceremony: expected.as_ref(),
        deposit_files: &borrowed(&deposits),
        keyshare_files: &borrowed(&keyshares),
        proof_files: &borrowed(&proofs),
        lock,
        shares: &shares,
        exhaustive: args.exhaustive,
        family: None,
    };
    let report =
        audit_all(&files, &expectations).map_err(|error| messages::unrelated(&paths, &error))?;
    if let Some(html) = &args.html {
        input::write_new(html, render::to_html(&report, Author::Auditor).as_bytes())?;
        talk(&format!("Wrote {}", shown(html)));
    }
    // Of a transcript that does not pass, nothing else is worth comparing.
    let ceremony = report.audited().filter(|_| report.is_clean()).map(|audited| audited.ceremony());
    let compared = ceremony.map(|ceremony| pack::compare(&packs, ceremony));
    let met = compared.as_ref().is_none_or(|compared| compared.met);
    let exit = if report.is_clean() && met { Exit::Done } else { Exit::Finding };
    let fields: Value = serde_json::from_slice(&render::to_json(&report))
        .map_err(|error| messages::internal(&format!("the report is not JSON: {error}")))?;
    let next = (report.verdict() == Verdict::Sound).then(|| again(args));
    let reading = Reading { everything: out.verbose, next: next.as_deref() };
    let (policy_text, policies) = match (compared, packs.is_empty()) {
        (Some(compared), _) => (compared.text, compared.json),
        (None, true) => (String::new(), Vec::new()),
        (None, false) => ("\n\nNo policy was compared: the audit has failed.".into(), Vec::new()),
    };
    let mut text = render::to_text_for(&report, reading);
    if !policy_text.is_empty() {
        text = text.trim_end().to_owned() + &policy_text;
    }
    out.finish(
        exit,
        json!({
            "verdict": fields["verdict"], "as_expected": fields["as_expected"],
            "findings": report.findings(), "next": next, "policies": policies, "report": fields,
        }),
        &text,
    )
}

/// The same command with a ceremony file to compare.
fn again(args: &AuditArgs) -> String {
    let mut command = vec!["quorate audit".to_owned()];
    command.extend(args.transcripts.iter().map(|path| quoted(path)));
    let one = |flag: &str, path: &PathBuf| format!("--{flag} {}", quoted(path));
    command.push(format!("--expect {}", messages::CEREMONY_FILE));
    command.extend(args.deposit_data.iter().map(|path| one("deposit-data", path)));
    command.extend(args.keyshares.iter().map(|path| one("keyshares", path)));
    command.extend(args.proofs.iter().map(|path| one("proofs", path)));
    command.extend(args.lock.iter().map(|path| one("lock", path)));
    command.extend(args.share.iter().map(|path| one("share", path)));
    let password = args.keystore_password_file.iter();
    command.extend(password.map(|path| one("keystore-password-file", path)));
    command.extend(args.policy.iter().map(|policy| one("policy", &PathBuf::from(policy))));
    command.extend(args.exhaustive.then(|| "--exhaustive".to_owned()));
    command.join(" ")
}

/// Whether a transcript is of this ceremony, by its front.
fn is_of(transcript: &[u8], expected: &Ceremony) -> bool {
    let found = Header::parse(transcript).and_then(|header| header.ceremony(transcript));
    found.is_ok_and(|found| found.canonical() == expected.canonical())
}

/// Files with their names, each of at most `most` bytes.
fn named(paths: &[PathBuf], most: usize) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    paths.iter().map(|path| Ok((shown(path), input::read(path, most)?))).collect()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

/// The shares of a folder of keystores: that a share is held means that it can be used.
fn shares(
    folder: &Path,
    password_file: Option<&Path>,
    out: &Output,
) -> Result<Vec<HeldShare>, CliError> {
    // One that protects nothing is still a share.
    let read = Keystore::from_json_even_if_weak;
    match keystores::open(keystores::find(folder)?, read, password_file, out) {
        Ok(opened) => {
            let share = |opened: Opened| HeldShare::new(&shown(&opened.path), &opened.secret);
            Ok(opened.into_iter().map(share).collect())
        }
        Err(Unopened::Local(error)) => Err(error),
        Err(Unopened::Refused(path, error)) => Err(messages::keystore(&path, &error)),
    }
}
