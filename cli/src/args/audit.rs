//! Arguments of `quorate audit`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// The transcript. With it, in any order, any others of the same keys.
    #[arg(required = true, value_name = "TRANSCRIPT")]
    pub(crate) transcripts: Vec<PathBuf>,
    /// The ceremony file that you agreed to. Without it, nothing shows that the transcript is that
    /// of your ceremony.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// A deposit file to compare: it may hold only deposits of this transcript, exactly as signed,
    /// and further ones to its validators, which are told.
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
    /// Also compare the ceremony with what a programme demands: the name of a policy pack (quorate
    /// spec policy), or a file. Repeat it for several. Exit code 4 if one is not met.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Vec<String>,
    /// Also write the report as an HTML page; - is stdout. Never overwrites.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}
