//! Names of operators in ceremonies of version 2: a small alphabet, nothing that looks like a seat
//! or an option, and skeletons by which two names that look alike are told.

/// What a name may have beside letters, digits and spaces.
const SIGNS: &[u8] = b"-_.&+@";
/// Words by which programs and people name a seat.
const SEAT_WORDS: [&str; 3] = ["operator", "seat", "index"];
/// Characters that look like others, after upper case was made lower case.
const ALIKE: [(char, char); 8] = [
    ('0', 'o'),
    ('1', 'l'),
    ('2', 'z'),
    ('5', 's'),
    ('8', 'b'),
    ('9', 'g'),
    ('@', 'a'),
    ('i', 'l'),
];
/// Pairs of letters that look like one, replaced one after the other.
const PAIRS: [(&str, &str); 3] = [("rn", "m"), ("vv", "w"), ("cl", "d")];

/// Why a name is not one of a new operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlainError {
    /// A character outside the alphabet.
    #[error(
        "the name contains the character {found:?}; only ASCII letters, digits, spaces and - _ . & \
         + @ are allowed"
    )]
    Sign {
        /// The first such character.
        found: char,
    },
    /// Something else than a letter in front: an option, a number.
    #[error("the name does not start with a letter")]
    Start,
    /// A word that names a seat.
    #[error("the name contains the word {word:?}, so it could be taken for a seat")]
    Seat {
        /// The word.
        word: &'static str,
    },
}

/// Whether printable ASCII is a name of a new operator.
pub fn check_plain(name: &str) -> Result<(), PlainError> {
    let allowed = |c: &char| {
        c.is_ascii_alphanumeric() || *c == ' ' || u8::try_from(*c).is_ok_and(|b| SIGNS.contains(&b))
    };
    if let Some(found) = name.chars().find(|c| !allowed(c)) {
        return Err(PlainError::Sign { found });
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(PlainError::Start);
    }
    let words = name.split(|c: char| !c.is_ascii_alphabetic());
    let named = |word: &str| SEAT_WORDS.into_iter().find(|seat| word.eq_ignore_ascii_case(seat));
    match words.into_iter().find_map(named) {
        Some(word) => Err(PlainError::Seat { word }),
        None => Ok(()),
    }
}

/// What two names that look alike have in common.
pub fn skeleton(name: &str) -> String {
    let single = |c: char| {
        let c = c.to_ascii_lowercase();
        let alike = ALIKE.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
        alike.is_ascii_alphanumeric().then_some(alike)
    };
    let singles: String = name.chars().filter_map(single).collect();
    PAIRS.iter().fold(singles, |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        for name in ["alice", "Alice 2", "a.b-c_d & co + x@y", "cooperators", "Z"] {
            assert_eq!(check_plain(name), Ok(()), "{name}");
        }
        for (name, why) in [
            ("alice (operator 1)", PlainError::Sign { found: '(' }),
            ("al\"ice", PlainError::Sign { found: '"' }),
            ("al'ice", PlainError::Sign { found: '\'' }),
            ("a,b", PlainError::Sign { found: ',' }),
            ("--yes", PlainError::Start),
            ("1", PlainError::Start),
            ("2 alice", PlainError::Start),
            ("alice operator 1", PlainError::Seat { word: "operator" }),
            ("Operator-3", PlainError::Seat { word: "operator" }),
            ("SEAT2", PlainError::Seat { word: "seat" }),
            ("index", PlainError::Seat { word: "index" }),
        ] {
            assert_eq!(check_plain(name), Err(why), "{name}");
        }
    }

    #[test]
    fn names_that_look_alike() {
        for (one, other) in [
            ("alice", "A1ice"),
            ("alice", "al ice"),
            ("alice", "al-ice."),
            ("alice", "allce"),
            ("bob", "b0b"),
            ("bob", "8ob"),
            ("morn", "mom"),
            ("sue", "5ue"),
            ("wanda", "vvanda"),
            ("clara", "dara"),
            ("anna", "@nna"),
            ("zoe", "2oe"),
            ("greg", "gre9"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
        for (one, other) in [("alice", "alina"), ("bob", "rob"), ("node 3", "node 4")] {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }
}
