//! Canonical bytes: their layout, written a second time, and the effect of every change to them.

use proptest::prelude::*;
use quorate::ethereum::address::AddressError;
use quorate::ethereum::deposit::CredentialsError;
use quorate::ethereum::json::JsonError;
use quorate::ethereum::network::NetworkError;
use quorate::ethereum::obol::check::DefinitionError;
use quorate::identity::card::{CardError, NameError};
use quorate::identity::key::KeyError;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Digest, sha256};
use quorate::primitives::x25519::DhKeyError;
use quorate::spec::canonical::{
    FingerprintError, MOST_CANONICAL_BYTES, fingerprint, parse_fingerprint,
};
use quorate::spec::obol::ClusterError;
use quorate::spec::{Ceremony, CeremonyFile, Place, SpecError};
use serde_json::json;

use super::{FEES, FIRST, SECOND, bytes, ceremony, edited, good, operator, with};

fn good_bytes() -> Vec<u8> {
    ceremony(&good()).unwrap().canonical().to_vec()
}

/// Where `needle` stands first.
fn find(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).position(|window| window == needle).unwrap()
}

fn address(text: &str) -> Vec<u8> {
    hex::decode(&text[2..]).unwrap()
}

/// The good bytes, `from` once replaced by `to`.
fn replaced(from: &[u8], to: &[u8]) -> Vec<u8> {
    let good = good_bytes();
    let at = find(&good, from);
    [&good[..at], to, &good[at + from.len()..]].concat()
}

