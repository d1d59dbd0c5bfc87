//! The silence check before new shares are loaded: a beacon node's answers, saved to files, that
//! the chain saw nothing of the validators for one whole epoch after the cut-over. It catches what
//! no word of an operator does: a client that restarted, a liar, shares that run in two places.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::report::CliError;
use super::{input, messages};
use quorate::ethereum::network::Network;
use quorate::signing::beacon::{LARGEST, Records};

/// Longest answer about liveness.
const LONGEST: usize = 16 << 20;

/// Why validators are not shown to be silent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSilent {
    #[error("validator {number} (index {index}) was seen on the chain: shares of it still run")]
    Alive { number: usize, index: u64 },
    #[error("not a beacon node's answer about liveness: {0}")]
    Answer(&'static str),
    #[error("nothing is said of validator {number} (index {index})")]
    Missing { number: usize, index: u64 },
    #[error("validator {0} is there twice")]
    Twice(u64),
    #[error("the beacon node's list does not have validator {number}")]
    Unlisted { number: usize },
}

#[derive(Deserialize)]
struct Seen {
    index: String,
    is_live: bool,
}

/// Which validators the chain saw, by index (`POST /eth/v1/validator/liveness/{epoch}`). Entries
/// are objects: a derived reader would also take lists, without the names of fields.
fn parse(bytes: &[u8]) -> Result<BTreeMap<u64, bool>, NotSilent> {
    let broken = |_| NotSilent::Answer("no list of validators under data");
    let mut answer: Map<String, Value> = serde_json::from_slice(bytes).map_err(broken)?;
    let data = answer.remove("data").unwrap_or_default();
    let data: Vec<Map<String, Value>> = serde_json::from_value(data).map_err(broken)?;
    let mut seen = BTreeMap::new();
    for entry in data {
        let entry = serde_json::from_value(Value::Object(entry));
        let Seen { index, is_live } =
            entry.map_err(|_| NotSilent::Answer("an entry without index or is_live"))?;
        let number: u64 = index.parse().map_err(|_| NotSilent::Answer("an index of no number"))?;
        if seen.insert(number, is_live).is_some() {
            return Err(NotSilent::Twice(number));
        }
    }
    Ok(seen)
}

/// Whether nothing was seen of any of these keys, to which a node's list gives their indices.
fn check(
    keys: &[[u8; 48]],
    records: &Records,
    seen: &BTreeMap<u64, bool>,
) -> Result<(), NotSilent> {
    for (number, key) in (1..).zip(keys) {
        let record = match records {
            Records::List(list) => list.get(key),
            // It may be about any key.
            Records::One(_) => None,
        };
        let index = record.ok_or(NotSilent::Unlisted { number })?.index();
        match seen.get(&index) {
            None => return Err(NotSilent::Missing { number, index }),
            Some(true) => return Err(NotSilent::Alive { number, index }),
            Some(false) => {}
        }
    }
    Ok(())
}

/// Refuses new shares of these validators' keys unless one whole epoch, after that of the last
/// commit and over by now, passed without anything of them. A node knows an epoch's liveness only
/// when the next one is over.
pub(crate) fn demand(
    keys: &[[u8; 48]],
    network: &Network,
    (list, liveness): (&Path, &Path),
    (epoch, committed, now): (u64, u64, u64),
) -> Result<(), CliError> {
    let present = network.epoch_at(now).unwrap_or(u64::MAX);
    if epoch <= committed || present < epoch.saturating_add(2) {
        return Err(messages::no_epoch_of_silence(epoch, committed, present));
    }
    let records = Records::from_json(&input::read(list, LARGEST)?);
    let records = records.map_err(|error| messages::beacon(list, &error))?;
    parse(&input::read(liveness, LONGEST)?)
        .and_then(|seen| check(keys, &records, &seen))
        .map_err(|error| messages::not_silent(liveness, epoch, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const KEY: [u8; 48] = [0xab; 48];

    fn records(keys: &[[u8; 48]]) -> Records {
        let entry = |(at, key): (usize, &[u8; 48])| {
            json!({ "index": (7 + at).to_string(), "status": "active_ongoing",
                "validator": { "pubkey": format!("0x{}", hex::encode(key)),
                    "withdrawal_credentials": format!("0x{}", "00".repeat(32)) } })
        };
        let data: Vec<Value> = keys.iter().enumerate().map(entry).collect();
        Records::from_json(json!({ "data": data }).to_string().as_bytes()).unwrap()
    }

    fn said(data: Value) -> Result<(), NotSilent> {
        let seen = parse(json!({ "data": data }).to_string().as_bytes())?;
        check(&[KEY], &records(&[KEY, [1; 48]]), &seen)
    }

    #[test]
    fn silence_is_every_validator_unseen() {
        let entry = |index: &str, is_live: bool| json!({ "index": index, "is_live": is_live });
        assert_eq!(said(json!([entry("7", false), entry("9", true)])), Ok(()));
        assert_eq!(said(json!([entry("7", true)])), Err(NotSilent::Alive { number: 1, index: 7 }));
        assert_eq!(
            said(json!([entry("8", false)])),
            Err(NotSilent::Missing { number: 1, index: 7 })
        );
        assert_eq!(said(json!([entry("7", false), entry("7", true)])), Err(NotSilent::Twice(7)));
        for data in [json!(null), json!({}), json!([["7", false]]), json!([{ "index": "7" }])] {
            assert!(matches!(said(data.clone()), Err(NotSilent::Answer(_))), "{data}");
        }
        let seen = BTreeMap::from([(7, false)]);
        let unlisted = check(&[[2; 48]], &records(&[KEY]), &seen);
        assert_eq!(unlisted, Err(NotSilent::Unlisted { number: 1 }));
    }
}
