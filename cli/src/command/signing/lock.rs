//! The lock of an Obol cluster: what a request asks for, in words; the file that comes of it; and
//! whether such a file is what was asked for.

use std::path::Path;

use serde_json::{Value, json};

use super::{audited, read_request};
use crate::args::{LockRequest, LockVerify};
use crate::command::verify::{accepted, refused_by};
use crate::command::verify_cluster::contracts;
use crate::messages::quoted;
use crate::report::{CliError, Exit, Output, printable};
use crate::{input, messages, node_key as key_files, recognise};
use quorate::audit::describe::in_quotes;
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::{ClusterDefinition, MOST_BYTES as MOST_DEFINITION};
use quorate::ethereum::obol::lock::{ClusterLock, MOST_BYTES};
use quorate::ethereum::secp256k1::NodeSecret;
use quorate::signing::lock::verify;
use quorate::signing::{Cleared, Kind, Parent};
use quorate::spec::{Ceremony, Index};
use quorate_operator::store::StateDir;

/// The cluster whose lock is asked for.
pub(super) fn cluster(args: &LockRequest) -> Result<Cluster, CliError> {
    let (path, contracts) = (&args.definition, contracts(&args.contract_wallets)?);
    let bytes = input::read(path, MOST_DEFINITION)?;
    let checked = ClusterDefinition::parse(&bytes)
        .and_then(|definition| Cluster::check(definition, contracts));
    checked.map_err(|error| match recognise::kind(&bytes) {
        Some(kind) if kind != recognise::DEFINITION => messages::no_definition(path, kind),
        _ => messages::definition(path, &error),
    })
}

/// The key of this operator's node, from the file given or from the state directory: the one that
/// the definition has for it.
pub(super) fn node_key(
    given: Option<&Path>,
    cleared: &Cleared,
    parent: &Parent,
    me: Index,
    state: &StateDir,
) -> Result<NodeSecret, CliError> {
    let cluster = cleared.request.items.cluster();
    let cluster = cluster.ok_or_else(|| messages::internal("a lock without its cluster"))?;
    let place = parent.ceremony().receivers().position(|(index, _)| index == me);
    key_files::of_cluster(given, cluster, place.unwrap_or(usize::MAX), state)
}

/// The cluster, whose nodes are whose, and what nobody has checked.
pub(super) fn lines(cleared: &Cleared, ceremony: &Ceremony) -> String {
    let Some(cluster) = cleared.request.items.cluster() else { return String::new() };
    let definition = cluster.definition();
    let mut text = format!(
        "\n  cluster            {}, definition hash 0x{}",
        in_quotes(&printable(&definition.name)),
        hex::encode(definition.definition_hash)
    );
    for ((_, seat), operator) in ceremony.receivers().zip(&definition.operators) {
        let name = in_quotes(seat.card.name.as_str());
        text += &format!("\n  node of            {name}: {}", operator.enr);
        if let Some(wallet) = operator.address {
            text += &format!(" (wallet {wallet})");
        }
    }
    for unchecked in cluster.unchecked() {
        text += &format!(
            "\n  NOT CHECKED        {}: {} is taken to be a contract, whose signature only the \
             chain can check",
            unchecked.field, unchecked.wallet
        );
    }
    text
}

/// The file, verified as anybody would, and what it says.
pub(super) fn file(cleared: &Cleared, lock: &ClusterLock) -> Result<(Vec<u8>, Value), CliError> {
    let bytes = lock.to_json();
    verify(cleared, &bytes)
        .map_err(|(field, why)| messages::internal(&format!("{field}: {why}")))?;
    Ok((bytes, fields(lock)))
}

fn fields(lock: &ClusterLock) -> Value {
    json!({
        "lock_hash": format!("0x{}", hex::encode(lock.lock_hash)),
        "validators": lock.validators.len(),
        "operators": lock.definition.operators.len(),
    })
}

/// What to do with the file.
pub(super) fn advice(signed: &str, output: &Path) -> String {
    format!(
        "{signed}\nGive it to every operator. Each makes the folder that Charon reads:\n  \
         quorate export obol CEREMONY --lock {lock} --out DIR\nStop the old cluster first: a \
         validator that runs in two places is slashed. To verify the lock:\n  \
         quorate obol verify {lock} --request REQUEST --transcript TRANSCRIPT",
        lock = quoted(output)
    )
}

/// `quorate obol verify`.
pub(super) fn check(args: &LockVerify, out: &Output) -> Result<Exit, CliError> {
    let request = read_request(&args.request, None, Kind::Lock.name())?;
    let parent = audited(&args.transcript)?;
    let cleared =
        parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    let bytes = input::read(&args.lock, MOST_BYTES)?;
    match verify(&cleared, &bytes) {
        Ok(lock) => {
            let mut fields = fields(&lock);
            fields["request"] = cleared.request.id().to_string().into();
            let text = format!(
                "The lock 0x{} of {} validators and {} operators is what the request asks for.",
                hex::encode(lock.lock_hash),
                lock.validators.len(),
                lock.definition.operators.len()
            );
            accepted(&args.lock, fields, &text, out)
        }
        Err((field, why)) => refused_by("obol verify", &args.lock, (&field, why), out),
    }
}
