//! The command line: definitions for clap and nothing else, so that completions and man pages are
//! generated from them too.

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
  0  done; after an audit, the verdict says whether it was compared with --expect
  1  local error: a file, the network, a passphrase
  2  usage error: the command line, or a file that a person wrote
  3  the ceremony stopped: because of a fault, or because you abandoned it; evidence is written
  4  the audit failed; a file was refused; or the evidence proves nothing
  5  waiting for other operators; run the same command again

The result goes to stdout (with --json, as one JSON object), progress goes to stderr.

Typical workflow:
  quorate identity new --name alice     create keys, send the card to the coordinator
  quorate spec show ceremony.toml       check the coordinator's ceremony file
  quorate run ceremony.toml             compare the fingerprint by voice, then take part
  quorate audit transcript.quorate --expect ceremony.toml
                                        verify the result; anyone can do this

To try all of this on one machine: quorate demo";

const EVERYWHERE: &str = "Global options";

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
    /// Directory of this operator's state: keys, ceremonies, outputs.
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
    /// Create or show this operator's keys.
    #[command(subcommand)]
    Identity(Identity),
    /// Write, check or show a ceremony file.
    #[command(subcommand)]
    Spec(Spec),
    /// Take part in a ceremony, or resume it, and write its outputs. You can stop it and run it
    /// again at any time.
    #[command(
        after_help = "Example:\n  quorate run ceremony.toml\n\nYou confirm the fingerprint once, \
                      before anything is signed."
    )]
    Run(RunArgs),
    /// List this operator's ceremonies and what to do next.
    #[command(after_help = "Example:\n  quorate status --dir ~/quorate")]
    Status,
    /// Permanently abandon a ceremony, and keep a record of it.
    #[command(
        after_help = "Example:\n  quorate abandon ceremony.toml\n\nUse this as a last resort, if \
                      the ceremony waits for an operator who will not come back. The signed record \
                      says whom this operator waited for; that is a statement, not proof. To draft \
                      the next attempt: quorate spec next"
    )]
    Abandon(AbandonArgs),
    /// Check evidence of a fault offline.
    #[command(subcommand)]
    Evidence(Evidence),
    /// Verify a transcript offline, from public data alone.
    #[command(after_help = "Example:\n  quorate audit transcript.quorate --expect ceremony.toml \
                      --deposit-data deposit-data.json\n\nThe verdict is VERIFIED only with \
                      --expect. Without it, it is SOUND: every check passed, but anybody can make \
                      such a transcript with operators and an address of their own. Both have exit \
                      code 0; with --json, \"verdict\" and \"as_expected\" tell them apart.")]
    Audit(AuditArgs),
    /// Write the outputs of a finished ceremony again, in the layout that another program expects.
    #[command(subcommand)]
    Export(Export),
    /// Sign a voluntary exit of a validator with the shares of a finished ceremony.
    #[command(subcommand)]
    Exit(Exits),
    /// Sign a further deposit for a validator, to its existing withdrawal credentials, with the
    /// shares of a finished ceremony.
    #[command(subcommand)]
    Deposit(Deposit),
    /// Verify deposit files, exits, registrations, keystores and SSV or Obol cluster files from any
    /// source, offline.
    #[command(subcommand)]
    Verify(Verify),
    /// Run a whole ceremony on this machine: one process for each operator, then the audit. Or show
    /// what happens after a fault.
    #[command(
        after_help = "Example:\n  quorate demo --operators 7 --threshold 5 --validators 20\n  \
                      quorate demo --fault bad-share\n\nWith --fault, exit code 0 means that the \
                      demo went as announced."
    )]
    Demo(DemoArgs),
    /// Simulate whole ceremonies in memory, with faults and operators that break the rules, and
    /// check every guarantee.
    #[cfg(feature = "simulation")]
    #[command(
        after_help = "Example:\n  quorate simulate --ceremonies 1000\n\nThe exit code is 1 if any \
                      guarantee was violated."
    )]
    Simulate(SimulateArgs),
    /// Take part in a demo's ceremony and break one of its rules, for `demo --fault`.
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
        /// The command whose page to print. By default, the page of the program.
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum Identity {
    /// Create this operator's keys, sealed with a passphrase, and print the public operator card.
    #[command(
        after_help = "Example:\n  quorate identity new --name alice\n\nSend the card (quorate1...) \
                      to the coordinator."
    )]
    New {
        /// The name that the other operators will see: 1 to 32 printable ASCII characters. If not
        /// given, you are asked for it.
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
    /// Create, import or show the key of this operator's node in an Obol cluster
    /// (charon-enr-private-key).
    #[command(subcommand)]
    ObolKey(ObolKey),
}

/// Key derivation of the keystores (EIP-2335).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KdfChoice {
    /// scrypt, n = 2^18: takes about a second and 256 MiB per run.
    Scrypt,
    /// PBKDF2, c = 2^18.
    Pbkdf2,
}

