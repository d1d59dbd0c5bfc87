//! Timestamps in the formats of SSV's files and folders.

/// A time in milliseconds since 1970, before the year 10000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64);

/// Midnight of the 1st of January 10000.
const YEAR_10000: u64 = 253_402_300_800_000;

struct Parts {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    millisecond: u64,
}

impl Stamp {
    /// The first moment of 1970.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since 1970. `None` from the year 10000 on.
    pub fn from_millis(millis: u64) -> Option<Self> {
        (millis < YEAR_10000).then_some(Self(millis))
    }

    fn parts(self) -> Parts {
        let (days, millis) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (mut year, mut left) = (1970, days);
        while left >= days_of_year(year) {
            left -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while left >= days_of_month(year, month) {
            left -= days_of_month(year, month);
            month += 1;
        }
        let (second, millisecond) = (millis / 1000, millis % 1000);
        Parts {
            year,
            month,
            day: left + 1,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            millisecond,
        }
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ` (RFC 3339).
    pub fn rfc3339(self) -> String {
        let Parts { year, month, day, hour, minute, second, millisecond } = self.parts();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }

    /// `ceremony-YYYY-MM-DD--HH-MM-SS.mmm`: the name of a folder.
    pub fn folder(self) -> String {
        let Parts { year, month, day, hour, minute, second, millisecond } = self.parts();
        let date = format!("{year:04}-{month:02}-{day:02}");
        format!("ceremony-{date}--{hour:02}-{minute:02}-{second:02}.{millisecond:03}")
    }
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    365 + u64::from(leap(year))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether `text` is a time of RFC 3339 in UTC with a `Z`, with at most nine digits of a second.
pub(super) fn is_rfc3339(text: &str) -> bool {
    let Some((date, fraction)) = text.strip_suffix('Z').and_then(|text| text.split_at_checked(19))
    else {
        return false;
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let shaped =
        date.bytes().enumerate().all(|(i, b)| match separators.iter().find(|(at, _)| *at == i) {
            Some((_, separator)) => b == *separator,
            None => b.is_ascii_digit(),
        });
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    let fraction = (fraction.is_empty() || fraction.starts_with('.'))
        && (1..=9).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit());
    if !shaped || !fraction {
        return false;
    }
    let number = |from: usize, to: usize| date[from..to].parse::<u64>().unwrap_or(u64::MAX);
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && number(11, 13) < 24
        && number(14, 16) < 60
        && number(17, 19) < 60
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_times() {
        // date -u -d @N
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_729_504_614_375, "2024-10-21T09:56:54.375Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (YEAR_10000 - 1, "9999-12-31T23:59:59.999Z"),
        ] {
            let stamp = Stamp::from_millis(millis).unwrap();
            assert_eq!(stamp.rfc3339(), text);
            assert!(is_rfc3339(text));
        }
        assert_eq!(
            Stamp::from_millis(1_729_504_614_375).unwrap().folder(),
            "ceremony-2024-10-21--09-56-54.375"
        );
        assert_eq!(Stamp::from_millis(YEAR_10000), None);
    }

    #[test]
    fn other_texts_are_no_times() {
        assert!(is_rfc3339("2024-10-21T09:56:54Z") && is_rfc3339("2024-10-21T09:56:54.354903Z"));
        for text in [
            "",
            "Z",
            "2024-10-21T09:56:54",
            "2024-10-21 09:56:54Z",
            "2024-10-21T09:56:54+00:00",
            "2023-02-29T09:56:54Z",
            "2024-13-01T09:56:54Z",
            "2024-00-01T09:56:54Z",
            "2024-10-21T24:00:00Z",
            "2024-10-21T09:56:60Z",
            "2024-10-21T09:56:54.Z",
            "2024-10-21T09:56:54.1234567890Z",
            "2024-10-21T09:56:54,1Z",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}Z",
        ] {
            assert!(!is_rfc3339(text), "{text}");
        }
    }
}
