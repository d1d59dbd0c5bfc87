//! What two programs that only try their connection tell each other: their clocks and versions.
//!
//! It is no statement, nobody signs it, and a participant passes over it.

use crate::primitives::codec::{DecodeError, Reader, Writer};

/// Longest version of a program, in bytes.
pub const LONGEST_PROGRAM: usize = 32;
/// Longest probe: `time (8) ‖ length (1) ‖ version`.
pub const PROBE_BYTES: usize = 8 + 1 + LONGEST_PROGRAM;

/// What a program says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Its clock, in seconds since 1970.
    pub time: u64,
    program: String,
}

impl Probe {
    /// With the version of the program: 1 to 32 characters of printable ASCII.
    pub fn new(time: u64, program: &str) -> Option<Self> {
        let plain = program.bytes().all(|b| matches!(b, b' '..=b'~'));
        let fits = (1..=LONGEST_PROGRAM).contains(&program.len());
        (plain && fits).then(|| Self { time, program: program.to_owned() })
    }

    /// The version of the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let time = r.u64("time")?;
        let length = usize::from(r.u8("length of the version")?);
        let text = core::str::from_utf8(r.bytes("version", length)?).unwrap_or_default();
        let what = "version";
        Self::new(time, text).ok_or(DecodeError::Invalid { what, why: "not 1 to 32 plain letters" })
    }

    pub(super) fn write(&self, w: Writer) -> Writer {
        let length = u8::try_from(self.program.len()).expect("at most 32");
        w.u64(self.time).u8(length).bytes(self.program.as_bytes())
    }

    pub(super) fn encoded_bytes(&self) -> usize {
        8 + 1 + self.program.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_spelling() {
        let probe = Probe::new(7, "0.1.0").unwrap();
        let bytes = probe.write(Writer::default()).finish();
        assert_eq!(bytes, b"\0\0\0\0\0\0\0\x07\x050.1.0");
        assert_eq!(bytes.len(), probe.encoded_bytes());
        assert_eq!(Reader::all(&bytes, Probe::read), Ok(probe));
        for program in ["", "a\nb", "\u{fc}", &"1".repeat(33)] {
            assert_eq!(Probe::new(7, program), None, "{program:?}");
        }
        assert!(Probe::new(7, &"1".repeat(32)).is_some());
        let invalid = |bytes: &[u8]| Reader::all(bytes, Probe::read).unwrap_err();
        let what = "version";
        let refused = DecodeError::Invalid { what, why: "not 1 to 32 plain letters" };
        assert_eq!(invalid(b"\0\0\0\0\0\0\0\x07\0"), refused);
        assert_eq!(invalid(b"\0\0\0\0\0\0\0\x07\x02\xff\xff"), refused);
        assert_eq!(invalid(b"\0\0\0\0\0\0\0\x07\x011!"), DecodeError::Trailing { extra: 1 });
        assert_eq!(invalid(b"\0\0\0\0\0\0\0\x07\x02!"), DecodeError::Short { what, missing: 1 });
    }
}
