//! Arguments of the commands for Obol clusters.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Combine, LiveArgs, RequestCommon, SignArgs};

#[derive(Subcommand)]
pub(crate) enum ObolKey {
    /// Create the key of this operator's node, and print its record for the cluster definition.
    #[command(
        after_help = "Example:\n  quorate identity obol-key new\n\nThe record (enr:...) goes into \
                      the cluster definition."
    )]
    New,
    /// Store an existing key in the state directory, and print its record.
    #[command(
        after_help = "Example:\n  quorate identity obol-key import .charon/charon-enr-private-key"
    )]
    Import {
        /// The key: a charon-enr-private-key file (mode 0600).
        file: PathBuf,
    },
    /// Print the record of the stored key.
    #[command(after_help = "Example:\n  quorate identity obol-key show")]
    Show,
}

#[derive(Subcommand)]
pub(crate) enum Obol {
    /// Write a request for the lock of an Obol cluster, for the operators to answer.
    #[command(after_help = "Example:\n  quorate obol request transcript.quorate --all \\\n    \
                      --definition cluster-definition.json --public -o lock-request.json\n\nThe \
                      definition is of the operators that have shares now, with the record of each \
                      one's node. The addresses, fee recipient, gas limit and amounts in it are \
                      those that the key generation has signed. Every operator must answer.")]
    Request(LockRequest),
    /// Answer a request with this operator's shares and its node's key. You confirm the cluster; it
    /// is logged before the answer is written.
    #[command(
        after_help = "Example:\n  quorate obol sign lock-request.json\n\nsigning.toml in the \
                            state directory is your policy: locks = \"ask\", \"allow-list\" or \
                            \"never\"."
    )]
    Sign(LockSign),
    /// Answer a request together with the other operators, online at the same time, and write the
    /// lock as soon as all have answered.
    #[command(after_help = "Example:\n  quorate obol run lock-request.json -o \
                            cluster-lock.json\n\nEach operator runs the same command on the same \
                            request. Exit code 0: the lock is written, or the custodian has all \
                            answers. Exit code 5: not all operators answered and no lock is \
                            written; run the same command again to continue with the same answer.")]
    Run(LockRun),
    /// Verify answers, and combine those of all operators into the lock.
    #[command(
        after_help = "Example:\n  quorate obol combine lock-request.json \\\n    --transcript \
                      transcript.quorate partial-*.json -o cluster-lock.json\n\nEach operator gets \
                      the folder that Charon reads from it: quorate export obol CEREMONY --lock \
                      cluster-lock.json --out DIR"
    )]
    Combine(Combine),
    /// Verify a lock from any source, offline: that it is what the request asks for, with the
    /// shares of the transcript, signed by all of them and by every node.
    #[command(after_help = "Example:\n  quorate obol verify cluster-lock.json --request \
                      lock-request.json \\\n    --transcript transcript.quorate\n\nExit code 0 if \
                      it is accepted, 4 if it is refused.")]
    Verify(LockVerify),
}

#[derive(Args)]
pub(crate) struct LockRequest {
    #[command(flatten)]
    pub(crate) common: RequestCommon,
    /// The cluster definition (v1.8 to v1.11), from Obol's Launchpad or from charon create dkg.
    #[arg(long, value_name = "FILE")]
    pub(crate) definition: PathBuf,
    /// Address (ERC-55) of a contract wallet, whose signature in the definition can only be
    /// verified on chain. Repeat it for each.
    #[arg(long = "contract-wallet", value_name = "ADDRESS")]
    pub(crate) contract_wallets: Vec<String>,
}

/// What an answer about a lock needs besides.
#[derive(Args)]
pub(crate) struct LockAsked {
    /// The key of this operator's node, if it is not the one in the state directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct LockSign {
    #[command(flatten)]
    pub(crate) sign: SignArgs,
    #[command(flatten)]
    pub(crate) lock: LockAsked,
}

#[derive(Args)]
pub(crate) struct LockRun {
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) lock: LockAsked,
}

#[derive(Args)]
pub(crate) struct LockVerify {
    /// The lock.
    pub(crate) lock: PathBuf,
    /// The request.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: PathBuf,
    /// The transcript of the finished ceremony. It is audited first.
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: PathBuf,
}

#[derive(Args)]
pub(crate) struct ExportObol {
    /// The ceremony file.
    pub(crate) ceremony: PathBuf,
    /// The lock that obol combine or obol run has written, if the ceremony itself made none.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// Address (ERC-55) of a contract wallet in the definition of that lock. Repeat it for each.
    #[arg(long = "contract-wallet", value_name = "ADDRESS", requires = "lock")]
    pub(crate) contract_wallets: Vec<String>,
    /// The key of this operator's node, if it is not the one in the state directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) newest: super::NewestArgs,
    /// The folder to create. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A file of an Obol cluster to judge.
#[derive(Args)]
pub(crate) struct VerifyCluster {
    /// The file.
    pub(crate) file: PathBuf,
    /// Address (ERC-55) of a contract wallet. Its signatures (ERC-1271) can only be verified on
    /// chain: they are reported as not checked instead of refused.
    #[arg(long = "contract-wallet", value_name = "ADDRESS")]
    pub(crate) contract_wallets: Vec<String>,
}
