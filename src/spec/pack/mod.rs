//! Policy packs: what a programme demands of a ceremony, as data that anybody can write. A pack is
//! compared with what the operators have agreed to; it decides nothing that the ceremony signs.

mod check;

mod file;

pub use check::{Breach, Outcome};
pub use file::{MOST_BYTES, PackError};

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::ethereum::address::ExecutionAddress;

/// The packs that are built in, by name, as their files are: `policies/` of the source.
const BUILT_IN: [(&str, &str); 5] = [
    ("lido-csm", include_str!("../../../policies/lido-csm.toml")),
    ("lido-dvt-cluster", include_str!("../../../policies/lido-dvt-cluster.toml")),
    ("obol", include_str!("../../../policies/obol.toml")),
    ("ssv", include_str!("../../../policies/ssv.toml")),
    ("treasury", include_str!("../../../policies/treasury.toml")),
];

/// A pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    name: String,
    title: String,
    date: String,
    sources: Vec<String>,
    not_checked: Vec<String>,
    rules: Rules,
}

/// What it demands. What is not said is not demanded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rules {
    /// The networks on which the programme is, with its addresses there.
    networks: BTreeMap<String, Addresses>,
    operators: Option<Vec<u16>>,
    threshold: Option<Threshold>,
    cluster: Option<Kind>,
    /// How many validators, for a number of operators or for any (0).
    validators: BTreeMap<u16, RangeInclusive<u32>>,
    credentials: Option<Credentials>,
    /// The deposits of each validator, as people write them.
    amounts: Option<Vec<String>>,
    one_withdrawal_address: bool,
    registrations: Option<Presence>,
    gas_limit: Option<RangeInclusive<u64>>,
    no_doubtful_address: bool,
    wallets: Option<Wallets>,
}

/// Where money has to go on a network. An empty list demands nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Addresses {
    withdrawal: Vec<ExecutionAddress>,
    fee_recipient: Vec<ExecutionAddress>,
}

/// How many operators have to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threshold {
    /// `ceil(2n / 3)`, exactly.
    TwoThirds,
    /// `ceil(2n / 3)` or more.
    AtLeastTwoThirds,
    /// `n - floor((n - 1) / 3)`, exactly.
    Byzantine,
}

/// What the ceremony is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Obol,
    Ssv,
}

/// The first byte of withdrawal credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    NotCompounding,
    Compounding,
}

/// Whether something has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Forbidden,
}

/// What the wallet of each member signs (EIP-191).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallets {
    message: String,
    required: bool,
}

impl Wallets {
    /// The text that the wallet of `member` signs, in a cluster whose main wallet is `main`. Both
    /// addresses stand in it in lower case.
    pub fn message(&self, member: &ExecutionAddress, main: &ExecutionAddress) -> String {
        let member = self.message.replace(file::MEMBER, &member.to_lower_hex());
        member.replace(file::MAIN, &main.to_lower_hex())
    }

    /// Whether every member has to sign.
    pub fn required(&self) -> bool {
        self.required
    }
}

impl Pack {
    /// The built-in pack of this name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(text).expect("built-in packs are read in tests"))
    }

    /// The names of the built-in packs.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The file of the built-in pack of this name.
    pub fn text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The day on which its facts were looked up: `YYYY-MM-DD`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Where its facts are from.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// What the programme demands and a ceremony does not show.
    pub fn not_checked(&self) -> &[String] {
        &self.not_checked
    }

    /// What the members' wallets sign.
    pub fn wallets(&self) -> Option<&Wallets> {
        self.rules.wallets.as_ref()
    }
}
