//! Arguments of operators who meet at a board: a folder, or a NATS server.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::messages::quoted;

/// Where operators meet who are not connected.
#[derive(Args)]
pub(crate) struct MeetingArgs {
    /// The board: a folder that all operators come to, shared or on a stick. It must exist.
    #[arg(long, value_name = "DIR", conflicts_with = "via")]
    pub(crate) board: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// A server that operators meet at.
#[derive(Args)]
pub(crate) struct ServerArgs {
    /// A NATS server that all operators can reach, where they meet without being connected to each
    /// other: nats://HOST:PORT. They need not be there at the same time.
    #[arg(long, value_name = "URL")]
    pub(crate) via: Option<String>,
    /// File with your credentials for that server: USER:PASSWORD, a token, or the seed of an NKEY;
    /// or a .creds file.
    #[arg(long, value_name = "FILE", requires = "via")]
    pub(crate) via_credentials: Option<PathBuf>,
}

impl MeetingArgs {
    /// As a person types it.
    pub(crate) fn typed(&self) -> String {
        let board = self.board.iter().map(|board| format!("--board {}", quoted(board)));
        let via = self.server.via.iter();
        let via = via.map(|url| format!("--via {}", quoted(Path::new(url))));
        let secret = self.server.via_credentials.iter();
        let secret = secret.map(|file| format!("--via-credentials {}", quoted(file)));
        board.chain(via).chain(secret).collect::<Vec<_>>().join(" ")
    }
}
