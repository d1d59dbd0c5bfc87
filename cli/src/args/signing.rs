//! Arguments of `quorate exit`, `quorate deposit` and `quorate registration`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::unit_names;

use super::run::{address_and_port, proxy};
use super::{MeetingArgs, VerifyExit, VerifyRegistration};

#[derive(Subcommand)]
pub(crate) enum Exits {
    /// Write a request that the operators can answer. Anyone can write one; if an operator writes
    /// it, it is signed.
    #[command(after_help = "Example:\n  quorate exit request transcript.quorate --public-key \
                       0xb384f767... \\\n    --index 1804776 --custodian quorate1... -o \
                       exit-request.json\n\nThe beacon chain assigns the index when the \
                       deposit is processed. To have it checked, save a beacon node's answer \
                       about the key (GET /eth/v1/beacon/states/head/validators/KEY) and give \
                       it with --beacon.\n\nAll validators at once:\n  quorate exit request \
                       transcript.quorate --all \\\n    --beacon validators.json --custodian \
                       quorate1... -o exit-requests.json\n\nvalidators.json is the node's \
                       answer to POST /eth/v1/beacon/states/head/validators with \
                       {\"ids\": [KEYS]}. Validators that it does not have, or that cannot \
                       exit now, are listed and left out.")]
    Request(ExitRequest),
    /// Answer a request with this operator's share. You confirm the message; it is logged before
    /// the answer is written.
    #[command(
        after_help = "Example:\n  quorate exit sign exit-request.json\n\nsigning.toml in the state \
                      directory is your policy: exits = \"ask\", \"allow-list\" or \"never\". \
                      --yes skips the question, but only for validators on the allow-list.\n\nFrom \
                      a backup of identity.sealed, the keystores and the transcript:\n  quorate \
                      exit sign exit-request.json --keystores out/secret \\\n    --transcript \
                      out/public/transcript.quorate"
    )]
    Sign(SignArgs),
    /// Answer a request together with the other operators, online at the same time, and write the
    /// exit as soon as enough have answered.
    #[command(
        after_help = "Example:\n  quorate exit run exit-request.json -o exit.json\n\nEach operator \
                      runs the same command on the same request. It confirms and logs like exit \
                      sign, and combines like exit combine. Exit code 0: the file is written or, \
                      if the answers are for a custodian, the custodian has enough. Exit code 5: \
                      too few operators answered and no result is written; run the same command \
                      again to continue with the same answer. An answer that was sent cannot be \
                      taken back. With a custodian, answers go only to the custodian, who must be \
                      one of the operators."
    )]
    Run(LiveArgs),
    /// Verify answers, and combine a threshold of them into an exit for a beacon node.
    #[command(
        after_help = "Example:\n  quorate exit combine exit-request.json \\\n    --transcript \
                      transcript.quorate partial-*.json\n\nEach invalid answer is reported. \
                      A custodian needs its keys (--dir) to open answers that are sealed to \
                      it.\n\nThe exits of several validators go to a new folder, each under the \
                      names that deposit tools and Charon use. Exit code 5: some validators have \
                      too few answers; the others' exits are written."
    )]
    Combine(Combine),
    /// Verify a signed exit from any source, offline.
    #[command(after_help = "Example:\n  quorate exit verify \
                      signed_exit_transaction-1804776-1795328302.json \\\n    --network \
                      hoodi --public-key 0xb384f767...\n\nExit code 0 if it is accepted, 4 \
                      if it is refused.")]
    Verify(VerifyExit),
}

#[derive(Subcommand)]
pub(crate) enum Deposit {
    /// Write a request for a further deposit, for the operators to answer.
    #[command(after_help = "Example:\n  quorate deposit request transcript.quorate --public-key \
                      0xb384f767... \\\n    --amount 8 --public -o top-up.json\n\nThe \
                      withdrawal credentials are those of the ceremony; you cannot request \
                      others.")]
    Request(DepositRequest),
    /// Answer a request with this operator's share. You confirm the message; it is logged before
    /// the answer is written.
    #[command(
        after_help = "Example:\n  quorate deposit sign top-up.json\n\nsigning.toml in the state \
                      directory is your policy: deposits = \"ask\", \"allow-list\" or \"never\"."
    )]
    Sign(SignArgs),
    /// Answer a request together with the other operators, online at the same time, and write the
    /// deposit file as soon as enough have answered.
    #[command(after_help = "Example:\n  quorate deposit run top-up.json -o \
                            deposit-data-8eth.json\n\nEach operator runs the same command on the \
                            same request. Exit code 0: the file is written, or the custodian has \
                            enough answers. Exit code 5: too few operators answered and no result \
                            is written; run the same command again to continue with the same \
                            answer. An answer that was sent cannot be taken back.")]
    Run(LiveArgs),
    /// Verify answers, and combine a threshold of them into a deposit file.
    #[command(after_help = "Example:\n  quorate deposit combine top-up.json \\\n    --transcript \
                      transcript.quorate partial-*.json\n\nUpload the file to the launchpad \
                      like the first one.")]
    Combine(Combine),
}