/// Names and places of keystores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// Names as written by Ethereum's deposit tool, which every validator client accepts.
    Default,
    /// The layout of Charon.
    Charon,
    /// Two folders, for Web3Signer's bulk loading.
    Web3signer,
}

/// Key derivation and layout of keystores.
#[derive(Args)]
pub(crate) struct LayoutArgs {
    /// Key derivation function of the keystores.
    #[arg(long, value_enum, default_value_t = KdfChoice::Scrypt)]
    pub(crate) kdf: KdfChoice,
    /// Layout of the keystores.
    #[arg(long, value_enum, default_value_t = ProfileChoice::Default)]
    pub(crate) profile: ProfileChoice,
    /// Write the password of the keystores to a file beside each one, for validator clients that
    /// require it. The password is a fresh random one, not the passphrase, unless you give
    /// --keystore-password-file. Anyone who reads these files has the shares.
    #[arg(long)]
    pub(crate) password_files: bool,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The words of the fingerprint, instead of typing them.
    #[arg(long, value_name = "WORDS")]
    pub(crate) yes_fingerprint: Option<String>,
    /// Address to listen on. By default all interfaces, IPv6 and IPv4, at your port in the ceremony
    /// file; IPv4 alone where the system has no IPv6.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    /// Derive the key of the keystores while no other process does that has this flag and the same
    /// ceremony file: for many operators on one machine.
    #[arg(long, hide = true)]
    pub(crate) kdf_turns: bool,
    /// Do not write keystores: the shares stay sealed in the state directory.
    #[arg(long, conflicts_with = "password_files")]
    pub(crate) no_keystores: bool,
    /// File with the password of the keystores. By default the passphrase is used.
    #[arg(long, value_name = "FILE", conflicts_with = "no_keystores")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    /// Your SSV operator's RSA key (encrypted_private_key.json). Required for a ceremony for SSV,
    /// and only for that.
    #[arg(long, value_name = "FILE")]
    pub(crate) ssv_key: Option<PathBuf>,
    /// File with the password of that key. If not given, you are asked for it.
    #[arg(long, value_name = "FILE", requires = "ssv_key")]
    pub(crate) ssv_password_file: Option<PathBuf>,
    /// The key of this operator's node in an Obol cluster, if it is not the one in the state
    /// directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
    /// After the outputs are written, how long to keep helping operators that have not yet
    /// confirmed that they have everything.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) linger: u64,
}

#[derive(Args)]
pub(crate) struct AbandonArgs {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The words of the fingerprint, instead of typing them.
    #[arg(long, value_name = "WORDS")]
    pub(crate) yes_fingerprint: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Show what a file of evidence proves and what it does not. Needs only the file.
    #[command(
        after_help = "Example:\n  quorate evidence check evidence/fault-0123456789abcdef.quorate \
                      --expect ceremony.toml\n\n\
                            Exit code 0 if a fault is proven; 4 if none is, or if the file is not \
                      evidence or holds more than one operator can."
    )]
    Check {
        /// The evidence: fault-*.quorate or stopped-*.quorate.
        file: PathBuf,
        /// The ceremony file that the evidence should be about.
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
        _ => Err("write it like [::]:3610 or 192.0.2.1:3610"),
    }
}

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// The transcript.
    pub(crate) transcript: PathBuf,
    /// The ceremony file that you agreed to. Without it, nothing shows that the transcript is that
    /// of your ceremony.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// A deposit file to compare: it may hold only deposits of this transcript, exactly as signed.
    #[arg(long, value_name = "FILE")]
    pub(crate) deposit_data: Vec<PathBuf>,
    /// A keyshares.json for SSV to compare, value by value, with this transcript's key shares.
    #[arg(long, value_name = "FILE")]
    pub(crate) keyshares: Vec<PathBuf>,
    /// A proofs.json for SSV to compare with this transcript's proofs.
    #[arg(long, value_name = "FILE")]
    pub(crate) proofs: Vec<PathBuf>,
    /// A cluster-lock.json to compare with this transcript, field by field.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// A folder of keystores (out/secret, or any layout of a common validator client) that should
    /// hold one operator's shares of all validators. They are decrypted, so their password is
    /// required.
    #[arg(long, value_name = "DIR")]
    pub(crate) share: Option<PathBuf>,
    /// File with the password of the keystores. By default: a file of passwords beside each, or
    /// else the passphrase.
    #[arg(long, value_name = "FILE", requires = "share")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    /// Also check every point, proof and signature individually, without batch verification. Takes
    /// about ten times as long.
    #[arg(long)]
    pub(crate) exhaustive: bool,
    /// Also write the report as an HTML page. Never overwrites.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Number of operators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(3..=32))]
    pub(crate) operators: u16,
    /// Number of operators required to sign.
    #[arg(long, default_value_t = 3)]
    pub(crate) threshold: u16,
    /// Number of validators.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=8192))]
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
    pub(crate) rule: super::cheat::Rule,
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
