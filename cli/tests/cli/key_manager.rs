//! A key manager of the tests' own: it decrypts what it gets, and gives what its keys have signed
//! when they are removed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use quorate::ethereum::keystore::{Keystore, Password};
use quorate::primitives::secret::SecretBytes;
use serde_json::{Value, json};

use crate::support::demo::Demo;
use crate::support::files::private;

/// What it does.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Manner {
    Proper,
    /// Answers in chunks.
    Chunked,
    /// Has nothing to say of a keystore, and spells it out.
    Null,
    /// Says that one keystore does not decrypt.
    Refuses,
    /// Imports, and then says that something went wrong.
    Fails,
    /// One status too few.
    Forgets,
    /// Says imported or deleted, and it is not so afterwards.
    Lies,
    /// Gives what keys have signed as JSON, not as a string.
    Object,
    /// Removes keys without a word of what they have signed.
    Silent,
    /// Gives something else than JSON of this format.
    Garbles,
    /// Removes keys, and is cut off in its first answer to that.
    CutOff,
    /// Has lost what the second of its keys has signed.
    Partial,
}

pub(crate) const TOKEN: &str = "api-token-0x1234";

pub(crate) fn token_file(demo: &Demo, name: &str, token: &str) {
    private(demo.path(name), &format!("{token}\n"));
}

#[derive(Default)]
struct State {
    held: Vec<String>,
    /// Keys that it ever held.
    known: Vec<String>,
    /// The protection data of each import.
    sent: Vec<Value>,
    removals: usize,
}

pub(crate) struct Fake {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// One that listens on a port of this machine.
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(BufReader::new(stream.unwrap()), &mut shared.lock().unwrap(), manner);
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The keys that it has, as often as they were imported.
    pub(crate) fn held(&self) -> Vec<String> {
        self.state.lock().unwrap().held.clone()
    }

    /// Gives it a key by another way.
    pub(crate) fn hold(&self, key: &str) {
        let mut state = self.state.lock().unwrap();
        state.known.push(key.to_owned());
        state.held.push(key.to_owned());
    }

    /// The protection data that came with each import; null where none came.
    pub(crate) fn sent(&self) -> Vec<Value> {
        self.state.lock().unwrap().sent.clone()
    }
}

fn serve<S: Read + Write>(mut stream: BufReader<S>, state: &mut State, manner: Manner) {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        head.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
    };
    let mut body = vec![0; header("Content-Length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let mut cut = false;
    let (code, answer) = match (header("Authorization"), head[0].as_str()) {
        (Some(token), _) if token != format!("Bearer {TOKEN}") => {
            (401, json!({ "message": "another token" }))
        }
        (Some(_), "POST /eth/v1/keystores HTTP/1.1") => {
            (if manner == Manner::Fails { 500 } else { 200 }, import(&body, state, manner))
        }
        (Some(_), "DELETE /eth/v1/keystores HTTP/1.1") => {
            state.removals += 1;
            cut = manner == Manner::CutOff && state.removals == 1;
            (200, remove(&body, state, manner))
        }
        (Some(_), "GET /eth/v1/keystores HTTP/1.1") => {
            let row = |key: &String| {
                json!({ "validating_pubkey": format!("0x{key}"), "derivation_path": "",
                    "readonly": false })
            };
            (200, json!({ "data": state.held.iter().map(row).collect::<Vec<_>>() }))
        }
        _ => (404, json!({ "message": "nothing here" })),
    };
    let answer = answer.to_string();
    let text = match manner {
        Manner::Chunked => {
            let (first, second) = answer.split_at(answer.len() / 2);
            format!(
                "HTTP/1.1 {code} OK\r\nTransfer-Encoding: \
                 chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
                first.len(),
                second.len()
            )
        }
        _ => format!("HTTP/1.1 {code} OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()),
    };
    let length = if cut { text.len() - 10 } else { text.len() };
    stream.get_mut().write_all(&text.as_bytes()[..length]).unwrap();
}

fn import(body: &[u8], state: &mut State, manner: Manner) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let (keystores, passwords) =
        (body["keystores"].as_array().unwrap(), body["passwords"].as_array().unwrap());
    assert_eq!(keystores.len(), passwords.len());
    let protection = &body["slashing_protection"];
    assert_eq!(body.as_object().unwrap().len(), if protection.is_null() { 2 } else { 3 });
    // A string that is JSON, as the API has it.
    state.sent.push(match protection.as_str() {
        Some(text) => serde_json::from_str(text).unwrap(),
        None => Value::Null,
    });
    let mut statuses: Vec<Value> = Vec::new();
    for (keystore, password) in keystores.iter().zip(passwords) {
        // As texts, not as objects.
        let keystore = Keystore::from_json(keystore.as_str().unwrap().as_bytes()).unwrap();
        let password = SecretBytes::new(password.as_str().unwrap().as_bytes().to_vec());
        keystore.decrypt(&Password::new(&password).unwrap()).unwrap();
        let key = hex::encode(keystore.pubkey().to_compressed());
        let status = match state.held.contains(&key) {
            true => "duplicate",
            false => "imported",
        };
        if manner != Manner::Lies {
            state.known.push(key.clone());
            state.held.push(key);
        }
        statuses.push(json!({ "status": status, "message": "" }));
    }
    match manner {
        Manner::Refuses => {
            statuses[1] = json!({ "status": "error", "message": "no slashing protection" })
        }
        Manner::Null => statuses.iter_mut().for_each(|status| status["message"] = Value::Null),
        Manner::Forgets => drop(statuses.pop()),
        _ => {}
    }
    json!({ "data": statuses })
}

/// What the key manager says that its key at this place has signed: a full history.
fn history(place: usize, key: &str) -> Value {
    let root = format!("0x{}", hex::encode([u8::try_from(place).unwrap(); 32]));
    json!({
        "pubkey": format!("0x{key}"),
        "signed_blocks": [{ "slot": "7", "signing_root": root }, { "slot": "9" }],
        "signed_attestations": [
            { "source_epoch": "1", "target_epoch": (20 + place).to_string() },
            { "source_epoch": "2", "target_epoch": "3", "signing_root": root },
        ],
    })
}

fn remove(body: &[u8], state: &mut State, manner: Manner) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let pubkeys = body["pubkeys"].as_array().unwrap().iter();
    let keys: Vec<String> =
        pubkeys.map(|key| key.as_str().unwrap().strip_prefix("0x").unwrap().to_owned()).collect();
    let mut statuses: Vec<Value> = Vec::new();
    let mut data = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let status = match (state.held.contains(key), state.known.contains(key)) {
            (true, _) => "deleted",
            (_, true) => "not_active",
            _ => "not_found",
        };
        statuses.push(json!({ "status": status }));
        if status != "not_found" && !(manner == Manner::Partial && place == 1) {
            data.push(history(place, key));
        }
    }
    if manner != Manner::Lies {
        state.held.retain(|key| !keys.contains(key));
    }
    let root = "0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f";
    let protection = json!({
        "metadata": { "interchange_format_version": "5", "genesis_validators_root": root },
        "data": data,
    });
    if manner == Manner::Forgets {
        statuses.pop();
    }
    match manner {
        Manner::Object => json!({ "data": statuses, "slashing_protection": protection }),
        Manner::Silent => json!({ "data": statuses }),
        Manner::Garbles => json!({ "data": statuses, "slashing_protection": "nothing" }),
        _ => json!({ "data": statuses, "slashing_protection": protection.to_string() }),
    }
}