#[derive(Subcommand)]
pub(crate) enum Registrations {
    /// Write a request for a later registration, for the operators to answer.
    #[command(
        after_help = "Example:\n  quorate registration request transcript.quorate --all \\\n    \
                      --fee-recipient 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --public \\\n    \
                      -o registrations-request.json\n\nIt replaces every registration with an \
                      earlier date. What you do not give stays as the ceremony has it. The \
                      Gloas fork ends registrations: then the validator clients of the cluster \
                      sign proposer preferences, with the fee recipient that they are configured \
                      with."
    )]
    Request(RegistrationRequest),
    /// Answer a request with this operator's share. You confirm the message; it is logged before
    /// the answer is written.
    #[command(after_help = "Example:\n  quorate registration sign registrations-request.json\n\n\
                      signing.toml in the state directory is your policy: registrations = \"ask\", \
                      \"allow-list\" or \"never\". With the allow-list, the fee recipient must be \
                      one of fee_recipients = [...].")]
    Sign(SignArgs),
    /// Answer a request together with the other operators, online at the same time, and write the
    /// file of registrations as soon as enough have answered.
    #[command(after_help = "Example:\n  quorate registration run registrations-request.json -o \
                            registrations.json\n\nEach operator runs the same command on the same \
                            request. Exit code 0: the file is written, or the custodian has \
                            enough answers. Exit code 5: too few operators answered and no result \
                            is written; run the same command again to continue with the same \
                            answer. An answer that was sent cannot be taken back.")]
    Run(LiveArgs),
    /// Verify answers, and combine a threshold of them into a file of registrations.
    #[command(
        after_help = "Example:\n  quorate registration combine registrations-request.json \\\n    \
                      --transcript transcript.quorate partial-*.json\n\nThe file is the body of \
                      POST /eth/v1/validator/register_validator. Of a cluster of Obol's, a folder \
                      is written, with a file for Charon too."
    )]
    Combine(Combine),
    /// Verify a file of registrations from any source, offline.
    #[command(after_help = "Example:\n  quorate registration verify registrations.json --network \
                            hoodi\n\nExit code 0 if it is accepted, 4 if it is refused.")]
    Verify(VerifyRegistration),
}

/// What every request has.
#[derive(Args)]
pub(crate) struct RequestCommon {
    /// The transcript of the finished ceremony. It is audited first.
    pub(crate) transcript: PathBuf,
    #[command(flatten)]
    pub(crate) validators: Validators,
    #[command(flatten)]
    pub(crate) answers: Answers,
    /// A beacon node's answer about the validator (GET /eth/v1/beacon/states/head/validators/KEY)
    /// or about a list (GET or POST /eth/v1/beacon/states/head/validators), to compare with the
    /// request. Indices that you do not give are taken from it.
    #[arg(long, value_name = "FILE")]
    pub(crate) beacon: Option<PathBuf>,
    /// Do not sign the request, even if this state directory has the keys of an operator.
    #[arg(long)]
    pub(crate) unsigned: bool,
    /// The file to write; - is stdout. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// With it, the request is put on a board too. The operators then give its id in the place of
    /// the file.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
}

/// Which validators a request is for.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Validators {
    /// A validator's public key: 96 hexadecimal digits, with or without 0x. Repeat it to request
    /// several at once.
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Vec<String>,
    /// A file with one public key on each line. For exits, the validator's index can follow it.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// All validators of the ceremony.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Who gets the answers.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Answers {
    /// Seal the answers to the holder of this operator card, who alone can then combine them. The
    /// card (or @file with it) need not belong to an operator of the ceremony.
    #[arg(long, value_name = "CARD")]
    pub(crate) custodian: Option<String>,
    /// Do not seal the answers: anyone who sees enough of them can use the signature.
    #[arg(long)]
    pub(crate) public: bool,
}

#[derive(Args)]
pub(crate) struct ExitRequest {
    #[command(flatten)]
    pub(crate) common: RequestCommon,
    /// The validator's index on the beacon chain. For several, one for each --public-key, in the
    /// same order. With --beacon it can be left out.
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: Vec<u64>,
    /// The earliest epoch in which the exit is valid. 0 is always valid.
    #[arg(long, value_name = "EPOCH", default_value_t = 0)]
    pub(crate) epoch: u64,
    /// Allow an epoch in the future: nodes refuse the exit until then.
    #[arg(long)]
    pub(crate) future_epoch: bool,
}

