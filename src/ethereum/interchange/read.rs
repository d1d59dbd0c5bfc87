//! Reads an interchange: strict in every value, with memory for the keys and not for their history.

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::{
    FORMAT_VERSION, Interchange, InterchangeError, Key, MOST_BYTES, MOST_ENTRIES, Remark, Signed,
    Vote, Why,
};
use crate::ethereum::json::{self, Object, RawValue, any_hex, decimal, printable};
use crate::primitives::curve::G1;

/// Most remarks of one kind that are kept.
const MOST_REMARKS: usize = 8;

#[derive(serde::Deserialize)]
struct File {
    #[serde(deserialize_with = "json::object")]
    metadata: Metadata,
    #[serde(deserialize_with = "json::objects::<_, _, MOST_ENTRIES>")]
    data: Vec<Entry>,
}

#[derive(serde::Deserialize)]
struct Metadata {
    interchange_format_version: Option<RawValue>,
    genesis_validators_root: Option<RawValue>,
}

#[derive(serde::Deserialize)]
struct Entry {
    pubkey: Option<RawValue>,
    #[serde(default)]
    signed_blocks: Option<Folded<Block>>,
    #[serde(default)]
    signed_attestations: Option<Folded<Attestation>>,
}

#[derive(serde::Deserialize)]
struct Block {
    slot: Option<RawValue>,
    signing_root: Option<RawValue>,
}

#[derive(serde::Deserialize)]
struct Attestation {
    source_epoch: Option<RawValue>,
    target_epoch: Option<RawValue>,
    signing_root: Option<RawValue>,
}

/// An element of a list, as far as it counts.
trait Element: for<'de> Deserialize<'de> {
    /// What it says, or the field that is wrong; and whether its source is above its target.
    fn signed(&self) -> Result<(Signed, bool), (&'static str, Why)>;
}

impl Element for Block {
    fn signed(&self) -> Result<(Signed, bool), (&'static str, Why)> {
        check_root(self.signing_root.as_ref())?;
        Ok((Signed { slot: Some(number("slot", self.slot.as_ref())?), vote: None }, false))
    }
}

impl Element for Attestation {
    fn signed(&self) -> Result<(Signed, bool), (&'static str, Why)> {
        check_root(self.signing_root.as_ref())?;
        let source = number("source_epoch", self.source_epoch.as_ref())?;
        let target = number("target_epoch", self.target_epoch.as_ref())?;
        Ok((Signed { slot: None, vote: Some(Vote { source, target }) }, source > target))
    }
}

fn text(value: Option<&RawValue>) -> Result<&str, Why> {
    match value {
        Some(RawValue::Text(text)) => Ok(text),
        Some(other) => Err(Why::Type(other.kind())),
        None => Err(Why::Missing),
    }
}

fn number(field: &'static str, value: Option<&RawValue>) -> Result<u64, (&'static str, Why)> {
    text(value).and_then(|text| decimal(text).ok_or(Why::Decimal)).map_err(|why| (field, why))
}

/// A root is optional, and says nothing here; but where one is, it is one.
fn check_root(value: Option<&RawValue>) -> Result<(), (&'static str, Why)> {
    if value.is_none() {
        return Ok(());
    }
    text(value)
        .and_then(|text| any_hex::<32>(text).map_err(Why::Hex))
        .map(drop)
        .map_err(|why| ("signing_root", why))
}

/// A list, of which the greatest values are kept, and the first thing that is wrong.
struct Folded<T> {
    signed: Signed,
    above: bool,
    fault: Option<(usize, &'static str, Why)>,
    of: PhantomData<T>,
}

impl<'de, T: Element> Deserialize<'de> for Folded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Fold(PhantomData))
    }
}

struct Fold<T>(PhantomData<T>);

