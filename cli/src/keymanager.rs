//! A client of the key manager API (Ethereum's `keymanager-APIs`): `POST` and `GET
//! /eth/v1/keystores`. Without TLS, which is enough for loopback, where validator clients offer
//! this API.

mod connection;
mod http;

use std::collections::BTreeSet;
use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use self::connection::Connection;
pub(crate) use self::connection::PushError;
use quorate::primitives::secret::SecretBytes;

/// Keystores in one request: a client that runs scrypt for each answers within the time below.
const BATCH: usize = 16;

/// A push that did not come to its end, and what has become of the keystores before.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub(crate) why: PushError,
    /// How many the key manager has, by its own word.
    pub(crate) held: usize,
    /// How many more it may have: they were sent, and it did not say that it refuses them.
    pub(crate) unsure: usize,
    pub(crate) total: usize,
}

/// What became of a keystore.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Status {
    /// `imported`, `duplicate` or `error`.
    pub(crate) status: String,
    /// Some leave it out, some say null.
    #[serde(default, deserialize_with = "text_or_null")]
    pub(crate) message: String,
}

fn text_or_null<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

#[derive(Serialize)]
struct Import<'a> {
    keystores: &'a [&'a str],
    passwords: &'a [&'a str],
}

/// What an answer lists under `data`. Answers and what they list are objects: a derived reader
/// would also take an array, without the names of fields.
fn listed<T: DeserializeOwned>(answer: &[u8]) -> Option<Vec<T>> {
    let mut answer: Map<String, Value> = serde_json::from_slice(answer).ok()?;
    let data: Vec<Map<String, Value>> = serde_json::from_value(answer.remove("data")?).ok()?;
    data.into_iter().map(|one| serde_json::from_value(Value::Object(one)).ok()).collect()
}

#[derive(Deserialize)]
struct Listed {
    validating_pubkey: String,
}

/// A key manager.
pub(crate) struct KeyManager(Connection);

impl KeyManager {
    /// Checks the URL and the token, and resolves the name. Every address that it resolves to must
    /// be this machine's, unless `insecure`.
    pub(crate) fn new(url: &str, token: &SecretBytes, insecure: bool) -> Result<Self, PushError> {
        Connection::new(url, token, insecure).map(Self)
    }

    /// Sends keystores, each with its password, some at a time, and tells what became of each. Then
    /// asks for all keys that the key manager has: each of `pubkeys` must be among them, unless the
    /// status says that it was not imported.
    pub(crate) fn push(
        &self,
        keystores: &[&[u8]],
        password: &str,
        pubkeys: &[String],
    ) -> Result<Vec<Status>, Unfinished> {
        let total = keystores.len();
        let mut statuses = Vec::with_capacity(total);
        for batch in keystores.chunks(BATCH) {
            match self.send(batch, password) {
                Ok(said) => statuses.extend(said),
                Err(why) => {
                    let held = statuses.iter().filter(|status| is_held(status)).count();
                    let unsure = if why.is_before_import() { 0 } else { batch.len() };
                    return Err(Unfinished { why, held, unsure, total });
                }
            }
        }
        let held: Vec<&String> = statuses
            .iter()
            .zip(pubkeys)
            .filter(|(status, _)| is_held(status))
            .map(|(_, key)| key)
            .collect();
        let missing = self.list(password).and_then(|listed| {
            match held.iter().find(|key| !listed.contains(key.as_str())) {
                Some(key) => Err(PushError::Missing((*key).clone())),
                None => Ok(()),
            }
        });
        missing.map_err(|why| Unfinished { why, held: held.len(), unsure: 0, total })?;
        Ok(statuses)
    }

    /// Sends some keystores; what became of each.
    fn send(&self, batch: &[&[u8]], password: &str) -> Result<Vec<Status>, PushError> {
        let texts: Vec<&str> =
            batch.iter().filter_map(|bytes| core::str::from_utf8(bytes).ok()).collect();
        let answer = self.0.ask("POST", Some(&import(&texts, password)?), password)?;
        let data: Vec<Status> =
            listed(&answer).ok_or(PushError::Answer("not a list of statuses"))?;
        if data.len() != batch.len() {
            return Err(PushError::Count { sent: batch.len(), found: data.len() });
        }
        let shown = |text: &str| self.0.shown(text, password);
        Ok(data
            .iter()
            .map(|one| Status { status: shown(&one.status), message: shown(&one.message) })
            .collect())
    }

    /// All keys that the key manager says it has, in lower-case hexadecimal digits.
    fn list(&self, password: &str) -> Result<BTreeSet<String>, PushError> {
        let answer = self.0.ask("GET", None, password)?;
        let data: Vec<Listed> = listed(&answer).ok_or(PushError::Answer("not a list of keys"))?;
        Ok(data
            .iter()
            .map(|one| one.validating_pubkey.trim_start_matches("0x").to_ascii_lowercase())
            .collect())
    }
}

/// The body of a request to import keystores, all with one password.
fn import(keystores: &[&str], password: &str) -> Result<Zeroizing<Vec<u8>>, PushError> {
    // Room for the longest spelling of each character, so that no copy is left behind.
    let room = keystores.iter().map(|text| 6 * (text.len() + password.len()) + 6).sum::<usize>();
    let mut body = Zeroizing::new(Vec::with_capacity(64 + room));
    let passwords = vec![password; keystores.len()];
    serde_json::to_writer(&mut *body, &Import { keystores, passwords: &passwords })
        .map_err(io::Error::from)?;
    Ok(body)
}

/// Whether the key manager has the key, as it says.
pub(crate) fn is_held(status: &Status) -> bool {
    matches!(status.status.as_str(), "imported" | "duplicate")
}
