//! Arguments of `quorate rehearse`.

use std::path::PathBuf;

use clap::Args;

use super::run::{address_and_port, proxy};

#[derive(Args)]
pub(crate) struct RehearseArgs {
    /// The ceremony file, or your operator packet.
    pub(crate) file: PathBuf,
    /// Words for this rehearsal, the same for all operators: anything that you agree on, and
    /// something else each time.
    #[arg(long, value_name = "WORDS")]
    pub(crate) id: String,
    /// How long it may take, at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 900,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) wait: u64,
    /// Address to listen on, as for run.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    pub(crate) listen: Option<String>,
    /// Current address of an operator, given by name or index, as for run.
    #[arg(long, value_name = "OPERATOR=HOST:PORT")]
    pub(crate) at: Vec<String>,
    /// Call the others through this SOCKS5 proxy, as for run.
    #[arg(long, value_name = "HOST:PORT", value_parser = proxy)]
    pub(crate) socks5: Option<String>,
}