impl<'de, T: Element> Visitor<'de> for Fold<T> {
    type Value = Folded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Folded<T>, A::Error> {
        let mut folded =
            Folded { signed: Signed::default(), above: false, fault: None, of: PhantomData };
        let mut count = 0;
        while let Some(Object(element)) = seq.next_element::<Object<T>>()? {
            count += 1;
            match element.signed() {
                Ok((signed, above)) => {
                    folded.signed = folded.signed.join(signed);
                    folded.above |= above;
                }
                Err((field, why)) => {
                    folded.fault.get_or_insert((count, field, why));
                }
            }
        }
        Ok(folded)
    }
}

impl Interchange {
    /// Reads a file of the network with this `genesis_validators_root`, and tells what is unusual
    /// in it. The shapes of full histories and of greatest values are the same.
    pub fn parse(
        bytes: &[u8],
        genesis_validators_root: &[u8; 32],
    ) -> Result<(Self, Vec<Remark>), InterchangeError> {
        let (File { metadata, data }, unknown) = json::parse_known(bytes, MOST_BYTES)?;
        let field = |field, why| InterchangeError::Field { place: String::new(), field, why };
        let version = text(metadata.interchange_format_version.as_ref())
            .map_err(|why| field("interchange_format_version", why))?;
        if version != FORMAT_VERSION {
            return Err(InterchangeError::Version(printable(version)));
        }
        let found = text(metadata.genesis_validators_root.as_ref())
            .and_then(|text| any_hex::<32>(text).map_err(Why::Hex))
            .map_err(|why| field("genesis_validators_root", why))?;
        if found != *genesis_validators_root {
            return Err(InterchangeError::Root { expected: *genesis_validators_root, found });
        }
        if data.len() > MOST_ENTRIES {
            return Err(InterchangeError::TooMany);
        }
        let mut all = Self::empty(found);
        let mut seen = BTreeSet::new();
        let mut remarks = Remarks::default();
        for (entry, raw) in (1..).zip(&data) {
            let key = key(entry, raw)?;
            let blocks = list(entry, key, "signed_blocks", &raw.signed_blocks, &mut remarks)?;
            let votes =
                list(entry, key, "signed_attestations", &raw.signed_attestations, &mut remarks)?;
            if !seen.insert(key) {
                remarks.add(0, Remark::Joined(key));
            }
            all.add(key, blocks.join(votes));
        }
        let mut remarks = remarks.all;
        // An optional list adds a mark of its own to the path.
        let path = |path: String| Remark::Unknown(path.replace(".?", ""));
        remarks.extend(unknown.into_iter().map(path));
        Ok((all, remarks))
    }
}

/// The first remarks of each kind.
#[derive(Default)]
struct Remarks {
    all: Vec<Remark>,
    counts: [usize; 3],
}

impl Remarks {
    fn add(&mut self, kind: usize, remark: Remark) {
        self.counts[kind] += 1;
        if self.counts[kind] <= MOST_REMARKS {
            self.all.push(remark);
        }
    }
}

fn key(entry: usize, raw: &Entry) -> Result<Key, InterchangeError> {
    let key = text(raw.pubkey.as_ref()).and_then(|text| any_hex(text).map_err(Why::Hex));
    let place = || format!("entry {entry}, ");
    let key: Key =
        key.map_err(|why| InterchangeError::Field { place: place(), field: "pubkey", why })?;
    G1::from_compressed(&key).map_err(|source| InterchangeError::Curve { entry, source })?;
    Ok(key)
}

fn list<T>(
    entry: usize,
    key: Key,
    list: &'static str,
    folded: &Option<Folded<T>>,
    remarks: &mut Remarks,
) -> Result<Signed, InterchangeError> {
    let Some(folded) = folded else {
        remarks.add(1, Remark::Lacks { key, field: list });
        return Ok(Signed::default());
    };
    if let Some((number, field, why)) = folded.fault {
        return Err(InterchangeError::Element { entry, list, number, field, why });
    }
    if folded.above {
        remarks.add(2, Remark::SourceAboveTarget(key));
    }
    Ok(folded.signed)
}
