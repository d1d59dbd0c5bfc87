//! The summary of a repair that a person has to agree to: who regains which share, who helps, and
//! what has to be true of the old machine.

use core::fmt::Write;

use super::ceremony::Ceremony;
use super::reshare::ReshareSpec;
use super::show::{network, warnings, words};
use super::show_reshare::{head, validators};

pub(super) fn describe(
    ceremony: &Ceremony,
    spec: &ReshareSpec,
    out: &mut String,
) -> core::fmt::Result {
    head("Repair", ceremony, spec, out)?;
    operators(ceremony, spec, out)?;
    network(ceremony, out)?;
    writeln!(out)?;
    for caution in cautions(&recipient(ceremony)).into_iter().chain(warnings(ceremony)) {
        writeln!(out, "WARNING: {caution}")?;
    }
    validators(ceremony, spec, out)?;
    writeln!(out, "\nFingerprint, to be compared by voice\n{}", words(ceremony))
}

/// Who regains its share, by name.
pub(super) fn recipient(ceremony: &Ceremony) -> String {
    let receiver = ceremony.receivers().next();
    receiver.map_or_else(String::new, |(_, seat)| format!("\"{}\"", seat.card.name))
}

fn operators(ceremony: &Ceremony, spec: &ReshareSpec, out: &mut String) -> core::fmt::Result {
    writeln!(
        out,
        "\nOperators: {} regains the share that it has lost; nobody else's share changes",
        recipient(ceremony)
    )?;
    let addressed = ceremony.roster().iter().any(|(_, seat)| seat.address.is_some());
    for ((index, seat), part) in ceremony.roster().iter().zip(&spec.seats) {
        let address = match &seat.address {
            Some(address) => format!(", {address}"),
            None if addressed => ", no address given".to_owned(),
            None => String::new(),
        };
        writeln!(out, "  {index}. \"{}\"{address}", seat.card.name)?;
        if let Some(share) = spec.share_of(part) {
            let own = share.point == u64::from(share.index.get());
            let at = if own { String::new() } else { format!(" (point {})", share.point) };
            let does = if part.receives { "regains the" } else { "helps with its" };
            let owner = share.index;
            writeln!(out, "     {does} share of operator {owner}{at} of the parent")?;
        }
        writeln!(out, "     key {}, card {}", seat.card.key.short(), seat.card.short())?;
    }
    if addressed {
        writeln!(out, "  Addresses are hints and are not part of the fingerprint.")?;
    }
    Ok(())
}

/// What a person must not overlook.
fn cautions(recipient: &str) -> Vec<String> {
    vec![
        format!(
            "the old machine of {recipient} must be destroyed, and no copy of its keystores may \
             run anywhere: the new machine does not know what the old one has signed, so both \
             together can get the validators slashed"
        ),
        format!(
            "if the share of {recipient} may have been stolen, a repair does not help: deal all \
             shares anew with a reshare"
        ),
    ]
}
