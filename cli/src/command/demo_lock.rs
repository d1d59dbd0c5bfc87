//! The lock of a demo's cluster after its reshare: asked for, signed by every operator, combined,
//! and the folder that each operator's Charon reads.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::demo::{Demo, Player};
use super::demo_prepare::defined;
use crate::messages;
use crate::policy::POLICY_FILE;
use crate::report::{CliError, talk};
use quorate_operator::store;

/// What is shown, as it is typed.
const SHOWN: &str = "obol";
/// Below the demo's folder.
const DEFINITION: &str = "next-definition.json";
const REQUEST: &str = "lock-request.json";
const LOCK: &str = "cluster-lock.json";
/// Below an operator's folder.
const CHARON: &str = "charon";

/// Makes it, with these operators, in the order of their shares.
pub(super) fn run(
    demo: &Demo<'_>,
    (file, transcript): (&Path, &Path),
    keys: &[[u8; 48]],
    players: &[&Player],
) -> Result<Value, CliError> {
    let path = |name: &str| demo.root.join(name);
    talk("demo: the cluster has other nodes now, so its lock is made anew: quorate obol request");
    defined(demo.args, &path(DEFINITION), players)?;
    let first = players.first().ok_or_else(|| messages::internal("a reshare to nobody"))?;
    let mut command = demo.command(first);
    command.args(["obol", "request", "--all", "--public"]).arg(transcript);
    command.arg("--definition").arg(path(DEFINITION)).arg("--output").arg(path(REQUEST));
    demo.quietly(SHOWN, &first.name, command)?;
    let allow: Vec<String> = keys.iter().map(|key| format!("0x{}", hex::encode(key))).collect();
    let policy = format!("locks = \"allow-list\"\nallow = {allow:?}\n");
    let mut answers: Vec<PathBuf> = Vec::new();
    for player in players {
        store::write_new(&player.dir.join(POLICY_FILE), policy.as_bytes(), 0o600)
            .map_err(messages::store)?;
        let answer = path(&format!("lock-answer-{}.json", player.name));
        let mut command = demo.command(player);
        command.args(["obol", "sign", "--yes"]).arg(path(REQUEST)).arg("--output").arg(&answer);
        demo.quietly(SHOWN, &player.name, command)?;
        answers.push(answer);
    }
    let mut command = demo.command(first);
    command.args(["obol", "combine"]).arg(path(REQUEST)).arg("--transcript").arg(transcript);
    command.arg("--output").arg(path(LOCK)).args(&answers);
    demo.quietly(SHOWN, &first.name, command)?;
    for player in players {
        let mut command = demo.command(player);
        command.args(["export", "obol"]).arg(file).arg("--lock").arg(path(LOCK));
        command.arg("--out").arg(player.dir.join(CHARON));
        demo.quietly(SHOWN, &player.name, command)?;
    }
    Ok(json!({
        "definition": path(DEFINITION).display().to_string(),
        "request": path(REQUEST).display().to_string(),
        "lock": path(LOCK).display().to_string(),
    }))
}
