//! Files as messages: the subjects of their pieces, and how pieces become a file again.

use super::client::PIECE;
use crate::carrier::board::{Name, Place};

/// Bytes that each piece but the last has at least, and pieces of a file at most.
const SHORTEST: u64 = *PIECE.start() as u64;
pub(super) const MOST_PIECES: u64 = 4096;

/// The name of a topic's stream.
pub(super) fn stream(place: &Place) -> String {
    format!("quorate-{}", &place.topic()[..32])
}

pub(super) fn shelf(place: &Place) -> String {
    format!("quorate.1.{}.{}.", place.topic(), place.shelf())
}

/// The subject of a piece, from 1.
pub(super) fn subject(place: &Place, name: &Name, len: u64, piece: u64, pieces: u64) -> String {
    format!("{}{name}.{len}.{piece}.{pieces}", shelf(place))
}

/// What a subject says of a piece: a name, the file's length, which piece it is and of how many.
pub(super) fn piece(rest: &str) -> Option<(Name, u64, u64, u64)> {
    let mut words = rest.split('.');
    let name = Name::parse(words.next()?.as_bytes())?;
    let mut number = || {
        let word = words.next()?;
        let plain = !word.starts_with('0') && word.bytes().all(|b| b.is_ascii_digit());
        word.parse::<u64>().ok().filter(|_| plain)
    };
    let (len, piece, pieces) = (number()?, number()?, number()?);
    let most = MOST_PIECES.min(len.div_ceil(SHORTEST));
    let sound = piece <= pieces && pieces <= most && words.next().is_none();
    sound.then_some((name, len, piece, pieces))
}

/// A file of `len` bytes in so many pieces; `None` as soon as one is not there, or has a length
/// that no piece of such a file has.
pub(super) fn whole<E>(
    len: u64,
    pieces: u64,
    mut get: impl FnMut(u64) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    let (mut bytes, mut each) = (Vec::new(), len);
    for piece in 1..=pieces {
        let Some(part) = get(piece)? else { return Ok(None) };
        let found = part.len() as u64;
        if piece == 1 {
            each = found;
            let sound = pieces == 1 || PIECE.contains(&part.len());
            if !sound || each == 0 || len.div_ceil(each) != pieces {
                return Ok(None);
            }
        }
        if found != each.min(len - bytes.len() as u64) {
            return Ok(None);
        }
        bytes.extend(part);
    }
    Ok(Some(bytes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_one_spelling_and_bounds() {
        let name = Name::of(b"abc");
        assert_eq!(piece(&format!("{name}.3.1.1")), Some((name, 3, 1, 1)));
        assert_eq!(piece(&format!("{name}.9000.2.3")), Some((name, 9000, 2, 3)));
        for wrong in [
            "3.2.1",
            "3.0.1",
            "3.1.0",
            "03.1.1",
            "3.1.1.1",
            "3.1",
            "2.1.3",
            "2048.1.3",
            "9999999.1.5000",
            "+3.1.1",
            "x.1.1",
        ] {
            assert_eq!(piece(&format!("{name}.{wrong}")), None, "{wrong}");
        }
        assert_eq!(piece("name.3.1.1"), None);
    }

    #[test]
    fn pieces_have_the_lengths_that_a_file_in_pieces_has() {
        let of = |len: u64, parts: &[usize]| {
            let mut asked = 0;
            let got = whole(len, parts.len() as u64, |piece| {
                asked += 1;
                Ok::<_, ()>(Some(vec![7; parts[usize::try_from(piece).unwrap() - 1]]))
            });
            (got.unwrap().map(|bytes| bytes.len()), asked)
        };
        assert_eq!(of(3, &[3]), (Some(3), 1));
        assert_eq!(of(5000, &[2000, 2000, 1000]), (Some(5000), 3));
        assert_eq!(of(4000, &[2000, 2000]), (Some(4000), 2));
        // As soon as it is known, nothing more is asked for.
        for (len, parts, asked) in [
            (3, &[4][..], 1),
            (3, &[2], 1),
            (5000, &[0, 2500, 2500], 1),
            (2000, &[1000, 1000], 1),
            (3 << 20, &[(1 << 20) + 1, 1 << 20, (1 << 20) - 1], 1),
            (5000, &[3000, 1000, 1000], 1),
            (5000, &[1100, 1100, 2800], 1),
            (5000, &[2000, 1999, 1001], 2),
            (5000, &[2000, 2001, 999], 2),
            (5000, &[2000, 2000, 1001], 3),
            (5000, &[2000, 2000, 999], 3),
        ] {
            assert_eq!(of(len, parts), (None, asked), "{len} {parts:?}");
        }
    }
}
