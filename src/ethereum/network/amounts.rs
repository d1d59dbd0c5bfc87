//! What a network's deposits are counted in, and the amounts that it accepts.

use core::ops::RangeInclusive;

use super::Network;
use super::known::Limits;
use crate::ethereum::amount::{AmountError, Unit};

impl Network {
    /// What its deposits are counted in.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The deposit that activates a validator, in gwei: 32 ETH or 1 GNO.
    pub fn standard_amount(&self) -> u64 {
        self.limits.standard
    }

    /// The least and the most of one deposit, in gwei: from what the deposit contract takes (1 ETH,
    /// 1/32 GNO) to what the validator's balance can use (32 ETH, or 2048 ETH when compounding,
    /// EIP-7251; 1 and 64 GNO).
    pub fn amount_limits(&self, compounding: bool) -> RangeInclusive<u64> {
        let Limits { least, standard, most_compounding } = self.limits;
        least..=if compounding { most_compounding } else { standard }
    }

    /// Checks one deposit's amount, in gwei.
    pub fn check_amount(&self, gwei: u64, compounding: bool) -> Result<(), AmountError> {
        let limits = self.amount_limits(compounding);
        let amount = self.unit.text(gwei);
        if gwei < *limits.start() {
            return Err(AmountError::BelowMinimum {
                amount,
                least: self.unit.text(*limits.start()),
            });
        }
        if gwei > *limits.end() {
            let prefix = if compounding { "0x02" } else { "0x01" };
            return Err(AmountError::AboveMaximum {
                amount,
                most: self.unit.text(*limits.end()),
                prefix,
            });
        }
        if !self.unit.is_whole(gwei) {
            return Err(AmountError::NotWhole { amount, unit: self.unit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ethereum::amount::GWEI;

    #[test]
    fn amounts_at_the_limits() {
        let (hoodi, gnosis) = (Network::known("hoodi").unwrap(), Network::known("gnosis").unwrap());
        for (network, gwei, compounding) in [
            (&hoodi, GWEI, false),
            (&hoodi, 32 * GWEI, false),
            (&hoodi, 2048 * GWEI, true),
            (&gnosis, GWEI, false),
        ] {
            assert_eq!(network.check_amount(gwei, compounding), Ok(()));
        }
        let text = |network: &Network, gwei, compounding| {
            network.check_amount(gwei, compounding).unwrap_err().to_string()
        };
        assert_eq!(
            text(&hoodi, GWEI - 1, false),
            "0.999999999 ETH is less than 1 ETH, the minimum of the deposit contract"
        );
        assert_eq!(
            text(&hoodi, 33 * GWEI, false),
            "33 ETH is more than 32 ETH, the maximum for 0x01 withdrawal credentials"
        );
        assert_eq!(
            text(&gnosis, 2049 * GWEI, true),
            "64.03125 GNO is more than 64 GNO, the maximum for 0x02 withdrawal credentials"
        );
        assert_eq!(
            text(&gnosis, GWEI + 16, true),
            "0.0312500005 GNO is not a whole number of 10^-9 GNO"
        );
    }
}
