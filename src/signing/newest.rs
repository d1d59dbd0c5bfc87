//! Whether shares that came out of a backup are the newest: what a restored operator asks the
//! others that hold shares, and what each of them answers, signed. Chapter 9 of the specification,
//! section 9.8.

use std::collections::BTreeSet;

use crate::identity::card::{InstallMark, check_name};
use crate::identity::key::{KeyError, OperatorKey, OperatorPublic};
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::Ceremony;
use crate::spec::ceremony::LONGEST_NAME;
use crate::spec::threshold::Index;

const ASK: [u8; 4] = *b"QASK";
const ANSWER: [u8; 4] = *b"QANS";
const VERSION: u16 = 1;
/// Bytes of an ask.
pub const ASK_BYTES: usize = 4 + 2 + 5 * 32 + 64;
/// Most ceremonies that an answer names.
pub const MOST_KNOWN: usize = 64;
/// The longest answer.
pub const LONGEST_ANSWER: usize =
    4 + 2 + 32 + 2 + 2 + MOST_KNOWN * (32 + 1 + 2 + LONGEST_NAME) + 64;

/// A question to the other holders of shares of a ceremony, from one directory of one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The ceremony that made the shares.
    pub ceremony: Digest,
    /// Its certificate.
    pub certificate: Digest,
    /// Who asks.
    pub key: OperatorPublic,
    /// The mark of its directory.
    pub mark: InstallMark,
    /// Makes each question another one.
    pub nonce: [u8; 32],
    /// Its signature.
    pub signature: [u8; 64],
}

/// How far an operator is in a reshare or an import of keys that it is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Standing {
    /// It has committed its shares.
    Committed = 1,
    /// Its last statement is signed, or its log is gone.
    Final = 2,
    /// It has the outputs.
    Complete = 3,
}

/// A ceremony that an operator has committed to, and which those that it is asked about do not hang
/// on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// Its digest.
    pub ceremony: Digest,
    /// How far the operator is in it.
    pub standing: Standing,
    /// Its name, if that is known.
    pub name: String,
}

/// What an operator knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question.
    pub ask: Digest,
    /// Who answers, by index in the ceremony.
    pub operator: Index,
    /// What it has committed to, ascending by digest.
    pub known: Vec<Known>,
    /// Its signature.
    pub signature: [u8; 64],
}

