//! `quorate dossier`: one folder for whoever vets a cluster. Also what wallets sign for it.

use serde_json::json;

use super::verify::refused_by;
use crate::args::{DossierArgs, VerifyAttestations, WalletText};
use crate::messages::shown;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages, pack};
use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::dossier::{Attestations, Inputs, LARGEST, binding, make};
use quorate::ethereum::address::ExecutionAddress;
use quorate::spec::pack::Pack;
use quorate::spec::{Ceremony, Index};

/// Runs the command.
pub(crate) fn run(args: &DossierArgs, out: &Output) -> Result<Exit, CliError> {
    input::folder_can_be_written(&args.out)?;
    let packs = pack::load_each(&args.policy)?;
    let (ceremony_file, ceremony) = input::ceremony(&args.expect)?;
    let transcript = input::transcript(&args.transcript)?;
    let expected = Expectations { ceremony: Some(&ceremony), ..Expectations::default() };
    let report = audit(&transcript, &expected);
    if !report.is_clean() {
        return Err(messages::not_audited(&args.transcript));
    }
    let wallets = match &args.attestations {
        None => None,
        Some(path) => {
            let bytes = input::read(path, LARGEST)?;
            let only: Vec<Pack> = packs.iter().map(|(pack, _)| pack.clone()).collect();
            let read = Attestations::read(&bytes, &ceremony, &only);
            Some((bytes, read.map_err(|error| messages::attestations(path, &error))?))
        }
    };
    let inputs = Inputs {
        transcript: &transcript,
        ceremony: &ceremony_file,
        report: &report,
        attestations: wallets.as_ref().map(|(bytes, read)| (bytes.as_slice(), read)),
        packs: &packs,
    };
    let dossier = make(&inputs).map_err(|error| messages::internal(&error.to_string()))?;
    input::write_folder(&args.out, &dossier.files)?;
    let names: Vec<&str> = dossier.files.iter().map(|file| file.name.as_str()).collect();
    let mut text = format!("Wrote {}: {} files", shown(&args.out), names.len());
    for policy in &dossier.policies {
        let verdict = if policy.is_met() { "met" } else { "NOT MET" };
        text += &format!("\nPolicy {}: {verdict}", policy.pack.name());
        for breach in &policy.outcome.breaches {
            text += &format!("\n  {}: {}; demanded: {}", breach.rule, breach.found, breach.wanted);
        }
        if policy.wallets == Some(false) {
            text += "\n  wallets: not every member's wallet has signed";
        }
    }
    text += "\nTo verify it, follow README.md in that folder; index.html is the same for people.";
    let policies: Vec<_> = dossier
        .policies
        .iter()
        .map(|policy| json!({ "name": policy.pack.name(), "met": policy.is_met() }))
        .collect();
    let exit = if dossier.is_met() { Exit::Done } else { Exit::Finding };
    let fields = json!({
        "folder": args.out.display().to_string(), "files": names, "policies": policies,
    });
    out.finish(exit, fields, &text)
}

/// `quorate verify attestations`.
pub(super) fn attestations(args: &VerifyAttestations, out: &Output) -> Result<Exit, CliError> {
    let packs = pack::load_all(&args.policy)?;
    let (_, ceremony) = input::ceremony(&args.ceremony)?;
    let bytes = input::read(&args.file, LARGEST)?;
    let signed = match Attestations::read(&bytes, &ceremony, &packs) {
        Ok(signed) => signed,
        Err(error) => {
            let whole = ("file", error.to_string());
            return refused_by("verify attestations", &args.file, whole, out);
        }
    };
    let member = |member: &quorate::dossier::Attestation| {
        json!({
            "operator": member.operator.get(), "address": member.address.to_string(),
            "message": member.message, "policies": member.policies,
        })
    };
    let lines = signed.members.iter().map(|member| {
        let index = member.operator.get();
        format!("\n  operator {index}, {}: {}", member.address, member.message)
    });
    let (count, of) = (signed.members.len(), ceremony.n());
    let text = format!(
        "Accepted: {}\n  main wallet {}, {count} of {of} operators{}",
        shown(&args.file),
        signed.main,
        lines.collect::<String>()
    );
    let members: Vec<_> = signed.members.iter().map(member).collect();
    let fields = json!({
        "file": args.file.display().to_string(), "accepted": true,
        "main": signed.main.to_string(), "members": members,
    });
    out.finish(Exit::Done, fields, &text)
}

/// `quorate spec wallet-text`.
pub(super) fn wallet_text(args: &WalletText, out: &Output) -> Result<Exit, CliError> {
    let (_, ceremony) = input::ceremony(&args.file)?;
    let address = |flag, text: &str| {
        ExecutionAddress::parse_checksummed(text).map_err(|error| messages::address(flag, error))
    };
    let index = operator(&ceremony, &args.operator)
        .ok_or_else(|| messages::no_seat(&args.operator, ceremony.name()))?;
    let wallet = address("--wallet", &args.wallet)?;
    let text = match (&args.policy, &args.main) {
        (Some(policy), Some(main)) => {
            let (pack, _) = pack::load(policy)?;
            let main = address("--main", main)?;
            let wallets = pack.wallets().ok_or_else(|| messages::no_wallet_text(policy))?;
            wallets.message(&wallet, &main)
        }
        _ => binding(&ceremony, index, &wallet)
            .ok_or_else(|| messages::no_seat(&args.operator, ceremony.name()))?,
    };
    let fields = json!({ "operator": index.get(), "message": text });
    out.finish_whole(Exit::Done, fields, &text)
}

/// An operator by name or index.
fn operator(ceremony: &Ceremony, text: &str) -> Option<Index> {
    let by_index = text.parse().ok().and_then(Index::new);
    let is = |index: Index, name: &str| Some(index) == by_index || name == text;
    let mut seats = ceremony.roster().iter();
    seats.find(|(index, seat)| is(*index, seat.card.name.as_str())).map(|(index, _)| index)
}
