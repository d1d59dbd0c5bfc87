//! Names, operator cards, and an operator's secret keys.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use bech32::{Bech32, Bech32m, Hrp};
use proptest::prelude::*;
use quorate::identity::card::{CardError, LONGEST_CARD, NameError};
use quorate::identity::key::{BadSignature, KeyError};
use quorate::identity::operator::OperatorError;
use quorate::identity::{InstallMark, Operator, OperatorCard, OperatorName};
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Tag, tagged};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::primitives::x25519::DhKeyError;

fn operator(name: &str) -> Operator {
    let entropy = tagged(Tag::BatchSeed, &[b"test", name.as_bytes()]).0;
    Operator::generate(OperatorName::parse(name).unwrap(), Secret32::new(&mut { entropy }))
}

/// The bytes of a card.
fn payload(card: &OperatorCard) -> Vec<u8> {
    bech32::decode(&card.encode()).unwrap().1
}

fn line(bytes: &[u8]) -> String {
    bech32::encode_lower::<Bech32m>(Hrp::parse("quorate").unwrap(), bytes).unwrap()
}

#[test]
fn names() {
    for good in ["a", "Alice", "Alice & Bob (DE) <x>", "~", &"a".repeat(32)] {
        assert_eq!(OperatorName::parse(good).map(|name| name.to_string()).as_deref(), Ok(good));
    }
    use NameError::*;
    for (text, reason) in [
        ("", Empty),
        (&"a".repeat(33), TooLong { most: 32 }),
        (" a", Spaces),
        ("a ", Spaces),
        (" ", Spaces),
        ("a  b", Spaces),
        ("a\tb", Character { found: '\t' }),
        ("a\0", Character { found: '\0' }),
        ("\u{7f}", Character { found: '\u{7f}' }),
        ("\u{9b}31m", Character { found: '\u{9b}' }),
        ("\u{1b}]0;x\u{7}", Character { found: '\u{1b}' }),
        ("a\u{a0}b", Character { found: '\u{a0}' }),
        ("a\u{200d}b", Character { found: '\u{200d}' }),
        ("\u{2066}a", Character { found: '\u{2066}' }),
        ("\u{3164}", Character { found: '\u{3164}' }),
        ("J\u{fc}rgen", Character { found: '\u{fc}' }),
    ] {
        let error = OperatorName::parse(text).unwrap_err();
        assert_eq!(error, reason, "{text:?}");
        assert!(error.to_string().bytes().all(|b| (b' '..=b'~').contains(&b)));
    }
}

/// The short form of a key is its beginning; that of a card is of everything in it.
#[test]
fn short_forms() {
    let alice = operator("alice");
    let card = alice.card();
    let key = card.key.to_string();
    assert_eq!(card.key.short().to_string().replace('-', ""), key[..20]);
    let digest = tagged(Tag::Card, &[&payload(&card)]).to_string();
    assert_eq!(card.short().to_string().replace('-', ""), digest[..20]);
    assert_eq!(OperatorCard::parse(&card.encode()).unwrap().short(), card.short());
    // Another directory, an earlier version, another operator of the same name.
    let elsewhere = alice.with_mark(Some(InstallMark([7; 32])));
    let without = operator("alice").with_mark(None).card();
    let entropy = Secret32::new(&mut [9; 32]);
    let other = Operator::generate(card.name.clone(), entropy).card();
    for another in [elsewhere.card(), without, other] {
        assert_ne!(another.short(), card.short());
    }
}

#[test]
fn a_card_is_read_as_it_was_written() {
    for name in ["a", "alice", &"z".repeat(32)] {
        let operator = operator(name);
        let card = operator.card();
        let text = card.encode();
        assert!(text.starts_with("quorate1") && text.len() <= LONGEST_CARD);
        assert_eq!(OperatorCard::parse(&text), Ok(card.clone()));
        assert_eq!(
            (card.name.as_str(), card.key, card.noise),
            (name, operator.key().public(), operator.noise().public())
        );
    }
    assert_eq!(operator(&"z".repeat(32)).card().encode().len(), LONGEST_CARD);
}

