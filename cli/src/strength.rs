//! Refuses new passphrases that are guessed first: repetitions, sequences, the most common words.
//!
//! It estimates how much of a passphrase is left once the guessable parts are taken out, and wipes
//! what it works on; estimators from elsewhere keep copies of the passphrase in memory.

use zeroize::Zeroizing;

/// Fewest characters that must be left of a passphrase, where a guessable part counts as two.
const FEWEST_LEFT: usize = 9;
/// What a guessable part counts as, however long it is.
const PART: usize = 2;
/// Shortest run of neighbours that is a sequence.
const SHORTEST_RUN: usize = 3;
/// Rows of keyboards, alphabets and digits, along which people move their fingers.
const ROWS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
];
/// What lists of leaked passwords begin with, and what a ceremony makes people think of.
const COMMON: [&str; 46] = [
    "correcthorsebatterystaple",
    "password",
    "passwort",
    "passphrase",
    "motdepasse",
    "letmein",
    "welcome",
    "iloveyou",
    "trustno1",
    "changeme",
    "administrator",
    "admin",
    "default",
    "secret",
    "master",
    "login",
    "access",
    "superman",
    "batman",
    "starwars",
    "pokemon",
    "football",
    "baseball",
    "princess",
    "sunshine",
    "shadow",
    "dragon",
    "monkey",
    "michael",
    "jordan",
    "charlie",
    "whatever",
    "freedom",
    "computer",
    "internet",
    "testing",
    "test",
    "hello",
    "qazwsx",
    "ethereum",
    "validator",
    "keystore",
    "quorate",
    "charon",
    "obol",
    "hoodi",
];

/// Why a passphrase is guessed early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weak {
    /// The same few characters again and again.
    Repetition,
    /// Alphabet, digits, or a row of a keyboard.
    Sequence,
    /// The most common passwords.
    Common,
}

/// Whether a new passphrase is better than what is guessed first.
pub(crate) fn check(passphrase: &str) -> Result<(), Weak> {
    // Upper case, blanks and the usual substitutions are tried together with the plain words. Its
    // room is made at once: a buffer that grows leaves a copy behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(2 * passphrase.len()));
    plain.extend(passphrase.chars().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()));
    if repeats(&plain) {
        return Err(Weak::Repetition);
    }
    let (mut left, mut sequences, mut common, mut at) = (0, 0, 0, 0);
    while at < plain.len() {
        let rest = &plain[at..];
        let word = COMMON.iter().filter(|word| begins(rest, word)).map(|word| word.len()).max();
        let run = run(rest);
        let (length, counts) = match word {
            Some(length) if length >= run => {
                common += length;
                (length, PART)
            }
            _ if run >= SHORTEST_RUN => {
                sequences += run;
                (run, PART)
            }
            _ => (1, 1),
        };
        left += counts;
        at += length;
    }
    match left >= FEWEST_LEFT {
        true => Ok(()),
        // Nothing was found, but it is hardly anything but blanks.
        false if sequences == 0 && common == 0 => Err(Weak::Repetition),
        false if sequences > common => Err(Weak::Sequence),
        false => Err(Weak::Common),
    }
}

/// Whether it is a short piece again and again, or made of hardly any different characters.
fn repeats(text: &[char]) -> bool {
    let mut different = Zeroizing::new(text.to_vec());
    different.sort_unstable();
    different.dedup();
    let periodic = |period: usize| text.iter().zip(&text[period..]).all(|(a, b)| a == b);
    different.len() < 5 || (1..=text.len() / 2).any(periodic)
}

/// Whether `text` begins with `word`, letters that are commonly replaced included.
fn begins(text: &[char], word: &str) -> bool {
    let same = |(found, letter): (&char, char)| {
        *found == letter
            || matches!(
                (*found, letter),
                ('0', 'o')
                    | ('1' | '!', 'i' | 'l')
                    | ('3', 'e')
                    | ('4' | '@', 'a')
                    | ('5' | '$', 's')
                    | ('7', 't')
            )
    };
    text.len() >= word.len() && text.iter().zip(word.chars()).all(same)
}

/// The length of the longest run along a row, in either direction, or on one character, with which
/// `text` begins.
fn run(text: &[char]) -> usize {
    let on_one = text.iter().take_while(|c| **c == text[0]).count();
    let along = |row: &str, forward: bool| {
        let next = |a: char, b: char| {
            let (a, b) = if forward { (a, b) } else { (b, a) };
            row.chars().zip(row.chars().skip(1)).any(|pair| pair == (a, b))
        };
        1 + text.windows(2).take_while(|pair| next(pair[0], pair[1])).count()
    };
    let runs = ROWS.iter().flat_map(|row| [along(row, true), along(row, false)]);
    runs.max().unwrap_or(1).max(on_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_refused() {
        for (passphrase, why) in [
            ("aaaaaaaaaaaa", Weak::Repetition),
            ("abcabcabcabc", Weak::Repetition),
            ("passwordpassword", Weak::Repetition),
            ("alice alice alice", Weak::Repetition),
            ("0101 0110 1011", Weak::Repetition),
            ("123456789012", Weak::Sequence),
            ("abcdefghijkl", Weak::Sequence),
            ("qwertyuiop[]", Weak::Sequence),
            ("0987654321qwerty", Weak::Sequence),
            ("1234qwerasdfzxcv", Weak::Sequence),
            ("Aaaaaa111111!", Weak::Repetition),
            ("password1234", Weak::Common),
            ("P@ssw0rd!2024", Weak::Common),
            ("LetMeIn Please", Weak::Common),
            ("correct horse battery staple", Weak::Common),
            ("admin admin123", Weak::Common),
            ("quorate validator", Weak::Common),
        ] {
            assert_eq!(check(passphrase), Err(why), "{passphrase}");
        }
    }

    #[test]
    fn what_people_should_choose_is_accepted() {
        for passphrase in [
            "correct horse battery",
            "gr\u{fc}n wie die Hoffnung",
            "twelve chars",
            "fox lamp river",
            "kT9#vLq2!xWz",
            "9f8c1f7b2d3e",
            "\u{6771}\u{4eac}\u{90fd}\u{5343}\u{4ee3}\u{7530}\u{533a}\u{4e38}\u{306e}\u{5185}",
        ] {
            assert_eq!(check(passphrase), Ok(()), "{passphrase}");
        }
    }
}
