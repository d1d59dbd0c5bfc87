//! A client of Web3Signer (its published API, `eth2/web3signer.yaml`), for shares that live there:
//! which keys it has, and its signatures on exits and builder registrations. Without TLS and
//! without a token, so on this machine alone, or through a tunnel.

use core::time::Duration;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::PushError;
use super::connection::Connection;
use quorate::ethereum::exit::VoluntaryExit;
use quorate::ethereum::network::Network;
use quorate::ethereum::registration::Registration;
use quorate::primitives::curve::G2;

const KEYS: &str = "/api/v1/eth2/publicKeys";
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most bytes of an answer with a signature.
const MOST_SIGNATURE: usize = 64 << 10;

/// Why Web3Signer has not signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignerError {
    /// As of a key manager; the words are Web3Signer's own.
    #[error("{}", words(.0))]
    Way(#[from] PushError),
    /// A list of keys that is none.
    #[error("this is not Web3Signer's list of keys")]
    Keys,
    /// An answer without a signature.
    #[error("this is not an answer of Web3Signer with a signature")]
    NoSignature,
    /// A signature of something else, or by another key.
    #[error(
        "its signature for the share 0x{0} does not verify: it is another key's, or of another \
         message"
    )]
    Foreign(String),
}

fn words(error: &PushError) -> String {
    match error {
        PushError::Url(why) => format!("not a URL like http://127.0.0.1:9000: {why}"),
        PushError::NotLoopback(ip) => {
            format!("{ip} is not this machine, and plain HTTP lets anyone on the network path sign")
        }
        PushError::Answer(why) => format!("this is not an answer of Web3Signer: {why}"),
        PushError::Status { code, message } => format!("Web3Signer says {code}: {message}"),
        other => other.to_string(),
    }
}

/// What a share is asked to sign.
pub(crate) enum Message {
    /// A voluntary exit.
    Exit(VoluntaryExit),
    /// A builder registration.
    Registration(Registration),
}

/// A Web3Signer.
pub(crate) struct Web3Signer(Connection);

impl Web3Signer {
    /// Checks the URL and resolves the name. Every address must be this machine's.
    pub(crate) fn new(url: &str) -> Result<Self, SignerError> {
        Ok(Self(Connection::without_token(url, false)?.patient(PATIENCE)))
    }

    /// All keys that it says it has.
    pub(crate) fn keys(&self) -> Result<BTreeSet<[u8; 48]>, SignerError> {
        let answer = self.0.ask(("GET", KEYS), None, "")?;
        let listed: Vec<String> = serde_json::from_slice(&answer).map_err(|_| SignerError::Keys)?;
        let key = |text: &String| {
            let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
            let mut key = [0; 48];
            hex::decode_to_slice(digits, &mut key).ok().map(|()| key)
        };
        listed.iter().map(key).collect::<Option<_>>().ok_or(SignerError::Keys)
    }

    /// The signature by this key, as it answers: a point, which nothing is known of yet. It
    /// computes the signing root itself, and refuses if that is another than `root`.
    pub(crate) fn sign(
        &self,
        key: &[u8; 48],
        message: &Message,
        root: &[u8; 32],
        network: &Network,
    ) -> Result<G2, SignerError> {
        let path = format!("/api/v1/eth2/sign/0x{}", hex::encode(key));
        let body = body(message, root, network).to_string();
        let answer =
            self.0.ask_up_to(MOST_SIGNATURE, ("POST", &path), Some(body.as_bytes()), "")?;
        signature(&answer).ok_or(SignerError::NoSignature)
    }
}

/// A signature: alone, or in a JSON object.
fn signature(answer: &[u8]) -> Option<G2> {
    let text = match serde_json::from_slice::<Map<String, Value>>(answer) {
        Ok(object) => object.get("signature")?.as_str()?.to_owned(),
        Err(_) => core::str::from_utf8(answer).ok()?.trim().to_owned(),
    };
    let mut bytes = [0; 96];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    G2::from_compressed(&bytes).ok()
}

fn body(message: &Message, root: &[u8; 32], network: &Network) -> Value {
    let digits = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    match message {
        Message::Exit(exit) => {
            // Exits have the Capella fork for ever (EIP-7044), before its epoch and after.
            let version = network.capella_fork_version().unwrap_or_default();
            json!({
                "type": "VOLUNTARY_EXIT",
                "fork_info": {
                    "fork": {
                        "previous_version": digits(&version),
                        "current_version": digits(&version),
                        "epoch": "0",
                    },
                    "genesis_validators_root": digits(&network.genesis_validators_root()),
                },
                "signingRoot": digits(root),
                "voluntary_exit": {
                    "epoch": exit.epoch.to_string(),
                    "validator_index": exit.validator_index.to_string(),
                },
            })
        }
        Message::Registration(message) => json!({
            "type": "VALIDATOR_REGISTRATION",
            "signingRoot": digits(root),
            "validator_registration": {
                "fee_recipient": message.fee_recipient.to_lower_hex(),
                "gas_limit": message.gas_limit.to_string(),
                "timestamp": message.timestamp.to_string(),
                "pubkey": digits(&message.pubkey),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use quorate::ethereum::bls::bls_sign;
    use quorate::primitives::curve::SecretScalar;

    #[test]
    fn signatures_are_read_in_both_forms_and_in_no_other() {
        let mut bytes = [0; 32];
        bytes[31] = 7;
        let signed = bls_sign(&SecretScalar::from_be_bytes(&bytes).unwrap(), &[1; 32]).unwrap();
        let text = format!("0x{}", hex::encode(signed.to_compressed()));
        let json = format!("{{\"signature\":\"{text}\"}}");
        for answer in [text.clone(), format!("{text}\n"), json] {
            assert_eq!(signature(answer.as_bytes()), Some(signed), "{answer}");
        }
        for answer in [
            String::new(),
            "{}".to_owned(),
            "{\"signature\":7}".to_owned(),
            format!("[\"{text}\"]"),
            text[2..].to_owned(),
            text[..192].to_owned(),
            format!("0x{}", "00".repeat(96)),
            format!("0xc0{}", "00".repeat(95)),
        ] {
            assert_eq!(signature(answer.as_bytes()), None, "{answer}");
        }
        assert_eq!(signature(&[0xff; 96]), None);
    }

    #[test]
    fn only_this_machine() {
        let refused = |url: &str| Web3Signer::new(url).err().unwrap().to_string();
        assert!(refused("http://192.0.2.1:9000").contains("192.0.2.1 is not this machine"));
        assert!(refused("https://127.0.0.1:9000").contains("does not support TLS"));
        assert!(refused("127.0.0.1:9000").contains("not a URL like http://127.0.0.1:9000"));
        assert!(Web3Signer::new("http://127.0.0.1:9000/signer").is_ok());
    }
}