/// A card without a mark is of version 1; none is made of the other by leaving the mark out.
#[test]
fn a_card_without_an_install_mark_is_of_version_1() {
    let with = operator("alice").card();
    let without = operator("alice").with_mark(None).card();
    assert_eq!((with.version(), without.version()), (2, 1));
    assert_eq!(OperatorCard::parse(&without.encode()), Ok(without.clone()));
    assert_ne!(with.signature(), without.signature());
    let taken =
        OperatorCard::from_parts(with.name.clone(), with.key, with.noise, None, *with.signature());
    assert_eq!(taken, Err(CardError::Signature));
    let given = OperatorCard::from_parts(
        without.name.clone(),
        without.key,
        without.noise,
        with.mark,
        *without.signature(),
    );
    assert_eq!(given, Err(CardError::Signature));
    // What is sealed has no mark, and the mark follows from none of it.
    let restored = Operator::from_secret_bytes(&operator("alice").to_secret_bytes()).unwrap();
    assert_eq!(restored.mark(), None);
    assert_eq!(restored.card(), without);
}

#[test]
fn refused_spellings() {
    let card = operator("bob").card();
    let text = card.encode();
    let bytes = payload(&card);
    let bitcoin = bech32::encode_lower::<Bech32m>(Hrp::parse("bc").unwrap(), &bytes).unwrap();
    let older = bech32::encode_lower::<Bech32>(Hrp::parse("quorate").unwrap(), &bytes).unwrap();
    let mixed = text.replacen('q', "Q", 1);
    // 165 bytes are 264 letters exactly: one letter more, of zero bits, decodes to the same bytes.
    let padded = {
        let letters: Vec<_> =
            text[8..text.len() - 6].chars().map(|c| bech32::Fe32::from_char(c).unwrap()).collect();
        assert_eq!((bytes.len(), letters.len()), (165, 264));
        use bech32::primitives::iter::Fe32IterExt;
        let hrp = Hrp::parse("quorate").unwrap();
        letters
            .into_iter()
            .chain([bech32::Fe32::Q])
            .with_checksum::<Bech32m>(&hrp)
            .chars()
            .collect::<String>()
    };
    for (tried, text, reason) in [
        ("nothing", String::new(), CardError::NotBech32m),
        (
            "an address",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_owned(),
            CardError::NotBech32m,
        ),
        ("spaces", format!(" {text}"), CardError::NotBech32m),
        ("other letters", format!("{}b", &text[..text.len() - 1]), CardError::NotBech32m),
        ("not ASCII", text.replacen("quorate", "qu\u{43e}rate", 1), CardError::NotBech32m),
        ("mixed case", mixed, CardError::NotBech32m),
        ("upper case", text.to_uppercase(), CardError::NotCanonical),
        ("a letter too many", padded, CardError::NotCanonical),
        ("cut", text[..text.len() - 1].to_owned(), CardError::Checksum),
        ("bech32, not bech32m", older, CardError::Checksum),
        ("another prefix", bitcoin, CardError::Prefix),
        ("too long", "q".repeat(LONGEST_CARD + 1), CardError::TooLong { found: LONGEST_CARD + 1 }),
        ("a megabyte", "q".repeat(1 << 20), CardError::TooLong { found: 1 << 20 }),
    ] {
        assert_eq!(OperatorCard::parse(&text), Err(reason), "{tried}");
    }
}

#[test]
fn one_mistyped_letter_is_always_found() {
    let text = operator("alice").card().encode();
    for position in 8..text.len() {
        for letter in ["q", "p", "z", "7"] {
            let mut typed = text.clone();
            typed.replace_range(position..=position, letter);
            if typed != text {
                assert_eq!(OperatorCard::parse(&typed), Err(CardError::Checksum), "{position}");
            }
        }
    }
}

