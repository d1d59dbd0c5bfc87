//! Slots and epochs: when a network is where.

use super::Network;

impl Network {
    /// The epoch at `time`, in seconds since 1970; `None` for custom networks, whose slots are not
    /// known, and before genesis. 32 slots of 12 seconds; 16 of 5 on Gnosis networks.
    pub fn epoch_at(&self, time: u64) -> Option<u64> {
        let since = time.checked_sub(self.genesis_time()?)?;
        Some(since / self.epoch?.1)
    }

    /// The slot at `time`, in seconds since 1970; `None` as for [`Network::epoch_at`].
    pub fn slot_at(&self, time: u64) -> Option<u64> {
        let since = time.checked_sub(self.genesis_time()?)?;
        let (slots, seconds) = self.epoch?;
        Some(since / (seconds / slots))
    }

    /// Slots of an epoch; `None` for custom networks.
    pub fn slots_per_epoch(&self) -> Option<u64> {
        Some(self.epoch?.0)
    }

    /// When an epoch begins, in seconds since 1970; `None` for custom networks.
    pub fn begin_of(&self, epoch: u64) -> Option<u64> {
        self.genesis_time()?.checked_add(epoch.checked_mul(self.epoch?.1)?)
    }

    /// The epoch with which the Gloas fork begins, as far as that is decided: from then on nobody
    /// takes builder registrations (beacon API, `proposer_preferences`).
    pub fn gloas_epoch(&self) -> Option<u64> {
        self.gloas_epoch
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ethereum::network::CustomNetwork;
    use crate::ethereum::network::tests::devnet;

    #[test]
    fn epochs_of_networks_whose_slots_are_known() {
        let mainnet = Network::known("mainnet").unwrap();
        assert_eq!(mainnet.epoch_at(1_606_824_022), None);
        assert_eq!(mainnet.epoch_at(1_606_824_023), Some(0));
        // Capella: epoch 194048, at 2023-04-12T22:27:35Z.
        assert_eq!(mainnet.epoch_at(1_681_338_454), Some(194_047));
        assert_eq!(mainnet.epoch_at(1_681_338_455), Some(194_048));
        assert_eq!(mainnet.slot_at(1_681_338_454), Some(194_048 * 32 - 1));
        assert_eq!(mainnet.slot_at(1_681_338_455), Some(194_048 * 32));
        assert_eq!((mainnet.slots_per_epoch(), mainnet.slot_at(0)), (Some(32), None));
        assert_eq!(mainnet.begin_of(194_048), Some(1_681_338_455));
        assert_eq!(mainnet.begin_of(u64::MAX), None);
        // Capella on Gnosis: epoch 648704, at 2023-08-01T11:34:20Z.
        let gnosis = Network::known("gnosis").unwrap();
        assert_eq!(gnosis.epoch_at(1_690_889_660), Some(648_704));
        assert_eq!(gnosis.slot_at(1_690_889_660), Some(648_704 * 16));
        assert_eq!(
            Network::custom(CustomNetwork { genesis_time: Some(0), ..devnet() })
                .unwrap()
                .epoch_at(10),
            None
        );
        // Gloas on Sepolia: epoch 353024, at 2026-10-06T13:53:36Z (eth-clients/sepolia).
        let sepolia = Network::known("sepolia").unwrap();
        assert_eq!(sepolia.gloas_epoch(), Some(353_024));
        assert_eq!(sepolia.epoch_at(1_791_294_815), Some(353_023));
        assert_eq!(sepolia.epoch_at(1_791_294_816), Some(353_024));
        assert_eq!(Network::custom(devnet()).unwrap().gloas_epoch(), None);
    }
}
