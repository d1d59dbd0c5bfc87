//! The key of an operator's node in an Obol cluster (`charon-enr-private-key`): where it is stored,
//! and the check that it is the right one.

use std::path::{Path, PathBuf};

use super::report::CliError;
use super::{input, messages, secret_file};
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::secp256k1::NodeSecret;
use quorate::export::obol::NODE_KEY_FILE;
use quorate::protocol::participant::OwnSeat;
use quorate_operator::store::StateDir;

/// Where an operator's own one is kept: in the open, because Charon reads it so, in a folder that
/// only its owner can enter.
pub(crate) fn path(state: &StateDir) -> PathBuf {
    state.path().join(NODE_KEY_FILE)
}

/// Reads a key file that only its owner can read.
pub(crate) fn read(path: &Path) -> Result<NodeSecret, CliError> {
    NodeSecret::from_key_file(&secret_file::read(path)?)
        .map_err(|error| messages::node_key(path, error))
}

/// Keeps a key. Never overwrites.
pub(crate) fn keep(state: &StateDir, key: &NodeSecret) -> Result<(), CliError> {
    let _lock = state.lock().map_err(messages::store)?;
    input::write_private(&path(state), key.to_key_file().expose())
}

/// The key of the node at `place` of a cluster, from the file given or from the state directory.
pub(crate) fn of_cluster(
    given: Option<&Path>,
    cluster: &Cluster,
    place: usize,
    state: &StateDir,
) -> Result<NodeSecret, CliError> {
    let node = cluster.nodes().get(place).zip(cluster.definition().operators.get(place));
    let (expected, operator) =
        node.ok_or_else(|| messages::internal("an operator that the cluster does not have"))?;
    let own = path(state);
    if given.is_none() && own.symlink_metadata().is_err() {
        return Err(messages::no_node_key(&operator.enr));
    }
    let path = given.unwrap_or(&own);
    let key = read(path)?;
    match key.public() == *expected {
        true => Ok(key),
        false => Err(messages::not_the_node(path, &operator.enr)),
    }
}

/// The seat with the key of its node, from the file given or from the state directory; as it is, if
/// no cluster is made. A key that is not the definition's is refused here, before anything begins.
pub(crate) fn with_node_key(
    seat: OwnSeat,
    state: &StateDir,
    given: Option<&Path>,
) -> Result<OwnSeat, CliError> {
    let ceremony = seat.ceremony.clone();
    let Some(cluster) = ceremony.obol() else {
        return given.map_or(Ok(seat), |path| Err(messages::no_cluster(path)));
    };
    // By its record people know a node.
    let record = &cluster.definition().operators[seat.me.position()].enr;
    let own = path(state);
    if given.is_none() && own.symlink_metadata().is_err() {
        return Err(messages::no_node_key(record));
    }
    let path = given.unwrap_or(&own);
    seat.with_node_key(read(path)?).map_err(|error| messages::wrong_node_key(path, &error, record))
}
