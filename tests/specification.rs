//! The specification in `ceremony-specs/` says what the program does: its lists are the program's lists, and its known answers come
//! out. A row that differs is printed as it should be.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use quorate::audit::code::Code;
use quorate::ethereum::network::Network;
use quorate::identity::{Operator, OperatorName};
use quorate::primitives::curve::{G2, Scalar, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, DST_POSSESSION, Tag, merkle_root, scalar, tagged};
use quorate::primitives::noise::{box_len, seal_box};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::primitives::x25519::DhSecret;
use quorate::spec::canonical::fingerprint;
use quorate::spec::{Ceremony, CeremonyFile};

fn chapter(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ceremony-specs").join(name)).unwrap()
}

/// The cells of every table row of `section`, up to the next heading; header and rule left out.
fn table(chapter: &str, section: &str) -> Vec<Vec<String>> {
    let (_, after) = chapter.split_once(section).unwrap_or_else(|| panic!("no section {section:?}"));
    let end = after.find("\n#").unwrap_or(after.len());
    let rows = after[..end].lines().filter(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip_while(|line| !line.starts_with("|--")).filter(|line| !line.starts_with("|--")).map(cells).collect()
}

fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// Compares a table of two columns with what was computed, in order.
fn assert_rows(found: &[Vec<String>], expected: &[(&str, String)]) {
    let found: Vec<String> = found.iter().map(|cells| format!("| {} |", cells.join(" | "))).collect();
    let expected: Vec<String> = expected.iter().map(|(name, value)| format!("| {name} | `{value}` |")).collect();
    assert_eq!(found, expected, "the table should be:\n{}\n", expected.join("\n"));
}

#[test]
fn every_tag_is_in_the_table_and_every_row_is_a_tag() {
    let text = chapter("01-notation-and-primitives.md");
    let rows = table(&text, "\n## 1.2 ");
    let listed: BTreeSet<&str> = rows.iter().map(|row| code(&row[0])).collect();
    assert_eq!(listed.len(), rows.len(), "a tag stands twice");
    assert_eq!(listed, Tag::ALL.iter().map(|tag| tag.text()).collect());
}

#[test]
fn every_check_of_the_audit_is_in_the_table_and_every_row_is_one() {
    let text = chapter("08-transcript-and-audit.md");
    // Two tables: the header of the second is a row here.
    let rows = table(&text, "\n## 8.2 ");
    let listed: Vec<&str> = rows.iter().map(|row| code(&row[0])).filter(|cell| *cell != "code").collect();
    assert_eq!(listed, Code::ALL.iter().map(|code| code.text()).collect::<Vec<_>>());
}

#[test]
fn known_answers_of_the_primitives() {
    let answers = [
        ("`TH(\"spec\", \"abc\")`", tagged(Tag::Spec, &[b"abc"]).to_string()),
        ("`TH(\"spec\", \"ab\", \"c\")`", tagged(Tag::Spec, &[b"ab", b"c"]).to_string()),
        ("`TH(\"node\")`", tagged(Tag::Node, &[]).to_string()),
        ("`HS(\"rho\", \"abc\")`", hex::encode(scalar(Tag::Rho, &[b"abc"]).to_be_bytes())),
        ("`M(l1, l2, l3)`, `l1` = `TH(\"leaf\", \"1\")` and so on", {
            merkle_root(&[b"1", b"2", b"3"].map(|leaf| tagged(Tag::Leaf, &[leaf]))).to_string()
        }),
        ("SHA-256 of `G` in 96 bytes", {
            let one = SecretScalar::from_be_bytes(&Scalar::one().to_be_bytes()).unwrap().base_mult().unwrap();
            hex::encode(quorate::primitives::hash::sha256(&[&one.to_uncompressed()]))
        }),
        ("`H2(\"abc\", possession DST)`, 96 bytes", hex::encode(G2::hash(b"abc", DST_POSSESSION).to_compressed())),
        ("`H2(\"abc\", Ethereum DST)`, 96 bytes", hex::encode(G2::hash(b"abc", DST_ETHEREUM).to_compressed())),
        ("`box(32)`, `box(65472)`, `box(65473)`", format!("{}, {}, {}", box_len(32), box_len(65472), box_len(65473))),
        ("box to the key of secret `01` × 32, prologue `\"abc\"`, payload `02` × 32, ephemeral secret `03` × 32", {
            let key = DhSecret::new(Secret32::new(&mut [1; 32])).public();
            let ephemeral = Secret32::new(&mut [3; 32]);
            hex::encode(seal_box(&key, b"abc", &SecretBytes::new(vec![2; 32]), ephemeral))
        }),
    ];
    assert_rows(&table(&chapter("01-notation-and-primitives.md"), "\n## 1.10 "), &answers);
}

#[test]
fn known_answer_of_the_card() {
    let mut entropy = tagged(Tag::BatchSeed, &[b"test", b"operator alice"]).0;
    let operator = Operator::generate(OperatorName::parse("alice").unwrap(), Secret32::new(&mut entropy));
    let card = operator.card();
    let answers = [
        ("operator key", card.key.to_string()),
        ("Noise static", hex::encode(card.noise.as_bytes())),
        ("certificate", hex::encode(card.certificate())),
        ("card", card.encode()),
    ];
    assert_rows(&table(&chapter("03-identity.md"), "\n## 3.5 "), &answers);
}

#[test]
fn networks_are_the_programs() {
    let expected: Vec<Vec<String>> = Network::known_names()
        .map(|name| {
            let network = Network::known(name).unwrap();
            vec![
                format!("`{name}`"),
                format!("`{}`", hex::encode(network.genesis_fork_version())),
                format!("`{}`", hex::encode(network.capella_fork_version().unwrap())),
                format!("`{}`", hex::encode(network.genesis_validators_root())),
                network.genesis_time().unwrap().to_string(),
                network.unit().to_string(),
            ]
        })
        .collect();
    assert_eq!(table(&chapter("02-ceremony-spec.md"), "\n## 2.3 "), expected);
}

#[test]
fn known_answer_of_the_ceremony() {
    let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&chapter("examples/hoodi-3-of-4.toml")).unwrap()).unwrap();
    let canonical = ceremony.canonical();
    let answers = [
        ("length of the canonical bytes", canonical.len().to_string()),
        ("their first 64 bytes", hex::encode(&canonical[..64])),
        ("ceremony digest", ceremony.digest().to_string()),
        ("fingerprint", fingerprint(&ceremony.digest()).join(" ")),
    ];
    assert_rows(&table(&chapter("02-ceremony-spec.md"), "\n## 2.6 "), &answers);
}
