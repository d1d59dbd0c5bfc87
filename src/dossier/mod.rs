//! A dossier: everything that somebody who vets a cluster asks for, as one folder of files that can
//! be verified without this program. The same inputs make the same bytes.

mod attest;

mod page;

mod words;

pub use attest::{Attestation, AttestationError, Attestations, LARGEST, binding};

use serde::Serialize;
use serde_json::{Value, json};

use crate::audit::facts::Audited;
use crate::audit::render::{self, Author};
use crate::audit::report::{Report, Verdict};
use crate::export::launchpad::{
    OutcomeError, deposit_files, preregistrations_file, registrations_file,
};
use crate::export::obol::lock_file;
use crate::export::ssv::ssv_files;
use crate::export::{Artifact, Audience};
use crate::primitives::hash::sha256;
use crate::spec::ceremony::Ceremony;
use crate::spec::pack::{Outcome, Pack};

/// The transcript, in a dossier.
pub const TRANSCRIPT: &str = "transcript.quorate";
/// The ceremony file that was agreed.
pub const CEREMONY: &str = "ceremony.toml";
/// What the wallets have signed.
pub const ATTESTATIONS: &str = "attestations.json";
/// Every other file with its SHA-256, as `sha256sum --check` reads it.
pub const SUMS: &str = "SHA256SUMS";
/// What each file is, and how it is verified.
pub const WORDS: &str = "README.md";
/// The page for people.
pub const PAGE: &str = "index.html";

/// What a dossier is made of, all of it public.
pub struct Inputs<'a> {
    /// Bytes of the transcript.
    pub transcript: &'a [u8],
    /// Bytes of the ceremony file that the operators have agreed to.
    pub ceremony: &'a [u8],
    /// The transcript's audit, compared with that file.
    pub report: &'a Report,
    /// The wallets' file, as it is, and what it says.
    pub attestations: Option<(&'a [u8], &'a Attestations)>,
    /// The packs that it is compared with, each with its file.
    pub packs: &'a [(Pack, Vec<u8>)],
}

/// Why there is no dossier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DossierError {
    /// The audit has not verified it: failed, or compared with nothing.
    #[error("the transcript is not verified as the ceremony that was agreed")]
    NotVerified,
    /// Impossible after a clean audit.
    #[error("{0}")]
    Outcome(#[from] OutcomeError),
}

/// What a policy says, and what the wallets add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy<'a> {
    /// The pack.
    pub pack: &'a Pack,
    /// Its rules, compared.
    pub outcome: Outcome,
    /// Whether every member's wallet has signed what it demands; `None` if it demands nothing.
    pub wallets: Option<bool>,
}

impl Policy<'_> {
    /// Whether everything is met.
    pub fn is_met(&self) -> bool {
        self.outcome.is_met() && self.wallets != Some(false)
    }
}

/// A dossier.
pub struct Dossier<'a> {
    /// Its files, in order. All of them are public.
    pub files: Vec<Artifact>,
    /// What the policies say.
    pub policies: Vec<Policy<'a>>,
}

impl Dossier<'_> {
    /// Whether every policy is met.
    pub fn is_met(&self) -> bool {
        self.policies.iter().all(Policy::is_met)
    }
}

fn public(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Artifact {
    Artifact { name: name.into(), audience: Audience::Public, bytes: bytes.into() }
}

/// Indented JSON with a line end.
fn json_file<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("texts and numbers are always JSON");
    bytes.push(b'\n');
    bytes
}

