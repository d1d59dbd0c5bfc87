//! Arguments of `quorate doctor`.

use std::path::PathBuf;

use clap::Args;

use super::meeting::MeetingArgs;
use super::run::{address_and_port, proxy};

#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// The ceremony file, or your operator packet.
    pub(crate) file: PathBuf,
    /// In a reshare: the transcript of its parent, and those of the parent's own parents, in any
    /// order.
    #[arg(long, value_name = "TRANSCRIPT")]
    pub(crate) from: Vec<PathBuf>,
    /// How long to wait for the other operators, at most: they run doctor or run meanwhile.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, conflicts_with_all = ["board", "via"],
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) wait: u64,
    /// Where the ceremony will go by a board: it is looked at, and nobody is called.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
    /// Address to listen on, as for run.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port,
        conflicts_with_all = ["board", "via"])]
    pub(crate) listen: Option<String>,
    /// Current address of an operator, given by name or index, as for run.
    #[arg(long, value_name = "OPERATOR=HOST:PORT")]
    pub(crate) at: Vec<String>,
    /// Call the others through this SOCKS5 proxy, as for run.
    #[arg(long, value_name = "HOST:PORT", value_parser = proxy,
        conflicts_with_all = ["board", "via"])]
    pub(crate) socks5: Option<String>,
    /// Your SSV operator's RSA key, as for run.
    #[arg(long, value_name = "FILE")]
    pub(crate) ssv_key: Option<PathBuf>,
    /// File with the password of that key. If not given, you are asked for it.
    #[arg(long, value_name = "FILE", requires = "ssv_key")]
    pub(crate) ssv_password_file: Option<PathBuf>,
    /// The key of this operator's node in an Obol cluster, as for run.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
}
