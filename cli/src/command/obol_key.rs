//! `quorate identity obol-key`: the key of this operator's node in an Obol cluster.

use serde_json::json;

use crate::args::ObolKey;
use crate::messages::shown;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, node_key};
use quorate::ethereum::obol::enr;
use quorate::ethereum::secp256k1::NodeSecret;
use quorate_operator::random;
use quorate_operator::store::StateDir;

/// Runs the command.
pub(crate) fn run(args: &ObolKey, out: &Output) -> Result<Exit, CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let key = match args {
        ObolKey::New => {
            let key = fresh();
            keep(&state, &key)?;
            key
        }
        ObolKey::Import { file } => {
            let key = node_key::read(file)?;
            keep(&state, &key)?;
            key
        }
        ObolKey::Show => node_key::read(&node_key::path(&state))?,
    };
    let record = enr::write(&key);
    let file = node_key::path(&state);
    out.finish(
        Exit::Done,
        json!({ "enr": record, "key": hex::encode(key.public().as_bytes()),
            "file": file.display().to_string() }),
        &record,
    )
}

/// A random key; one that is not below the group order has probability 2^-128, and is drawn again.
pub(crate) fn fresh() -> NodeSecret {
    loop {
        if let Ok(key) = NodeSecret::from_bytes(random::secret().expose()) {
            return key;
        }
    }
}

fn keep(state: &StateDir, key: &NodeSecret) -> Result<(), CliError> {
    let path = node_key::path(state);
    input::must_be_free(&path)?;
    node_key::keep(state, key)?;
    talk(&format!(
        "The node's key is in {}, unencrypted, because Charon requires that. Anyone who has this \
         file can act as this node.",
        shown(&path)
    ));
    talk(
        "Put the record, the line that starts with enr:, in the cluster definition. It is not \
         secret.",
    );
    Ok(())
}