/// Makes a dossier of a transcript that is verified as the ceremony that was agreed.
pub fn make<'a>(inputs: &Inputs<'a>) -> Result<Dossier<'a>, DossierError> {
    let report = inputs.report;
    let audited = report
        .audited()
        .filter(|_| report.verdict() == Verdict::Verified)
        .ok_or(DossierError::NotVerified)?;
    let ceremony = audited.ceremony();
    let attestations = inputs.attestations.map(|(_, attestations)| attestations);
    let policies: Vec<Policy<'a>> =
        inputs.packs.iter().map(|(pack, _)| policy(pack, ceremony, attestations)).collect();
    let mut files = vec![public(TRANSCRIPT, inputs.transcript), public(CEREMONY, inputs.ceremony)];
    files.extend(deposit_files(ceremony, audited.validators())?);
    files.extend(registrations_file(ceremony, audited.validators())?);
    files.extend(preregistrations_file(ceremony, audited.validators())?);
    files.extend(audited.lock().map(lock_file));
    files.extend(ssv_files(ceremony, audited.validators())?);
    for (index, seat) in ceremony.roster().iter() {
        let card = format!("{}\n", seat.card.encode());
        files.push(public(format!("cards/operator-{}.card", index.get()), card));
    }
    if let Some((bytes, _)) = inputs.attestations {
        files.push(public(ATTESTATIONS, bytes));
    }
    for (pack, bytes) in inputs.packs {
        files.push(public(format!("policies/{}.toml", pack.name()), bytes.clone()));
    }
    files.push(public("audit.json", render::to_json(report)));
    files.push(public("audit.html", render::to_html(report, Author::Auditor)));
    let summary = summary(audited, attestations, &policies);
    files.push(public("dossier.json", json_file(&summary)));
    let words = words::words(audited, attestations, &policies, &files);
    files.push(public(WORDS, words));
    let page = page::page(audited, attestations, &policies, &files);
    files.push(public(PAGE, page));
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let sum = |file: &Artifact| format!("{}  {}\n", hex::encode(sha256(&[&file.bytes])), file.name);
    let sums: String = files.iter().map(sum).collect();
    files.push(public(SUMS, sums));
    Ok(Dossier { files, policies })
}

fn policy<'a>(
    pack: &'a Pack,
    ceremony: &Ceremony,
    attestations: Option<&Attestations>,
) -> Policy<'a> {
    let demanded = pack.wallets().is_some_and(|wallets| wallets.required());
    let signed = || attestations.is_some_and(|signed| signed.meet(pack, ceremony));
    Policy { pack, outcome: pack.check(ceremony), wallets: demanded.then(signed) }
}

/// For programs.
fn summary(
    audited: &Audited,
    attestations: Option<&Attestations>,
    policies: &[Policy<'_>],
) -> Value {
    let ceremony = audited.ceremony();
    let validators = audited.validators().iter().zip(ceremony.validators());
    let validators = validators.map(|(outcome, spec)| {
        json!({
            "public_key": format!("0x{}", hex::encode(outcome.public_key.to_compressed())),
            "withdrawal_credentials": spec.withdrawal.to_string(),
        })
    });
    let operators = ceremony.roster().iter().map(|(index, seat)| {
        json!({
            "index": index.get(), "name": seat.card.name.as_str(),
            "key": hex::encode(seat.card.key.as_bytes()),
        })
    });
    let wallets = attestations.map(|attestations| {
        let member = |member: &Attestation| {
            json!({
                "operator": member.operator.get(), "address": member.address.to_string(),
                "message": member.message, "policies": member.policies,
            })
        };
        json!({
            "main": attestations.main.to_string(),
            "members": attestations.members.iter().map(member).collect::<Vec<_>>(),
        })
    });
    let policies = policies.iter().map(|policy| {
        let breach = |breach: &crate::spec::pack::Breach| {
            json!({ "rule": breach.rule, "found": breach.found, "demanded": breach.wanted })
        };
        json!({
            "name": policy.pack.name(), "date": policy.pack.date(), "met": policy.is_met(),
            "rules": policy.outcome.rules, "wallets": policy.wallets,
            "not_met": policy.outcome.breaches.iter().map(breach).collect::<Vec<_>>(),
            "not_checked": policy.pack.not_checked(),
        })
    });
    json!({
        "format": "quorate-dossier", "version": 1,
        "name": ceremony.name(), "network": ceremony.network().name(),
        "threshold": ceremony.t(), "operators": operators.collect::<Vec<_>>(),
        "ceremony": ceremony.digest().to_string(),
        "transcript": audited.transcript().to_string(),
        "certificate": audited.certificate().to_string(),
        "validators": validators.collect::<Vec<_>>(),
        "wallets": wallets, "policies": policies.collect::<Vec<_>>(),
    })
}
