//! Arguments of `quorate demo`, of the command by which its operators break rules, and of `quorate
//! simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::run::{KdfChoice, ProfileChoice, RunArgs};
use crate::cheat::Rule;

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Number of operators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(3..=32))]
    pub(crate) operators: u16,
    /// Number of operators required to sign.
    #[arg(long, default_value_t = 3)]
    pub(crate) threshold: u16,
    /// Number of validators. With --duties 16, and at least 8.
    #[arg(long, default_value_t = 2, default_value_if("duties", "true", "16"),
        value_parser = clap::value_parser!(u16).range(1..=8192))]
    pub(crate) validators: u16,
    /// The network.
    #[arg(long, default_value = "hoodi")]
    pub(crate) network: String,
    /// The folder to create. Never overwrites.
    #[arg(long, value_name = "DIR", default_value = "./quorate-demo")]
    pub(crate) out: PathBuf,
    /// Key derivation function of the keystores.
    #[arg(long, value_enum, default_value_t = KdfChoice::Pbkdf2)]
    pub(crate) kdf: KdfChoice,
    /// Layout of the keystores.
    #[arg(long, value_enum, default_value_t = ProfileChoice::Default)]
    pub(crate) profile: ProfileChoice,
    /// Encrypt the keystores with a fresh random password, and write it to a file beside each one.
    #[arg(long)]
    pub(crate) password_files: bool,
    /// Do not write keystores.
    #[arg(long, conflicts_with = "password_files")]
    pub(crate) no_keystores: bool,
    /// Make validators for an SSV cluster: operators 11, 22, 33 and so on with fresh RSA keys, and
    /// the files for SSV's tools among the outputs. Requires 4, 7, 10 or 13 operators, with
    /// threshold 3, 5, 7 or 9.
    #[arg(long)]
    pub(crate) ssv: bool,
    /// Make an Obol cluster, from a definition that is not signed.
    #[arg(long, conflicts_with_all = ["fault", "ssv"])]
    pub(crate) obol: bool,
    /// Also preregister the validators' withdrawal credentials, by the DRAFT EIP-8205.
    #[arg(long, conflicts_with = "import")]
    pub(crate) preregistration: bool,
    /// Afterwards replace the last operator by a new one, in a reshare of the validators.
    #[arg(long, conflicts_with = "fault")]
    pub(crate) reshare: bool,
    /// Afterwards destroy the machine of the third operator, and give its share back, in a repair.
    /// Requires an operator more than sign.
    #[arg(long, conflicts_with_all = ["fault", "ssv", "obol", "reshare"])]
    pub(crate) repair: bool,
    /// The first operator holds the validators' keys whole: deal them in an import.
    #[arg(long, conflicts_with_all = ["fault", "ssv", "obol", "reshare", "repair"])]
    pub(crate) import: bool,
    /// Afterwards, let the validators run a beacon chain by themselves, in the executable consensus
    /// specification: every block, attestation and sync committee message is signed by a threshold
    /// of operators, who take turns to be away. Needs Python with eth-consensus-specs and
    /// pycryptodome.
    #[arg(long, conflicts_with_all = [
        "fault", "ssv", "obol", "reshare", "repair", "import", "no_keystores", "password_files"
    ])]
    pub(crate) duties: bool,
    /// The Python for --duties.
    #[arg(long, value_name = "PROGRAM", default_value = "python3", requires = "duties")]
    pub(crate) python: PathBuf,
    /// The fault to show.
    #[arg(long, value_enum)]
    pub(crate) fault: Option<Fault>,
}

/// The faults that a demo can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// An operator is killed (kill -9) in every round.
    Kill,
    /// An operator deals bad shares to another operator.
    BadShare,
    /// An operator signs two different statements and shows each to half of the others.
    Equivocate,
    /// An operator tries to choose its contribution after it has seen all others.
    RogueKey,
    /// An operator never sends another operator its shares.
    Withhold,
    /// An operator's disk is restored to an earlier state.
    Rollback,
    /// An operator complains about valid shares.
    FalseComplaint,
}

#[derive(Args)]
pub(crate) struct DemoCheatArgs {
    /// As for an honest operator.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// The rule to break.
    #[arg(long, value_enum)]
    pub(crate) rule: Rule,
}

#[cfg(feature = "simulation")]
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// Number of ceremonies. The seed of each is one more than that of the one before.
    #[arg(long, value_name = "N")]
    pub(crate) ceremonies: u64,
    /// Seed of the first ceremony. By default a fresh random one.
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// Number of ceremonies at a time. By default the number of processors. The result does not
    /// depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<u8>,
    /// Simulate what keys live through after their birth: reshares, imports, repairs and forks.
    /// Seeds are their own: the same seed without this flag is another ceremony.
    #[arg(long, group = "kind")]
    pub(crate) lives: bool,
    /// Simulate reshares alone.
    #[arg(long, group = "kind")]
    pub(crate) reshares: bool,
    /// Simulate imports alone.
    #[arg(long, group = "kind")]
    pub(crate) imports: bool,
    /// Simulate repairs alone.
    #[arg(long, group = "kind")]
    pub(crate) repairs: bool,
    /// Simulate two reshares, or imports, of the same keys at the same time.
    #[arg(long, group = "kind")]
    pub(crate) forks: bool,
}
