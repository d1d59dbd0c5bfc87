//! The words of a dossier: what each file is, and how somebody else verifies it.

use core::fmt::Write;

use super::{ATTESTATIONS, Attestations, Policy, SUMS};
use crate::audit::facts::Audited;
use crate::export::Artifact;

/// How a kind of file is verified without this program.
pub(super) fn without_us(name: &str) -> &'static str {
    match name {
        "transcript.quorate" => {
            "by any program that is written from the specification (ceremony-specs/, chapter 08)"
        }
        "ceremony.toml" => "by reading it: it is what the operators agreed to",
        "registrations.json" => {
            "by any tool that verifies builder registrations (domain type 00000001)"
        }
        "preregistrations-draft.json" => {
            "by the draft of EIP-8205 (domain type 11000000): no network takes them yet"
        }
        "attestations.json" => {
            "with any wallet tool that verifies EIP-191 signatures: address, message, signature"
        }
        "audit.json" | "audit.html" | "dossier.json" => {
            "not at all: they are what this program says. The transcript is the proof"
        }
        name if name.starts_with("deposit-data") => {
            "with any tool that verifies deposit files, as deposit launchpads do"
        }
        "cluster-lock.json" => {
            "with Obol's own tools, which verify a lock by itself: its hashes and every signature"
        }
        name if name.starts_with("ssv/") => {
            "with SSV's own tools: ssv-dkg verify takes the folder, the web application its \
             keyshares.json"
        }
        name if name.starts_with("cards/") => {
            "by asking the operator for the short form of its key, over another channel"
        }
        _ => "by reading it, with the sources that it names",
    }
}

/// The commands that verify the dossier, in its folder, in order. Each ends with exit code 0.
pub(super) fn commands(
    audited: &Audited,
    attestations: Option<&Attestations>,
    policies: &[Policy<'_>],
    files: &[Artifact],
) -> Vec<String> {
    let network = audited.ceremony().network();
    let of = match network.is_known() {
        true => format!("--network {}", network.name()),
        false => "--ceremony ceremony.toml".to_owned(),
    };
    let deposits: Vec<&str> = files
        .iter()
        .map(|file| file.name.as_str())
        .filter(|name| name.starts_with("deposit-data"))
        .collect();
    let mut compared: Vec<String> =
        deposits.iter().map(|name| format!("--deposit-data {name}")).collect();
    let named = |wanted: &'static str| {
        files.iter().map(|file| file.name.as_str()).filter(move |name| name.ends_with(wanted))
    };
    // Of several validators there are files of all of them, which say the same again.
    let fewest = named("keyshares.json").map(|name| name.matches('/').count()).min();
    let of_all = |name: &&str| Some(name.matches('/').count()) == fewest;
    let lock: Vec<&str> = named("cluster-lock.json").collect();
    let shares: Vec<&str> = named("keyshares.json").filter(of_all).collect();
    let proofs: Vec<&str> = named("proofs.json").filter(of_all).collect();
    compared.extend(lock.iter().map(|name| format!("--lock {name}")));
    compared.extend(shares.iter().map(|name| format!("--keyshares {name}")));
    compared.extend(proofs.iter().map(|name| format!("--proofs {name}")));
    let mut commands = vec![
        format!("sha256sum --check {SUMS}"),
        format!("quorate audit transcript.quorate --expect ceremony.toml {}", compared.join(" ")),
    ];
    commands.extend(deposits.iter().map(|name| format!("quorate verify deposit {name} {of}")));
    commands.extend(lock.iter().map(|name| format!("quorate verify cluster-lock {name}")));
    let pairs = shares.iter().zip(&proofs);
    commands.extend(
        pairs.map(|(name, proofs)| format!("quorate verify keyshares {name} --proofs {proofs}")),
    );
    if files.iter().any(|file| file.name == "registrations.json") {
        commands.push(format!("quorate verify registration registrations.json {of}"));
    }
    if files.iter().any(|file| file.name == "preregistrations-draft.json") {
        commands.push(format!("quorate verify preregistration preregistrations-draft.json {of}"));
    }
    let met = policies.iter().filter(|policy| policy.outcome.is_met());
    commands.extend(met.map(|policy| {
        format!("quorate spec check ceremony.toml --policy ./policies/{}.toml", policy.pack.name())
    }));
    if attestations.is_some() {
        let packs: String = policies
            .iter()
            .map(|policy| format!(" --policy ./policies/{}.toml", policy.pack.name()))
            .collect();
        commands.push(format!(
            "quorate verify attestations {ATTESTATIONS} --ceremony ceremony.toml{packs}"
        ));
    }
    commands
}

pub(super) fn words(
    audited: &Audited,
    attestations: Option<&Attestations>,
    policies: &[Policy<'_>],
    files: &[Artifact],
) -> String {
    let mut out = String::new();
    write(&mut out, audited, attestations, policies, files).expect("a string takes everything");
    out
}

fn write(
    out: &mut String,
    audited: &Audited,
    attestations: Option<&Attestations>,
    policies: &[Policy<'_>],
    files: &[Artifact],
) -> core::fmt::Result {
    let ceremony = audited.ceremony();
    writeln!(out, "# Dossier of the ceremony \"{}\"\n", ceremony.name())?;
    writeln!(
        out,
        "{} of {} operators sign for {} validators on {}. Nobody ever had a whole key.\n",
        ceremony.t(),
        ceremony.threshold().participants(),
        ceremony.v(),
        ceremony.network().name()
    )?;
    writeln!(out, "* ceremony    `{}`", ceremony.digest())?;
    writeln!(out, "* transcript  `{}`", audited.transcript())?;
    writeln!(out, "* certificate `{}`\n", audited.certificate())?;
    writeln!(
        out,
        "Anybody can make a folder like this one. It is worth what you verify of it: get the \
         ceremony's digest from an operator whom you trust, and compare it.\n"
    )?;
    writeln!(out, "## Verify it\n\nIn this folder:\n\n```sh")?;
    for command in commands(audited, attestations, policies, files) {
        writeln!(out, "{command}")?;
    }
    writeln!(out, "```\n\n## The files, and how to verify each without this program\n")?;
    for file in files {
        writeln!(out, "* `{}`: {}", file.name, without_us(&file.name))?;
    }
    for policy in policies {
        let verdict = if policy.is_met() { "met" } else { "NOT MET" };
        let (name, title) = (policy.pack.name(), policy.pack.title());
        writeln!(out, "\n## Policy {name}: {verdict}\n\n{title}, as of {}.\n", policy.pack.date())?;
        for breach in &policy.outcome.breaches {
            writeln!(
                out,
                "* NOT MET, {}: {}; demanded: {}",
                breach.rule, breach.found, breach.wanted
            )?;
        }
        if policy.wallets == Some(false) {
            writeln!(out, "* NOT MET, wallets: not every member's wallet has signed")?;
        }
        for open in policy.pack.not_checked() {
            writeln!(out, "* not checked: {open}")?;
        }
    }
    if let Some(attestations) = attestations {
        writeln!(out, "\n## Wallets\n\nThe main wallet is {}.\n", attestations.main)?;
        for member in &attestations.members {
            writeln!(
                out,
                "* operator {}: {} has signed: {}",
                member.operator.get(),
                member.address,
                member.message
            )?;
        }
    }
    Ok(())
}
