//! What a later registration says: as somebody asks for it, and in words.

use super::now;
use crate::args::RegistrationRequest;
use crate::messages;
use crate::report::CliError;
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::destination;
use quorate::export::ssv::Stamp;
use quorate::signing::Terms;
use quorate::spec::{Ceremony, RegistrationSpec};

use super::select::Selected;

/// What is asked for of all of these validators. What nobody gives stays as the ceremony has it, if
/// it has the same for all of them.
pub(super) fn wanted(
    args: &RegistrationRequest,
    selected: &[Selected],
    ceremony: &Ceremony,
) -> Result<Terms, CliError> {
    let specs = selected.iter().map(|selected| &ceremony.validators()[selected.validator]);
    let mut agreed: Vec<Option<RegistrationSpec>> = specs.map(|spec| spec.registration).collect();
    agreed.dedup();
    let same = match agreed[..] {
        [Some(same)] => Some(same),
        _ => None,
    };
    let missing = |flag| messages::no_terms(flag, agreed.iter().any(Option::is_some));
    let fee_recipient = match &args.fee_recipient {
        Some(text) => ExecutionAddress::parse_checksummed(text)
            .map_err(|error| messages::address("--fee-recipient", error))?,
        None => same.ok_or_else(|| missing("--fee-recipient"))?.fee_recipient,
    };
    let gas_limit = match args.gas_limit {
        Some(gas_limit) => gas_limit,
        None => same.ok_or_else(|| missing("--gas-limit"))?.gas_limit,
    };
    Ok(Terms { fee_recipient, gas_limit, timestamp: args.timestamp.unwrap_or_else(now) })
}

/// The lines of a registration, and what the ceremony has in its place for these validators.
pub(super) fn lines(
    terms: &Terms,
    ceremony: &Ceremony,
    validators: impl Iterator<Item = usize>,
) -> String {
    let Terms { fee_recipient, gas_limit, timestamp } = terms;
    let mut text = format!(
        "\n  fees to            {fee_recipient}\n  gas limit          {gas_limit}\n  \
         dated              {} ({timestamp} seconds since 1970)",
        Stamp::from_millis(timestamp.saturating_mul(1000)).unwrap_or(Stamp::EPOCH).rfc3339()
    );
    let mut replaced: Vec<Option<RegistrationSpec>> =
        validators.map(|at| ceremony.validators()[at].registration).collect();
    replaced.sort();
    replaced.dedup();
    text += &match replaced[..] {
        [Some(spec)] => format!(
            "\n  in the ceremony    fees to {}, gas limit {}",
            spec.fee_recipient, spec.gas_limit
        ),
        [None] => "\n  in the ceremony    no registration".to_owned(),
        _ => "\n  in the ceremony    not the same for all of them".to_owned(),
    };
    if let Some(warning) = destination::warning(fee_recipient) {
        text += &format!("\n  WARNING            {warning}");
    }
    let ends = match ceremony.network().gloas_epoch() {
        Some(epoch) => format!("the Gloas fork (epoch {epoch})"),
        None => "the Gloas fork".to_owned(),
    };
    text + &format!("\n  of use until       {ends}, which ends registrations")
}
