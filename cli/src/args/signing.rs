//! `quorate exit` and `quorate deposit`: sessions of the shares of a finished ceremony.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::unit_names;

use super::{VerifyExit, address_and_port};

#[derive(Subcommand)]
pub(crate) enum Exits {
    /// Write a request that the operators can answer. Anybody can ask; an operator's request is
    /// signed by it.
    #[command(after_help = "Example:\n  quorate exit request transcript.quorate --public-key \
                      0xb384f767... --index 1804776 \\\n    \
                            --custodian quorate1... -o exit-request.json\n\nA ceremony before the \
                            deposit cannot know the index: it is assigned when \
                            the deposit is processed. Save what a beacon node says of the key (GET \
                            /eth/v1/beacon/states/head/validators/KEY) \
                            and give it with --beacon, and the index is compared.")]
    Request(ExitRequest),
    /// Answer a request with this operator's share: shows what is signed, asks, remembers it for
    /// ever, then writes the answer.
    #[command(
        after_help = "Example:\n  quorate exit sign exit-request.json\n\nsigning.toml in the state \
                      directory says what is signed at all: \
                            exits = \"ask\", \"allow-list\" or \"never\". --yes answers without a \
                            question, and only for validators that \
                            an allow-list names."
    )]
    Sign(SignArgs),
    /// Answer a request together with the other operators, all at the same time, and write the exit
    /// as soon as enough have answered.
    #[command(
        after_help = "Example:\n  quorate exit run exit-request.json -o exit.json\n\nEach operator \
                      runs the same command on the same request. It \
                            asks and remembers like exit sign, and combines like exit combine. \
                            Exit code 0: the file is written (or, if the \
                            answers are for a custodian, it has what it needs). 5: too few have \
                            answered; no result is written, and the same \
                            command goes on with the same answer. An answer that was sent cannot \
                            be taken back. With a custodian, answers go to it alone, and it has to \
                            be one of the \
                            operators."
    )]
    Run(LiveArgs),
    /// Verify answers and combine as many as the threshold into the exit that a beacon node takes.
    #[command(after_help = "Example:\n  quorate exit combine exit-request.json --transcript \
                      transcript.quorate partial-*.json\n\nEach bad answer is \
                            named. A custodian needs its keys (--dir) to open answers that are \
                            sealed to it.")]
    Combine(Combine),
    /// Verify a signed exit offline, whoever made it.
    #[command(after_help = "Example:\n  quorate exit verify \
                      signed_exit_transaction-1804776-1795328302.json --network hoodi \\\n    \
                            --public-key 0xb384f767...\n\nExit code 0 if it is accepted, 4 if it \
                            is refused.")]
    Verify(VerifyExit),
}

#[derive(Subcommand)]
pub(crate) enum Deposit {
    /// Write a request for a further deposit that the operators can answer.
    #[command(after_help = "Example:\n  quorate deposit request transcript.quorate --public-key \
                      0xb384f767... --amount 8 \\\n    --public -o top-up.json\n\n\
                            The withdrawal credentials are the ceremony's; there is no way to ask \
                            for others.")]
    Request(DepositRequest),
    /// Answer a request with this operator's share: shows what is signed, asks, remembers it for
    /// ever, then writes the answer.
    #[command(
        after_help = "Example:\n  quorate deposit sign top-up.json\n\nsigning.toml in the state \
                      directory says what is signed at all: \
                            deposits = \"ask\", \"allow-list\" or \"never\"."
    )]
    Sign(SignArgs),
    /// Answer a request together with the other operators, all at the same time, and write the
    /// deposit file as soon as enough have answered.
    #[command(after_help = "Example:\n  quorate deposit run top-up.json -o \
                      deposit-data-8eth.json\n\nEach operator runs the same command on the same \
                            request. Exit code 0: the file is written (or the custodian has what \
                            it needs). 5: too few have answered; no \
                            result is written, and the same command goes on with the same answer. \
                            An answer that was sent cannot be taken back.")]
    Run(LiveArgs),
    /// Verify answers and combine as many as the threshold into a deposit file.
    #[command(after_help = "Example:\n  quorate deposit combine top-up.json --transcript \
                      transcript.quorate partial-*.json\n\nThe file is uploaded to \
                            the launchpad like the first one.")]
    Combine(Combine),
}

/// What every request has.
#[derive(Args)]
pub(crate) struct RequestCommon {
    /// The transcript of the finished ceremony. It is audited first.
    pub(crate) transcript: PathBuf,
    /// The validator's key, 96 hexadecimal digits, with or without 0x.
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: String,
    #[command(flatten)]
    pub(crate) answers: Answers,
    /// What a beacon node says of the validator (GET /eth/v1/beacon/states/head/validators/KEY), to
    /// be compared.
    #[arg(long, value_name = "FILE")]
    pub(crate) beacon: Option<PathBuf>,
    /// Do not sign the request, even if there are keys of one of the operators here.
    #[arg(long)]
    pub(crate) unsigned: bool,
    /// The file to write. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Who gets the answers.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Answers {
    /// Seal the answers to the holder of this operator card, who alone can then combine them. Any
    /// card will do, not only an operator's.
    #[arg(long, value_name = "CARD")]
    pub(crate) custodian: Option<String>,
    /// Leave the answers open: whoever sees enough of them can use the signature.
    #[arg(long)]
    pub(crate) public: bool,
}

#[derive(Args)]
pub(crate) struct ExitRequest {
    #[command(flatten)]
    pub(crate) common: RequestCommon,
    /// The validator's index on the beacon chain.
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: u64,
    /// The earliest epoch in which the exit is valid. 0 is always valid.
    #[arg(long, value_name = "EPOCH", default_value_t = 0)]
    pub(crate) epoch: u64,
    /// Allow an epoch that has not come yet: until then the exit is refused by every node.
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

/// What every answer needs.
#[derive(Args)]
pub(crate) struct Asked {
    /// The request.
    pub(crate) request: PathBuf,
    /// Do not ask. Only for what an allow-list in signing.toml names.
    #[arg(long)]
    pub(crate) yes: bool,
    /// What your own beacon node says of the validator (GET
    /// /eth/v1/beacon/states/head/validators/KEY), to be compared.
    #[arg(long, value_name = "FILE")]
    pub(crate) beacon: Option<PathBuf>,
    /// Allow an epoch that has not come yet.
    #[arg(long)]
    pub(crate) future_epoch: bool,
}

#[derive(Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// The file to write, `partial-OPERATOR-REQUEST.json` if not given. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct LiveArgs {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Where to listen. By default all interfaces, at the port that the ceremony file gives you.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    pub(crate) listen: Option<String>,
    /// Where an operator can be reached now, by its name or index, if not where the ceremony file
    /// says. May be given for several, and for oneself.
    #[arg(long, value_name = "OPERATOR=HOST:PORT")]
    pub(crate) at: Vec<String>,
    /// How long to stay, at most: for enough answers, and then for those who answer late.
    #[arg(long, value_name = "SECONDS", default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(crate) wait: u64,
    /// The file to write; if not given, named as its consumers expect, in this folder. Never
    /// overwrites. With a custodian, nobody else writes one.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Combine {
    /// The request.
    pub(crate) request: PathBuf,
    /// The answers, of any operators; at least as many as the threshold have to be good.
    #[arg(required = true, value_name = "PARTIAL")]
    pub(crate) partials: Vec<PathBuf>,
    /// The transcript of the finished ceremony. It is audited first.
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: PathBuf,
    /// The file to write; if not given, named as its consumers expect, in this folder. Never
    /// overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
