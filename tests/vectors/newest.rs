//! What a restored operator asks and is answered, as a program has it that is written from the
//! specification alone (`generate/newest.py`).

use quorate::identity::card::InstallMark;
use quorate::identity::key::OperatorKey;
use quorate::primitives::hash::{Digest, sha256};
use quorate::primitives::secret::Secret32;
use quorate::signing::newest::{Answer, Ask, Known, Standing};
use quorate::spec::Index;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "comment")]
    _comment: String,
    ceremony: String,
    certificate: String,
    asker_key: String,
    mark: String,
    nonce: String,
    ask: String,
    id: String,
    answerer_key: String,
    operator: u16,
    answers: Vec<Answered>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    known: Vec<Named>,
    answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    standing: u8,
    ceremony: String,
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn array(text: &str) -> [u8; 32] {
    bytes(text).try_into().unwrap()
}

fn key(label: &str) -> OperatorKey {
    OperatorKey::from_seed(Secret32::new(&mut sha256(&[b"newest/", label.as_bytes()])))
}

#[test]
fn questions_and_answers_about_restored_shares() {
    let text = include_str!("../../test-vectors/newest/answers.json");
    let vector: Vector = serde_json::from_str(text).unwrap();
    let (asker, answerer) = (key("asker"), key("answerer"));
    assert_eq!(*asker.public().as_bytes(), array(&vector.asker_key));
    assert_eq!(*answerer.public().as_bytes(), array(&vector.answerer_key));
    let about = (Digest(array(&vector.ceremony)), Digest(array(&vector.certificate)));
    let mark = InstallMark(array(&vector.mark));
    let ask = Ask::sign(&asker, mark, about, array(&vector.nonce));
    assert_eq!(ask.encode(), bytes(&vector.ask));
    assert_eq!(Ask::decode(&bytes(&vector.ask)), Ok(ask.clone()));
    assert_eq!(ask.id(), Digest(array(&vector.id)));
    let me = Index::new(vector.operator).unwrap();
    assert_eq!(vector.answers.len(), 2);
    for answered in vector.answers {
        let known = answered.known.into_iter().map(|named| Known {
            ceremony: Digest(array(&named.ceremony)),
            standing: match named.standing {
                2 => Standing::Final,
                3 => Standing::Complete,
                other => panic!("{other}"),
            },
            name: named.name,
        });
        let answer = Answer::sign(&answerer, me, &ask, known.collect());
        assert_eq!(answer.encode(), bytes(&answered.answer));
        assert_eq!(Answer::decode(&bytes(&answered.answer)), Ok(answer));
    }
}
