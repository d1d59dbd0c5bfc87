//! A ceremony as a file that gives it again.

use super::{
    AmountText, CeremonyFile, NetworkEntry, NetworkTable, ObolEntry, OperatorEntry, PolicyEntry,
    PreregistrationEntry, SsvEntry, ValidatorEntry, reshare,
};
use crate::ethereum::network::Network;
use crate::spec::ceremony::{Ceremony, ValidatorSpec};
use crate::spec::endpoint::Endpoint;
use crate::spec::roster::Seat;
use crate::spec::threshold::Index;

impl From<&Network> for NetworkEntry {
    fn from(network: &Network) -> Self {
        if network.is_known() {
            return Self::Known(network.name().to_owned());
        }
        let digits = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        Self::Custom(NetworkTable {
            name: network.name().to_owned(),
            genesis_fork_version: digits(&network.genesis_fork_version()),
            capella_fork_version: network.capella_fork_version().map(|version| digits(&version)),
            genesis_validators_root: digits(&network.genesis_validators_root()),
            genesis_time: network.genesis_time(),
        })
    }
}

/// The block of these validators, which are equal.
fn block(equal: &[ValidatorSpec], network: &Network) -> ValidatorEntry {
    let ValidatorSpec { withdrawal, amounts, registration } = &equal[0];
    let decimal = |gwei: &u64| AmountText(network.unit().decimal(*gwei));
    ValidatorEntry {
        count: u64::try_from(equal.len()).unwrap_or(u64::MAX),
        withdrawal: withdrawal.address().to_string(),
        compounding: withdrawal.is_compounding(),
        amounts: Some(amounts.iter().map(decimal).collect()),
        fee_recipient: registration.map(|wanted| wanted.fee_recipient.to_string()),
        gas_limit: registration.map(|wanted| wanted.gas_limit),
        first: None,
        keys: None,
    }
}

impl From<&Ceremony> for CeremonyFile {
    /// A file that gives this ceremony again: same digest, same addresses.
    fn from(ceremony: &Ceremony) -> Self {
        let network = ceremony.network();
        let operator = |(index, seat): (Index, &Seat)| OperatorEntry {
            card: seat.card.encode(),
            address: seat.address.as_ref().map(Endpoint::to_string),
            point: Some(seat.point),
            ssv_key: ceremony.ssv().map(|ssv| ssv.keys[index.position()].to_text()),
            ..OperatorEntry::default()
        };
        if let Some(spec) = ceremony.reshare() {
            return reshare::file(ceremony, spec);
        }
        let blocks = ceremony.validators().chunk_by(|a, b| a == b);
        Self {
            version: ceremony.version().number().into(),
            name: ceremony.name().to_owned(),
            id: hex::encode(ceremony.id()),
            attempt: ceremony.attempt(),
            supersedes: ceremony.supersedes().map(|digest| digest.to_string()),
            network: NetworkEntry::from(network),
            threshold: u16::try_from(ceremony.t()).expect("at most 255 operators"),
            policy: PolicyEntry { allow_all_required: ceremony.allow_all_required() },
            parent: None,
            import: None,
            repair: None,
            preregistration: ceremony.preregistration().map(PreregistrationEntry::from),
            ssv: ceremony
                .ssv()
                .map(|ssv| SsvEntry { owner: ssv.owner.to_string(), nonce: ssv.nonce }),
            operators: ceremony.roster().iter().map(operator).collect(),
            validators: blocks.map(|equal| block(equal, network)).collect(),
            obol: ceremony.obol().map(ObolEntry::from),
        }
    }
}