#[derive(Args)]
pub(crate) struct DepositRequest {
    #[command(flatten)]
    pub(crate) common: RequestCommon,
    #[arg(long, value_name = "AMOUNT",
        help = format!("The amount in {}. Another one than those that the ceremony signed",
            unit_names()))]
    pub(crate) amount: String,
}

#[derive(Args)]
pub(crate) struct RegistrationRequest {
    #[command(flatten)]
    pub(crate) common: RequestCommon,
    /// Who gets the fees of the validators' blocks: an address in its checksummed spelling. By
    /// default as the ceremony has it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) fee_recipient: Option<String>,
    /// The gas limit to ask for. By default as the ceremony has it.
    #[arg(long, value_name = "GAS")]
    pub(crate) gas_limit: Option<u64>,
    /// The date of the registration, in seconds since 1970. By default the present time.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timestamp: Option<u64>,
}

/// What every answer needs.
#[derive(Args)]
pub(crate) struct Asked {
    /// The request; with --board or --via, its id (64 digits) is enough.
    pub(crate) request: PathBuf,
    /// Do not ask for confirmation. Only for validators on the allow-list in signing.toml.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Your own beacon node's answer about the validator (GET
    /// /eth/v1/beacon/states/head/validators/KEY) or about a list, to compare with the request.
    #[arg(long, value_name = "FILE")]
    pub(crate) beacon: Option<PathBuf>,
    /// Allow an epoch in the future.
    #[arg(long)]
    pub(crate) future_epoch: bool,
    /// Sign with the share keystores in this folder alone, where the log of the ceremony is lost:
    /// the layouts of this program, of Charon and of common validator clients. Each share is
    /// compared with the transcript. The state directory needs your operator keys only.
    #[arg(long, value_name = "DIR", requires = "transcript", group = "shares")]
    pub(crate) keystores: Option<PathBuf>,
    /// Sign exits and registrations with the shares in this Web3Signer, where they are nowhere
    /// else: http://127.0.0.1:9000, on this machine or at the end of a tunnel. Each signature is
    /// compared with the transcript. The state directory needs your operator keys only.
    #[arg(long, value_name = "URL", requires = "transcript", group = "shares")]
    pub(crate) web3signer: Option<String>,
    /// The transcript of the finished ceremony, for --keystores and --web3signer. It is audited
    /// first.
    #[arg(long, value_name = "FILE", requires = "shares")]
    pub(crate) transcript: Option<PathBuf>,
    /// File with the password of the keystores. By default: a file of passwords beside each, or
    /// else the passphrase.
    #[arg(long, value_name = "FILE", requires = "keystores")]
    pub(crate) keystore_password_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// The file to write; - is stdout. By default `partial-OPERATOR-REQUEST.json`, and none with
    /// --board. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// With it, the answer is put on a board.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
}

#[derive(Args)]
pub(crate) struct LiveArgs {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Address to listen on. By default all interfaces, IPv6 and IPv4, at your port in the ceremony
    /// file; IPv4 alone where the system has no IPv6.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    pub(crate) listen: Option<String>,
    /// Current address of an operator, given by name or index, if it differs from the ceremony
    /// file. Can be repeated, and given for yourself.
    #[arg(long, value_name = "OPERATOR=HOST:PORT")]
    pub(crate) at: Vec<String>,
    /// Call the others through this SOCKS5 proxy, which also looks up their names: so an address
    /// can be an onion service. The proxy must demand no authentication.
    #[arg(long, value_name = "HOST:PORT", value_parser = proxy)]
    pub(crate) socks5: Option<String>,
    /// How long to wait, at most: first for enough answers, then for operators who are late.
    #[arg(long, value_name = "SECONDS", default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(crate) wait: u64,
    /// The file to write, or the folder for the exits of several validators; for one file, - is
    /// stdout. By default in the current folder, under the usual name. Never overwrites. With a
    /// custodian, only the custodian writes one.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Combine {
    /// The request; with --board or --via, its id (64 digits) is enough.
    pub(crate) request: PathBuf,
    /// The answers, from any operators; at least a threshold of them must be valid.
    #[arg(required_unless_present_any = ["board", "via"], value_name = "PARTIAL")]
    pub(crate) partials: Vec<PathBuf>,
    /// With it, answers are taken from a board too.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
    /// The transcript of the finished ceremony. It is audited first.
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: PathBuf,
    /// The file to write, or the folder for the exits of several validators; for one file, - is
    /// stdout. By default in the current folder, under the usual name. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
