//! Whether a NATS server can be the board of a ceremony, tried with a stream of its own that is
//! deleted again.

use rand_core::Rng as _;
use serde_json::json;

use super::pieces::MOST_PIECES;
use super::{Nats, ServerFault};
use crate::carrier::board::BoardError;
use crate::random;

/// How long the trial's message stays where its stream cannot be deleted.
const TRIAL_AGE_NS: u64 = 60 * 1_000_000_000;

/// What a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Its version, as it says: anything.
    pub version: String,
    /// Bytes that go into one message.
    pub piece: usize,
}

impl Nats {
    /// Connects, and asks whether files of `longest` bytes have room in the messages that it takes.
    pub fn look(&self, longest: u64) -> Result<Looked, BoardError> {
        let looked = self
            .over(|client| Ok(Looked { version: client.version.clone(), piece: client.piece }))?;
        let takes = looked.piece;
        match longest.div_ceil(takes as u64) > MOST_PIECES {
            true => Err(self.fault(ServerFault::LongFile { takes, len: longest })),
            false => Ok(looked),
        }
    }

    /// Makes a stream, has a message kept and reads it, all under names of this trial alone, and
    /// deletes the stream. Gives its name if that is refused: it is empty after a minute.
    pub fn try_writing(&self) -> Result<Option<String>, BoardError> {
        let mut topic = [0; 32];
        random::os().fill_bytes(&mut topic);
        let topic = hex::encode(topic);
        // As those of a ceremony, so that what a user may do with these it may do with those.
        let (stream, subject) = (format!("quorate-{}", &topic[..32]), format!("quorate.1.{topic}"));
        self.make(&stream, &format!("{subject}.>"), TRIAL_AGE_NS)?;
        let subject = format!("{subject}.doctor.1");
        let tried = self.put(&stream, &subject, b"doctor").and_then(|()| {
            match self.first(&stream, &subject)?.as_deref() {
                Some(b"doctor") => Ok(()),
                _ => Err(BoardError::ReadBack(self.path().to_owned())),
            }
        });
        // Whoever may use a board need not be allowed to delete one.
        let deleted = self
            .api(&format!("STREAM.DELETE.{stream}"), &json!({}))
            .and_then(|answer| self.answer(&answer, &[]));
        tried?;
        Ok(deleted.is_err().then_some(stream))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn a_file_has_to_fit_into_its_pieces() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let info = b"INFO {\"max_payload\":1024,\"version\":\"2.9.10\"}\r\nPONG\r\n";
            stream.write_all(info).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        let board = Nats::at(&format!("nats://{address}"), None).unwrap();
        let looked = Looked { version: "2.9.10".to_owned(), piece: 1024 };
        assert_eq!(board.look(1024 * MOST_PIECES), Ok(looked));
        let len = 1024 * MOST_PIECES + 1;
        let why = ServerFault::LongFile { takes: 1024, len };
        assert_eq!(board.look(len), Err(board.fault(why)));
        drop(board);
        server.join().unwrap();
    }
}
