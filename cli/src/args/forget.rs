//! Arguments of `quorate forget`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct Forget {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The sentence that you would type.
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) yes_forget: Option<String>,
    /// The second sentence, for the newest shares of validators.
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) yes_without: Option<String>,
}
