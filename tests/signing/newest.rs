//! Questions of restored operators, and answers to them: what counts, and why anything else does
//! not.

use std::collections::BTreeSet;

use quorate::identity::OperatorName;
use quorate::identity::card::InstallMark;
use quorate::identity::operator::Operator;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Digest, Tag, tagged};
use quorate::primitives::secret::Secret32;
use quorate::signing::newest::{Answer, Ask, Known, MOST_KNOWN, NewestError, Standing, needed};
use quorate::spec::{Ceremony, CeremonyFile, Index};

const MARK: InstallMark = InstallMark([7; 32]);
const CERTIFICATE: Digest = Digest([9; 32]);

fn ceremony() -> Ceremony {
    let text = include_str!("../../ceremony-specs/examples/hoodi-3-of-4.toml");
    Ceremony::try_from(CeremonyFile::parse_toml(text).unwrap()).unwrap()
}

/// Three of four sign, or all four.
#[test]
fn needed_is_half_of_the_holders_whatever_the_threshold_is() {
    let text = include_str!("../../ceremony-specs/examples/hoodi-3-of-4.toml");
    for required in [3, 4] {
        let mut file = CeremonyFile::parse_toml(text).unwrap();
        (file.threshold, file.policy.allow_all_required) = (required, required == 4);
        let ceremony = Ceremony::try_from(file).unwrap();
        assert_eq!(needed(&ceremony), 2);
    }
}

/// Of a reshare its own receivers, however many its parent had; of whoever only deals nothing is
/// asked, and it asks nothing.
#[test]
fn holders_of_a_reshare_are_its_receivers() {
    let file = |text: &str| {
        let vector: serde_json::Value = serde_json::from_str(text).unwrap();
        CeremonyFile::parse_json(&vector["file"].to_string()).unwrap()
    };
    let more = file(include_str!("../../test-vectors/reshare/grow.json"));
    let more = Ceremony::try_from(more).unwrap();
    let before = more.reshare().unwrap().origin.holders();
    assert_eq!((before, more.holders(), needed(&more)), (4, 5, 3));
    // Of a repair, whose only receiver asks, those of its parent.
    let repair = file(include_str!("../../test-vectors/repair/file.json"));
    let repair = Ceremony::try_from(repair).unwrap();
    assert_eq!((repair.holders(), needed(&repair)), (4, 2));
    let mut file = file(include_str!("../../test-vectors/reshare/replace.json"));
    let carol = file.operators.iter().position(|entry| entry.receives == Some(false)).unwrap();
    file.operators[carol].card = operator("carol").card().encode();
    let reshare = Ceremony::try_from(file).unwrap();
    let carol = Index::from_position(carol).unwrap();
    let about = (reshare.digest(), CERTIFICATE);
    let ask = Ask::sign(operator("carol").key(), MARK, about, [1; 32]);
    assert_eq!(ask.asker(&reshare, CERTIFICATE), Err(NewestError::Stranger));
    let answer = Answer::sign(operator("carol").key(), carol, &ask, BTreeSet::new());
    assert_eq!(answer.check(&ask, &reshare), Err(NewestError::Holder(carol)));
}

fn operator(name: &str) -> Operator {
    let mut entropy = tagged(Tag::BatchSeed, &[b"example", name.as_bytes()]).0;
    Operator::generate(OperatorName::parse(name).unwrap(), Secret32::new(&mut entropy))
}

fn ask(nonce: u8) -> Ask {
    let about = (ceremony().digest(), CERTIFICATE);
    Ask::sign(operator("alice").key(), MARK, about, [nonce; 32])
}

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

fn known(first: u8, name: &str) -> Known {
    Known { ceremony: Digest([first; 32]), standing: Standing::Committed, name: name.to_owned() }
}

fn answer(name: &str, me: u16, all: &[Known]) -> Answer {
    let all: BTreeSet<Known> = all.iter().cloned().collect();
    Answer::sign(operator(name).key(), index(me), &ask(1), all)
}

