//! What a file is that was given in the place of another: told by its outline, and not checked.

use serde_json::Value;

use quorate::identity::card::OperatorCard;

/// Longest file that is looked into.
pub(crate) const MOST_BYTES: usize = 8 << 20;

/// Of a ceremony file, as TOML or JSON.
pub(crate) const CEREMONY_FILE: &str = "a ceremony file: quorate spec check";
/// Of a transcript, or of another set of statements.
pub(crate) const TRANSCRIPT: &str = "a transcript of a ceremony: quorate audit";
/// Of a cluster definition.
pub(crate) const DEFINITION: &str = "a cluster definition: quorate verify cluster-definition";
/// Of a cluster lock.
pub(crate) const LOCK: &str = "a cluster lock: quorate verify cluster-lock";
/// What the tables of a ceremony file are called.
const TABLES: [&str; 2] = ["[[operators]]", "[[validators]]"];

/// In the words of a sentence that begins with "this is", if the file is of a kind that people mix
/// up with others.
pub(crate) fn kind(bytes: &[u8]) -> Option<&'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |front: &[u8]| bytes.starts_with(front);
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if begins(b"\x1f\x8b") || begins(b"PK\x03\x04") || begins(b"BZh") || begins(b"\xfd7zXZ") {
        return Some("a compressed file: unpack it first");
    }
    if begins(b"<") {
        return Some("a web page: download the file itself");
    }
    if is_packet(bytes) {
        return Some("an operator packet: quorate join");
    }
    if begins(b"QTRN") {
        return Some(TRANSCRIPT);
    }
    if begins(b"QSEA") {
        return Some("a sealed file with an operator's keys: it is nobody else's to read");
    }
    if begins(b"QLOG") {
        return Some("the log of a ceremony in progress, sealed by its operator: quorate status");
    }
    if core::str::from_utf8(bytes)
        .is_ok_and(|text| TABLES.iter().all(|table| text.lines().any(|line| line.trim() == *table)))
    {
        return Some(CEREMONY_FILE);
    }
    if begins(b"-----BEGIN") {
        return Some("a key or certificate in PEM");
    }
    if begins(b"quorate1") {
        let text = core::str::from_utf8(bytes).ok()?;
        return OperatorCard::parse(text.trim()).ok().map(|_| "an operator card");
    }
    match serde_json::from_slice(bytes).ok()? {
        Value::Array(entries) => entries.first().and_then(entry),
        Value::Object(fields) => object(&Value::Object(fields)),
        _ => None,
    }
}

/// Whether bytes begin as an operator packet does.
pub(crate) fn is_packet(bytes: &[u8]) -> bool {
    bytes.starts_with(b"QPKT")
}

/// The first entry of a list.
fn entry(first: &Value) -> Option<&'static str> {
    if first.get("deposit_data_root").is_some() {
        return Some("a deposit file: quorate verify deposit");
    }
    if first.get("withdrawal_credentials").is_some() && first.get("signature").is_some() {
        return Some("a file of preregistrations: quorate verify preregistration");
    }
    let message = first.get("message")?;
    if message.get("fee_recipient").is_some() {
        Some("a file of builder registrations: quorate verify registration")
    } else if message.get("validator_index").is_some() {
        Some("a list of signed messages; take one exit out of it, without the brackets")
    } else {
        None
    }
}

fn object(value: &Value) -> Option<&'static str> {
    let has = |field: &str| value.get(field).is_some();
    if has("cluster_definition") {
        return Some(LOCK);
    }
    if has("config_hash") && has("operators") {
        return Some(DEFINITION);
    }
    if value.pointer("/crypto/checksum").is_some() {
        return Some("a validator's keystore (EIP-2335): quorate verify keystore");
    }
    if has("Crypto") || value.pointer("/crypto/ciphertext").is_some() {
        return Some("the keystore of an account (version 3), not of a validator (EIP-2335)");
    }
    if value.pointer("/message/validator_index").is_some() {
        return Some("a signed exit: quorate verify exit");
    }
    if has("validator_index") && has("epoch") {
        return Some("an exit without a signature");
    }
    if value.pointer("/metadata/interchange_format_version").is_some() {
        return Some("slashing protection data (EIP-3076): quorate verify protection");
    }
    if has("transcript") && has("certificate") && has("validators") {
        return Some("a transcript as JSON, which proves nothing: audit transcript.quorate");
    }
    if has("shares") && has("version") {
        return Some("key shares for SSV: quorate verify keyshares");
    }
    if has("deposit_data_root") {
        return Some("one deposit; a deposit file is a list, with [ before and ] behind it");
    }
    if value.pointer("/data/validator").is_some() {
        return Some("a beacon node's answer for one validator");
    }
    (has("threshold") && has("operators") && has("validators")).then_some(CEREMONY_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_outline() {
        for (text, what) in [
            ("", "an empty file"),
            (" \n", "an empty file"),
            ("PK\x03\x04", "a compressed file"),
            ("QPKT\0\u{1}", "an operator packet"),
            ("QTRN\0\u{1}", "a transcript"),
            ("<!DOCTYPE html>", "a web page"),
            ("-----BEGIN RSA PRIVATE KEY-----", "a key or certificate"),
            (r#"[{"pubkey":"","deposit_data_root":""}]"#, "a deposit file"),
            (
                r#"[{"pubkey":"","withdrawal_credentials":"","signature":""}]"#,
                "a file of preregistrations",
            ),
            ("\u{feff}[{\"message\":{\"fee_recipient\":\"\"}}]", "a file of builder registrations"),
            (r#"[{"message":{"validator_index":"1"}}]"#, "a list of signed messages"),
            (r#"{"cluster_definition":{}}"#, "a cluster lock"),
            (r#"{"config_hash":"","operators":[]}"#, "a cluster definition"),
            (r#"{"crypto":{"checksum":{}},"version":4}"#, "a validator's keystore"),
            (r#"{"crypto":{"ciphertext":""},"version":3}"#, "the keystore of an account"),
            (r#"{"Crypto":{},"version":3}"#, "the keystore of an account"),
            (r#"{"message":{"validator_index":"1"}}"#, "a signed exit"),
            (r#"{"epoch":"0","validator_index":"1"}"#, "an exit without a signature"),
            (r#"{"version":"v1.1.0","shares":[]}"#, "key shares for SSV"),
            (r#"{"metadata":{"interchange_format_version":"5"}}"#, "slashing protection data"),
            (r#"{"deposit_data_root":""}"#, "one deposit"),
            (r#"{"data":{"validator":{}}}"#, "a beacon node's answer"),
            (r#"{"threshold":3,"operators":[],"validators":[]}"#, "a ceremony file"),
        ] {
            let found = kind(text.as_bytes()).unwrap_or_default();
            assert!(found.starts_with(what), "{text:?}: {found:?}");
        }
        for text in ["[]", "{}", "1", "quorate1xyz", "name = \"x\"", "\u{1}"] {
            assert_eq!(kind(text.as_bytes()), None, "{text:?}");
        }
    }
}
