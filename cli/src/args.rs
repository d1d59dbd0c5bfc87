//! The command line: definitions for clap and nothing else, so that completions and man pages are
//! generated from them too.

mod audit;

mod backup;

mod card;

mod demo;

mod doctor;

mod dossier;

mod evidence;

mod export;

mod forget;

mod identity;

mod import;

mod keymanager;

mod meeting;

mod obol;

mod output;

mod recover;

mod rehearse;

mod repair;

mod reshare;

mod restored;

mod run;

mod signing;

mod spec;

mod ssv;

mod verify;

pub(crate) use audit::AuditArgs;
pub(crate) use backup::{BackupArgs, BackupMake, BackupRestore, KdfCost, NewestArgs};
pub(crate) use card::Card;
#[cfg(feature = "simulation")]
pub(crate) use demo::SimulateArgs;
pub(crate) use demo::{DemoArgs, DemoCheatArgs, Fault};
pub(crate) use doctor::DoctorArgs;
pub(crate) use dossier::{DossierArgs, VerifyAttestations, WalletText};
pub(crate) use evidence::Evidence;
pub(crate) use export::{Export, ExportKeystores};
pub(crate) use forget::Forget;
pub(crate) use identity::Identity;
pub(crate) use import::{Import, ImportNew};
pub(crate) use keymanager::{Keymanager, KeymanagerRemove};
pub(crate) use meeting::{MeetingArgs, ServerArgs};
pub(crate) use obol::{
    ExportObol, LockAsked, LockRequest, LockVerify, Obol, ObolKey, VerifyCluster,
};
pub(crate) use recover::Recover;
pub(crate) use rehearse::RehearseArgs;
pub(crate) use repair::{Repair, RepairNew};
pub(crate) use reshare::{Reshare, ReshareNew};
pub(crate) use restored::{RestoredAnswer, RestoredArgs, RestoredAsk, RestoredTake};
pub(crate) use run::{
    AbandonArgs, CallArgs, CeremonyArgs, JoinArgs, KdfChoice, LayoutArgs, PartArgs, ProfileChoice,
    RunArgs, StepArgs, StopArgs, WithoutArgs,
};
pub(crate) use signing::{
    Asked, Combine, Deposit, DepositRequest, ExitRequest, Exits, LiveArgs, RegistrationRequest,
    Registrations, RequestCommon, SignArgs, Validators,
};
pub(crate) use spec::{Spec, SpecNew, SpecNext, SpecPack};
pub(crate) use ssv::{KeyShares, KeySharesAsked, KeySharesRequest, KeySharesVerify};
pub(crate) use verify::{
    NetworkArgs, Verify, VerifyExit, VerifyKeyshares, VerifyPreregistration, VerifyRegistered,
    VerifyRegistration, VerifySsv,
};

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use quorate::ethereum::amount::Unit;
use quorate::ethereum::network::{Network, listed};

const EXIT_CODES: &str = "\
Exit codes:
  0  done; after an audit, the verdict says whether it was compared with --expect
  1  local error: a file, the network, a passphrase
  2  usage error: the command line, or a file that a person wrote
  3  the ceremony stopped: because of a fault, or because you abandoned it; evidence is written
  4  the audit failed, or its file is a set of statements and no transcript; a file was refused;
     a policy is not met; or the evidence proves nothing
  5  waiting for other operators; run the same command again

The result goes to stdout (with --json, as one JSON object), progress goes to stderr.

