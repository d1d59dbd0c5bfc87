//! `operators_info.json`: operators with their numbers, RSA keys and addresses, in the format of
//! SSV's tools.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::rsa::{RsaKeyError, RsaPublic};
use crate::ethereum::json::{self, JsonError, Object, RawValue};

/// Most bytes of a file.
const LARGEST: usize = 8 << 20;
/// Most operators in a file: more than there are.
const MOST: usize = 8192;

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorInfo {
    /// Its number on chain; never 0.
    pub id: u64,
    /// Its RSA key.
    pub key: RsaPublic,
}

/// Why a list of operators is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorsInfoError {
    /// A number that occurs before.
    #[error("entry {entry}, id: operator {id} occurs more than once")]
    Duplicate {
        /// Which, counted from 1.
        entry: usize,
        /// The number.
        id: u64,
    },
    /// Not a positive number.
    #[error("entry {0}, id: not a whole number above 0")]
    Id(usize),
    /// Not a list of operators.
    #[error("not a list of operators: {0}")]
    Json(#[from] JsonError),
    /// Not a key.
    #[error("entry {entry}, public_key: {error}")]
    Key {
        /// Which, counted from 1.
        entry: usize,
        /// Why.
        error: RsaKeyError,
    },
    /// Not a text.
    #[error("entry {0}, public_key: not a string")]
    KeyType(usize),
}

/// Fields that are not used here, such as `ip`, are those of other programs.
#[derive(Deserialize)]
struct Entry {
    id: RawValue,
    public_key: RawValue,
}

/// Reads the list. Where the operators are reached is for their own tools, and not read; every key
/// is.
pub fn parse_operators_info(bytes: &[u8]) -> Result<Vec<OperatorInfo>, OperatorsInfoError> {
    let raw: Vec<Object<Entry>> = json::parse_list(bytes, LARGEST, MOST)?;
    let mut seen = BTreeSet::new();
    let mut operators = Vec::with_capacity(raw.len());
    for (entry, Object(raw)) in (1..).zip(raw) {
        let RawValue::Number(id @ 1..) = raw.id else { return Err(OperatorsInfoError::Id(entry)) };
        let RawValue::Text(text) = raw.public_key else {
            return Err(OperatorsInfoError::KeyType(entry));
        };
        let key =
            RsaPublic::parse(&text).map_err(|error| OperatorsInfoError::Key { entry, error })?;
        if !seen.insert(id) {
            return Err(OperatorsInfoError::Duplicate { entry, id });
        }
        operators.push(OperatorInfo { id, key });
    }
    Ok(operators)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lists_are_read_strictly() {
        let mut modulus = [0x77; 256];
        (modulus[0], modulus[255]) = (0x81, 0x03);
        let key = RsaPublic::from_modulus(modulus).unwrap();
        let entry = |id: &str| {
            format!(
                r#"{{"id":{id},"public_key":"{}","ip":"https://localhost:3030"}}"#,
                key.to_text()
            )
        };
        let read = |text: &str| parse_operators_info(text.as_bytes());
        let both = read(&format!("[{},{}]", entry("22"), entry("11"))).unwrap();
        assert_eq!(both.iter().map(|o| o.id).collect::<Vec<_>>(), [22, 11]);
        assert_eq!(both[0].key, key);
        assert_eq!(
            read(&format!("[{},{}]", entry("7"), entry("7"))),
            Err(OperatorsInfoError::Duplicate { entry: 2, id: 7 })
        );
        for id in ["0", "-1", "\"7\"", "1.5"] {
            assert_eq!(read(&format!("[{}]", entry(id))), Err(OperatorsInfoError::Id(1)), "{id}");
        }
        assert_eq!(read(r#"[{"id":1,"public_key":3}]"#), Err(OperatorsInfoError::KeyType(1)));
        assert_eq!(
            read(r#"[{"id":1,"public_key":"QQ=="}]"#),
            Err(OperatorsInfoError::Key { entry: 1, error: RsaKeyError::Length(4) })
        );
        for text in ["{}", r#"[[1,"QQ=="]]"#, r#"[{"id":1}]"#, "[] []"] {
            assert!(matches!(read(text), Err(OperatorsInfoError::Json(_))), "{text}");
        }
    }
}
