//! Strict JSON for the files of Ethereum's tools: a size bound, no unknown or repeated fields,
//! strict hexadecimal.

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny,
    MapAccess, SeqAccess, Visitor,
};
use serde::{Serialize, Serializer};

/// Longest part of a parser's message that is passed on: it may quote the file.
const LONGEST_MESSAGE: usize = 200;

/// Why a file is not the JSON that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, a field missing, repeated or unknown, or a value of another type.
    #[error("{0}")]
    Shape(String),
    /// Larger than such a file can be.
    #[error("{length} bytes; the limit for such a file is {limit}")]
    TooLong {
        /// Its size.
        length: usize,
        /// The bound.
        limit: usize,
    },
    /// More entries in the list than it can have.
    #[error("more than {0} entries")]
    TooMany(usize),
    /// Another encoding than UTF-8, the only one of JSON between systems (RFC 8259 section 8.1).
    #[error("UTF-16 text; save the file as UTF-8")]
    Utf16,
}

/// Why a text is not the hexadecimal that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// Something else than `0-9a-f`.
    #[error("something other than lower-case hexadecimal digits")]
    Digit,
    /// Another number of digits.
    #[error("{found} characters instead of {expected}")]
    Length {
        /// How many digits there must be.
        expected: usize,
        /// How many bytes there are.
        found: usize,
    },
    /// `0x` in a format that has none.
    #[error("starts with 0x, which this format does not use")]
    Prefixed,
    /// No `0x` in a format that has it.
    #[error("does not start with 0x")]
    Unprefixed,
}

/// The JSON text in a file of at most `limit` bytes. A byte order mark in front, which some editors
/// add, says nothing and is left out (RFC 8259 section 8.1).
fn text(bytes: &[u8], limit: usize) -> Result<&[u8], JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLong { length: bytes.len(), limit });
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(JsonError::Utf16);
    }
    Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// Reads at most `limit` bytes of JSON as a `T`, which stands as an object. `T` must refuse unknown
/// fields, and say of every object and list in it how it is read: [`object`], [`objects`], [`few`].
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, JsonError> {
    let read = serde_json::from_slice(text(bytes, limit)?).map(|Object(read)| read);
    read.map_err(|error| JsonError::Shape(printable(&error.to_string())))
}

/// As [`parse`], of what may be an object or a list: `T` says what it takes.
pub(crate) fn parse_either<T: DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, JsonError> {
    let read = serde_json::from_slice(text(bytes, limit)?);
    read.map_err(|error| JsonError::Shape(printable(&error.to_string())))
}

/// Most names of unknown fields that are told.
const MOST_TOLD: usize = 8;

/// As [`parse`], of a file of others that may have fields which `T` does not know: with the paths
/// of the first [`MOST_TOLD`] of these.
pub(crate) fn parse_known<T: DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<(T, Vec<String>), JsonError> {
    let mut unknown = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(text(bytes, limit)?);
    let read = serde_ignored::deserialize(&mut reader, |path| {
        if unknown.len() < MOST_TOLD {
            unknown.push(printable(&path.to_string()));
        }
    });
    let read = read.and_then(|Object(read)| reader.end().map(|()| read));
    Ok((read.map_err(|error| JsonError::Shape(printable(&error.to_string())))?, unknown))
}

/// As [`parse`], of a format without arrays: a list in the place of an object would otherwise be
/// read as its fields, in order.
pub(crate) fn parse_without_arrays<T: DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, JsonError> {
    if bytes.len() <= limit && bytes.contains(&b'[') {
        return Err(JsonError::Shape(
            "an array, or a [ in a string; this format has neither".to_owned(),
        ));
    }
    parse(bytes, limit)
}

/// Reads at most `limit` bytes of JSON as a list of at most `most` entries. Reading stops at the
/// first entry too many, so short entries cannot ask for more memory than the file is long.
pub(crate) fn parse_list<T: DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
    most: usize,
) -> Result<Vec<T>, JsonError> {
    let bytes = text(bytes, limit)?;
    let mut too_many = false;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let list = List { most, too_many: &mut too_many, entry: PhantomData };
    let read = list.deserialize(&mut reader).and_then(|entries| reader.end().map(|()| entries));
    read.map_err(|error| {
        if too_many {
            JsonError::TooMany(most)
        } else {
            JsonError::Shape(printable(&error.to_string()))
        }
    })
}

