//! The summary of a ceremony that a person has to agree to: money first.

use core::fmt::Write;
use std::collections::{BTreeMap, BTreeSet};

use super::canonical::fingerprint;
use super::ceremony::{Ceremony, ValidatorSpec};
use super::ssv::RSA_WEAKNESS;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::destination;
use crate::ethereum::obol::check::{CREATOR_SIGNATURE, Cluster};
use crate::primitives::hash::sha256;

/// Everything in the ceremony: money, rewards, network, operators, threshold, fingerprint.
/// Printable ASCII and line ends only.
pub fn describe(ceremony: &Ceremony) -> String {
    let mut out = String::new();
    describe_into(ceremony, &mut out).expect("a string takes everything");
    out
}

fn describe_into(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let network = ceremony.network();
    writeln!(
        out,
        "Ceremony \"{}\" on {}, attempt {}",
        ceremony.name(),
        network.name(),
        ceremony.attempt()
    )?;
    money(ceremony, out)?;
    rewards(ceremony, out)?;
    ssv(ceremony, out)?;
    operators(ceremony, out)?;
    if let Some(cluster) = ceremony.obol() {
        obol(cluster, out)?;
    }

    writeln!(
        out,
        "\nNetwork: {}{}",
        network.name(),
        if network.is_known() { "" } else { " (not built in)" }
    )?;
    writeln!(out, "  genesis fork version     0x{}", hex::encode(network.genesis_fork_version()))?;
    writeln!(
        out,
        "  genesis validators root  0x{}",
        hex::encode(network.genesis_validators_root())
    )?;
    if let Some(version) = network.capella_fork_version() {
        writeln!(out, "  capella fork version     0x{}", hex::encode(version))?;
    }
    if let Some(time) = network.genesis_time() {
        writeln!(out, "  genesis time             {time}")?;
    }

    writeln!(out, "\nCeremony id  {}", hex::encode(ceremony.id()))?;
    if let Some(digest) = ceremony.supersedes() {
        writeln!(out, "Supersedes   {digest}")?;
    }
    writeln!(out, "Digest       {}", ceremony.digest())?;
    writeln!(out, "Fingerprint  {}", fingerprint(&ceremony.digest()).join(" "))
}

/// What a person should look at twice: each address that money goes to and that looks like a
/// mistake, once.
pub fn warnings(ceremony: &Ceremony) -> Vec<String> {
    let validators = ceremony.validators();
    let withdrawals =
        validators.iter().map(|validator| ("withdrawal", validator.withdrawal.address()));
    let fees = validators.iter().filter_map(|validator| validator.registration);
    let fees = fees.map(|wanted| ("fee_recipient", wanted.fee_recipient));
    let owner = ceremony.ssv().map(|ssv| ("ssv.owner", ssv.owner));
    let mut seen = BTreeSet::new();
    withdrawals
        .chain(fees)
        .chain(owner)
        .filter(|entry| seen.insert(*entry))
        .filter_map(|(field, address)| Some(format!("{field} {}", destination::warning(&address)?)))
        .collect()
}

fn warn(address: ExecutionAddress, indent: &str, out: &mut String) -> core::fmt::Result {
    match destination::warning(&address) {
        Some(found) => writeln!(out, "{indent}WARNING: {found}"),
        None => Ok(()),
    }
}

/// Totals by withdrawal credentials, then each kind of validator under them, in order of first
/// appearance.
fn money(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let unit = ceremony.network().unit();
    let total = ceremony.validators().iter().map(deposited).sum();
    let deposits: usize =
        ceremony.validators().iter().map(|validator| validator.amounts.len()).sum();
    let (validators, deposits) = (plural(ceremony.v(), "validator"), plural(deposits, "deposit"));
    writeln!(out, "\nMoney: {} for {validators}, in {deposits}", unit.text(total))?;
    for (withdrawal, positions) in
        grouped(ceremony, 0..ceremony.v(), |validator| validator.withdrawal)
    {
        let total = positions.iter().map(|v| deposited(&ceremony.validators()[*v])).sum();
        writeln!(out, "  {} to {}", unit.text(total), withdrawal.address())?;
        writeln!(out, "    {}", credentials(ceremony, withdrawal))?;
        warn(withdrawal.address(), "    ", out)?;
        for (amounts, positions) in
            grouped(ceremony, positions, |validator| validator.amounts.clone())
        {
            let texts: Vec<String> = amounts.iter().map(|gwei| unit.text(*gwei)).collect();
            writeln!(out, "    {}: {} each", numbers(&positions), texts.join(" + "))?;
            if amounts.iter().sum::<u64>() < ceremony.network().standard_amount() {
                let least = unit.text(ceremony.network().standard_amount());
                writeln!(
                    out,
                    "    WARNING: these deposits total less than {least} and do not activate a \
                     validator"
                )?;
            }
        }
    }
    Ok(())
}

fn credentials(ceremony: &Ceremony, withdrawal: WithdrawalCredentials) -> String {
    let most = ceremony
        .network()
        .unit()
        .text(*ceremony.network().amount_limits(withdrawal.is_compounding()).end());
    if withdrawal.is_compounding() {
        format!("compounding (0x02): rewards stay in the balance up to {most}")
    } else {
        format!("not compounding (0x01): balance above {most} is paid out to this address")
    }
}

