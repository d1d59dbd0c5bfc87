//! What reshares agree on, and what they take from their parent, as a program computed it that is
//! written from the specification alone (`generate/reshare.py`).

use std::collections::BTreeMap;

use quorate::audit::audit;
use quorate::audit::chain::{LinkError, link, parent_entry, validator_entries};
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::primitives::hash::Digest;
use quorate::spec::file::NetworkEntry;
use quorate::spec::threshold::Index;
use quorate::spec::{Ceremony, CeremonyFile};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "comment")]
    _comment: String,
    parent: String,
    file: serde_json::Value,
    canonical: String,
    digest: String,
    rows: String,
    dealer_shares: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    witness_shares: BTreeMap<String, Vec<String>>,
}

fn vectors() -> Vec<(String, Vector)> {
    let names = crate::support::names("reshare");
    names
        .into_iter()
        .map(|name| {
            let text =
                std::fs::read(crate::support::path(&format!("reshare/{name}.json"))).unwrap();
            (name, serde_json::from_slice(&text).unwrap())
        })
        .collect()
}

fn audited(name: &str) -> Audited {
    let bytes = std::fs::read(crate::support::path(&format!("ceremony/{name}"))).unwrap();
    audit(&bytes, &Expectations::default()).audited().unwrap().clone()
}

fn ceremony(file: &serde_json::Value) -> Ceremony {
    CeremonyFile::parse_json(&file.to_string()).unwrap().try_into().unwrap()
}

#[test]
fn files_have_these_bytes() {
    let all = vectors();
    assert_eq!(all.len(), 6);
    for (name, vector) in all {
        let made = ceremony(&vector.file);
        assert_eq!(hex::encode(made.canonical()), vector.canonical, "{name}");
        assert_eq!(made.digest().to_string(), vector.digest, "{name}");
        assert_eq!(Ceremony::from_canonical(made.canonical()).unwrap().digest(), made.digest());
    }
}

#[test]
fn a_parent_gives_these_rows() {
    for (name, vector) in vectors() {
        let (parent, child) = (audited(&vector.parent), ceremony(&vector.file));
        let rows = link(&parent, &child).unwrap();
        let bytes = rows.write(Default::default()).finish();
        assert_eq!(hex::encode(bytes), vector.rows, "{name}");
        let spec = child.reshare().unwrap();
        let shares: BTreeMap<String, Vec<String>> = child
            .roster()
            .iter()
            .filter_map(|(seat, who)| {
                let points = rows.evaluate(&[spec.old_share(seat)?.point]).unwrap();
                let shares = points.iter().map(|share| hex::encode(share.to_compressed()));
                Some((who.card.name.to_string(), shares.collect()))
            })
            .collect();
        assert_eq!(shares, vector.dealer_shares, "{name}");
        let with_rows = ceremony(&vector.file).with_parent_rows(rows.clone()).unwrap();
        let parent_shares = with_rows.parent_shares().unwrap();
        let stopped = child.roster().iter().filter_map(|(seat, who)| {
            let stopped = parent_shares.stopped_by(seat)?.iter();
            let stopped = stopped.map(|share| hex::encode(share.to_compressed()));
            Some((who.card.name.to_string(), stopped.collect()))
        });
        let mut all = vector.dealer_shares.clone();
        all.extend(vector.witness_shares.clone());
        assert_eq!(stopped.collect::<BTreeMap<_, Vec<String>>>(), all, "{name}");
        // What a draft takes from the parent is what the file says.
        let positions: Vec<usize> = spec.validators.iter().map(|one| one.position).collect();
        let file = CeremonyFile::from(&child);
        assert_eq!(parent_entry(&parent, &positions), file.parent, "{name}");
        assert_eq!(validator_entries(&parent, &positions), file.validators, "{name}");
        // Of a validator that the parent has not, nothing.
        let beyond = [&positions[..], &[parent.validators().len()]].concat();
        assert_eq!(validator_entries(&parent, &beyond), file.validators, "{name}");
        assert_eq!(parent_entry(&parent, &beyond), None, "{name}");
    }
}

#[test]
fn another_ceremony_is_no_parent() {
    let parent = audited("3-of-4.quorate");
    let all: BTreeMap<String, Vector> = vectors().into_iter().collect();
    let refresh = &all["refresh"].file;
    let with = |at: &str, value: serde_json::Value| {
        let mut file = refresh.clone();
        *file.pointer_mut(at).unwrap() = value;
        link(&parent, &ceremony(&file)).map(|rows| rows.merkle_root())
    };
    let text = |at: &str| refresh.pointer(at).unwrap().as_str().unwrap().to_owned();
    let digest = |text: &str| Digest(hex::decode(text).unwrap().try_into().unwrap());
    let index = |number| Index::new(number).unwrap();
    let (certificate, rows) = (text("/parent/certificate"), text("/parent/rows"));
    let erin = all["replace"].file.pointer("/operators/3/card").unwrap().clone();
    let other = "01".repeat(32);
    let three = "3 of 4".to_owned();
    let cases = [
        (
            with("/parent/certificate", other.clone().into()),
            LinkError::Certificate { named: digest(&other), found: digest(&certificate) },
        ),
        (
            with("/parent/rows", other.clone().into()),
            LinkError::Rows { named: digest(&other), found: digest(&rows) },
        ),
        (
            with("/network", "mainnet".into()),
            LinkError::Network { parent: "hoodi".to_owned(), child: "mainnet".to_owned() },
        ),
        (
            with("/parent/operators", 5.into()),
            LinkError::Threshold { parent: three.clone(), child: "3 of 5".to_owned() },
        ),
        (with("/operators/1/card", erin), LinkError::Dealer { seat: index(2), old: index(2) }),
        (
            with("/validators/1/keys/0", text("/validators/0/keys/0").replace("84", "85").into()),
            LinkError::Key { number: 2 },
        ),
        (with("/validators/1/first", 3.into()), LinkError::Key { number: 3 }),
        (with("/validators/1/compounding", false.into()), LinkError::Withdrawal { number: 2 }),
    ];
    for (made, why) in cases {
        assert_eq!(made, Err(why));
    }
    let mut file = refresh.clone();
    file["operators"][3]["old_point"] = 9.into();
    let found = file["operators"][3]["deals"].as_u64().unwrap();
    assert_eq!(
        link(&parent, &ceremony(&file)).map(|rows| rows.merkle_root()),
        Err(LinkError::Point { seat: index(4), named: 9, found })
    );
    assert_eq!(
        link(&parent, parent.ceremony()).map(|rows| rows.merkle_root()),
        Err(LinkError::NoReshare)
    );
    assert!(matches!(CeremonyFile::from(&ceremony(refresh)).network, NetworkEntry::Known(_)));
}
