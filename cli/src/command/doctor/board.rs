//! What doctor asks of a board: a folder, or a NATS server.

use super::found::Findings;
use crate::meeting::Meeting;
use crate::messages::{self, shown};
use crate::report::CliError;
use quorate::spec::{Ceremony, Index};
use quorate_operator::carrier::board::{BoardError, Nats};
use quorate_operator::{has_begun, longest_posting, store};

/// A file that might be written to a folder. It is not.
const TRIED: &str = "doctor";

/// Whether a board can be read and written, and does not show that this operator has begun the
/// ceremony elsewhere. `None` if it cannot be the board of this ceremony.
pub(super) fn look(
    meeting: &Meeting,
    (ceremony, me): (&Ceremony, Index),
    is_begun: bool,
    findings: &mut Findings,
) -> Option<()> {
    answers(meeting, longest_posting(ceremony), findings)?;
    if !is_begun {
        let begun = has_begun(meeting, ceremony, me).map_err(messages::board);
        if findings.take("board", begun)? {
            findings.bad("board", messages::begun_elsewhere(meeting.path()));
            return None;
        }
    }
    findings.good("board", format!("{} can be read and written", shown(meeting.path())));
    Some(())
}

/// Whether a folder can be written, or a server does what a board needs: the longest file that it
/// gets has so many bytes.
pub(super) fn answers(meeting: &Meeting, longest: u64, findings: &mut Findings) -> Option<()> {
    match meeting {
        Meeting::Folder(folder) => {
            let tried = store::try_writing(&folder.path().join(TRIED)).map_err(messages::store);
            findings.take("board", tried)
        }
        Meeting::Nats(nats) => server(nats, longest, findings),
    }
}

/// Whether a server answers, lets this user in, has room in its messages, and keeps what it hears.
fn server(nats: &Nats, longest: u64, findings: &mut Findings) -> Option<()> {
    let looked = nats.look(longest).map_err(unreached);
    let looked = findings.take("server", looked)?;
    let version = match looked.version.is_empty() {
        true => "of an unknown version".to_owned(),
        false => shown(looked.version.as_ref()).to_string(),
    };
    findings.good(
        "server",
        format!(
            "{} answers: nats-server {version}; it takes {} bytes in a message",
            shown(nats.path()),
            looked.piece
        ),
    );
    let left = findings.take("jetstream", nats.try_writing().map_err(messages::board))?;
    findings.good(
        "jetstream",
        match left {
            None => "a stream was made, written, read and deleted".to_owned(),
            Some(name) => format!(
                "a stream was made, written and read; this user may not delete it: {name}, which \
                 is empty after a minute, and harmless"
            ),
        },
    );
    Some(())
}

/// Why there is no connection.
fn unreached(error: BoardError) -> CliError {
    match error {
        BoardError::Io { path, why, .. } => messages::server_not_reached(&path, why),
        other => messages::board(other),
    }
}
