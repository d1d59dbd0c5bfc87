//! Arguments of `quorate run`, `join` and `abandon`, and of whatever else writes keystores.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{MeetingArgs, NewestArgs, ServerArgs};
use quorate::spec::Endpoint;

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

/// A ceremony that a person names.
#[derive(Args)]
pub(crate) struct CeremonyArgs {
    /// The ceremony file, or your operator packet.
    pub(crate) file: PathBuf,
    /// In a reshare: the transcript of its parent, and those of the parent's own parents, in any
    /// order. Needed once: they are kept in the state directory.
    #[arg(long, value_name = "TRANSCRIPT")]
    pub(crate) from: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) ceremony: CeremonyArgs,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    #[command(flatten)]
    pub(crate) calls: CallArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args)]
pub(crate) struct StepArgs {
    #[command(flatten)]
    pub(crate) ceremony: CeremonyArgs,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
    #[command(flatten)]
    pub(crate) lost: WithoutArgs,
}

#[derive(Args)]
pub(crate) struct JoinArgs {
    /// The packet that the coordinator made for you.
    pub(crate) packet: PathBuf,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    #[command(flatten)]
    pub(crate) calls: CallArgs,
}

/// What taking part in a ceremony needs, whatever carries it.
#[derive(Args)]
pub(crate) struct PartArgs {
    /// The words of the fingerprint, instead of typing them.
    #[arg(long, value_name = "WORDS")]
    pub(crate) yes_fingerprint: Option<String>,
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
    /// In an import, of the operator that holds the keys: their keystores (EIP-2335), a file or a
    /// folder. Needed until the keys are dealt.
    #[arg(long, value_name = "PATH")]
    pub(crate) keystores: Option<PathBuf>,
    /// File with the password of those keystores. By default it is read from where tools put it,
    /// beside each keystore; otherwise you are asked for it.
    #[arg(long, value_name = "FILE", requires = "keystores")]
    pub(crate) password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stop: StopArgs,
    #[command(flatten)]
    pub(crate) newest: NewestArgs,
}

/// How an operator reaches the others while all are there.
#[derive(Args)]
pub(crate) struct CallArgs {
    /// Address to listen on. By default all interfaces, IPv6 and IPv4, at your port in the ceremony
    /// file; IPv4 alone where the system has no IPv6.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    pub(crate) listen: Option<String>,
    /// Current address of an operator, given by name or index, if it differs from the ceremony
    /// file. Can be repeated, and given for yourself. The copy of the ceremony file in the state
    /// directory, which `quorate status` names, gets it too.
    #[arg(long, value_name = "OPERATOR=HOST:PORT")]
    pub(crate) at: Vec<String>,
    /// Call the others through this SOCKS5 proxy, which also looks up their names: so an address
    /// can be an onion service. The proxy must demand no authentication.
    #[arg(long, value_name = "HOST:PORT", value_parser = proxy)]
    pub(crate) socks5: Option<String>,
    #[command(flatten)]
    pub(crate) lost: WithoutArgs,
    /// After the outputs are written, how long to keep helping operators that have not yet
    /// confirmed that they have everything.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) linger: u64,
}

impl CallArgs {
    /// Whether a way to connect to the others is given.
    pub(crate) fn are_given(&self) -> bool {
        self.listen.is_some() || self.socks5.is_some() || !self.at.is_empty()
    }
}

/// What a dealer of a reshare or import says when it has stopped.
#[derive(Args, Default)]
pub(crate) struct StopArgs {
    /// In a reshare or import: the shares or keys that you deal are removed from every validator
    /// client, and what they have signed is given here. Not before the program asks for it.
    #[arg(long)]
    pub(crate) stopped: bool,
    /// Slashing protection data (EIP-3076) that a validator client has exported after the shares
    /// were removed from it. Can be repeated.
    #[arg(long, value_name = "FILE", requires = "stopped")]
    pub(crate) protection: Vec<PathBuf>,
    /// Shares that no data names have never been in a validator client.
    #[arg(long, requires = "stopped")]
    pub(crate) others_never_ran: bool,
    /// Shares that no data names have signed until now, and nobody has exported what: those of a
    /// node of SSV. The chain's present epoch is stated, as this machine's clock has it.
    #[arg(long, requires = "stopped", conflicts_with = "others_never_ran")]
    pub(crate) others_until_now: bool,
    /// Remove the shares now, from the validator client with this key manager API, and take the
    /// data that it gives.
    #[arg(long, value_name = "URL", requires_all = ["stopped", "token_file"])]
    pub(crate) keymanager: Option<String>,
    /// File with the API token of the key manager.
    #[arg(long, value_name = "FILE", requires = "keymanager")]
    pub(crate) token_file: Option<PathBuf>,
    /// Allow plain HTTP to another machine. Anyone on the network path can then read the token.
    #[arg(long, requires = "keymanager")]
    pub(crate) insecure_http: bool,
    /// The sentence that you would type: what it says is then not asked.
    #[arg(long, value_name = "SENTENCE", requires = "stopped")]
    pub(crate) yes_stopped: Option<String>,
}

/// What an operator of a reshare says when others are lost after all have stopped.
#[derive(Args, Default)]
pub(crate) struct WithoutArgs {
    /// In a reshare, after all have stopped: finish without this operator, by name or index, which
    /// is lost. Can be repeated. Everybody who is left has to say the same.
    #[arg(long, value_name = "OPERATOR", conflicts_with = "stopped")]
    pub(crate) without: Vec<String>,
    /// The sentence that you would type to finish without it: what it says is then not asked.
    #[arg(long, value_name = "SENTENCE", requires = "without")]
    pub(crate) yes_without: Option<String>,
}

#[derive(Args)]
pub(crate) struct AbandonArgs {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// With it, the abandonment is put on a board too, so that the others learn of it.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
    /// The words of the fingerprint, instead of typing them.
    #[arg(long, value_name = "WORDS")]
    pub(crate) yes_fingerprint: Option<String>,
}

/// Where a proxy is, in one spelling.
pub(super) fn proxy(text: &str) -> Result<String, String> {
    Endpoint::parse(text).map(|place| place.to_string()).map_err(|error| error.to_string())
}

/// The shape only: whether this machine has the address is found out by listening on it.
pub(super) fn address_and_port(text: &str) -> Result<String, &'static str> {
    if text.parse::<u16>().is_ok() {
        return Ok(format!("[::]:{text}"));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err("write it like [::]:3610 or 192.0.2.1:3610"),
    }
}