#[test]
fn refused_contents() {
    let (alice, bob) = (operator("alice").card(), operator("bob").card());
    let bytes = payload(&alice);
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        line(&bytes)
    };
    let short = |what, missing| CardError::Layout(DecodeError::Short { what, missing });
    for (tried, text, reason) in [
        ("no bytes", line(&[]), short("version", 1)),
        ("another version", changed(0, &[3]), CardError::Version(3)),
        ("version 0", changed(0, &[0]), CardError::Version(0)),
        ("no point", changed(1, &[2; 32]), CardError::Key(KeyError::NotOnCurve)),
        ("key of small order", changed(1, &[0; 32]), CardError::Key(KeyError::SmallOrder)),
        ("key at p", changed(1, &[&[0xed_u8] as &[u8], &[0xff; 30], &[0x7f]].concat()), {
            CardError::Key(KeyError::NotCanonical)
        }),
        ("low-order Noise static", changed(33, &[0; 32]), CardError::Noise(DhKeyError::LowOrder)),
        (
            "Noise static at 2^256",
            changed(33, &[0xff; 32]),
            CardError::Noise(DhKeyError::NotCanonical),
        ),
        ("another's Noise static", changed(33, bob.noise.as_bytes()), CardError::Signature),
        ("another's key", changed(1, bob.key.as_bytes()), CardError::Signature),
        ("another's card signature", changed(97, bob.signature()), CardError::Signature),
        ("another's install mark", changed(65, &bob.mark.unwrap().0), CardError::Signature),
        ("another name", changed(162, b"alicf"), CardError::Signature),
        ("name with a space", changed(162, b" lice"), CardError::Name(NameError::Spaces)),
        ("name not UTF-8", changed(162, &[0xff]), {
            CardError::Layout(DecodeError::Invalid { what: "name", why: "not UTF-8" })
        }),
        ("shorter name", changed(161, &[4]), CardError::Layout(DecodeError::Trailing { extra: 1 })),
        ("longer name", changed(161, &[6]), short("name", 1)),
        ("no name", line(&[&bytes[..161], &[0]].concat()), CardError::Name(NameError::Empty)),
        ("cut in the certificate", line(&bytes[..100]), short("card signature", 61)),
        (
            "a byte more",
            line(&[&bytes[..], &[0]].concat()),
            CardError::Layout(DecodeError::Trailing { extra: 1 }),
        ),
    ] {
        assert_eq!(OperatorCard::parse(&text), Err(reason), "{tried}");
    }
}

#[test]
fn secrets_come_back() {
    let first = operator("alice");
    let bytes = first.to_secret_bytes();
    assert_eq!(bytes.expose().len(), 4 + 2 + 96 + 2 + 5);
    let again = Operator::from_secret_bytes(&bytes).unwrap();
    assert_eq!(again.with_mark(first.mark()).card(), first.card());
    let again = Operator::from_secret_bytes(&bytes).unwrap();
    assert_eq!(again.storage_key().expose(), first.storage_key().expose());
    assert_eq!(again.to_secret_bytes().expose(), bytes.expose());
}

#[test]
fn refused_secrets() {
    let good = operator("alice").to_secret_bytes().expose().to_vec();
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let short = |what, missing| OperatorError::Layout(DecodeError::Short { what, missing });
    for (tried, bytes, reason) in [
        ("nothing", vec![], OperatorError::Magic),
        ("something else", changed(0, b"QSPC"), OperatorError::Magic),
        ("another version", changed(4, &[0, 2]), OperatorError::Version(2)),
        ("cut", good[..good.len() - 1].to_vec(), short("name", 1)),
        ("cut in a key", good[..40].to_vec(), short("Noise secret", 30)),
        (
            "a byte more",
            [&good[..], &[0]].concat(),
            OperatorError::Layout(DecodeError::Trailing { extra: 1 }),
        ),
        ("long name", changed(102, &[0, 33]), {
            OperatorError::Layout(DecodeError::Invalid { what: "name", why: "longer than allowed" })
        }),
        (
            "escape in the name",
            changed(104, &[0x1b]),
            OperatorError::Name(NameError::Character { found: '\u{1b}' }),
        ),
    ] {
        assert_eq!(
            Operator::from_secret_bytes(&SecretBytes::new(bytes)).err(),
            Some(reason),
            "{tried}"
        );
    }
}

