//! Arguments of `quorate recover`.

use std::path::PathBuf;

use clap::Args;

use super::KdfChoice;

#[derive(Args)]
pub(crate) struct Recover {
    /// The transcript of the ceremony that made the keys.
    pub(crate) transcript: PathBuf,
    /// A folder of keystores with one operator's shares of all validators; once for each of as many
    /// operators as can sign.
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) share: Vec<PathBuf>,
    /// Slashing protection data (EIP-3076) of the operators' shares; several files are joined by
    /// maximum. It must be that of so many operators that the others are too few to sign.
    #[arg(long, value_name = "FILE")]
    pub(crate) protection: Vec<PathBuf>,
    /// Shares that no file of --protection names have never been in a validator client.
    #[arg(long)]
    pub(crate) others_never_ran: bool,
    /// File with the password of the shares' keystores. By default: a file of passwords beside
    /// each, or else you are asked for it.
    #[arg(long, value_name = "FILE")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    /// File with the password for the new keystores.
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: PathBuf,
    /// The sentence that you would type: what it says is then not asked.
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) yes_stopped: Option<String>,
    /// The folder to create. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Key derivation of the new keystores.
    #[arg(long, value_enum, default_value_t = KdfChoice::Scrypt)]
    pub(crate) kdf: KdfChoice,
}
