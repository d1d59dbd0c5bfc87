//! Boards that a person names: a folder, or a NATS server.

use std::path::Path;
use std::time::{Duration, Instant};

use super::args::MeetingArgs;
use super::live::stopped_by_signals;
use super::report::CliError;
use super::{messages, secret_file};
use quorate_operator::carrier::board::nats::{Credentials, LONGEST_CREDENTIALS};
use quorate_operator::carrier::board::{Board, BoardError, Entry, Folder, Listing, Nats, Place};

/// How long a visit to a server may take: there may be much to fetch over a slow line.
const VISIT: Duration = Duration::from_secs(30 * 60);

/// Credentials for a server.
fn read(path: &Path) -> Result<Credentials, CliError> {
    let file = secret_file::read_all(path, LONGEST_CREDENTIALS)?;
    Credentials::parse(&file).map_err(|error| messages::no_credentials(path, error))
}

/// Where operators meet who are not connected.
pub(crate) enum Meeting {
    /// At a folder.
    Folder(Folder),
    /// At a server.
    Nats(Box<Nats>),
}

impl Meeting {
    /// What was given: a folder, a server, or nothing.
    pub(crate) fn of(args: &MeetingArgs) -> Result<Option<Self>, CliError> {
        match (&args.board, &args.server.via) {
            (Some(board), _) => {
                Folder::open(board).map(|board| Some(Self::Folder(board))).map_err(messages::board)
            }
            (None, Some(url)) => {
                let credentials = args.server.via_credentials.as_deref();
                Self::via(url, credentials).map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    /// At a NATS server.
    pub(crate) fn via(url: &str, credentials: Option<&Path>) -> Result<Self, CliError> {
        let credentials = credentials.map(read).transpose()?;
        let nats = Nats::at(url, credentials).map_err(|error| messages::via(url, error))?;
        let meeting = Self::Nats(Box::new(nats));
        meeting.begin_visit();
        Ok(meeting)
    }

    /// Begins a visit, which has an end at a server.
    pub(crate) fn begin_visit(&self) {
        if let Self::Nats(nats) = self {
            nats.visit_until(Instant::now() + VISIT);
        }
    }

    /// From here on the first signal ends the visit to a server, and the second one this process.
    pub(crate) fn heed_signals(&self) -> Result<(), CliError> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Nats(nats) => stopped_by_signals(nats.stop()),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder.path(),
            Self::Nats(nats) => nats.path(),
        }
    }
}

impl Board for Meeting {
    fn list(&self, place: &Place) -> Result<Listing, BoardError> {
        match self {
            Self::Folder(folder) => folder.list(place),
            Self::Nats(nats) => nats.list(place),
        }
    }

    fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
        match self {
            Self::Folder(folder) => folder.read(place, entry),
            Self::Nats(nats) => nats.read(place, entry),
        }
    }

    fn publish(&self, place: &Place, bytes: &[u8]) -> Result<(), BoardError> {
        match self {
            Self::Folder(folder) => folder.publish(place, bytes),
            Self::Nats(nats) => nats.publish(place, bytes),
        }
    }
}
