//! Frames between operators about a request.

use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::noise::signed_box_len;
use crate::signing::partial::{Extent, PartialFile, payload};
use crate::spec::threshold::Index;

const STATE: u8 = 1;
const ANSWER: u8 = 2;
const SEALED: u8 = 3;

/// How far an operator is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// It has what it needs: the result is on its disk, or it has heard that it is on the
    /// custodian's.
    pub satisfied: bool,
    /// Whose answers it counts, by index.
    pub counted: Vec<bool>,
}

impl State {
    /// Whether it counts the answer of `operator`.
    pub fn counts(&self, operator: Index) -> bool {
        self.counted.get(operator.position()) == Some(&true)
    }
}

/// A unit that a carrier moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `1 ‖ u8(satisfied) ‖ n × u8`.
    State(State),
    /// `2 ‖ request(32) ‖ u16(operator) ‖ count × partial(96) ‖ signature(64)` or `3 ‖ request(32)
    /// ‖ box`, of `162 + 96 × count` bytes, for a request of `count` validators. With key shares
    /// 512 bytes more for each; with a lock 65 more.
    Answer(PartialFile),
}

impl Frame {
    /// The longest frame among `n` operators, in bytes.
    pub fn max_bytes(n: usize, extent: Extent) -> usize {
        (2 + n).max(1 + 32 + signed_box_len(payload(extent)))
    }

    /// Reads a frame; its length follows from its first byte, `n` and `extent`.
    pub fn decode(bytes: &[u8], n: usize, extent: Extent) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| match r.u8("frame type")? {
            STATE => {
                let satisfied = boolean(r, "satisfied")?;
                Ok(Self::State(State { satisfied, counted: r.many(n, |r| boolean(r, "counted"))? }))
            }
            ANSWER => Ok(Self::Answer(PartialFile::read(r, false, extent)?)),
            SEALED => Ok(Self::Answer(PartialFile::read(r, true, extent)?)),
            _ => Err(DecodeError::Invalid { what: "frame type", why: "unknown" }),
        })
    }

    /// Writes a frame.
    pub fn encode(&self) -> Vec<u8> {
        let writer = Writer::default();
        match self {
            Self::State(state) => writer
                .u8(STATE)
                .u8(u8::from(state.satisfied))
                .each(&state.counted, |writer, counted| writer.u8(u8::from(*counted))),
            Self::Answer(answer) if answer.is_sealed() => answer.write(writer.u8(SEALED)),
            Self::Answer(answer) => answer.write(writer.u8(ANSWER)),
        }
        .finish()
    }
}

fn boolean(r: &mut Reader<'_>, what: &'static str) -> Result<bool, DecodeError> {
    match r.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Invalid { what, why: "neither 0 nor 1" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::partial::Form;

    #[test]
    fn every_frame_has_its_length() {
        let state = Frame::State(State { satisfied: true, counted: vec![false, true, true] });
        assert_eq!(state.encode(), [1, 1, 0, 1, 1]);
        let public = [&[ANSWER][..], &[7; 32], &[0, 2], &[8; 96], &[9; 64]].concat();
        let sealed = [&[SEALED][..], &[7; 32], &[8; 258]].concat();
        let two = [&[ANSWER][..], &[7; 32], &[0, 2], &[8; 192], &[9; 64]].concat();
        let sealed_two = [&[SEALED][..], &[7; 32], &[8; 354]].concat();
        for (bytes, count) in
            [(state.encode(), 1), (public, 1), (sealed, 1), (two, 2), (sealed_two, 2)]
        {
            let decode = |bytes: &[u8]| Frame::decode(bytes, 3, Extent::plain(count));
            assert!(bytes.len() <= Frame::max_bytes(3, Extent::plain(count)));
            assert_eq!(decode(&bytes).map(|frame| frame.encode()), Ok(bytes.clone()));
            assert!(decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
        }
        for bytes in [&[][..], &[0], &[4], &[1, 2, 0, 0, 0], &[1, 0, 0, 2, 0], &[1; 6]] {
            assert!(Frame::decode(bytes, 3, Extent::plain(1)).is_err(), "{bytes:?}");
        }
        assert!(
            Frame::decode(
                &[&[ANSWER][..], &[7; 32], &[0, 0], &[8; 160]].concat(),
                3,
                Extent::plain(1)
            )
            .is_err(),
            "no operator 0"
        );
    }

    #[test]
    fn key_shares_have_room_for_the_encrypted_shares() {
        let extent = |form| Extent { validators: 2, form };
        let consents = [&[ANSWER][..], &[7; 32], &[0, 2], &[8; 192], &[9; 64]].concat();
        let shares = [&[ANSWER][..], &[7; 32], &[0, 2], &[8; 192], &[5; 1024], &[9; 64]].concat();
        let sealed = [&[SEALED][..], &[7; 32], &[8; 354]].concat();
        let sealed_shares = [&[SEALED][..], &[7; 32], &[8; 354 + 1024]].concat();
        for (bytes, right, wrong) in [
            (consents, Form::Consents, Form::KeyShares),
            (shares, Form::KeyShares, Form::Consents),
            (sealed, Form::Consents, Form::KeyShares),
            (sealed_shares, Form::KeyShares, Form::Consents),
        ] {
            assert!(bytes.len() <= Frame::max_bytes(3, extent(right)));
            let frame = Frame::decode(&bytes, 3, extent(right));
            assert_eq!(frame.map(|frame| frame.encode()), Ok(bytes.clone()));
            assert!(Frame::decode(&bytes, 3, extent(wrong)).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes: Vec<u8>, n in 0usize..10, count in 1usize..3) {
            if let Ok(frame) = Frame::decode(&bytes, n, Extent::plain(count)) {
                assert_eq!(frame.encode(), bytes);
            }
        }
    }
}
