//! Writes `keyshares.json`.

use serde::Serialize;

use super::{Registration, Stamp};

/// The version that every reader takes.
const VERSION: &str = "v1.2.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    version: &'static str,
    created_at: String,
    shares: Vec<Share>,
}

#[derive(Serialize)]
struct Share {
    data: Data,
    payload: Payload,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    owner_nonce: u64,
    owner_address: String,
    public_key: String,
    operators: Vec<Operator>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operator {
    id: u64,
    operator_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    public_key: String,
    operator_ids: Vec<u64>,
    shares_data: String,
}

/// The signature, the share keys, the ciphertexts: 96 + 304 n bytes.
fn shares_data(registration: &Registration) -> String {
    let mut bytes = registration.signature.to_compressed().to_vec();
    for operator in &registration.operators {
        bytes.extend(operator.share_key.to_compressed());
    }
    for operator in &registration.operators {
        bytes.extend(operator.encrypted_share);
    }
    format!("0x{}", hex::encode(bytes))
}

/// The file: one line, with a line end. Operators must be ascending.
pub fn write_keyshares(created: Stamp, registrations: &[Registration]) -> Vec<u8> {
    let share = |registration: &Registration| {
        let public_key = format!("0x{}", hex::encode(registration.validator.to_compressed()));
        let operators = registration.operators.iter();
        let data = Data {
            owner_nonce: registration.owner_nonce.nonce,
            owner_address: registration.owner_nonce.owner.to_string(),
            public_key: public_key.clone(),
            operators: operators
                .clone()
                .map(|o| Operator { id: o.id, operator_key: o.key.to_text() })
                .collect(),
        };
        let operator_ids = operators.map(|o| o.id).collect();
        Share {
            data,
            payload: Payload { public_key, operator_ids, shares_data: shares_data(registration) },
        }
    };
    let file = File {
        version: VERSION,
        created_at: created.rfc3339(),
        shares: registrations.iter().map(share).collect(),
    };
    let mut bytes = serde_json::to_vec(&file).expect("texts and numbers are always JSON");
    bytes.push(b'\n');
    bytes
}