#[test]
fn a_question_is_its_operators_about_one_ceremony() {
    let (ceremony, ask) = (ceremony(), ask(1));
    assert_eq!(Ask::decode(&ask.encode()), Ok(ask.clone()));
    assert_eq!(ask.asker(&ceremony, CERTIFICATE), Ok(index(1)));
    let other = NewestError::Ceremony(ceremony.digest());
    assert_eq!(ask.asker(&ceremony, Digest([8; 32])), Err(other));
    let about = (ceremony.digest(), CERTIFICATE);
    let stranger = Ask::sign(operator("mallory").key(), MARK, about, [1; 32]);
    assert_eq!(stranger.asker(&ceremony, CERTIFICATE), Err(NewestError::Stranger));
    // What was altered is nobody's, and what is cut or longer is none.
    let whole = ask.encode();
    for at in 6..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        let found = Ask::decode(&altered);
        let key = (70..102).contains(&at) && matches!(found, Err(NewestError::Key(_)));
        assert!(key || found == Err(NewestError::Signature), "{at}: {found:?}");
    }
    for len in 0..whole.len() {
        assert!(matches!(Ask::decode(&whole[..len]), Err(NewestError::Layout(_))), "{len}");
    }
    let invalid = |what, why| Err(NewestError::Layout(DecodeError::Invalid { what, why }));
    let with = |at: usize, byte: u8| {
        let mut altered = whole.clone();
        altered[at] = byte;
        Ask::decode(&altered)
    };
    assert_eq!(with(3, b'k'), invalid("magic", "something else"));
    assert_eq!(with(5, 2), invalid("version", "of another version of this program"));
    let trailing = NewestError::Layout(DecodeError::Trailing { extra: 1 });
    assert_eq!(Ask::decode(&[&whole[..], &[0]].concat()), Err(trailing));
}

/// Answers that were altered, are somebody else's, or were given to another question.
#[test]
fn attack_rs12_answer_of_another() {
    let (ceremony, ask) = (ceremony(), ask(1));
    assert_eq!(needed(&ceremony), 2);
    for all in [&[][..], &[known(1, "next"), known(2, "")]] {
        let good = answer("bob", 2, all);
        assert_eq!(Answer::decode(&good.encode()), Ok(good.clone()));
        assert_eq!(good.check(&ask, &ceremony), Ok(()));
        assert_eq!(good.known, all);
        // To another question of the same directory, or of another one.
        assert_eq!(good.check(&self::ask(2), &ceremony), Err(NewestError::OtherAsk));
        let about = (ceremony.digest(), CERTIFICATE);
        let mark = InstallMark([8; 32]);
        let elsewhere = Ask::sign(operator("alice").key(), mark, about, [1; 32]);
        assert_eq!(good.check(&elsewhere, &ceremony), Err(NewestError::OtherAsk));
        // What was altered: it names another one, another operator, or something else.
        let whole = good.encode();
        for at in 44..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            if let Ok(altered) = Answer::decode(&altered) {
                assert_eq!(altered.check(&ask, &ceremony), Err(NewestError::Signature), "{at}");
            }
        }
        for len in 0..whole.len() {
            assert!(matches!(Answer::decode(&whole[..len]), Err(NewestError::Layout(_))), "{len}");
        }
    }
    let refused = |name: &str, me: u16| answer(name, me, &[]).check(&ask, &ceremony).err();
    assert_eq!(refused("bob", 3), Some(NewestError::Signature));
    assert_eq!(refused("bob", 5), Some(NewestError::Holder(index(5))));
    assert_eq!(refused("alice", 1), Some(NewestError::Own(index(1))));
}

#[test]
fn an_answer_has_one_form() {
    let all = [known(1, "one"), known(2, "two")];
    let whole = answer("bob", 2, &all).encode();
    let invalid = |what, why| Err(NewestError::Layout(DecodeError::Invalid { what, why }));
    let with = |at: usize, byte: u8| {
        let mut altered = whole.clone();
        altered[at] = byte;
        Answer::decode(&altered)
    };
    // Magic, version, question, operator, count; then digest, standing and name of each.
    let first = 4 + 2 + 32 + 2 + 2;
    assert_eq!(with(0, b'q'), invalid("magic", "something else"));
    assert_eq!(with(5, 2), invalid("version", "of another version of this program"));
    assert_eq!(with(39, 0), invalid("operator", "zero, or more than 255"));
    assert_eq!(with(41, 65), invalid("count", "more than an answer names"));
    assert_eq!(with(first, 3), invalid("ceremonies", "not in ascending order, each once"));
    for standing in [0, 4] {
        assert_eq!(with(first + 32, standing), invalid("standing", "not 1, 2 or 3"));
    }
    assert_eq!(with(first + 33, 9), invalid("name", "longer than allowed"));
    assert_eq!(with(first + 35, 0xff), invalid("name", "not UTF-8"));
    // It is shown to people, and so on one line.
    for byte in [b'\n', 0x1b, b' '] {
        assert_eq!(with(first + 35, byte), invalid("name", "not the name of a ceremony"));
    }
    let twice = [known(1, "one"), known(1, "two")];
    assert_eq!(answer("bob", 2, &twice).known.len(), 1);
    let many: Vec<Known> = (0..100).map(|first| known(first, "")).collect();
    assert_eq!(answer("bob", 2, &many).known.len(), MOST_KNOWN);
}
