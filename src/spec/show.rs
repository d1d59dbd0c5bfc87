//! The summary of a ceremony that a person has to agree to: money and fingerprint last, where they
//! are read.

use core::fmt::Write;
use std::collections::{BTreeMap, BTreeSet};

use super::canonical::fingerprint;
use super::ceremony::{Ceremony, ValidatorSpec};
pub use super::show_reshare::{dealer, whole, whole_keys};
use super::ssv::RSA_WEAKNESS;
use super::{show_repair, show_reshare};
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::destination;
use crate::ethereum::obol::check::{CREATOR_SIGNATURE, Cluster};
use crate::primitives::hash::sha256;

/// Most withdrawal addresses that stand with the money; more are listed before it, every one.
const MOST_TOGETHER: usize = 4;

/// Everything in the ceremony, in the order of reading at a prompt: operators, rewards, network,
/// warnings, and last the money and the words of the fingerprint. Printable ASCII and line ends
/// only.
pub fn describe(ceremony: &Ceremony) -> String {
    let mut out = String::new();
    let written = match ceremony.reshare() {
        None => describe_into(ceremony, &mut out),
        Some(spec) if ceremony.is_repair() => show_repair::describe(ceremony, spec, &mut out),
        Some(spec) => show_reshare::describe(ceremony, spec, &mut out),
    };
    written.expect("a string takes everything");
    out
}

/// Which ceremony it is, of this kind.
pub(super) fn heading(kind: &str, ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    writeln!(
        out,
        "{kind} \"{}\" on {}, attempt {}",
        ceremony.name(),
        ceremony.network().name(),
        ceremony.attempt()
    )?;
    writeln!(out, "  id          {}", hex::encode(ceremony.id()))?;
    if let Some(digest) = ceremony.supersedes() {
        writeln!(out, "  supersedes  {digest}")?;
    }
    writeln!(out, "  digest      {}", ceremony.digest())
}

fn describe_into(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    heading("Ceremony", ceremony, out)?;
    operators(ceremony, out)?;
    ssv(ceremony, out)?;
    if let Some(cluster) = ceremony.obol() {
        obol(cluster, out)?;
    }
    network(ceremony, out)?;
    rewards(ceremony, out)?;
    preregistrations(ceremony, out)?;
    let payees = grouped(ceremony, 0..ceremony.v(), |validator| validator.withdrawal);
    if payees.len() > MOST_TOGETHER {
        writeln!(out, "\nWithdrawal addresses, all {}", payees.len())?;
        payees.iter().try_for_each(|payee| paid(ceremony, payee, out))?;
    }
    let cautions = cautions(ceremony, payees.len());
    if !cautions.is_empty() {
        writeln!(out)?;
        cautions.iter().try_for_each(|warning| writeln!(out, "WARNING: {warning}"))?;
    }
    money(ceremony, &payees, out)?;
    writeln!(out, "\nFingerprint, to be compared by voice\n{}", words(ceremony))
}

