//! `quorate verify preregistration`: verifies preregistrations of withdrawal credentials, a draft.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::verify::{Groups, MOST_LIST_BYTES, accepted, network, refused, refused_by};
use crate::args::VerifyPreregistration;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::destination;
use quorate::ethereum::preregistration::Draft;
use quorate::export::launchpad::verify_preregistrations;

const CREDENTIALS: &str = "withdrawal_credentials";

/// Runs the command.
pub(super) fn run(args: &VerifyPreregistration, out: &Output) -> Result<Exit, CliError> {
    let (file, network, draft) = (args.file.as_path(), network(&args.network)?, Draft::NEWEST);
    let wanted = args.withdrawal.as_deref().map(ExecutionAddress::parse_checksummed).transpose();
    let wanted = wanted.map_err(|error| messages::address("--withdrawal", error))?;
    let bytes = input::read(file, MOST_LIST_BYTES)?;
    let signed = match verify_preregistrations(&bytes, &network, draft) {
        Ok(signed) => signed,
        Err(error) => {
            let why = (error.field(), error.to_string());
            return refused_by("verify preregistration", file, why, out);
        }
    };
    let (mut warnings, mut groups) = (BTreeSet::new(), Groups::default());
    let mut entries: Vec<Value> = Vec::with_capacity(signed.len());
    for (entry, one) in (1..).zip(&signed) {
        let credentials = one.message.withdrawal_credentials;
        let address = credentials.address();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != address) {
            let reason = format!("entry {entry}, {CREDENTIALS}: {address} instead of {wanted}");
            return refused(file, CREDENTIALS, &reason, out);
        }
        if let Err(error) = address.usable() {
            let reason = format!("entry {entry}, {CREDENTIALS}: {address}: {error}");
            return refused(file, CREDENTIALS, &reason, out);
        }
        warnings.extend(destination::warning(&address));
        let kind = if credentials.is_compounding() { "0x02" } else { "0x01" };
        groups.add(format!("bound to {address} ({kind})"), &one.message.pubkey);
        entries.push(json!({
            "pubkey": format!("0x{}", hex::encode(one.message.pubkey)),
            "withdrawal": address.to_string(), "compounding": credentials.is_compounding(),
        }));
    }
    let mut text = format!(
        "  DRAFT (EIP-8205 as of {}): no network takes these yet\n  network {}, preregistrations: \
         {}",
        draft.date(),
        network.name(),
        signed.len()
    );
    text += &groups.text(out.verbose);
    warnings.iter().for_each(|warning| text += &format!("\n  WARNING: {warning}"));
    let fields = json!({
        "network": network.name(), "draft": draft.date(), "preregistrations": entries,
        "warnings": warnings,
    });
    accepted(file, fields, &text, out)
}