/// A list of a bounded number of entries, in the making.
struct List<'a, T> {
    most: usize,
    too_many: &'a mut bool,
    entry: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for List<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for List<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element()? {
            if entries.len() == self.most {
                *self.too_many = true;
                return Err(A::Error::custom("too many entries"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// A `T` that stands as an object: derived readers would take an array of its values in order as
/// well.
pub(crate) struct Object<T>(pub(crate) T);

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// For a field (`deserialize_with`): a `T` that stands as an object.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// As [`object`], or `null`.
pub(crate) fn object_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let read = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(read.map(|Object(value)| value))
}

/// For a field: a list of objects, kept as by [`few`].
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    few::<D, Object<T>, MOST>(deserializer)
        .map(|entries| entries.into_iter().map(|Object(value)| value).collect())
}

/// For a field: a list, of which one entry more than `MOST` is kept. So whoever counts them sees
/// that there are too many, and short entries cannot ask for more memory than the file is long.
pub(crate) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Few::<T, MOST>::deserialize(deserializer).map(|Few(entries)| entries)
}

/// As [`few`], or `null`.
pub(crate) fn few_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Option::<Few<T, MOST>>::deserialize(deserializer).map(|list| list.map(|Few(entries)| entries))
}

struct Few<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FewVisitor<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for FewVisitor<T, MOST> {
            type Value = Few<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Few<T, MOST>, A::Error> {
                let mut entries = Vec::new();
                while entries.len() <= MOST {
                    match seq.next_element()? {
                        Some(entry) => entries.push(entry),
                        None => return Ok(Few(entries)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Few(entries))
            }
        }

        deserializer.deserialize_seq(FewVisitor(PhantomData))
    }
}

/// A value, of which only texts and whole numbers are kept: so that a wrong type can be told by its
/// field.
pub(crate) enum RawValue {
    Number(u64),
    Other(&'static str),
    Text(String),
}

impl RawValue {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a whole number",
            Self::Other(kind) => kind,
            Self::Text(_) => "a string",
        }
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = RawValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<RawValue, E> {
                Ok(RawValue::Other("true or false"))
            }

            fn visit_f64<E>(self, _: f64) -> Result<RawValue, E> {
                Ok(RawValue::Other("a number with a fraction or exponent"))
            }

            fn visit_i64<E>(self, _: i64) -> Result<RawValue, E> {
                Ok(RawValue::Other("a negative number"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(RawValue::Other("an object"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawValue, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(RawValue::Other("an array"))
            }

            fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
                Ok(RawValue::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<RawValue, E> {
                Ok(RawValue::Text(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<RawValue, E> {
                Ok(RawValue::Number(number))
            }

            fn visit_unit<E>(self) -> Result<RawValue, E> {
                Ok(RawValue::Other("null"))
            }
        }

        deserializer.deserialize_any(ValueVisitor)
    }
}

/// A decimal number as the beacon API writes it: a string without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

/// `text` made safe to print: cut, and without control or invisible characters.
pub(crate) fn printable(text: &str) -> String {
    let safe = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    text.chars().take(LONGEST_MESSAGE).map(|c| if safe(c) { c } else { '?' }).collect()
}

/// Exactly `N` bytes as lower-case digits without a prefix.
pub(crate) fn bare_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.starts_with("0x") {
        return Err(HexError::Prefixed);
    }
    digits(text)
}

/// Exactly `N` bytes as `0x` and lower-case digits.
pub(crate) fn prefixed_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    digits(text.strip_prefix("0x").ok_or(HexError::Unprefixed)?)
}

/// Exactly `N` bytes as digits of either case, with or without `0x`: as others write them.
pub(crate) fn any_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    digits(&text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase())
}

fn digits<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.len() != 2 * N {
        return Err(HexError::Length { expected: 2 * N, found: text.len() });
    }
    let mut bytes = [0; N];
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(HexError::Digit);
    }
    hex::decode_to_slice(text, &mut bytes).map_err(|_| HexError::Digit)?;
    Ok(bytes)
}