fn rewards(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    writeln!(out, "\nBuilder registrations (until the Gloas fork, which ends them):")?;
    for (registration, positions) in
        grouped(ceremony, 0..ceremony.v(), |validator| validator.registration)
    {
        match registration {
            None => writeln!(out, "  {}: none", numbers(&positions))?,
            Some(wanted) => {
                writeln!(
                    out,
                    "  {}: fees to {}, gas limit {}",
                    numbers(&positions),
                    wanted.fee_recipient,
                    wanted.gas_limit
                )?;
                warn(wanted.fee_recipient, "    ", out)?;
            }
        }
    }
    Ok(())
}

fn ssv(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let Some(ssv) = ceremony.ssv() else { return Ok(()) };
    let (first, last) = (ssv.nonce, ssv.owner_nonce(ceremony.v() - 1).nonce);
    let nonces = if first == last {
        format!("nonce {first}")
    } else {
        format!("nonces {first} to {last}, in order")
    };
    writeln!(
        out,
        "\nSSV: registered by {} with {nonces}; no other account can register them",
        ssv.owner
    )?;
    warn(ssv.owner, "  ", out)?;
    writeln!(out, "  Every share is published, encrypted to its operator's RSA key.")?;
    for sentence in RSA_WEAKNESS {
        writeln!(out, "  WARNING: {sentence}")?;
    }
    Ok(())
}

fn operators(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let (t, n) = (ceremony.t(), ceremony.n());
    writeln!(
        out,
        "\nOperators: any {t} of the {n} control the validators together; up to {} may be lost",
        n - t
    )?;
    if ceremony.threshold().needs_all() {
        writeln!(out, "  WARNING: every operator is required; one lost share ends the validators")?;
    }
    if ceremony.allow_all_required() {
        writeln!(out, "  Policy: a threshold of all operators is allowed")?;
    }
    // A transcript has no addresses at all: then they are not spoken of.
    let addressed = ceremony.roster().iter().any(|(_, seat)| seat.address.is_some());
    for (index, seat) in ceremony.roster().iter() {
        let point = if seat.point == u64::from(index.get()) || ceremony.ssv().is_some() {
            String::new()
        } else {
            format!(" (point {})", seat.point)
        };
        let address = match &seat.address {
            Some(address) => format!(", {address}"),
            None if addressed => ", no address given".to_owned(),
            None => String::new(),
        };
        writeln!(out, "  {index}. \"{}\"{point}{address}", seat.card.name)?;
        writeln!(out, "     key {}, card {}", seat.card.key.short(), seat.card.short())?;
        if let Some(ssv) = ceremony.ssv() {
            let digest = sha256(&[ssv.keys[index.position()].modulus()]);
            writeln!(
                out,
                "     SSV operator {}, RSA key with SHA-256 {}",
                seat.point,
                hex::encode(digest)
            )?;
        }
    }
    if addressed {
        writeln!(out, "  Addresses are hints and are not part of the fingerprint.")?;
    }
    Ok(())
}

/// The cluster definition, as far as it says more than the ceremony.
fn obol(cluster: &Cluster, out: &mut String) -> core::fmt::Result {
    let definition = cluster.definition();
    writeln!(
        out,
        "\nObol cluster {:?}, definition {}",
        printable(&definition.name),
        definition.version.text()
    )?;
    writeln!(out, "  definition hash  0x{}", hex::encode(definition.definition_hash))?;
    writeln!(out, "  config hash      0x{}", hex::encode(definition.config_hash))?;
    if !definition.consensus_protocol.is_empty() {
        writeln!(out, "  consensus        {}", printable(&definition.consensus_protocol))?;
    }
    let unchecked =
        cluster.unchecked().iter().any(|unchecked| unchecked.field == CREATOR_SIGNATURE);
    match definition.creator.address {
        Some(wallet) if unchecked => {
            writeln!(out, "  made by the wallet {wallet}, as it states (not checked)")?
        }
        Some(wallet) => writeln!(out, "  made and signed by the wallet {wallet}")?,
        None => writeln!(out, "  not signed")?,
    }
    for (number, operator) in (1..).zip(&definition.operators) {
        let wallet = operator
            .address
            .map_or_else(|| "no wallet".to_owned(), |wallet| format!("wallet {wallet}"));
        writeln!(out, "  {number}. {wallet}\n     {}", operator.enr)?;
    }
    for unchecked in cluster.unchecked() {
        writeln!(
            out,
            "  WARNING: {} was NOT CHECKED: {} is said to be a contract wallet (ERC-1271), whose \
             signatures can only be verified on chain",
            unchecked.field, unchecked.wallet
        )?;
    }
    Ok(())
}

/// A free text as printable ASCII.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

fn deposited(validator: &ValidatorSpec) -> u64 {
    validator.amounts.iter().sum()
}

/// Positions of validators by what `key` says of them, in order of first appearance.
fn grouped<K: Ord + Clone>(
    ceremony: &Ceremony,
    positions: impl IntoIterator<Item = usize>,
    key: impl Fn(&ValidatorSpec) -> K,
) -> Vec<(K, Vec<usize>)> {
    let mut groups: Vec<(K, Vec<usize>)> = Vec::new();
    let mut group_of: BTreeMap<K, usize> = BTreeMap::new();
    for position in positions {
        let key = key(&ceremony.validators()[position]);
        let group = *group_of.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(position);
    }
    groups
}

/// `validators 1-5, 8`: ascending positions, counted from 1.
pub(crate) fn numbers(positions: &[usize]) -> String {
    let runs = positions.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [first, .., last] => format!("{}-{}", first + 1, last + 1),
        run => run.iter().map(|only| (only + 1).to_string()).collect(),
    });
    let runs: Vec<String> = runs.collect();
    let word = if positions.len() == 1 { "validator" } else { "validators" };
    format!("{word} {}", runs.join(", "))
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
