//! Key shares for SSV: what a request asks for, in words; the folder that comes of it; and whether
//! such a folder is what was asked for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{audited, read_request};
use crate::args::{KeySharesRequest, KeySharesVerify};
use crate::command::verify::{accepted, refused_by};
use crate::command::verify_ssv::{MOST_LIST_BYTES, described};
use crate::messages::quoted;
use crate::progress::{listed, seat_names};
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::destination;
use quorate::ethereum::ssv::{OwnerNonce, RsaPublic, parse_operators_info};
use quorate::export::ssv::{stamp, write_keyshares, write_proofs};
use quorate::export::{Artifact, Audience};
use quorate::primitives::hash::sha256;
use quorate::signing::combine::Combined;
use quorate::signing::key_shares::{first, registrations, verify};
use quorate::signing::{Cleared, Kind, Parent};
use quorate::spec::Ceremony;
use quorate::spec::ssv::RSA_WEAKNESS;

/// What is in the folder.
const KEYSHARES: &str = "keyshares.json";
const PROOFS: &str = "proofs.json";
/// Longest list of SSV's operators.
const MOST_OPERATORS_INFO: usize = 8 << 20;

/// What is asked for: who registers, from which nonce, and the RSA keys of the operators that have
/// shares.
pub(super) fn wanted(
    args: &KeySharesRequest,
    ceremony: &Ceremony,
) -> Result<(OwnerNonce, Vec<RsaPublic>), CliError> {
    let owner = ExecutionAddress::parse_checksummed(&args.owner)
        .map_err(|error| messages::address("--owner", error))?;
    let first = OwnerNonce { owner, nonce: args.nonce };
    let keys = match &args.ssv_operators {
        Some(path) => {
            let known = parse_operators_info(&input::read(path, MOST_OPERATORS_INFO)?);
            let known = known.map_err(|error| messages::operators_info(path, &error))?;
            let by_number: BTreeMap<u64, RsaPublic> =
                known.into_iter().map(|info| (info.id, info.key)).collect();
            let key = |point: u64| {
                let key = by_number.get(&point).cloned();
                key.ok_or_else(|| messages::no_ssv_operator(path, point))
            };
            ceremony.receivers().map(|(_, seat)| key(seat.point)).collect::<Result<_, _>>()?
        }
        None => {
            let ssv = ceremony.ssv().ok_or_else(|| messages::no_operator_keys(ceremony.name()))?;
            let receivers = ceremony.receivers();
            receivers.filter_map(|(index, _)| ssv.keys.get(index.position()).cloned()).collect()
        }
    };
    Ok((first, keys))
}

/// Who registers with which nonces, the operators' keys, and whose shares are encrypted anew.
pub(super) fn lines(cleared: &Cleared, ceremony: &Ceremony) -> String {
    let Some(OwnerNonce { owner, nonce }) = first(&cleared.request.items) else {
        return String::new();
    };
    let last = nonce + cleared.request.items.len() as u64 - 1;
    let nonces = if last == nonce { nonce.to_string() } else { format!("{nonce} to {last}") };
    let mut text = format!("\n  registered by      {owner}\n  with the nonces    {nonces}");
    if let Some(warning) = destination::warning(&owner) {
        text += &format!("\n  WARNING            {warning}");
    }
    let keys = cleared.request.items.operator_keys();
    for ((_, seat), key) in ceremony.receivers().zip(keys) {
        let digest = hex::encode(sha256(&[key.modulus()]));
        text += &format!(
            "\n  SSV operator {}: {}, RSA key with SHA-256 {digest}",
            seat.point,
            quorate::audit::describe::in_quotes(seat.card.name.as_str())
        );
    }
    let anew = match cleared.required.is_empty() {
        true => "no share: those of the ceremony serve with a new nonce".to_owned(),
        false => format!(
            "the shares of {}, whose answers are required",
            listed(&seat_names(ceremony, &cleared.required))
        ),
    };
    text += &format!("\n  encrypted anew     {anew}");
    for weakness in RSA_WEAKNESS {
        text += &format!("\n  NOTE               {weakness}");
    }
    text
}

/// The name of the folder.
pub(super) fn folder_name(cleared: &Cleared) -> Option<String> {
    let id = cleared.request.id().to_string();
    first(&cleared.request.items).map(|first| format!("key-shares-{}-{}", first.nonce, &id[..8]))
}

/// The folder, verified as anybody would, and what it says.
pub(super) fn folder(
    cleared: &Cleared,
    parent: &Parent,
    made: &Combined,
) -> Result<(Vec<Artifact>, Value), CliError> {
    let (registrations, proofs) =
        registrations(cleared, parent, &made.signatures, &made.renewed)
            .ok_or_else(|| messages::internal("key shares of answers that do not count"))?;
    let keyshares = write_keyshares(stamp(parent.ceremony()), &registrations);
    let proofs = write_proofs(&proofs, registrations.len() > 1);
    verify(cleared, parent, &keyshares, &proofs)
        .map_err(|(field, why)| messages::internal(&format!("{field}: {why}")))?;
    let file = |name: &str, bytes| {
        let name = name.to_owned();
        Artifact { name, audience: Audience::Public, bytes }
    };
    let (_, rows) = described(&registrations);
    Ok((vec![file(KEYSHARES, keyshares), file(PROOFS, proofs)], json!({ "validators": rows })))
}

/// What to do with the folder.
pub(super) fn advice(signed: &str, output: &std::path::Path, parent: &Parent) -> String {
    let whether = match parent.ceremony().ssv() {
        Some(_) => {
            "First remove the validators from the cluster where they run, and wait until it \
                    has stopped"
        }
        None => "First stop the validators where they run, for ever",
    };
    format!(
        "{signed}\n{whether}: a validator that runs twice is slashed. Then the owner registers \
         {folder}/{KEYSHARES} with SSV, in the order of its nonces. To verify the folder:\n  \
         quorate ssv verify {folder} --request REQUEST --transcript TRANSCRIPT",
        folder = quoted(output)
    )
}

/// `quorate ssv verify`.
pub(super) fn check(args: &KeySharesVerify, out: &Output) -> Result<Exit, CliError> {
    let request = read_request(&args.request, None, Kind::KeyShares.name())?;
    let parent = audited(&args.transcript)?;
    let cleared =
        parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    let keyshares = args.folder.join(KEYSHARES);
    let bytes = input::read(&keyshares, MOST_LIST_BYTES)?;
    let proofs = input::read(&args.folder.join(PROOFS), MOST_LIST_BYTES)?;
    match verify(&cleared, &parent, &bytes, &proofs) {
        Ok(registrations) => {
            let (text, rows) = described(&registrations);
            let id = cleared.request.id().to_string();
            let fields = json!({ "validators": rows, "request": id });
            accepted(&args.folder, fields, &text, out)
        }
        Err((field, why)) => refused_by("ssv verify", &keyshares, (&field, why), out),
    }
}
