//! The small ceremony of the transcript chapter, in `ceremony-specs/examples/ceremony`: a
//! transcript and every value that an auditor computes on the way, each by the formula of its
//! section.
//!
//! To write it again: `QUORATE_WRITE_VECTORS=1 cargo test --test vectors walkthrough`, then look at
//! the difference.

use std::path::{Path, PathBuf};

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::message::body::{Commit, Deal, Final, Hello, Prepare};
use quorate::message::envelope::{Round, Statement, session_id, view_root};
use quorate::message::shape::Shape;
use quorate::primitives::commitment::{Commitments, evaluate_row};
use quorate::primitives::curve::{G1, G1Sum, G2, Scalar};
use quorate::primitives::hash::{Digest, Tag, merkle_root, tagged, weight};
use quorate::protocol::checks::{Signed, decode, hello_commitment, possession_message};
use quorate::protocol::items::{Item, items};
use quorate::spec::ceremony::Ceremony;
use quorate::transcript::container;
use serde::{Deserialize, Serialize};

use crate::common::{honest, machines, run};

const ONE_VALIDATOR: &str = "[[validators]]\nwithdrawal = \
                             \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n";

/// A value, and where the specification says how it is computed.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Known {
    section: String,
    what: String,
    value: String,
}

#[derive(Default)]
struct Values(Vec<Known>);

