//! Arguments of `quorate dossier`, and of what wallets sign.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct DossierArgs {
    /// The transcript.
    pub(crate) transcript: PathBuf,
    /// The ceremony file that the operators agreed to.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: PathBuf,
    /// What a programme demands: the name of a policy pack, or a file. Repeat it for several.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Vec<String>,
    /// What the members' wallets have signed (attestations.json).
    #[arg(long, value_name = "FILE")]
    pub(crate) attestations: Option<PathBuf>,
    /// The folder to write. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct VerifyAttestations {
    /// The file: attestations.json.
    pub(crate) file: PathBuf,
    /// The ceremony file that the operators agreed to.
    #[arg(long, value_name = "FILE")]
    pub(crate) ceremony: PathBuf,
    /// A policy pack whose text wallets may have signed. Repeat it for several.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Vec<String>,
}

#[derive(Args)]
pub(crate) struct WalletText {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The operator whose wallet signs, by name or index.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) operator: String,
    /// Its wallet.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) wallet: String,
    /// The policy pack whose text to sign. By default the text that binds the wallet to the
    /// operator's key in this ceremony.
    #[arg(long, value_name = "NAME|FILE", requires = "main")]
    pub(crate) policy: Option<String>,
    /// The main wallet of the cluster, for the text of a policy.
    #[arg(long, value_name = "ADDRESS", requires = "policy")]
    pub(crate) main: Option<String>,
}
