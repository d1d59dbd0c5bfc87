//! The arithmetic of a reshare's rounds, as a program computed it that is written from the
//! specification alone (`generate/reshare_rounds.py`).

use quorate::identity::key::OperatorKey;
use quorate::message::envelope::{Kind, Round};
use quorate::message::shape::Shape;
use quorate::message::share_box::{self, Address, ShareBoxError};
use quorate::message::without::Without;
use quorate::primitives::codec::Reader;
use quorate::primitives::commitment::{Commitments, UntestedCommitments};
use quorate::primitives::curve::{G1, SecretScalar, UntestedG1};
use quorate::primitives::hash::{Digest, Tag, secret_bytes, sha256, tagged};
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::DhSecret;
use quorate::protocol::items::outputs_digest;
use quorate::protocol::outcome::certificate;
use quorate::spec::kind::{CeremonyKind, Parts};
use quorate::spec::parent::{ParentError, ParentShares};
use quorate::spec::reshare::{Inherited, OldShare, Origin, Parent, ReshareSpec, SeatPart};
use quorate::spec::seats::Seats;
use quorate::spec::threshold::{Index, Threshold};
use quorate::spec::version::Version;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "comment")]
    _comment: String,
    dealers: Vec<Dealer>,
    receivers: Vec<Receiver>,
    rows: String,
    rows_root: String,
    keys: Vec<String>,
    weights: Vec<String>,
    old_shares: Vec<Vec<String>>,
    sent_commitments: Vec<String>,
    commitment_roots: Vec<String>,
    sums_root: String,
    sums: Vec<Vec<String>>,
    dealt_shares: Vec<Vec<Vec<String>>>,
    new_shares: Vec<Vec<String>>,
    public_shares: Vec<Vec<String>>,
    session: String,
    view: String,
    spec: String,
    #[serde(rename = "D")]
    dkg: String,
    #[serde(rename = "O")]
    outputs: String,
    certificate: String,
    #[serde(rename = "box")]
    sealed: Sealed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dealer {
    seat: u16,
    old_index: u16,
    old_point: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receiver {
    seat: u16,
    point: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    dealer: u16,
    recipient: u16,
    seed: String,
    leaves: Vec<String>,
    list: String,
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

fn read() -> (Vector, ReshareSpec) {
    let text = std::fs::read(crate::support::path("reshare-rounds/rounds.json")).unwrap();
    let vector: Vector = serde_json::from_slice(&text).unwrap();
    let seats = (1..=5).map(|seat| SeatPart {
        deals: vector
            .dealers
            .iter()
            .find(|dealer| dealer.seat == seat)
            .map(|dealer| OldShare { index: index(dealer.old_index), point: dealer.old_point }),
        witnesses: None,
        receives: vector.receivers.iter().any(|receiver| receiver.seat == seat),
    });
    let key = |key: &String| hex::decode(key).unwrap().try_into().unwrap();
    let validators = vector.keys.iter().enumerate();
    let spec = ReshareSpec {
        origin: Origin::Ceremony(Parent {
            certificate: Digest([1; 32]),
            rows: digest(&vector.rows_root),
            threshold: Threshold::new(2, 3).unwrap(),
        }),
        seats: seats.collect(),
        validators: validators.map(|(position, of)| Inherited { position, key: key(of) }).collect(),
        regained: None,
    };
    (vector, spec)
}

#[test]
fn sums_and_shares_are_those_of_the_specification() {
    let (vector, spec) = read();
    let v = vector.keys.len();
    let parent = ParentShares::new(&spec, commitments(&vector.rows, v, 2)).unwrap();
    let weights: Vec<String> =
        parent.weights().scalars().iter().map(|weight| hex::encode(weight.to_be_bytes())).collect();
    assert_eq!(weights, vector.weights);
    let mut all = Vec::new();
    for (at, dealer) in vector.dealers.iter().enumerate() {
        let seat = index(dealer.seat);
        let public: Vec<G1> =
            vector.old_shares[at].iter().map(|share| secret(share).base_mult().unwrap()).collect();
        assert_eq!(parent.of(seat), Some(public.as_slice()));
        let sent = commitments(&vector.sent_commitments[at], v, 1);
        let whole = parent.complete(seat, &sent).unwrap();
        assert_eq!(whole.merkle_root(), digest(&vector.commitment_roots[at]));
        assert!(whole.without_constants() == sent);
        all.push(whole);
    }
    assert_eq!((parent.of(index(4)), parent.of(index(5))), (None, None));
    let sums = Commitments::weighed(&all, parent.weights()).unwrap();
    let sent: Vec<Commitments> = all.iter().map(Commitments::without_constants).collect();
    assert!(parent.add_up(&sent).unwrap() == sums);
    assert_eq!(sums.merkle_root(), digest(&vector.sums_root));
    let rows: Vec<Vec<String>> = sums.rows().map(compressed).collect();
    assert_eq!(rows, vector.sums);
    assert_eq!(compressed(&sums.constants().collect::<Vec<_>>()), vector.keys);
    for (at, receiver) in vector.receivers.iter().enumerate() {
        let public = sums.evaluate(&[receiver.point]).unwrap();
        assert_eq!(compressed(&public), vector.public_shares[at]);
        for (v, expected) in vector.new_shares[at].iter().enumerate() {
            let mut share = SecretScalar::zero();
            for (dealer, of) in vector.dealers.iter().zip(&vector.dealt_shares) {
                let weight = parent.weight(index(dealer.seat)).unwrap();
                share.add_assign(&secret(&of[at][v]).scaled(weight));
            }
            assert_eq!(hex::encode(*share.to_be_bytes()), *expected);
            assert_eq!(share.base_mult(), Some(public[v]));
        }
    }
    let (session, view) = (digest(&vector.session), digest(&vector.view));
    let root = sums.merkle_root();
    let dkg = tagged(Tag::Dkg, &[session.as_ref(), view.as_ref(), root.as_ref()]);
    assert_eq!(dkg, digest(&vector.dkg));
    let outputs = outputs_digest(&dkg, &[], &[]);
    assert_eq!(outputs, digest(&vector.outputs));
    assert_eq!(certificate(&digest(&vector.spec), &dkg, &outputs), digest(&vector.certificate));
    assert_eq!(CeremonyKind::Reshare.number(), 2);
}

#[test]
fn the_list_of_a_box_is_that_of_the_specification() {
    let (vector, _) = read();
    let sealed = &vector.sealed;
    let dealer = vector.dealers.iter().position(|dealer| dealer.seat == sealed.dealer).unwrap();
    let receiver =
        vector.receivers.iter().position(|receiver| receiver.seat == sealed.recipient).unwrap();
    let address = Address {
        session: digest(&vector.session),
        dealer: index(sealed.dealer),
        recipient: index(sealed.recipient),
        root: digest(&vector.commitment_roots[dealer]),
    };
    let shares = || -> Vec<SecretScalar> {
        vector.dealt_shares[dealer][receiver].iter().map(|share| secret(share)).collect()
    };
    let key = DhSecret::new(secret_bytes(Tag::OneTimeKey, &[b"a recipient"]));
    let ephemeral = || secret_bytes(Tag::BoxEphemeral, &[b"an ephemeral key"]);
    let seed = Secret32::new(&mut word(&sealed.seed));
    let (bytes, list) =
        share_box::seal_listed(&address, &key.public(), &shares(), &seed, ephemeral());
    assert_eq!(list, digest(&sealed.list));
    let shape = quorate::message::shape::Shape {
        version: quorate::spec::Version::CURRENT,
        kind: CeremonyKind::Reshare,
        n: 5,
        t: 2,
        v: 2,
        items: 0,
        sealed: 0,
        lock: false,
        parts: quorate::spec::kind::Parts::all(5),
    };
    assert_eq!(bytes.len(), shape.box_bytes());
    let opened = share_box::open_listed(&address, &key, &bytes, &shape, &list).unwrap();
    for (v, share) in vector.dealt_shares[dealer][receiver].iter().enumerate() {
        let shown = opened.show(&address, v).unwrap();
        assert_eq!(hex::encode(shown.share), *share);
        let leaves: Vec<String> = shown.list.iter().map(|leaf| leaf.to_string()).collect();
        assert_eq!(leaves, sealed.leaves);
        assert!(shown.is_of(&address, v, &list) && !shown.is_of(&address, 1 - v, &list));
    }
    assert!(opened.show(&address, 2).is_none());
    let other = share_box::open_listed(&address, &key, &bytes, &shape, &Digest([1; 32])).err();
    assert_eq!(other, Some(ShareBoxError::Unlisted));
    let elsewhere = Address { recipient: index(sealed.dealer), ..address };
    let other = share_box::open_listed(&elsewhere, &key, &bytes, &shape, &list).err();
    assert_eq!(other, Some(ShareBoxError::Sealed));
}

/// RS3: fewer dealers than the parent's threshold have other keys between them.
#[test]
fn too_few_dealers_have_other_keys() {
    let (vector, mut spec) = read();
    let rows = || commitments(&vector.rows, 2, 2);
    spec.seats[2].deals = None;
    assert!(ParentShares::new(&spec, rows()).is_ok(), "two are enough");
    spec.seats[1].deals = None;
    assert_eq!(ParentShares::new(&spec, rows()).err(), Some(ParentError::Keys));
    spec.validators[1].key[5] ^= 1;
    assert_eq!(
        ParentShares::new(&spec, rows()).err(),
        Some(ParentError::Validator { validator: 1 })
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    #[serde(rename = "comment")]
    _comment: String,
    seats: u16,
    sender: u16,
    lost: Vec<u16>,
    certificate: String,
    session: String,
    body: String,
    public_key: String,
    statement: String,
    digest: String,
}

/// The word with which an operator finishes without others (`generate/without.py`).
#[test]
fn a_word_without_others_has_these_bytes() {
    let word: Word =
        serde_json::from_str(include_str!("../../test-vectors/reshare-rounds/without.json"))
            .unwrap();
    let bytes = |text: &str| hex::decode(text).unwrap();
    let digest = |text: &str| Digest(bytes(text).try_into().unwrap());
    let index = |number: u16| Index::new(number).unwrap();
    let (n, sender) = (usize::from(word.seats), index(word.sender));
    let without = Without {
        certificate: digest(&word.certificate),
        seats: word.lost.iter().copied().map(index).collect(),
    };
    assert_eq!(without.encode(n), bytes(&word.body));
    let mut seed = sha256(&[b"without/key"]);
    let key = OperatorKey::from_seed(Secret32::new(&mut seed));
    assert_eq!(key.public().as_bytes().to_vec(), bytes(&word.public_key));
    let statement = without.sign(&key, sender, digest(&word.session), n);
    assert_eq!(statement.bytes(), bytes(&word.statement));
    assert_eq!(statement.digest(), digest(&word.digest));
    let seats = Seats::first(n);
    let shape = Shape {
        version: Version::CURRENT,
        kind: CeremonyKind::Reshare,
        n,
        t: 3,
        v: 1,
        items: 0,
        sealed: 0,
        lock: false,
        parts: Parts { dealers: seats, receivers: seats, witnesses: Seats::default() },
    };
    assert_eq!(Without::of(&statement, &shape), Ok(without));
    let length = shape.bytes_of(sender, Kind::Without, Round::Final);
    assert_eq!(length, Some(statement.bytes().len()));
}
