//! What a server's JetStream answers, as JSON. Fields that are of no use here are passed over: they
//! differ from version to version.

use core::fmt;

use base64ct::{Base64, Encoding as _};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Subjects of a listing that are kept.
const MOST_SUBJECTS: usize = 1 << 17;

/// An answer, of whatever kind.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) error: Option<ApiError>,
    /// How many subjects there are, in all pages.
    #[serde(default)]
    pub(super) total: u64,
    #[serde(default)]
    pub(super) state: Option<State>,
}

/// Why something was not done.
#[derive(Debug, Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) err_code: u64,
    #[serde(default)]
    pub(super) description: String,
}

/// What a stream holds.
#[derive(Debug, Deserialize)]
pub(super) struct State {
    #[serde(default)]
    pub(super) subjects: Subjects,
}

/// The names of an object, whatever stands behind them.
#[derive(Debug, Default)]
pub(super) struct Subjects(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Subjects {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Subjects;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of subjects")
            }

            fn visit_unit<E>(self) -> Result<Subjects, E> {
                Ok(Subjects::default())
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Subjects, M::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                    if names.len() < MOST_SUBJECTS {
                        names.push(name);
                    }
                }
                Ok(Subjects(names))
            }
        }
        from.deserialize_any(Names)
    }
}

#[derive(Deserialize)]
struct Kept {
    message: Stored,
}

#[derive(Deserialize)]
struct Stored {
    subject: String,
    #[serde(default)]
    data: String,
}

/// Reads an answer; `None` if it is none.
pub(super) fn parse(bytes: &[u8]) -> Option<Answer> {
    serde_json::from_slice(bytes).ok()
}

/// The message in an answer, if it is of this subject.
pub(super) fn message(bytes: &[u8], subject: &str) -> Option<Vec<u8>> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    let right = kept.message.subject == subject;
    Base64::decode_vec(&kept.message.data).ok().filter(|_| right)
}

/// For a fuzz target: reads whatever a server may answer.
pub fn subjects(bytes: &[u8]) -> usize {
    let found = message(bytes, "").map_or(0, |bytes| bytes.len());
    let listed = parse(bytes).and_then(|answer| answer.state);
    found + listed.map_or(0, |state| state.subjects.0.len())
}