#[test]
fn the_three_secrets_are_unlike() {
    let first = operator("alice");
    let bytes = first.to_secret_bytes();
    let [seed, noise, storage] = [6, 38, 70].map(|at| bytes.expose()[at..at + 32].to_vec());
    assert!(seed != noise && noise != storage && seed != storage);
    assert_eq!(noise, first.noise().expose());
    assert_eq!(storage, first.storage_key().expose());
    let second = operator("bob").to_secret_bytes();
    for at in [6, 38, 70] {
        assert_ne!(bytes.expose()[at..at + 32], second.expose()[at..at + 32]);
    }
}

#[test]
fn a_signature_is_of_one_key_one_tag_one_message() {
    let (alice, bob) = (operator("alice"), operator("bob"));
    let signature = alice.key().sign(Tag::EnvelopeSignature, b"message");
    let verify = |operator: &Operator, tag, message: &[u8]| {
        operator.key().public().verify(tag, message, &signature)
    };
    assert_eq!(verify(&alice, Tag::EnvelopeSignature, b"message"), Ok(()));
    assert_eq!(verify(&bob, Tag::EnvelopeSignature, b"message"), Err(BadSignature));
    assert_eq!(verify(&alice, Tag::ChannelConfirm, b"message"), Err(BadSignature));
    assert_eq!(verify(&alice, Tag::EnvelopeSignature, b"messagf"), Err(BadSignature));
    assert_eq!(alice.key().sign(Tag::EnvelopeSignature, b"message"), signature);
}

/// RFC 8032 section 7.1, test 1 (signing an empty message is not possible here; the key is what can
/// be compared), and HMAC-SHA256 by its definition (RFC 2104).
#[test]
fn keys_and_the_prf_by_their_definitions() {
    let seed: [u8; 32] =
        hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap()
            .try_into()
            .unwrap();
    let key = quorate::identity::OperatorKey::from_seed(Secret32::new(&mut { seed }));
    assert_eq!(
        key.public().to_string(),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );

    use quorate::primitives::hash::sha256;
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|i| seed.get(i).unwrap_or(&0) ^ byte).collect() };
    let digest = tagged(Tag::SeedSalt, &[b"message"]);
    let expected = sha256(&[&pad(0x5c), &sha256(&[&pad(0x36), digest.as_ref()])]);
    assert_eq!(key.prf(Tag::SeedSalt, b"message").expose(), &expected);
    assert_ne!(key.prf(Tag::Seed, b"message").expose(), &expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_and_any_keys_come_back(
        name in "[!-~]( ?[!-~]){0,15}",
        keys in proptest::collection::vec(any::<u8>(), 96),
    ) {
        let secret = [b"QSID\0\x01", &keys[..], &[0, name.len() as u8], name.as_bytes()].concat();
        let operator = Operator::from_secret_bytes(&SecretBytes::new(secret.clone())).unwrap();
        let again = operator.to_secret_bytes();
        prop_assert_eq!(again.expose(), &secret);
        let card = operator.card();
        prop_assert_eq!(OperatorCard::parse(&card.encode()), Ok(card));
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..170), at in 0_usize..140,
    text in "\\PC{0,300}") {
        let good = payload(&operator("alice").card());
        let at = at.min(good.len());
        for bytes in [bytes.clone(), [&good[..at], &bytes[..]].concat()] {
            let text = line(&bytes);
            prop_assert_eq!(OperatorCard::parse(&text).is_ok(), bytes == good);
        }
        prop_assert!(OperatorCard::parse(&text).is_err());
    }
}
