//! An entry of a deposit file before validation: names and values in order, so that each fault can
//! name its field.

use core::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::deposit_read::Fault;
use crate::ethereum::json::{RawValue, printable};

/// The fields of an entry; all of them, and no others.
const FIELDS: [&str; 9] = [
    "pubkey",
    "withdrawal_credentials",
    "amount",
    "signature",
    "deposit_message_root",
    "deposit_data_root",
    "fork_version",
    "network_name",
    "deposit_cli_version",
];

/// A flat object: at most one name more than there are fields is kept.
pub(super) struct RawEntry(Vec<(String, RawValue)>);

impl RawEntry {
    /// Each of the nine fields exactly once.
    pub(super) fn check_fields(&self) -> Result<(), (&'static str, Fault)> {
        for (i, (name, _)) in self.0.iter().enumerate() {
            let Some(field) = FIELDS.iter().find(|field| *field == name) else {
                return Err(("fields", Fault::UnknownField(printable(name))));
            };
            if self.0[..i].iter().any(|(other, _)| other == name) {
                return Err((field, Fault::Repeated));
            }
        }
        match FIELDS.iter().find(|field| self.value(field).is_none()) {
            Some(field) => Err((field, Fault::Missing)),
            None => Ok(()),
        }
    }

    fn value(&self, field: &str) -> Option<&RawValue> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// The string of `field`.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, Fault> {
        match self.value(field) {
            Some(RawValue::Text(text)) => Ok(text),
            Some(other) => Err(Fault::Type { expected: "a string", found: other.kind() }),
            None => Err(Fault::Missing),
        }
    }

    /// The number of `field`.
    pub(super) fn number(&self, field: &'static str) -> Result<u64, Fault> {
        match self.value(field) {
            Some(RawValue::Number(number)) => Ok(*number),
            Some(other) => Err(Fault::Type { expected: "a whole number", found: other.kind() }),
            None => Err(Fault::Missing),
        }
    }
}

impl<'de> Deserialize<'de> for RawEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;

        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = RawEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawEntry, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    // One too many is enough to be refused, and all that is kept.
                    if fields.len() > FIELDS.len() {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        fields.push((name, map.next_value()?));
                    }
                }
                Ok(RawEntry(fields))
            }
        }

        deserializer.deserialize_map(EntryVisitor)
    }
}