Typical workflow:
  quorate identity new --name alice     create keys, send the card to the coordinator
  quorate spec show ceremony.toml       check the coordinator's ceremony file
  quorate doctor ceremony.toml          try this machine, and the way to the others
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
    /// Also write what is said on stderr to this file, with times and levels (mode 0600; continued
    /// if it exists). Nothing secret is in it.
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub(crate) log: Option<PathBuf>,
    /// Say more: every check and every validator; on stderr and in the log, every message that
    /// comes from a peer.
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create or show this operator's keys.
    #[command(subcommand)]
    Identity(Identity),
    /// Show what an operator card says, to compare it with what its owner says.
    #[command(subcommand)]
    Card(Card),
    /// Write, check or show a ceremony file.
    #[command(subcommand)]
    Spec(Spec),
    /// Deal the shares of validators that exist anew.
    #[command(subcommand)]
    Reshare(Reshare),
    /// Deal the keys of a solo validator to the operators of a cluster.
    #[command(subcommand)]
    Import(Import),
    /// Give an operator back the share that it has lost; all other shares stay as they are.
    #[command(subcommand)]
    Repair(Repair),
    /// Take part in a ceremony, or resume it, and write its outputs. You can stop it and run it
    /// again at any time.
    #[command(
        after_help = "Example:\n  quorate run ceremony.toml\n\nYou confirm the fingerprint once, \
                      before anything is signed."
    )]
    Run(RunArgs),
    /// Take part in the ceremony of a packet that was made for you, or resume it. The same as run.
    #[command(after_help = "Example:\n  quorate join bob.packet\n\nA packet of another operator, \
                            or one that was changed, is refused with exit code 4 before anything \
                            is signed. You confirm the fingerprint once, as with run.")]
    Join(JoinArgs),
    /// Look before the day at everything that a ceremony needs: this machine, and the way to each
    /// of the others. Signs nothing of the ceremony.
    #[command(after_help = "Example:\n  quorate doctor ceremony.toml\n  quorate doctor \
                            ceremony.toml --wait 600\n  quorate doctor ceremony.toml --via \
                            nats://nats.example.org:4222\n\nAll operators run it at the same \
                            time. With --board or --via, the board is looked at and nobody is \
                            called. Exit code 1 if something on your side has to be mended; 5 \
                            if only others are not reached, or differ.")]
    Doctor(DoctorArgs),
    /// Rehearse a ceremony with the real people over the real network: new keys for nothing, in
    /// memory. Says how long each round takes, who is slowest, and whether every group can sign.
    #[command(
        after_help = "Example:\n  quorate rehearse ceremony.toml --id \"monday, first try\"\n\n\
                            All operators give the same words, and other ones for each rehearsal. \
                            Nothing is written, nothing that is signed counts, and no share or \
                            keystore is read. Exit code 5 if it is not complete in time."
    )]
    Rehearse(RehearseArgs),
    /// Take part in a ceremony by way of a board, a folder that is shared or on a stick: read what
    /// is new there, do what can be done, and leave what you owe. Nobody needs to be online.
    #[command(
        after_help = "Example:\n  quorate step ceremony.toml --board /media/stick\n\nSix visits of \
                      each operator are enough, in any order. Exit code 0 when this one did what \
                      it could, whether or not the ceremony is finished; with --json, \"finished\" \
                      tells."
    )]
    Step(StepArgs),
    /// Show this operator, its ceremonies and validators, and what to do next.
    #[command(after_help = "Example:\n  quorate status --dir ~/quorate\n\nExit code 0. With \
                            --check, 5 while a ceremony is not finished.")]
    Status {
        /// Exit with code 5 while a ceremony is not started or not finished, for scripts that wait
        /// for it.
        #[arg(long)]
        check: bool,
    },
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
                      \\\n    --deposit-data deposit-data.json\n\nThe verdict is VERIFIED \
                      only with --expect. Without it, it is SOUND: every check passed, but \
                      anybody can make such a transcript with operators and an address of \
                      their own. Both have exit code 0; with --json, \"verdict\" and \
                      \"as_expected\" tell them apart.\n\nOf a file of evidence it is \
                      STATEMENTS ONLY, with exit code 4: such a file does not show that a \
                      ceremony was not completed.")]
    Audit(AuditArgs),
    /// Write a dossier, one folder for whoever vets a cluster: everything that can be verified, and
    /// how.
    #[command(
        after_help = "Example:\n  quorate dossier transcript.quorate --expect ceremony.toml \\\n\
                      \x20   --policy lido-dvt-cluster --attestations attestations.json --out \
                      dossier\n\nThe same inputs make the same bytes. Exit code 4 if the \
                      transcript is not verified, and nothing is written; or if the dossier is \
                      written, and a policy is not met."
    )]
    Dossier(DossierArgs),
    /// Write the outputs of a finished ceremony again, in the layout that another program expects.
    #[command(subcommand)]
    Export(Export),
    /// Remove shares from a validator client, with what they have signed.
    #[command(subcommand)]
    Keymanager(Keymanager),
    /// Make, check or restore a backup of this operator.
    #[command(subcommand)]
    Backup(BackupArgs),
    /// Settle whether shares that came out of a backup are the newest, by the word of the others.
    #[command(subcommand)]
    Restored(RestoredArgs),
    /// Erase this operator's shares of a ceremony that is over: superseded by a reshare, abandoned,
    /// or no longer wanted.
    #[command(
        after_help = "Example:\n  quorate forget ceremony.toml\n\nYou type a sentence first; for \
                      the newest shares of a validator, two. Copies in backups and validator \
                      clients are not erased."
    )]
    Forget(Forget),
    /// Put whole validator keys together from the shares of enough operators, with what they have
    /// signed. The cluster must be stopped for ever.
    #[command(
        after_help = "Example:\n  quorate recover transcript.quorate --share alice --share bob \
                      --share carol \\\n    --protection alice.json --protection bob.json \\\n    \
                      --new-password-file password.txt --out recovered\n\nBefore: each \
                      operator removes its shares from its validator client (quorate keymanager \
                      remove) and brings its keystores and that file. Afterwards each key is whole \
                      in the hands of whoever has the new folder. A key that runs there and in the \
                      cluster gets slashed."
    )]
    Recover(Recover),
    /// Sign a voluntary exit of a validator with the shares of a finished ceremony.
    #[command(subcommand)]
    Exit(Exits),
    /// Sign a further deposit for a validator, to its existing withdrawal credentials, with the
    /// shares of a finished ceremony.
    #[command(subcommand)]
    Deposit(Deposit),
    /// Change the fee recipient or the gas limit of validators: sign a later builder registration
    /// with the shares of a finished ceremony. Until the Gloas fork, which ends registrations.
    #[command(subcommand)]
    Registration(Registrations),
    /// Register validators with a cluster of SSV again: make key shares for another account,
    /// another nonce or other RSA keys, from the shares of a finished ceremony.
    #[command(subcommand)]
    Ssv(KeyShares),
    /// Make the lock of an Obol cluster from the shares of a finished ceremony: after a reshare, or
    /// for other nodes of the same operators.
    #[command(subcommand)]
    Obol(Obol),
    /// Verify deposit files, exits, registrations, keystores, slashing protection data, and SSV or
    /// Obol cluster files from any source, offline.
    #[command(subcommand)]
    Verify(Verify),
    /// Run a whole ceremony on this machine: one process for each operator, then the audit. Or show
    /// how an operator is replaced, or what happens after a fault.
    #[command(
        after_help = "Example:\n  quorate demo --operators 7 --threshold 5 --validators 20\n  \
                      quorate demo --reshare\n  quorate demo --import\n  quorate demo \
                      --fault bad-share\n\nWith --fault, exit code 0 means that the demo \
                      went as announced."
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