impl Values {
    fn add(&mut self, section: &str, what: impl Into<String>, value: impl AsRef<[u8]>) {
        let value = hex::encode(value);
        self.0.push(Known { section: section.to_owned(), what: what.into(), value });
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ceremony-specs/examples/ceremony")
}

fn digests(statements: &[Statement]) -> Vec<Digest> {
    statements.iter().map(Statement::digest).collect()
}

/// Hellos, the session and deals.
fn dealing(
    values: &mut Values,
    ceremony: &Ceremony,
    round: &[Vec<Statement>],
) -> Vec<Signed<Deal>> {
    let shape = Shape::of(ceremony);
    values.add("2.4", "ceremony digest", ceremony.digest());
    let hellos = decode(&round[0], |bytes, from| Hello::decode(bytes, &shape, from)).unwrap();
    for hello in &hellos {
        let i = hello.sender();
        values.add("4.1", format!("digest of hello {i}"), hello.statement.digest());
        values.add("4.4", format!("nonce of hello {i}"), hello.body.nonce);
        values.add("4.5", format!("commitment of hello {i}"), hello.body.commitment.unwrap());
    }
    let session = session_id(ceremony, &digests(&round[0]));
    values.add("4.1", "session identifier", session);
    values.add("4.3", "view root of the deals", view_root(&digests(&round[0])));
    let deals = decode(&round[1], |bytes, from| Deal::decode(bytes, &shape, from)).unwrap();
    for (deal, hello) in deals.iter().zip(&hellos) {
        let (i, body) = (deal.sender(), &deal.body);
        let root = body.commitments.merkle_root();
        values.add("4.1", format!("digest of deal {i}"), deal.statement.digest());
        values.add("1.5", format!("root M_{i} of the commitments"), root);
        let (nonce, salt) = (&hello.body.nonce, &body.salt.unwrap());
        values.add("4.4", format!("salt of deal {i}"), salt);
        let opened = hello_commitment(ceremony, i, nonce, salt, &root);
        assert_eq!(opened, hello.body.commitment.unwrap());
        let r = body.proof.unwrap().r.to_uncompressed();
        let parts: [&[u8]; 4] = [session.as_ref(), &i.get().to_be_bytes(), root.as_ref(), &r];
        let challenge = tagged(Tag::PopChallenge, &parts);
        values.add("1.6", format!("challenge c of dealer {i}"), challenge);
        let exponent = weight(Tag::PopExponent, &[challenge.as_ref(), &0u32.to_be_bytes()]);
        values.add("1.6", format!("exponent c_0 of dealer {i}"), exponent.to_be_bytes());
        let mut sum = G1Sum::from(body.proof.unwrap().r);
        let constant = body.commitments.row(0)[0];
        sum.add_sum(&G1Sum::from(constant).scaled(&Scalar::from_u128(exponent)));
        assert!(
            sum == G1Sum::from(G1::generator()).scaled(&body.proof.unwrap().z),
            "z·G = R + c_0·C_0"
        );
    }
    deals
}

/// What is derived from the deals: the digest `D` of the key generation, the validator's key, and
/// the public share of each operator.
fn derived(
    values: &mut Values,
    ceremony: &Ceremony,
    session: &Digest,
    deals: &[Signed<Deal>],
) -> (Digest, G1, Vec<G1>) {
    let sum = |k: usize| {
        let mut sum = G1Sum::zero();
        deals.iter().for_each(|deal| sum.add(&deal.body.commitments.row(0)[k]));
        sum.finish().unwrap()
    };
    let row: Vec<G1> = (0..ceremony.t()).map(sum).collect();
    for (k, point) in row.iter().enumerate() {
        values.add("5.4", format!("summed commitment A_0,{k}"), point.to_uncompressed());
    }
    let root = Commitments::new(ceremony.t(), row.clone()).merkle_root();
    values.add("5.4", "sums root", root);
    let view: Vec<Digest> = deals.iter().map(|deal| deal.statement.digest()).collect();
    let over = view_root(&view);
    values.add("4.3", "view root of the prepares", over);
    let dkg = tagged(Tag::Dkg, &[session.as_ref(), over.as_ref(), root.as_ref()]);
    values.add("5.4", "digest of the key generation D", dkg);
    values.add("5.4", "key PK_0 of the validator, compressed", row[0].to_compressed());
    let share = |point: u64| evaluate_row(&row, point).finish().unwrap();
    let shares: Vec<G1> = ceremony.roster().iter().map(|(_, seat)| share(seat.point)).collect();
    let rho = weight(Tag::Rho, &[dkg.as_ref(), &0u32.to_be_bytes()]);
    values.add("5.5", "weight rho_0", rho.to_be_bytes());
    for (index, public) in ceremony.indices().zip(&shares) {
        let what = format!("public share P_0,{index}, compressed");
        values.add("5.4", what, public.to_compressed());
        let key = G1Sum::from(*public).scaled(&Scalar::from_u128(rho)).finish().unwrap();
        values.add("5.5", format!("confirmation key K_{index}, compressed"), key.to_compressed());
        let message = tagged(Tag::Possess, &[dkg.as_ref(), &index.get().to_be_bytes()]);
        values.add("5.5", format!("possession message m_{index}"), message);
        let point = possession_message(&dkg, index);
        let what = format!("H2(m_{index}, possession DST), compressed");
        values.add("5.5", what, point.to_compressed());
    }
    (dkg, row[0], shares)
}

/// Prepares, commits and finals: what is signed, and what follows.
fn signing(
    values: &mut Values,
    ceremony: &Ceremony,
    round: &[Vec<Statement>],
    (dkg, key): (Digest, G1),
    signature: G2,
) {
    let shape = Shape::of(ceremony);
    let prepares = decode(&round[2], |bytes, from| Prepare::decode(bytes, &shape, from)).unwrap();
    for prepare in &prepares {
        let i = prepare.sender();
        values.add("4.1", format!("digest of prepare {i}"), prepare.statement.digest());
        let proof = prepare.body.stored.as_ref().unwrap().possession.to_compressed();
        values.add("5.5", format!("possession proof S_{i}"), proof);
    }
    values.add("4.3", "view root of the commits", view_root(&digests(&round[2])));
    let [Item::Deposit(deposit)] = &items(ceremony, 0, &key)[..] else { panic!("one deposit") };
    let signing_root = deposit.signing_root(ceremony.network());
    values.add("7.1", "root of the deposit message", deposit.root());
    values.add("7.1", "signing root of the deposit", signing_root);
    let commits = decode(&round[3], |bytes, from| Commit::decode(bytes, &shape, from)).unwrap();
    for commit in &commits {
        let i = commit.sender();
        values.add("4.1", format!("digest of commit {i}"), commit.statement.digest());
        let partial = commit.body.partials[0].to_compressed();
        values.add("5.6", format!("partial signature of operator {i}, compressed"), partial);
    }
    let signature = signature.to_compressed();
    values.add("5.6", "combined signature", signature);
    let leaf = tagged(Tag::Leaf, &[&signing_root, &signature]);
    values.add("7.2", "leaf of the item", leaf);
    let items = merkle_root(&[leaf]);
    values.add("7.2", "Merkle root M of the items", items);
    let outputs = tagged(Tag::Outputs, &[dkg.as_ref(), items.as_ref()]);
    values.add("7.2", "output digest O", outputs);
    values.add("7.1", "root of the deposit data", deposit.data_root(&signature));
    values.add("4.3", "view root of the finals", view_root(&digests(&round[3])));
    let finals = decode(&round[4], |bytes, from| Final::decode(bytes, &shape, from)).unwrap();
    for last in &finals {
        assert_eq!(last.body.outputs, outputs);
        values.add("4.1", format!("digest of final {}", last.sender()), last.statement.digest());
    }
    let spec = ceremony.digest();
    let parts: [&[u8]; 3] = [spec.as_ref(), dkg.as_ref(), outputs.as_ref()];
    values.add("8.1", "digest of the certificate", tagged(Tag::Certificate, &parts));
}

#[test]
fn the_small_ceremony_of_the_transcript_chapter() {
    let mut all = machines(3, 2, ONE_VALIDATOR);
    run(&mut all, &mut honest);
    let participant = all[0].participant();
    let ceremony = &participant.seat().ceremony;
    let round: Vec<Vec<Statement>> =
        Round::ALL.map(|round| participant.inbox().complete(round).unwrap()).to_vec();
    let transcript = container::encode(ceremony, round.iter().flatten()).unwrap();

    let mut values = Values::default();
    let deals = dealing(&mut values, ceremony, &round);
    let session = session_id(ceremony, &digests(&round[0]));
    let (dkg, key, shares) = derived(&mut values, ceremony, &session, &deals);
    let outcome = participant.outcome().unwrap();
    let validator = &outcome.validators[0];
    signing(&mut values, ceremony, &round, (dkg, key), validator.signatures[0]);
    values.add("8.1", "digest of the transcript", container::digest(&transcript));

    // The program comes to the same.
    let report = audit(&transcript, &Expectations::default());
    let audited = report.audited().unwrap();
    assert_eq!((audited.session(), audited.dkg()), (session, dkg));
    assert_eq!((validator.public_key, &validator.public_shares), (key, &shares));
    let value = |what: &str| &values.0.iter().find(|known| known.what == what).unwrap().value;
    assert_eq!(value("output digest O"), &audited.outputs().to_string());
    assert_eq!(value("digest of the certificate"), &audited.certificate().to_string());

    let (binary, json) = (folder().join("transcript.quorate"), folder().join("values.json"));
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&binary, &transcript).unwrap();
        std::fs::write(&json, serde_json::to_string_pretty(&values.0).unwrap() + "\n").unwrap();
    }
    assert!(transcript == std::fs::read(binary).unwrap());
    let known: Vec<Known> = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(values.0, known);
    assert_eq!(std::fs::read_dir(folder()).unwrap().count(), 2);
}
