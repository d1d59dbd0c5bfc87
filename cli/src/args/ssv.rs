//! Arguments of `quorate ssv`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Combine, LiveArgs, RequestCommon, SignArgs};

#[derive(Subcommand)]
pub(crate) enum KeyShares {
    /// Write a request for key shares, for the operators to answer.
    #[command(
        after_help = "Example:\n  quorate ssv request transcript.quorate --all \\\n    --owner \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 7 \\\n    --public -o \
                      key-shares-request.json\n\nThe operators' numbers are their evaluation \
                      points in the ceremony, and cannot be changed. With a new nonce alone, any \
                      threshold of operators is enough. With a new owner, every operator must \
                      answer; with a new RSA key, the operator whose key it is. Remove the \
                      validators from the cluster where they run before you register them again: a \
                      validator that runs twice is slashed."
    )]
    Request(KeySharesRequest),
    /// Answer a request with this operator's shares. You confirm the message; it is logged before
    /// the answer is written.
    #[command(after_help = "Example:\n  quorate ssv sign key-shares-request.json \\\n    \
                      --ssv-key encrypted_private_key.json --ssv-password-file password\n\n\
                      signing.toml in the state directory is your policy: key_shares = \"ask\", \
                      \"allow-list\" or \"never\". With the allow-list, the owner must be one of \
                      owners = [...].")]
    Sign(KeySharesSign),
    /// Answer a request together with the other operators, online at the same time, and write the
    /// key shares as soon as enough have answered.
    #[command(after_help = "Example:\n  quorate ssv run key-shares-request.json -o key-shares \
                            \\\n    --ssv-key encrypted_private_key.json --ssv-password-file \
                            password\n\nEach operator runs the same command on the same request. \
                            Exit code 0: the folder is written, or the custodian has enough \
                            answers. Exit code 5: too few operators answered and no result is \
                            written; run the same command again to continue with the same answer. \
                            An answer that was sent cannot be taken back.")]
    Run(KeySharesRun),
    /// Verify answers, and combine them into the key shares of all validators of the request.
    #[command(
        after_help = "Example:\n  quorate ssv combine key-shares-request.json \\\n    --transcript \
                      transcript.quorate partial-*.json -o key-shares\n\nThe new folder has \
                      keyshares.json, which the owner gives to SSV, and proofs.json."
    )]
    Combine(Combine),
    /// Verify a folder of key shares from any source, offline: that it is what the request asks
    /// for, with the shares of the transcript, each proven by its operator.
    #[command(
        after_help = "Example:\n  quorate ssv verify key-shares --request key-shares-request.json \
                      \\\n    --transcript transcript.quorate\n\nExit code 0 if it is accepted, 4 \
                      if it is refused. Only each operator can check what is encrypted to it."
    )]
    Verify(KeySharesVerify),
}

#[derive(Args)]
pub(crate) struct KeySharesRequest {
    #[command(flatten)]
    pub(crate) common: RequestCommon,
    /// The account that will register the validators: an address in its checksummed spelling.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) owner: String,
    /// How many validators it has registered before on this network, malformed registrations
    /// included. The first validator gets this nonce, the next the one after it.
    #[arg(long, value_name = "NONCE")]
    pub(crate) nonce: u64,
    /// The operators' RSA keys: an operators_info.json as exported by SSV's web application. By
    /// default those of the ceremony.
    #[arg(long, value_name = "FILE")]
    pub(crate) ssv_operators: Option<PathBuf>,
}

/// What an answer about key shares needs besides.
#[derive(Args)]
pub(crate) struct KeySharesAsked {
    /// Your SSV operator's RSA key (encrypted_private_key.json). Not needed with a new nonce alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) ssv_key: Option<PathBuf>,
    /// File with its password. By default you are asked for it.
    #[arg(long, value_name = "FILE", requires = "ssv_key")]
    pub(crate) ssv_password_file: Option<PathBuf>,
    /// Consent to a nonce that is lower than an earlier one of the same owner: the earlier one was
    /// a mistake.
    #[arg(long)]
    pub(crate) lower_nonce: bool,
}

#[derive(Args)]
pub(crate) struct KeySharesSign {
    #[command(flatten)]
    pub(crate) sign: SignArgs,
    #[command(flatten)]
    pub(crate) ssv: KeySharesAsked,
}

#[derive(Args)]
pub(crate) struct KeySharesRun {
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) ssv: KeySharesAsked,
}

#[derive(Args)]
pub(crate) struct KeySharesVerify {
    /// The folder with keyshares.json and proofs.json.
    pub(crate) folder: PathBuf,
    /// The request.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: PathBuf,
    /// The transcript of the finished ceremony. It is audited first.
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: PathBuf,
}
