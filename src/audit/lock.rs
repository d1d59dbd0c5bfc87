//! Compares a transcript with the lock of an Obol cluster.

use serde_json::Value;

use super::expectation::{Checked, MOST_DIFFERENCES};
use super::facts::Audited;
use crate::ethereum::obol::lock::ClusterLock;
use crate::ethereum::obol::lock_check::check_lock;

/// Everything that a lock must be by itself, and then that it is, field by field, the one that the
/// transcript's operators signed.
pub(super) fn compare(audited: &Audited, name: &str, bytes: &[u8]) -> Checked {
    let (Some(expected), Some(cluster)) = (audited.lock(), audited.ceremony().obol()) else {
        return Err(format!(
            "{name}: the ceremony of this transcript does not make an Obol cluster"
        )
        .into());
    };
    let lock = ClusterLock::parse(bytes).map_err(|error| format!("{name}: {error}"))?;
    // First what differs: a lock of another ceremony may well hold.
    let differences = differences(expected, &lock);
    if !differences.is_empty() {
        let shown = differences
            .iter()
            .take(MOST_DIFFERENCES)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("; ");
        let more = differences.len().saturating_sub(MOST_DIFFERENCES);
        let more = if more == 0 { String::new() } else { format!("; and {more} more differences") };
        return Err(format!("{name}: {shown}{more}").into());
    }
    check_lock(&lock, cluster.contracts().clone()).map_err(|error| format!("{name}: {error}"))?;
    Ok((
        (),
        format!(
            "{name}: every field matches the transcript, and everything in it verifies; lock hash \
             0x{}",
            hex::encode(lock.lock_hash)
        ),
    ))
}

/// The fields in which two locks differ, by their paths in the file.
fn differences(expected: &ClusterLock, found: &ClusterLock) -> Vec<String> {
    let tree =
        |lock: &ClusterLock| serde_json::from_slice::<Value>(&lock.to_json()).unwrap_or_default();
    let mut all = Vec::new();
    walk(&tree(expected), &tree(found), "", &mut all);
    all
}

fn walk(expected: &Value, found: &Value, path: &str, all: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            for name in names {
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(
                    one.get(name).unwrap_or(&Value::Null),
                    other.get(name).unwrap_or(&Value::Null),
                    &at,
                    all,
                );
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (i, (one, other)) in one.iter().zip(other).enumerate() {
                walk(one, other, &format!("{path}[{i}]"), all);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            all.push(format!("{path}: {} entries instead of {}", other.len(), one.len()));
        }
        (one, other) if one == other => {}
        (one, other) => all.push(format!("{path}: {other} instead of {one}")),
    }
}
