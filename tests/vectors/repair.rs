//! What a repair agrees on and the arithmetic of its rounds, as a program computed them that is
//! written from the specification alone (`generate/repair.py`).

use quorate::audit::chain::link;
use quorate::audit::expectation::Expectations;
use quorate::audit::{audit, audit_all};
use quorate::primitives::codec::Reader;
use quorate::primitives::commitment::{Commitments, UntestedCommitments};
use quorate::primitives::curve::{G1, SecretScalar, UntestedG1};
use quorate::primitives::hash::{Digest, Tag, secret_scalar, tagged};
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::{DhPublic, DhSecret};
use quorate::protocol::items::outputs_digest;
use quorate::protocol::outcome::certificate;
use quorate::simulation::repair::repair;
use quorate::spec::kind::CeremonyKind;
use quorate::spec::parent::ParentShares;
use quorate::spec::reshare::{Inherited, OldShare, Origin, Parent, ReshareSpec, SeatPart};
use quorate::spec::threshold::{Index, Threshold};
use quorate::spec::{Ceremony, CeremonyFile};
use quorate::transcript::container;
use serde::Deserialize;

use crate::common::{TWO_VALIDATORS, honest, machines, run};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "comment")]
    _comment: String,
    parent: String,
    file: serde_json::Value,
    canonical: String,
    digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rounds {
    #[serde(rename = "comment")]
    _comment: String,
    helpers: Vec<Seat>,
    recipient: Seat,
    rows: String,
    rows_root: String,
    keys: Vec<String>,
    weights: Vec<String>,
    session: String,
    view: String,
    spec: String,
    agreed: Vec<Agreed>,
    masks: Vec<Vec<String>>,
    sent_masks: Vec<String>,
    mask_roots: Vec<String>,
    sent: Vec<Vec<String>>,
    sent_in_exponent: Vec<Vec<String>>,
    lost: Vec<String>,
    lost_public: Vec<String>,
    #[serde(rename = "D")]
    dkg: String,
    #[serde(rename = "O")]
    outputs: String,
    certificate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seat {
    seat: u16,
    old_point: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreed {
    pair: [u16; 2],
    secret: String,
    public: String,
    agreed: String,
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read(crate::support::path(&format!("repair/{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn word(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn digest(text: &str) -> Digest {
    Digest(word(text))
}

fn secret(text: &str) -> SecretScalar {
    SecretScalar::from_be_bytes(&word(text)).unwrap()
}

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

fn commitments(text: &str, rows: usize, t: usize) -> Commitments {
    let bytes = hex::decode(text).unwrap();
    let read = Reader::all(&bytes, |r| UntestedCommitments::read(r, rows, t)).unwrap();
    let points = read.points().iter().map(UntestedG1::test).collect::<Result<_, _>>();
    read.tested(points.unwrap())
}

fn compressed<'a>(points: impl IntoIterator<Item = &'a G1>) -> Vec<String> {
    points.into_iter().map(|point| hex::encode(point.to_compressed())).collect()
}

#[test]
fn a_file_has_these_bytes_and_hangs_on_its_parent() {
    let vector: File = read("file");
    let made: Ceremony =
        CeremonyFile::parse_json(&vector.file.to_string()).unwrap().try_into().unwrap();
    assert_eq!(hex::encode(made.canonical()), vector.canonical);
    assert_eq!(made.digest().to_string(), vector.digest);
    let read = Ceremony::from_canonical(made.canonical()).unwrap();
    assert!(read.digest() == made.digest() && read.is_repair());
    assert_eq!((made.kind().number(), CeremonyKind::Repair.number()), (4, 4));
    let bytes = std::fs::read(crate::support::path(&format!("ceremony/{}", vector.parent)));
    let report = audit(&bytes.unwrap(), &Expectations::default());
    let rows = link(report.audited().unwrap(), &made).unwrap();
    assert!(made.with_parent_rows(rows).is_ok());
}

/// A whole repair from published labels, byte for byte: made here, so it shows that nothing has
/// changed.
#[test]
fn a_seeded_repair_gives_the_same_transcript() {
    let mut old = machines(4, 3, TWO_VALIDATORS);
    run(&mut old, &mut honest);
    let mut all = repair(&old, "bob", &["alice", "carol", "dave"]);
    run(&mut all, &mut honest);
    let inbox = all[0].participant().inbox();
    let made = container::encode(&all[0].seat.ceremony, inbox.statements()).unwrap();
    let path = crate::support::path("repair/3-of-4.quorate");
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read(path).unwrap();
    assert!(kept == made, "the transcript of the seeded repair has changed");
    let parent = std::fs::read(crate::support::path("ceremony/3-of-4.quorate")).unwrap();
    let report = audit_all(&[&parent, &kept], &Expectations::default()).unwrap();
    assert!(report.is_clean() && report.is_of_repair());
}

#[test]
fn masks_and_what_is_sent_are_those_of_the_specification() {
    let vector: Rounds = read("rounds");
    let v = vector.keys.len();
    let share = |seat: &Seat| OldShare { index: index(seat.seat), point: seat.old_point };
    let all = (1..=4).map(|seat| SeatPart {
        deals: vector.helpers.iter().find(|helper| helper.seat == seat).map(share),
        witnesses: None,
        receives: vector.recipient.seat == seat,
    });
    let key = |key: &String| hex::decode(key).unwrap().try_into().unwrap();
    let validators = vector.keys.iter().enumerate();
    let spec = ReshareSpec {
        origin: Origin::Ceremony(Parent {
            certificate: Digest([1; 32]),
            rows: digest(&vector.rows_root),
            threshold: Threshold::new(3, 4).unwrap(),
        }),
        seats: all.collect(),
        validators: validators.map(|(position, of)| Inherited { position, key: key(of) }).collect(),
        regained: Some(share(&vector.recipient)),
    };
    let rows = commitments(&vector.rows, v, 3);
    let parent = ParentShares::new(&spec, rows.clone()).unwrap();
    let session = digest(&vector.session);
    let mut masks = Vec::new();
    for one in &vector.agreed {
        let other = vector.agreed.iter().find(|other| other.pair == [one.pair[1], one.pair[0]]);
        let own = DhSecret::new(Secret32::new(&mut word(&one.secret)));
        assert_eq!(hex::encode(own.public().as_bytes()), one.public);
        let agreed = own.agree(&DhPublic::from_bytes(word(&other.unwrap().public)).unwrap());
        assert_eq!(hex::encode(agreed.expose()), one.agreed);
        if one.pair[0] < one.pair[1] {
            let [low, high] = one.pair.map(u16::to_be_bytes);
            let mask = |v: u32| {
                let parts = [agreed.expose(), session.as_ref(), &low, &high, &v.to_be_bytes()];
                hex::encode(*secret_scalar(Tag::RepairMask, &parts).to_be_bytes())
            };
            masks.push((0..2).map(mask).collect::<Vec<_>>());
        }
    }
    assert_eq!((masks.len(), vector.agreed.len()), (3, 6));
    assert_eq!(masks, vector.masks);
    let mut sums: Vec<SecretScalar> = (0..v).map(|_| SecretScalar::zero()).collect();
    for (at, helper) in vector.helpers.iter().enumerate() {
        let seat = index(helper.seat);
        let weight = hex::encode(parent.weight_at_lost(seat).unwrap().to_be_bytes());
        assert_eq!(weight, vector.weights[at]);
        let sent = commitments(&vector.sent_masks[at], v, 2);
        assert_eq!(sent.merkle_root(), digest(&vector.mask_roots[at]));
        for (v, sum) in sums.iter_mut().enumerate() {
            let own = secret(&vector.sent[at][v]);
            let promised = parent.masked_at_lost(seat, &sent, v).unwrap();
            assert_eq!(own.base_mult(), Some(promised));
            assert_eq!(compressed([&promised]), [vector.sent_in_exponent[at][v].clone()]);
            sum.add_assign(&own);
        }
    }
    let sums: Vec<String> = sums.iter().map(|sum| hex::encode(*sum.to_be_bytes())).collect();
    assert_eq!(sums, vector.lost);
    let public = rows.evaluate(&[vector.recipient.old_point]).unwrap();
    assert_eq!(compressed(&public), vector.lost_public);
    let (view, root) = (digest(&vector.view), rows.merkle_root());
    let dkg = tagged(Tag::Dkg, &[session.as_ref(), view.as_ref(), root.as_ref()]);
    assert_eq!(dkg, digest(&vector.dkg));
    let outputs = outputs_digest(&dkg, &[], &[]);
    assert_eq!(outputs, digest(&vector.outputs));
    assert_eq!(certificate(&digest(&vector.spec), &dkg, &outputs), digest(&vector.certificate));
}
