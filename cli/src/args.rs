//! What can be typed. Clap and nothing else, so that completions and man pages come from the same
//! definitions.

mod export;

mod signing;

mod obol;

mod spec;

mod verify;

pub(crate) use export::{Export, ExportKeystores};
pub(crate) use obol::{ExportObol, ObolKey, VerifyCluster};
pub(crate) use signing::{
    Asked, Combine, Deposit, DepositRequest, ExitRequest, Exits, LiveArgs, RequestCommon, SignArgs,
};
pub(crate) use spec::{Spec, SpecNew, SpecNext};
pub(crate) use verify::{NetworkArgs, Verify, VerifyExit, VerifyKeyshares, VerifySsv};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use quorate::ethereum::amount::Unit;
use quorate::ethereum::network::{Network, listed};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  local trouble: a file, the network, a passphrase
  2  usage: the command line, or a file that a person wrote
  3  the ceremony is stopped: by a fault, or because it was given up; evidence is written
  4  the audit found something; a file is refused; or the evidence proves nothing
  5  waiting for others; run the same command again

stdout is the result (with --json one JSON object), stderr is the talk.

The road of an operator:
  quorate identity new --name alice     make keys, send the card to the coordinator
  quorate spec show ceremony.toml       read what the coordinator wrote
  quorate run ceremony.toml             compare the fingerprint by voice, take part
  quorate audit transcript.quorate      verify the result; anyone can

To try all of it on one machine: quorate demo";

const EVERYWHERE: &str = "Options of every command";

/// The networks that are built in: `a, b or c`.
fn network_names() -> String {
    listed(Network::known_names(), "or")
}

/// What amounts are counted in: `ETH (GNO on a and b)`.
fn unit_names() -> String {
    let [usual, others @ ..] = Unit::ALL;
    let other = |unit: Unit| {
        format!("{} on {}", unit.name(), listed(Network::names_counted_in(unit), "and"))
    };
    format!("{} ({})", usual.name(), others.map(other).join("; "))
}

