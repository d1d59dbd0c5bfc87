//! The page of a dossier. Every value is escaped by the template engine; there is no script, and
//! nothing is loaded.

use askama::Template;

use super::{Attestations, Policy, words};
use crate::audit::facts::Audited;
use crate::export::Artifact;
use crate::primitives::hash::sha256;

struct FileRow {
    name: String,
    bytes: usize,
    sha256: String,
    how: &'static str,
}

struct OperatorRow {
    index: u16,
    name: String,
    key: String,
    wallet: String,
    message: String,
}

struct PolicyRow {
    name: String,
    title: String,
    date: String,
    met: bool,
    rules: String,
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "dossier.html")]
struct Page {
    name: String,
    network: String,
    threshold: usize,
    digest: String,
    transcript: String,
    certificate: String,
    commands: Vec<String>,
    operators: Vec<OperatorRow>,
    validators: Vec<(String, String)>,
    policies: Vec<PolicyRow>,
    main: String,
    files: Vec<FileRow>,
}

pub(super) fn page(
    audited: &Audited,
    attestations: Option<&Attestations>,
    policies: &[Policy<'_>],
    files: &[Artifact],
) -> String {
    let ceremony = audited.ceremony();
    let operators = ceremony.roster().iter().map(|(index, seat)| {
        let signed = attestations.and_then(|attestations| {
            attestations.members.iter().find(|member| member.operator == index)
        });
        OperatorRow {
            index: index.get(),
            name: seat.card.name.as_str().to_owned(),
            key: hex::encode(seat.card.key.as_bytes()),
            wallet: signed.map_or("none".to_owned(), |member| member.address.to_string()),
            message: signed.map_or_else(String::new, |member| member.message.clone()),
        }
    });
    let validators = audited.validators().iter().zip(ceremony.validators());
    let validators = validators.map(|(outcome, spec)| {
        let key = format!("0x{}", hex::encode(outcome.public_key.to_compressed()));
        (key, spec.withdrawal.to_string())
    });
    let page = Page {
        name: ceremony.name().to_owned(),
        network: ceremony.network().name().to_owned(),
        threshold: ceremony.t(),
        digest: ceremony.digest().to_string(),
        transcript: audited.transcript().to_string(),
        certificate: audited.certificate().to_string(),
        commands: words::commands(audited, attestations, policies, files),
        operators: operators.collect(),
        validators: validators.collect(),
        policies: policies.iter().map(row).collect(),
        main: attestations.map_or_else(String::new, |signed| signed.main.to_string()),
        files: files
            .iter()
            .map(|file| FileRow {
                name: file.name.clone(),
                bytes: file.bytes.len(),
                sha256: hex::encode(sha256(&[&file.bytes])),
                how: words::without_us(&file.name),
            })
            .collect(),
    };
    page.render().expect("a string takes everything")
}

fn row(policy: &Policy<'_>) -> PolicyRow {
    let mut lines: Vec<String> = policy
        .outcome
        .breaches
        .iter()
        .map(|breach| {
            format!("NOT MET, {}: {}; demanded: {}", breach.rule, breach.found, breach.wanted)
        })
        .collect();
    if policy.wallets == Some(false) {
        lines.push("NOT MET, wallets: not every member's wallet has signed".to_owned());
    }
    lines.extend(policy.pack.not_checked().iter().map(|open| format!("not checked: {open}")));
    PolicyRow {
        name: policy.pack.name().to_owned(),
        title: policy.pack.title().to_owned(),
        date: policy.pack.date().to_owned(),
        met: policy.is_met(),
        rules: policy.outcome.rules.join(", "),
        lines,
    }
}