/// Why bytes are no question, or no answer to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewestError {
    /// Not the layout.
    #[error(transparent)]
    Layout(#[from] DecodeError),
    /// No operator key.
    #[error("the key of who asks: {0}")]
    Key(#[from] KeyError),
    /// Another ceremony, or another certificate of it.
    #[error("it asks about another ceremony: {0}")]
    Ceremony(Digest),
    /// Who asks holds no share of the ceremony.
    #[error("whoever asks holds no share of this ceremony")]
    Stranger,
    /// An answer to another question: an older one, one of another directory, or another
    /// operator's.
    #[error("it answers another question than the one that this directory asked last")]
    OtherAsk,
    /// Whoever answers holds no share of the ceremony.
    #[error("operator {0} holds no share of this ceremony")]
    Holder(Index),
    /// One's own answer says nothing.
    #[error("operator {0} is the one that asks")]
    Own(Index),
    /// The signature is not that operator's.
    #[error("its signature is not that of the operator whose it claims to be")]
    Signature,
}

impl Ask {
    /// Asks about a finished ceremony (its digest and certificate), from the directory with this
    /// mark.
    pub fn sign(
        key: &OperatorKey,
        mark: InstallMark,
        (ceremony, certificate): (Digest, Digest),
        nonce: [u8; 32],
    ) -> Self {
        let public = key.public();
        let mut ask = Self { ceremony, certificate, key: public, mark, nonce, signature: [0; 64] };
        ask.signature = key.sign(Tag::NewestAsk, &ask.signed());
        ask
    }

    fn signed(&self) -> Vec<u8> {
        Writer::with_capacity(ASK_BYTES)
            .bytes(&ASK)
            .u16(VERSION)
            .bytes(self.ceremony.as_bytes())
            .bytes(self.certificate.as_bytes())
            .bytes(self.key.as_bytes())
            .bytes(&self.mark.0)
            .bytes(&self.nonce)
            .finish()
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::with_capacity(ASK_BYTES).bytes(&self.signed()).bytes(&self.signature).finish()
    }

    /// Reads a question that its operator has signed.
    ///
    /// # Errors
    /// [`NewestError::Layout`], [`NewestError::Key`] and [`NewestError::Signature`].
    pub fn decode(bytes: &[u8]) -> Result<Self, NewestError> {
        let (fields, signature) = Reader::all(bytes, |r| {
            read_front(r, ASK)?;
            let fields: [[u8; 32]; 5] = [
                r.array("ceremony")?,
                r.array("certificate")?,
                r.array("operator key")?,
                r.array("install mark")?,
                r.array("nonce")?,
            ];
            Ok((fields, r.array("signature")?))
        })?;
        let [ceremony, certificate, key, mark, nonce] = fields;
        let key = OperatorPublic::from_bytes(key)?;
        let (ceremony, certificate) = (Digest(ceremony), Digest(certificate));
        let mark = InstallMark(mark);
        let ask = Self { ceremony, certificate, key, mark, nonce, signature };
        let verified = key.verify(Tag::NewestAsk, &ask.signed(), &ask.signature);
        verified.map(|()| ask).map_err(|_| NewestError::Signature)
    }

    /// What answers name it by.
    pub fn id(&self) -> Digest {
        tagged(Tag::NewestAskId, &[&self.encode()])
    }

    /// Who asks, if it is about this ceremony, and by one that holds a share of it.
    ///
    /// # Errors
    /// [`NewestError::Ceremony`] and [`NewestError::Stranger`].
    pub fn asker(&self, ceremony: &Ceremony, certificate: Digest) -> Result<Index, NewestError> {
        if (self.ceremony, self.certificate) != (ceremony.digest(), certificate) {
            return Err(NewestError::Ceremony(self.ceremony));
        }
        let asker = ceremony.roster().find(&self.key);
        asker.filter(|asker| holds(ceremony, *asker)).ok_or(NewestError::Stranger)
    }
}

impl Answer {
    /// Answers a question; of more than an answer names, the first.
    pub fn sign(key: &OperatorKey, me: Index, ask: &Ask, known: BTreeSet<Known>) -> Self {
        let mut known: Vec<Known> = known.into_iter().collect();
        known.dedup_by_key(|known| known.ceremony);
        known.truncate(MOST_KNOWN);
        let mut answer = Self { ask: ask.id(), operator: me, known, signature: [0; 64] };
        answer.signature = key.sign(Tag::NewestAnswer, &answer.signed());
        answer
    }

    fn signed(&self) -> Vec<u8> {
        let count = u16::try_from(self.known.len()).expect("bounded");
        let w = Writer::default().bytes(&ANSWER).u16(VERSION).bytes(self.ask.as_bytes());
        w.u16(self.operator.get())
            .u16(count)
            .each(&self.known, |w, known| {
                w.bytes(known.ceremony.as_bytes()).u8(known.standing as u8).text(&known.name)
            })
            .finish()
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::default().bytes(&self.signed()).bytes(&self.signature).finish()
    }

    /// Reads an answer. Nothing is verified yet.
    ///
    /// # Errors
    /// [`NewestError::Layout`].
    pub fn decode(bytes: &[u8]) -> Result<Self, NewestError> {
        let answer = Reader::all(bytes, |r| {
            read_front(r, ANSWER)?;
            let ask = Digest(r.array("question")?);
            let operator = Index::new(r.u16("operator")?);
            let operator = operator.ok_or(invalid("operator", "zero, or more than 255"))?;
            let count = usize::from(r.u16("count")?);
            if count > MOST_KNOWN {
                return Err(invalid("count", "more than an answer names"));
            }
            let known = r.many(count, read_known)?;
            if !known.windows(2).all(|pair| pair[0].ceremony < pair[1].ceremony) {
                return Err(invalid("ceremonies", "not in ascending order, each once"));
            }
            Ok(Self { ask, operator, known, signature: r.array("signature")? })
        })?;
        Ok(answer)
    }

    /// Whether it is a holder's answer to this question about this ceremony.
    ///
    /// # Errors
    /// [`NewestError::OtherAsk`], [`NewestError::Holder`], [`NewestError::Own`] and
    /// [`NewestError::Signature`].
    pub fn check(&self, ask: &Ask, ceremony: &Ceremony) -> Result<(), NewestError> {
        if self.ask != ask.id() {
            return Err(NewestError::OtherAsk);
        }
        let seat = ceremony.roster().get(self.operator).filter(|_| holds(ceremony, self.operator));
        let key = seat.ok_or(NewestError::Holder(self.operator))?.card.key;
        if key == ask.key {
            return Err(NewestError::Own(self.operator));
        }
        key.verify(Tag::NewestAnswer, &self.signed(), &self.signature)
            .map_err(|_| NewestError::Signature)
    }
}

/// How many of the other holders have to answer: half, rounded up. More than half are bound by any
/// reshare that is complete, also by one that was finished without seats that are lost, so one of
/// any so many others is. It is never fewer than `n - t + 1`, since more than half sign. Of a
/// repair, those of its parent.
pub fn needed(ceremony: &Ceremony) -> usize {
    ceremony.holders().div_ceil(2)
}

fn holds(ceremony: &Ceremony, index: Index) -> bool {
    ceremony.parts().receivers.contains(index)
}

fn read_front(r: &mut Reader<'_>, expected: [u8; 4]) -> Result<(), DecodeError> {
    match (r.array("magic")? == expected, r.u16("version")?) {
        (false, _) => Err(invalid("magic", "something else")),
        (true, VERSION) => Ok(()),
        (true, _) => Err(invalid("version", "of another version of this program")),
    }
}

fn read_known(r: &mut Reader<'_>) -> Result<Known, DecodeError> {
    let ceremony = Digest(r.array("ceremony")?);
    let standing = match r.u8("standing")? {
        1 => Standing::Committed,
        2 => Standing::Final,
        3 => Standing::Complete,
        _ => return Err(invalid("standing", "not 1, 2 or 3")),
    };
    // Shown to people, so it is a name as a ceremony may have one: on one line.
    let name = r.text("name", LONGEST_NAME)?;
    if !name.is_empty() && check_name(&name, LONGEST_NAME).is_err() {
        return Err(invalid("name", "not the name of a ceremony"));
    }
    Ok(Known { ceremony, standing, name })
}

const fn invalid(what: &'static str, why: &'static str) -> DecodeError {
    DecodeError::Invalid { what, why }
}