/// The fingerprint as it is read aloud: its twelve words numbered, in three rows of four.
pub fn words(ceremony: &Ceremony) -> String {
    let words = fingerprint(&ceremony.digest());
    let rows = words.chunks(4).enumerate().map(|(row, words)| {
        let cells = (row * 4 + 1..).zip(words).map(|(at, word)| format!("{at:>4}. {word:<8}"));
        cells.collect::<String>().trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

pub(super) fn network(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let network = ceremony.network();
    writeln!(out, "\nNetwork: {}", network_name(ceremony))?;
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
    Ok(())
}

fn network_name(ceremony: &Ceremony) -> String {
    let network = ceremony.network();
    format!("{}{}", network.name(), if network.is_known() { "" } else { " (not built in)" })
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

/// What a person must not overlook.
fn cautions(ceremony: &Ceremony, payees: usize) -> Vec<String> {
    let mut found = Vec::new();
    if ceremony.threshold().needs_all() {
        found.push("every operator is required; one lost share ends the validators".to_owned());
    }
    if ceremony.ssv().is_some() {
        found.extend(RSA_WEAKNESS.map(str::to_owned));
    }
    for unchecked in ceremony.obol().into_iter().flat_map(Cluster::unchecked) {
        found.push(format!(
            "{} was NOT CHECKED: {} is said to be a contract wallet (ERC-1271), whose signatures \
             can only be verified on chain",
            unchecked.field, unchecked.wallet
        ));
    }
    let (unit, least) = (ceremony.network().unit(), ceremony.network().standard_amount());
    let few = (0..ceremony.v()).filter(|v| deposited(&ceremony.validators()[*v]) < least);
    let few: Vec<usize> = few.collect();
    if !few.is_empty() {
        let (which, least) = (numbers(&few), unit.text(least));
        found.push(format!(
            "{which}: these deposits total less than {least} and do not activate a validator"
        ));
    }
    found.extend(warnings(ceremony));
    if payees > MOST_TOGETHER {
        found.push(format!(
            "the money goes to {payees} addresses; check each of them in the list above"
        ));
    }
    found
}

/// How much, on which network, and to whom: totals by withdrawal credentials, in order of first
/// appearance.
fn money(
    ceremony: &Ceremony,
    payees: &[(WithdrawalCredentials, Vec<usize>)],
    out: &mut String,
) -> core::fmt::Result {
    let total = ceremony.validators().iter().map(deposited).sum();
    let deposits: usize =
        ceremony.validators().iter().map(|validator| validator.amounts.len()).sum();
    let (validators, deposits) = (plural(ceremony.v(), "validator"), plural(deposits, "deposit"));
    let (total, network) = (ceremony.network().unit().text(total), network_name(ceremony));
    writeln!(out, "\nMoney: {total} for {validators}, in {deposits}, on {network}")?;
    match payees {
        [first, middle @ .., last] if payees.len() > MOST_TOGETHER => {
            paid(ceremony, first, out)?;
            writeln!(out, "  ... {} more addresses, listed above ...", middle.len())?;
            paid(ceremony, last, out)
        }
        payees => payees.iter().try_for_each(|payee| paid(ceremony, payee, out)),
    }
}

/// What goes to one address, and each kind of validator under it.
fn paid(
    ceremony: &Ceremony,
    (withdrawal, positions): &(WithdrawalCredentials, Vec<usize>),
    out: &mut String,
) -> core::fmt::Result {
    let unit = ceremony.network().unit();
    let total = positions.iter().map(|v| deposited(&ceremony.validators()[*v])).sum();
    writeln!(out, "  {} to {}", unit.text(total), withdrawal.address())?;
    writeln!(out, "    {}", credentials(ceremony, *withdrawal))?;
    let alike = grouped(ceremony, positions.iter().copied(), |validator| validator.amounts.clone());
    for (amounts, positions) in alike {
        let texts: Vec<String> = amounts.iter().map(|gwei| unit.text(*gwei)).collect();
        writeln!(out, "    {}: {} each", numbers(&positions), texts.join(" + "))?;
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
            Some(wanted) => writeln!(
                out,
                "  {}: fees to {}, gas limit {}",
                numbers(&positions),
                wanted.fee_recipient,
                wanted.gas_limit
            )?,
        }
    }
    Ok(())
}

fn preregistrations(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let Some(draft) = ceremony.preregistration() else { return Ok(()) };
    writeln!(out, "\nPreregistrations: DRAFT (EIP-8205 as of {})", draft.date())?;
    writeln!(
        out,
        "  Every validator's key signs that a first deposit to it has the withdrawal credentials \
         below.\n  The signature never expires and cannot be taken back. Anybody who has it can \
         use it.\n  No network takes it yet, and the draft may change before one does."
    )
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
    writeln!(out, "  Every share is published, encrypted to its operator's RSA key.")?;
    Ok(())
}

fn operators(ceremony: &Ceremony, out: &mut String) -> core::fmt::Result {
    let (t, n) = (ceremony.t(), ceremony.holders());
    writeln!(
        out,
        "\nOperators: any {t} of the {n} control the validators together; up to {} may be lost",
        n - t
    )?;
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
        writeln!(
            out,
            "  Network addresses (host:port) are hints, and not part of the fingerprint."
        )?;
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

/// `1 validator`, `2 validators`.
pub fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Most rows of a list that is shown whole.
const MOST_ROWS: usize = 10;

/// The rows of a list for a person: all of them, or where there are many the first, how many are
/// left out, and the last.
pub fn few(rows: Vec<String>, everything: bool) -> Vec<String> {
    match rows.as_slice() {
        [first, middle @ .., last] if rows.len() > MOST_ROWS && !everything => {
            let between = format!("   ...  {} more (--verbose lists all)", middle.len());
            vec![first.clone(), between, last.clone()]
        }
        _ => rows,
    }
}