fn patched(at: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = good_bytes();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

/// Bytes, and the reason why they are refused.
pub(crate) fn cases() -> Vec<(Vec<u8>, SpecError)> {
    use SpecError::*;
    let good = good_bytes();
    let key = *operator("carol").key().public().as_bytes();
    let noise = *operator("carol").noise().public().as_bytes();
    let hoodi = find(&good, b"hoodi");
    let (capella, root) = (hoodi + 5 + 4, hoodi + 5 + 4 + 5);
    let time = root + 32;
    let seats = time + 9;
    let (fees, last) = (find(&good, &address(FEES)), find(&good, &address(SECOND)) - 12);
    let card = |source| Card { place: Place::operator(2, "card"), source };
    let mismatch = |field| NetworkMismatch { name: "hoodi".to_owned(), field };
    let over = |what| Layout(DecodeError::Invalid { what, why: "more than a ceremony can have" });
    let operators = u16::to_be_bytes;
    vec![
        (vec![0; MOST_CANONICAL_BYTES + 1], CanonicalTooLarge(MOST_CANONICAL_BYTES + 1)),
        (vec![], Magic),
        (patched(0, b"QSPD"), Magic),
        (b"QSPC\0".to_vec(), Layout(DecodeError::Short { what: "head", missing: 3 })),
        (patched(4, &[0, 3]), CanonicalVersion(3)),
        (patched(6, &[5]), Kind(5)),
        (patched(7, &[16]), Policy(16)),
        (patched(7, &[0x81]), Policy(0x81)),
        (replaced(b"Test cluster", b"Test\tcluster"), Name(NameError::Character { found: '\t' })),
        (
            replaced(b"\0\x0cTest", b"\0\x41Test"),
            Layout(DecodeError::Invalid { what: "name", why: "longer than allowed" }),
        ),
        (
            replaced(b"Test cluster", b"Test\xffcluster"),
            Layout(DecodeError::Invalid { what: "name", why: "not UTF-8" }),
        ),
        (replaced(&bytes("ceremony"), &[0; 32]), IdZero),
        (patched(8 + 14 + 32, &[0; 4]), AttemptZero),
        (patched(hoodi, b"hoodj"), Network(NetworkError::KnownForkVersion("hoodi"))),
        (patched(hoodi + 5, &[0x10, 0, 9, 0x11]), mismatch("the genesis fork version")),
        (patched(capella + 1, &[0x41]), mismatch("the capella fork version")),
        (patched(root, &[0]), mismatch("the genesis validators root")),
        (patched(time + 8, &[0]), mismatch("the genesis time")),
        (patched(seats, &operators(256)), over("operators")),
        (patched(seats + 4, &[0; 8]), PointZero { place: Place::operator(0, "point") }),
        (replaced(&key, &[2; 32]), card(CardError::Key(KeyError::NotOnCurve))),
        (replaced(&key, &[0; 32]), card(CardError::Key(KeyError::SmallOrder))),
        (replaced(&noise, &[0; 32]), card(CardError::Noise(DhKeyError::LowOrder))),
        (replaced(&noise, &[0xff; 32]), card(CardError::Noise(DhKeyError::NotCanonical))),
        (
            replaced(&noise, operator("erin").noise().public().as_bytes()),
            card(CardError::Signature),
        ),
        (replaced(b"\x05carol", b"\x05karol"), card(CardError::Signature)),
        (replaced(b"\x05carol", b"\x05 arol"), card(CardError::Name(NameError::Spaces))),
        (patched(find(&good, &address(FIRST)) - 16, &[0, 0, 0x20, 1]), over("validators")),
        (patched(last, &[0]), {
            Credentials {
                place: Place::validator(2, "withdrawal"),
                source: CredentialsError::Prefix(0),
            }
        }),
        (patched(last + 1, &[1]), {
            Credentials {
                place: Place::validator(2, "withdrawal"),
                source: CredentialsError::Padding,
            }
        }),
        (patched(fees, &[0; 20]), {
            FeeRecipient { place: Place::validator(2, "fee_recipient"), source: AddressError::Zero }
        }),
        (
            patched(fees + 20, &[0; 8]),
            GasLimit { place: Place::validator(2, "gas_limit"), found: 0 },
        ),
        // Presence bytes other than 0 and 1 read as 1, and are seen by encoding again.
        (patched(capella, &[2]), NotCanonical),
        (patched(time, &[0xff]), NotCanonical),
        (patched(fees - 1, &[2]), NotCanonical),
        ([good.as_slice(), &[0]].concat(), Layout(DecodeError::Trailing { extra: 1 })),
        // A cluster that is announced and not there, and one that is none.
        (
            patched(7, &[4]),
            Layout(DecodeError::Short { what: "length of the cluster", missing: 4 }),
        ),
        ([patched(7, &[4]).as_slice(), &[0, 0, 0, 4, 0, 0, b'{', b'}']].concat(), {
            let shape = JsonError::Shape("missing field `creator` at line 1 column 2".to_owned());
            Obol(ClusterError::Definition(DefinitionError::Json(shape)))
        }),
    ]
}

#[test]
fn every_wrong_field() {
    for (position, (bytes, reason)) in cases().into_iter().enumerate() {
        assert_eq!(Ceremony::from_canonical(&bytes).unwrap_err(), reason, "case {position}");
    }
}

/// The layout of chapter "spec", by hand.
#[test]
fn layout() {
    let mut by_hand = b"QSPC\x00\x02\x01\x00\x00\x0cTest cluster".to_vec();
    by_hand.extend(bytes("ceremony"));
    by_hand.extend([0, 0, 0, 1]);
    by_hand.extend(b"\x00\x05hoodi\x10\x00\x09\x10\x01\x40\x00\x09\x10");
    by_hand.extend(
        hex::decode("212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f").unwrap(),
    );
    by_hand.extend([1]);
    by_hand.extend(1_742_213_400_u64.to_be_bytes());
    by_hand.extend([0, 4, 0, 3]);
    for (position, name) in ["alice", "bob", "carol", "dave"].iter().enumerate() {
        let card = operator(name).card();
        by_hand.extend((position as u64 + 1).to_be_bytes());
        by_hand.extend(card.key.as_bytes());
        by_hand.extend(card.noise.as_bytes());
        by_hand.extend(card.mark.unwrap().0);
        by_hand.extend(card.signature());
        by_hand.push(name.len() as u8);
        by_hand.extend(name.as_bytes());
    }
    by_hand.extend([0, 0, 0, 3]);
    for _ in 0..2 {
        by_hand.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        by_hand.extend(address(FIRST));
        by_hand.push(1);
        by_hand.extend(32_000_000_000_u64.to_be_bytes());
        by_hand.push(0);
    }
    by_hand.extend([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    by_hand.extend(address(SECOND));
    by_hand.push(2);
    by_hand.extend(1_000_000_000_u64.to_be_bytes());
    by_hand.extend(32_500_000_000_u64.to_be_bytes());
    by_hand.push(1);
    by_hand.extend(address(FEES));
    by_hand.extend(30_000_000_u64.to_be_bytes());
    let ceremony = ceremony(&good()).unwrap();
    assert_eq!(hex::encode(ceremony.canonical()), hex::encode(&by_hand));
    // TH("spec", bytes), by hand as well.
    let length = |n: usize| (n as u64).to_be_bytes();
    let tag = b"quorate/v1/spec";
    assert_eq!(
        ceremony.digest(),
        Digest(sha256(&[&length(tag.len()), tag, &length(by_hand.len()), &by_hand]))
    );
}

#[test]
fn the_largest_ceremony_fits_its_bound() {
    // More validators than operators can serve (V * n * t), so two files: each list at its longest.
    let amounts = json!([1, 2, 3, 4, 5, 6, 7, 8]);
    let file = edited(with("/validators/1/amounts", amounts), "/validators/1/count", json!(8190));
    let many = ceremony(&file).unwrap();
    assert_eq!(many.v(), 8192);
    assert!(many.canonical().len() < MOST_CANONICAL_BYTES);
    assert_eq!(Ceremony::from_canonical(many.canonical()).unwrap().digest(), many.digest());
}

#[test]
fn every_truncation_is_refused() {
    let good = good_bytes();
    for length in 0..good.len() {
        let error = Ceremony::from_canonical(&good[..length]).unwrap_err();
        assert!(
            matches!(error, SpecError::Magic | SpecError::Layout(DecodeError::Short { .. })),
            "{length}: {error}"
        );
    }
}

#[test]
fn every_changed_byte_is_refused_or_is_another_spec() {
    let good = good_bytes();
    let digest = ceremony(&super::good()).unwrap().digest();
    let mut other_specs = 0;
    for position in 0..good.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = good.clone();
            changed[position] ^= change;
            if let Ok(ceremony) = Ceremony::from_canonical(&changed) {
                assert_eq!(ceremony.canonical(), changed);
                assert_ne!(ceremony.digest(), digest);
                other_specs += 1;
            }
        }
    }
    // Name, id, amounts, addresses and the like have many values; keys and card signatures have no
    // other.
    assert!(other_specs > 200, "{other_specs}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None,
    ..ProptestConfig::default() })]

    #[test]
    fn encoding_and_decoding_are_inverse(
        name in "[!#-&(-Z^_a-~]( ?[!#-&(-Z^_a-~]){0,31}",
        id in any::<[u8; 32]>().prop_filter("an id", |id| *id != [0; 32]),
        attempt in 1_u32..,
        (n, t) in (3_usize..8).prop_flat_map(|n| (Just(n), n / 2 + 1..n.max(n / 2 + 2))),
        gaps in proptest::collection::vec(1_u64..1 << 40, 8),
        amounts in proptest::collection::btree_set(1_000_000_000_u64..=2_048_000_000_000, 1..=8),
        gas_limit in proptest::option::of(5_000_u64..=1_000_000_000),
        count in 1_u64..50,
    ) {
        let mut point = 0;
        let operators: Vec<_> = (0..n).map(|i| {
            point += gaps[i];
            json!({ "card": operator(&format!("op {i}")).card().encode(), "point": point })
        }).collect();
        let text = |gwei: &u64| format!("{}.{:09}", gwei / 1_000_000_000, gwei % 1_000_000_000);
        let mut file = edited(with("/operators", json!(operators)), "/threshold", json!(t));
        file = edited(file, "/name", json!(name));
        file = edited(file, "/id", json!(hex::encode(id)));
        file = edited(file, "/policy", json!({ "allow_all_required": t == n }));
        file = edited(file, "/validators/0/count", json!(count));
        file = edited(file, "/validators/1/amounts",
        json!(amounts.iter().map(text).collect::<Vec<_>>()));
        if attempt > 1 {
            file = edited(edited(file, "/attempt", json!(attempt)), "/supersedes",
            json!(hex::encode([7; 32])));
        }
        if let Some(gas_limit) = gas_limit {
            file = edited(file, "/validators/1/gas_limit", json!(gas_limit));
        }
        let ceremony = ceremony(&file).unwrap();
        prop_assert_eq!(&ceremony.validators()[ceremony.v() - 1].amounts,
        &amounts.into_iter().collect::<Vec<_>>());
        let again = Ceremony::from_canonical(ceremony.canonical()).unwrap();
        prop_assert_eq!(again.canonical(), ceremony.canonical());
        prop_assert_eq!(again.digest(), ceremony.digest());
        prop_assert_eq!(again.validators(), ceremony.validators());
        let file = CeremonyFile::parse_toml(&CeremonyFile::from(&ceremony).to_toml());
        // TOML's integers end at 2^63 - 1; no point here is larger.
        prop_assert_eq!(Ceremony::try_from(file.unwrap()).unwrap().digest(), ceremony.digest());
    }

    #[test]
    fn no_bytes_panic(noise in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..1000,
    keep in any::<bool>()) {
        let good = good_bytes();
        let at = at.min(good.len());
        let tail = if keep { good.get(at + noise.len()..).unwrap_or_default() } else { &[] };
        let bytes = [&good[..at], &noise, tail].concat();
        if let Ok(ceremony) = Ceremony::from_canonical(&bytes) {
            prop_assert_eq!(ceremony.canonical(), bytes);
        }
    }
}