/// Distributed key generation ceremonies for Ethereum validators, with transcripts that anyone can
/// audit offline.
#[derive(Parser)]
#[command(name = "quorate", version = super::VERSION, after_help = EXIT_CODES,
    arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print the result as one JSON object.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// This operator's state: keys, ceremonies, outputs.
    #[arg(long, global = true, env = "QUORATE_DIR", default_value = "./.quorate",
        value_name = "DIR", help_heading = EVERYWHERE)]
    pub(crate) dir: PathBuf,
    /// Read the passphrase from this file (mode 0600) instead of asking for it.
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make or show this operator's keys.
    #[command(subcommand)]
    Identity(Identity),
    /// Write, check or show a ceremony file.
    #[command(subcommand)]
    Spec(Spec),
    /// Take part in a ceremony; resume it; write its outputs. Safe to stop and to run again at any
    /// time.
    #[command(
        after_help = "Example:\n  quorate run ceremony.toml\n\nThe fingerprint is asked for once, \
                      before anything is signed."
    )]
    Run(RunArgs),
    /// Say which ceremonies this operator has, and what to do next.
    #[command(after_help = "Example:\n  quorate status --dir ~/quorate")]
    Status,
    /// Give a ceremony up, for good, and keep the record of it.
    #[command(
        after_help = "Example:\n  quorate abandon ceremony.toml\n\nThe last resort, when somebody \
                      whom the ceremony \
                            waits for will not come back. What this operator awaited is signed and \
                            kept; it accuses, and proves \
                            nothing. The next attempt is drafted with: quorate spec next"
    )]
    Abandon(AbandonArgs),
    /// Judge evidence of a fault offline.
    #[command(subcommand)]
    Evidence(Evidence),
    /// Verify a transcript offline, from public data alone.
    #[command(after_help = "Example:\n  quorate audit transcript.quorate --expect ceremony.toml \
                      --deposit-data deposit-data.json")]
    Audit(AuditArgs),
    /// Write outputs of a finished ceremony again, in the layout that a consumer expects.
    #[command(subcommand)]
    Export(Export),
    /// Make a voluntary exit of a validator from the shares of a finished ceremony.
    #[command(subcommand)]
    Exit(Exits),
    /// Make a further deposit of a validator, to the withdrawal credentials that it has, from the
    /// shares of a finished ceremony.
    #[command(subcommand)]
    Deposit(Deposit),
    /// Verify a deposit file, an exit, registrations or keystores offline, whoever made them.
    #[command(subcommand)]
    Verify(Verify),
    /// Run a whole ceremony on this machine: one process for each operator, then the audit. Or show
    /// what comes of a fault.
    #[command(
        after_help = "Example:\n  quorate demo --operators 7 --threshold 5 --validators 20\n  \
                      quorate demo --fault bad-share\n\n\
                            With --fault, exit code 0 means that it went as announced."
    )]
    Demo(DemoArgs),
    /// Play whole ceremonies in memory, with faults and operators that break the rules, and check
    /// that every promise holds.
    #[cfg(feature = "simulation")]
    #[command(
        after_help = "Example:\n  quorate simulate --ceremonies 1000\n\nExits with 1 if anything \
                      did not hold."
    )]
    Simulate(SimulateArgs),
    /// Take part in a demo's ceremony and break a rule of it, for `demo --fault`.
    #[command(hide = true)]
    DemoCheat(DemoCheatArgs),
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  quorate completions bash > /etc/bash_completion.d/quorate")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print a manual page (roff).
    #[command(
        after_help = "Example:\n  quorate man > quorate.1\n  quorate man spec new | man -l -"
    )]
    Man {
        /// The command whose page to print; the program's own page if none is given.
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum Identity {
    /// Make this operator's keys, sealed with a passphrase, and print the public operator card.
    #[command(
        after_help = "Example:\n  quorate identity new --name alice\n\nSend the card (quorate1...) \
                      to the coordinator."
    )]
    New {
        /// The name that the other operators will see: 1 to 32 printable ASCII characters. Asked
        /// for if not given.
        #[arg(long)]
        name: Option<String>,
        /// Cost of guessing the passphrase, as a power of two.
        #[arg(long, hide = true, default_value_t = 17,
            value_parser = clap::value_parser!(u8).range(10..=20))]
        kdf_cost: u8,
    },
    /// Print the public operator card.
    #[command(after_help = "Example:\n  quorate identity show")]
    Show,
    /// Make, import or show the key of this operator's node in an Obol cluster
    /// (charon-enr-private-key).
    #[command(subcommand)]
    ObolKey(ObolKey),
}

/// Key derivation of the keystores (EIP-2335).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KdfChoice {
    /// scrypt, n = 2^18: about a second and 256 MiB for each run.
    Scrypt,
    /// PBKDF2, c = 2^18.
    Pbkdf2,
}

/// Names and places of keystores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// As Ethereum's deposit tool names them; for every validator client.
    Default,
    /// As Charon lays them out.
    Charon,
    /// Two folders, for Web3Signer's bulk loading.
    Web3signer,
}

