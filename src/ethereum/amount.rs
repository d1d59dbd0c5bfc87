//! Amounts of money: exact conversion between decimal text and gwei, without floating point.
//!
//! On Gnosis networks 1 GNO stands for 32 units of 10^9, so that the consensus rules for 32 ETH
//! hold unchanged. An amount is always the number that stands in the deposit message; only people
//! see GNO.

use core::fmt;

/// Gwei in an ether.
pub const GWEI: u64 = 1_000_000_000;
/// Most decimals in an amount: a gwei.
const DECIMALS: usize = 9;
/// Longest text looked at.
const LONGEST: usize = 32;

/// Why an amount is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// More than the maximum for the withdrawal credentials.
    #[error("{amount} is more than {most}, the maximum for {prefix} withdrawal credentials")]
    AboveMaximum {
        /// The amount, with its unit.
        amount: String,
        /// The maximum, with its unit.
        most: String,
        /// `0x01` or `0x02`.
        prefix: &'static str,
    },
    /// Less than the deposit contract takes.
    #[error("{amount} is less than {least}, the minimum of the deposit contract")]
    BelowMinimum {
        /// The amount, with its unit.
        amount: String,
        /// The minimum, with its unit.
        least: String,
    },
    /// Not digits with at most one point between them.
    #[error(
        "not an amount: write digits, optionally with a point and up to 9 decimals (like 32 or \
         1.5)"
    )]
    NotDecimal,
    /// Not a whole number of the token's gwei.
    #[error("{amount} is not a whole number of 10^-9 {unit}")]
    NotWhole {
        /// The amount, with its unit.
        amount: String,
        /// The unit.
        unit: Unit,
    },
    /// Finer than a gwei.
    #[error("more than 9 decimal places")]
    TooFine,
    /// Does not fit 64 bits of gwei.
    #[error("an impossibly large amount; amounts are in whole coins (like 32), not in gwei or wei")]
    TooLarge,
}

/// What a network's deposits are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Ether.
    Eth,
    /// Gnosis's token: 1 GNO counts as 32 ether.
    Gno,
}

impl Unit {
    /// Every unit; first the one of custom networks.
    pub const ALL: [Self; 2] = [Self::Eth, Self::Gno];

    /// "ETH" or "GNO".
    pub fn name(self) -> &'static str {
        match self {
            Self::Eth => "ETH",
            Self::Gno => "GNO",
        }
    }

    /// What one of it counts for in a deposit message, in gwei.
    pub fn in_gwei(self) -> u64 {
        self.multiplier() * GWEI
    }

    fn multiplier(self) -> u64 {
        match self {
            Self::Eth => 1,
            Self::Gno => 32,
        }
    }

    /// Decimal text to gwei: `32`, `1.5`, `0.03125`. No sign, exponent, space, separator, or
    /// leading zero but one before the point.
    pub fn parse(self, text: &str) -> Result<u64, AmountError> {
        if text.len() > LONGEST {
            return Err(AmountError::NotDecimal);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
            return Err(AmountError::NotDecimal);
        }
        if fraction.len() > DECIMALS {
            return Err(AmountError::TooFine);
        }
        let whole: u64 = whole.parse().map_err(|_| AmountError::TooLarge)?;
        let fraction: u64 =
            format!("{fraction:0<DECIMALS$}").parse().map_err(|_| AmountError::NotDecimal)?;
        let gwei = whole
            .checked_mul(GWEI)
            .and_then(|gwei| gwei.checked_add(fraction))
            .ok_or(AmountError::TooLarge)?;
        gwei.checked_mul(self.multiplier()).ok_or(AmountError::TooLarge)
    }

    /// Gwei as the shortest exact decimal text, without the unit's name. [`Unit::parse`] reads it
    /// back whenever the amount is a whole number of the token's gwei, as every amount that a
    /// [`super::network::Network`] accepts is.
    pub fn decimal(self, gwei: u64) -> String {
        // In steps of 10^-14, because 1/32 has five decimals.
        let steps = u128::from(gwei) * 100_000 / u128::from(self.multiplier());
        let one = u128::from(GWEI) * 100_000;
        let text = format!("{}.{:014}", steps / one, steps % one);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// Gwei with the unit's name: `32 ETH`.
    pub fn text(self, gwei: u64) -> String {
        format!("{} {self}", self.decimal(gwei))
    }

    /// Whether `gwei` is a whole number of the token's 10^-9.
    pub fn is_whole(self, gwei: u64) -> bool {
        gwei.is_multiple_of(self.multiplier())
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_gwei() {
        use Unit::*;
        for (unit, text, gwei) in [
            (Eth, "32", 32 * GWEI),
            (Eth, "1.5", 1_500_000_000),
            (Eth, "0.000000001", 1),
            (Eth, "18446744073.709551615", u64::MAX),
            (Eth, "0", 0),
            (Gno, "1", 32 * GWEI),
            (Gno, "0.03125", GWEI),
            (Gno, "0.000000001", 32),
        ] {
            assert_eq!(unit.parse(text), Ok(gwei), "{text}");
            assert_eq!(unit.decimal(gwei), text);
        }
        assert_eq!(Eth.parse("1.50"), Ok(1_500_000_000));
        assert_eq!(Gno.decimal(1), "0.00000000003125");
        assert_eq!(Gno.text(64 * GWEI), "2 GNO");
    }

    #[test]
    fn refusals() {
        use AmountError::*;
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e9", "1_000", "1,5", " 1", "1 ", "0x20", "032",
            "1.2.3", "٣", "NaN",
        ] {
            assert_eq!(Unit::Eth.parse(text), Err(NotDecimal), "{text}");
        }
        assert_eq!(Unit::Eth.parse(&"1".repeat(33)), Err(NotDecimal));
        assert_eq!(Unit::Eth.parse("1.0000000000"), Err(TooFine));
        assert_eq!(Unit::Eth.parse("18446744073.709551616"), Err(TooLarge));
        assert_eq!(Unit::Eth.parse("99999999999999999999999"), Err(TooLarge));
        assert_eq!(Unit::Gno.parse("18446744073"), Err(TooLarge));
    }
}