#[test]
fn fingerprints() {
    // The first twelve words of the mnemonics of 24 words among BIP-39's test vectors: all of their
    // bits are entropy.
    for (byte, words) in [
        (
            0x00,
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
             abandon abandon",
        ),
        (0x7f, "legal winner thank year wave sausage worth useful legal winner thank year"),
        (0x80, "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd"),
        (0xff, "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo"),
    ] {
        assert_eq!(fingerprint(&Digest([byte; 32])).join(" "), words);
    }
    let words = fingerprint(&ceremony(&good()).unwrap().digest());
    for text in [
        words.join(" "),
        words.join("-").to_uppercase(),
        format!("  {}\r\n", words.join(" \t\n")),
        words.join(", "),
    ] {
        assert_eq!(parse_fingerprint(&text).as_ref(), Ok(&words), "{text:?}");
    }
    assert_eq!(parse_fingerprint(&words[..7].join(" ")), Err(FingerprintError::Count(7)));
    assert_eq!(parse_fingerprint(""), Err(FingerprintError::Count(0)));
    assert_eq!(parse_fingerprint(&"zoo ".repeat(1_000_000)), Err(FingerprintError::Count(1000)));
    let wrong = FingerprintError::Word { position: 2, word: "quorate".to_owned() };
    assert_eq!(
        parse_fingerprint("zoo quorate zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo"),
        Err(wrong)
    );
}