/// How keystores are sealed and laid out.
#[derive(Args)]
pub(crate) struct LayoutArgs {
    /// How the keystores are sealed.
    #[arg(long, value_enum, default_value_t = KdfChoice::Scrypt)]
    pub(crate) kdf: KdfChoice,
    /// How the keystores are laid out.
    #[arg(long, value_enum, default_value_t = ProfileChoice::Default)]
    pub(crate) profile: ProfileChoice,
    /// Write the password of the keystores to a file beside each: for validator clients that want
    /// it so. It is a fresh one, and not the passphrase, unless --keystore-password-file names one.
    /// Whoever reads these files has the shares.
    #[arg(long)]
    pub(crate) password_files: bool,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The fingerprint's words, instead of typing them.
    #[arg(long, value_name = "WORDS")]
    pub(crate) yes_fingerprint: Option<String>,
    /// Where to listen. By default all interfaces, at the port that the file gives you.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    /// Derive the key of the keystores while no other process does that has this flag and the same
    /// ceremony file: for many operators on one machine.
    #[arg(long, hide = true)]
    pub(crate) kdf_turns: bool,
    /// Write no keystores: the shares stay sealed in the state directory.
    #[arg(long, conflicts_with = "password_files")]
    pub(crate) no_keystores: bool,
    /// Password of the keystores. By default the passphrase.
    #[arg(long, value_name = "FILE", conflicts_with = "no_keystores")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    /// Your SSV operator's RSA key (encrypted_private_key.json), for a ceremony for SSV, and only
    /// for one.
    #[arg(long, value_name = "FILE")]
    pub(crate) ssv_key: Option<PathBuf>,
    /// Its password. Asked for if not given.
    #[arg(long, value_name = "FILE", requires = "ssv_key")]
    pub(crate) ssv_password_file: Option<PathBuf>,
    /// The key of this operator's node, for a ceremony that makes an Obol cluster, if it is not the
    /// one that is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
    /// How long to stay, once outputs are published, for operators that have not confirmed that
    /// they hold everything.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) linger: u64,
}

#[derive(Args)]
pub(crate) struct AbandonArgs {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The fingerprint's words, instead of typing them.
    #[arg(long, value_name = "WORDS")]
    pub(crate) yes_fingerprint: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Say what a file of evidence proves, and what not. Needs nothing but the file.
    #[command(
        after_help = "Example:\n  quorate evidence check evidence/fault-0123456789abcdef.quorate \
                      --expect ceremony.toml\n\n\
                            Exit code 0 if a fault is proven, 4 if none is, or if the file is not \
                      evidence or holds more than an operator can."
    )]
    Check {
        /// The evidence: fault-*.quorate or stopped-*.quorate.
        file: PathBuf,
        /// The ceremony file that it should be about.
        #[arg(long, value_name = "FILE")]
        expect: Option<PathBuf>,
    },
}

/// The shape only: whether this machine has the address is found out by listening on it.
fn address_and_port(text: &str) -> Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err("write it like 0.0.0.0:3610"),
    }
}

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// The transcript.
    pub(crate) transcript: PathBuf,
    /// The ceremony file that the transcript should be of.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// A deposit file that should hold exactly the transcript's deposits.
    #[arg(long, value_name = "FILE")]
    pub(crate) deposit_data: Vec<PathBuf>,
    /// A keyshares.json for SSV that should hold this transcript's key shares, every value of them.
    #[arg(long, value_name = "FILE")]
    pub(crate) keyshares: Vec<PathBuf>,
    /// A proofs.json for SSV that should hold this transcript's proofs.
    #[arg(long, value_name = "FILE")]
    pub(crate) proofs: Vec<PathBuf>,
    /// A cluster-lock.json that should be the transcript's.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// A folder of keystores (out/secret) that should be one operator's shares of all validators.
    /// They are decrypted, for which their password is needed.
    #[arg(long, value_name = "DIR")]
    pub(crate) share: Option<PathBuf>,
    /// Password of the keystores. By default the passphrase.
    #[arg(long, value_name = "FILE", requires = "share")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    /// Also check every point, proof and signature by itself, exactly: no batches, nothing left to
    /// chance. Takes some ten times as long.
    #[arg(long)]
    pub(crate) exhaustive: bool,
    /// Also write the report as a page. Never overwrites.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// How many operators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(3..=32))]
    pub(crate) operators: u16,
    /// How many of them are needed to sign.
    #[arg(long, default_value_t = 3)]
    pub(crate) threshold: u16,
    /// How many validators.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=8192))]
    pub(crate) validators: u16,
    /// The network.
    #[arg(long, default_value = "hoodi")]
    pub(crate) network: String,
    /// The folder to make. Never overwrites.
    #[arg(long, value_name = "DIR", default_value = "./quorate-demo")]
    pub(crate) out: PathBuf,
    /// How the keystores are sealed.
    #[arg(long, value_enum, default_value_t = KdfChoice::Pbkdf2)]
    pub(crate) kdf: KdfChoice,
    /// How the keystores are laid out.
    #[arg(long, value_enum, default_value_t = ProfileChoice::Default)]
    pub(crate) profile: ProfileChoice,
    /// Seal the keystores with a fresh password, and write it to a file beside each.
    #[arg(long)]
    pub(crate) password_files: bool,
    /// Write no keystores.
    #[arg(long, conflicts_with = "password_files")]
    pub(crate) no_keystores: bool,
    /// For a cluster of SSV: operators 11, 22, 33 and so on with RSA keys of their own, and what
    /// SSV's tools read among the outputs. 4, 7, 10 or 13 operators, of whom 3, 5, 7 or 9 are
    /// needed.
    #[arg(long)]
    pub(crate) ssv: bool,
    /// Make an Obol cluster, from a definition that nobody signed.
    #[arg(long, conflicts_with_all = ["fault", "ssv"])]
    pub(crate) obol: bool,
    /// What goes wrong.
    #[arg(long, value_enum)]
    pub(crate) fault: Option<Fault>,
}

