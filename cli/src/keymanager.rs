//! A client of the key manager API (Ethereum's `keymanager-APIs`): `POST`, `GET` and `DELETE
//! /eth/v1/keystores`. Without TLS, which is enough for loopback, where validator clients offer
//! this API.

mod connection;
mod http;
pub(crate) mod web3signer;

use std::collections::BTreeSet;
use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use self::connection::Connection;
pub(crate) use self::connection::PushError;
use quorate::ethereum::interchange::{Interchange, Key, MOST_BYTES};
use quorate::primitives::secret::SecretBytes;

/// Most bytes of the answer to a removal: the histories of all keys, inside of a string.
const MOST_REMOVED: usize = 2 * MOST_BYTES;

const PATH: &str = "/eth/v1/keystores";

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

/// What became of a keystore, or of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Status {
    /// `imported`, `duplicate` or `error`; of a removal `deleted`, `not_active`, `not_found` or
    /// `error`.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    slashing_protection: Option<&'a str>,
}

#[derive(Serialize)]
struct Delete {
    pubkeys: Vec<String>,
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
    /// asks for all keys that the key manager has: each of `keys` must be among them, unless the
    /// status says that it was not imported. `protection` has what each of `keys` has signed.
    pub(crate) fn push(
        &self,
        keystores: &[&[u8]],
        password: &str,
        keys: &[Key],
        protection: Option<&Interchange>,
    ) -> Result<Vec<Status>, Unfinished> {
        let total = keystores.len();
        let mut statuses = Vec::with_capacity(total);
        for (batch, keys) in keystores.chunks(BATCH).zip(keys.chunks(BATCH)) {
            let protection = protection.map(|protection| {
                let of = protection.of(keys).expect("it was made of these keys");
                String::from_utf8(of.to_json()).expect("JSON is text")
            });
            match self.send(batch, password, protection.as_deref()) {
                Ok(said) => statuses.extend(said),
                Err(why) => {
                    let held = statuses.iter().filter(|status| is_held(status)).count();
                    let unsure = if why.is_before_import() { 0 } else { batch.len() };
                    return Err(Unfinished { why, held, unsure, total });
                }
            }
        }
        let held: Vec<String> = statuses
            .iter()
            .zip(keys)
            .filter(|(status, _)| is_held(status))
            .map(|(_, key)| hex::encode(key))
            .collect();
        let missing = self.list(password).and_then(|listed| {
            match held.iter().find(|key| !listed.contains(key.as_str())) {
                Some(key) => Err(PushError::Missing(key.clone())),
                None => Ok(()),
            }
        });
        missing.map_err(|why| Unfinished { why, held: held.len(), unsure: 0, total })?;
        Ok(statuses)
    }

    /// Sends some keystores; what became of each.
    fn send(
        &self,
        batch: &[&[u8]],
        password: &str,
        protection: Option<&str>,
    ) -> Result<Vec<Status>, PushError> {
        let texts: Vec<&str> =
            batch.iter().filter_map(|bytes| core::str::from_utf8(bytes).ok()).collect();
        let answer =
            self.0.ask(("POST", PATH), Some(&import(&texts, password, protection)?), password)?;
        let data: Vec<Status> =
            listed(&answer).ok_or(PushError::Answer("not a list of statuses"))?;
        self.statuses(data, batch.len(), password)
    }

    /// The statuses of `sent` keys, as far as they are shown.
    fn statuses(
        &self,
        data: Vec<Status>,
        sent: usize,
        password: &str,
    ) -> Result<Vec<Status>, PushError> {
        if data.len() != sent {
            return Err(PushError::Count { sent, found: data.len() });
        }
        let shown = |text: &str| self.0.shown(text, password);
        Ok(data
            .iter()
            .map(|one| Status { status: shown(&one.status), message: shown(&one.message) })
            .collect())
    }

    /// Removes keys: from then on the key manager signs nothing with them. Its answer, which has
    /// what they have signed; it is read by nothing before it is kept. The same request again has
    /// the same data.
    pub(crate) fn remove(&self, keys: &[Key]) -> Result<Vec<u8>, PushError> {
        let pubkeys = keys.iter().map(|key| format!("0x{}", hex::encode(key))).collect();
        let body = serde_json::to_vec(&Delete { pubkeys }).map_err(io::Error::from)?;
        self.0.ask_up_to(MOST_REMOVED, ("DELETE", PATH), Some(&body), "")
    }

    /// What became of each of the keys that were removed, by this answer; none of them may be
    /// listed any more.
    pub(crate) fn check_removed(
        &self,
        answer: &[u8],
        keys: &[Key],
    ) -> Result<Vec<Status>, PushError> {
        let data = listed(answer).ok_or(PushError::Answer("not a list of statuses"))?;
        let statuses = self.statuses(data, keys.len(), "")?;
        let listed = self.list("")?;
        match keys.iter().map(hex::encode).find(|key| listed.contains(key)) {
            Some(key) => Err(PushError::Remains(key)),
            None => Ok(statuses),
        }
    }

    /// All keys that the key manager says it has, in lower-case hexadecimal digits.
    fn list(&self, password: &str) -> Result<BTreeSet<String>, PushError> {
        let answer = self.0.ask(("GET", PATH), None, password)?;
        let data: Vec<Listed> = listed(&answer).ok_or(PushError::Answer("not a list of keys"))?;
        Ok(data
            .iter()
            .map(|one| one.validating_pubkey.trim_start_matches("0x").to_ascii_lowercase())
            .collect())
    }
}

/// The body of a request to import keystores, all with one password.
fn import(
    keystores: &[&str],
    password: &str,
    slashing_protection: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, PushError> {
    // Room for the longest spelling of each character, so that no copy is left behind.
    let room = keystores.iter().map(|text| 6 * (text.len() + password.len()) + 6).sum::<usize>();
    let room = room + slashing_protection.map_or(0, |text| 6 * text.len());
    let mut body = Zeroizing::new(Vec::with_capacity(128 + room));
    let passwords = vec![password; keystores.len()];
    let import = Import { keystores, passwords: &passwords, slashing_protection };
    serde_json::to_writer(&mut *body, &import).map_err(io::Error::from)?;
    Ok(body)
}

/// The slashing protection data in the answer to a removal: a string that is JSON, or, of some,
/// that JSON itself.
pub(crate) fn protection_in(answer: &[u8]) -> Option<Vec<u8>> {
    let mut answer: Map<String, Value> = serde_json::from_slice(answer).ok()?;
    match answer.remove("slashing_protection")? {
        Value::String(text) => Some(text.into_bytes()),
        object @ Value::Object(_) => serde_json::to_vec(&object).ok(),
        _ => None,
    }
}

/// Whether the key manager will sign nothing more with the key, as it says, and has given what it
/// has signed.
pub(crate) fn is_removed(status: &Status) -> bool {
    matches!(status.status.as_str(), "deleted" | "not_active")
}

/// Whether the key manager has the key, as it says.
pub(crate) fn is_held(status: &Status) -> bool {
    matches!(status.status.as_str(), "imported" | "duplicate")
}
