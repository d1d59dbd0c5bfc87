//! Arguments of `quorate keymanager`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum Keymanager {
    /// Remove one operator's shares from a validator client, and write what they have signed: the
    /// slashing protection data (EIP-3076).
    #[command(after_help = "Example:\n  quorate keymanager remove transcript.quorate \\\n    \
                      --keymanager http://127.0.0.1:7500 --token-file api-token.txt \\\n    \
                      --out protection.json\n\nThe data is written before anything else is \
                      done with it. If the command is interrupted, run it again with another \
                      file: the key manager gives the same data again.\n\nTo load the \
                      shares elsewhere: quorate export keystores CEREMONY-FILE --keymanager \
                      URL --protection protection.json")]
    Remove(KeymanagerRemove),
}

#[derive(Args)]
pub(crate) struct KeymanagerRemove {
    /// The transcript of the ceremony whose shares they are.
    pub(crate) transcript: PathBuf,
    /// Whose shares: the operator's number in the ceremony. By default, the operator whose card is
    /// in the state directory.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=255))]
    pub(crate) operator: Option<u16>,
    /// Address of a key manager API (DELETE /eth/v1/keystores), like http://127.0.0.1:7500. Only
    /// plain HTTP, and by default only on this machine.
    #[arg(long, value_name = "URL")]
    pub(crate) keymanager: String,
    /// File with the API token of the key manager.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
    /// Allow plain HTTP to another machine. Anyone on the network path can then read the token.
    #[arg(long)]
    pub(crate) insecure_http: bool,
    /// The file to write, which only its owner can read. Never overwrites.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