/// What a demo shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// An operator is killed (kill -9) in every round.
    Kill,
    /// An operator deals a bad share to another.
    BadShare,
    /// An operator says one thing to some, another to others.
    Equivocate,
    /// An operator chooses its contribution after it has seen all others.
    RogueKey,
    /// An operator never sends another its share.
    Withhold,
    /// An operator's disk goes back to an earlier state.
    Rollback,
    /// An operator complains of a share that is good.
    FalseComplaint,
}

#[derive(Args)]
pub(crate) struct DemoCheatArgs {
    /// As for an honest operator.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// The rule to break.
    #[arg(long, value_enum)]
    pub(crate) rule: super::cheat::Rule,
}

#[cfg(feature = "simulation")]
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// How many. The seed of each is one more than that of the one before.
    #[arg(long, value_name = "N")]
    pub(crate) ceremonies: u64,
    /// Seed of the first; a fresh one if none is given.
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// How many at a time; as many as there are processors if not given. What comes out does not
    /// depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<u8>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory as _;

    use super::*;

    /// The help of every argument with this name, with its command's.
    fn helps(command: &clap::Command, name: &str, out: &mut Vec<(String, String)>) {
        for argument in command.get_arguments().filter(|known| known.get_id() == name) {
            let help = argument.get_help().unwrap().to_string();
            out.push((command.get_name().to_owned(), help));
        }
        command.get_subcommands().for_each(|below| helps(below, name, out));
    }

    #[test]
    fn networks_come_from_the_table() {
        let mut networks = Vec::new();
        helps(&Cli::command(), "network", &mut networks);
        // The demo has a network by default, and says no names.
        networks.retain(|(command, _)| command != "demo");
        assert!(networks.len() >= 4, "{networks:?}");
        for (command, help) in networks {
            assert!(help.starts_with(&network_names()), "{command}: {help}");
            assert!(Network::known_names().all(|name| help.contains(name)), "{command}: {help}");
        }
        let mut amounts = Vec::new();
        ["amount", "amounts"].iter().for_each(|name| helps(&Cli::command(), name, &mut amounts));
        assert_eq!(amounts.len(), 2);
        for (command, help) in amounts {
            assert!(help.contains(&unit_names()), "{command}: {help}");
            for name in Network::names_counted_in(Unit::Gno) {
                assert!(help.contains(name), "{command}: {help}");
            }
        }
    }
}
