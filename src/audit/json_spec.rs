//! What was agreed, as plain strings and numbers: the part of a report that a spec alone fills.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::ssv::RsaPublic;
use crate::identity::ShortForm;
use crate::spec::canonical::fingerprint;
use crate::spec::ceremony::Ceremony;
use crate::spec::roster::Seat;
use crate::spec::ssv::RSA_WEAKNESS;

/// `0x` and lower-case hexadecimal.
pub(super) fn hexed(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Money under one withdrawal address.
#[derive(Serialize)]
pub(super) struct Money {
    pub(super) withdrawal_address: String,
    pub(super) credentials: &'static str,
    pub(super) validators: usize,
    pub(super) total: String,
    pub(super) total_gwei: u64,
}

#[derive(Serialize)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) genesis_fork_version: String,
    pub(super) genesis_validators_root: String,
}

#[derive(Serialize)]
pub(super) struct Operator {
    pub(super) index: u16,
    pub(super) name: String,
    /// Evaluation point; a text, because it can be any 64-bit number.
    pub(super) point: String,
    pub(super) key: String,
    pub(super) noise: String,
    pub(super) card: String,
    /// For the page.
    #[serde(skip)]
    pub(super) short_key: ShortForm,
    #[serde(skip)]
    pub(super) short_card: ShortForm,
}

/// The spec, readable.
#[derive(Serialize)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) fingerprint: String,
    pub(super) money: Vec<Money>,
    pub(super) network: Network,
    pub(super) threshold: usize,
    /// Operators with shares: of a reshare those that receive, of a repair its parent's.
    pub(super) participants: usize,
    pub(super) validators: usize,
    pub(super) operators: Vec<Operator>,
    pub(super) id: String,
    pub(super) attempt: u32,
    pub(super) supersedes: Option<String>,
    /// Of a ceremony for SSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ssv: Option<Ssv>,
}

/// What is agreed for SSV.
#[derive(Serialize)]
pub(super) struct Ssv {
    pub(super) owner: String,
    pub(super) first_nonce: u64,
    pub(super) operators: Vec<SsvOperator>,
    pub(super) warnings: [&'static str; 2],
}

#[derive(Serialize)]
pub(super) struct SsvOperator {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) rsa_key: String,
}

impl Ssv {
    fn of(ceremony: &Ceremony) -> Option<Self> {
        let ssv = ceremony.ssv()?;
        let operator = |((_, seat), key): ((_, &Seat), &RsaPublic)| SsvOperator {
            id: seat.point,
            name: seat.card.name.to_string(),
            rsa_key: key.to_text(),
        };
        Some(Self {
            owner: ssv.owner.to_string(),
            first_nonce: ssv.nonce,
            operators: ceremony.roster().iter().zip(&ssv.keys).map(operator).collect(),
            warnings: RSA_WEAKNESS,
        })
    }
}

impl Spec {
    pub(super) fn of(ceremony: &Ceremony) -> Self {
        let network = ceremony.network();
        let operators = ceremony.roster().iter().map(|(index, seat)| Operator {
            index: index.get(),
            name: seat.card.name.to_string(),
            point: seat.point.to_string(),
            key: hexed(seat.card.key.as_bytes()),
            noise: hexed(seat.card.noise.as_bytes()),
            card: seat.card.encode(),
            short_key: seat.card.key.short(),
            short_card: seat.card.short(),
        });
        Self {
            name: ceremony.name().to_owned(),
            digest: hexed(ceremony.digest()),
            fingerprint: fingerprint(&ceremony.digest()).join(" "),
            money: money(ceremony),
            network: Network {
                name: network.name().to_owned(),
                genesis_fork_version: hexed(network.genesis_fork_version()),
                genesis_validators_root: hexed(network.genesis_validators_root()),
            },
            threshold: ceremony.t(),
            participants: ceremony.threshold().participants(),
            validators: ceremony.v(),
            operators: operators.collect(),
            id: hexed(ceremony.id()),
            attempt: ceremony.attempt(),
            supersedes: ceremony.supersedes().map(hexed),
            ssv: Ssv::of(ceremony),
        }
    }
}

pub(super) fn credentials(withdrawal: &WithdrawalCredentials) -> &'static str {
    if withdrawal.is_compounding() { "0x02, compounding" } else { "0x01, not compounding" }
}

/// Totals by withdrawal credentials, in order of first appearance.
fn money(ceremony: &Ceremony) -> Vec<Money> {
    let mut places: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    let mut all: Vec<Money> = Vec::new();
    for validator in ceremony.validators() {
        let withdrawal = &validator.withdrawal;
        let place = *places.entry(*withdrawal.as_bytes()).or_insert(all.len());
        if place == all.len() {
            let withdrawal_address = withdrawal.address().to_string();
            let credentials = credentials(withdrawal);
            all.push(Money {
                withdrawal_address,
                credentials,
                validators: 0,
                total: String::new(),
                total_gwei: 0,
            });
        }
        // 8192 times 8 amounts of at most 2048 ETH are below 2^57 gwei.
        all[place].validators += 1;
        all[place].total_gwei += validator.amounts.iter().sum::<u64>();
    }
    for money in &mut all {
        money.total = ceremony.network().unit().text(money.total_gwei);
    }
    all
}
