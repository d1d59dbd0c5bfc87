//! A board that a NATS server keeps, in a stream of its JetStream: for operators who cannot reach
//! each other. Everybody connects outward, and nobody needs to be there at the same time.
//!
//! A file is one message or several, each under a subject of its own:
//!
//! ```text
//! quorate.1.<topic>.<shelf>.<name>.<bytes in all>.<piece, from 1>.<pieces>
//! ```
//!
//! The server, and whoever else may use it, is believed in nothing, like any board.

mod address;
mod answers;
mod client;
mod credentials;
mod fault;
mod look;
mod pages;
mod pieces;
mod wire;

pub use address::AddressError;
#[doc(hidden)]
pub use answers::subjects;
pub use credentials::{Credentials, CredentialsError, LONGEST as LONGEST_CREDENTIALS};
pub use fault::ServerFault;
pub use look::Looked;
#[doc(hidden)]
pub use wire::{Said, read};

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rand_core::Rng as _;
use serde_json::{Value, json};

use self::address::host_and_port;
use self::answers::{Answer, message, parse};
use self::client::Client;
use self::fault::quoted;
use self::pages::pages;
use self::pieces::{MOST_PIECES, piece, shelf, stream, subject, whole};
use super::{Board, BoardError, Entry, Listing, Name, Place};
use crate::random;

/// The oldest server that keeps the first message of a subject (2.9, September 2022).
const LEAST_VERSION: (u64, u64) = (2, 9);
/// How long the messages of a stream stay.
const STREAM_AGE_NS: u64 = 180 * 24 * 3600 * 1_000_000_000;
/// What a server says of a stream or a message that is not there, of a stream that is, and of a
/// subject that has its message.
const NO_STREAM: u64 = 10_059;
const NO_MESSAGE: u64 = 10_037;
const IN_USE: u64 = 10_058;
const TAKEN: u64 = 10_077;
/// What it says where the account has no JetStream, and where nobody has.
const NOT_FOR_ACCOUNT: [u64; 2] = [10_039, 10_035];
const NOT_ENABLED: u64 = 10_076;
/// What it says where it has no room: for the account, at all, and on its disk.
const NO_ROOM: [u64; 3] = [10_002, 10_023, 10_047];

/// A board that a NATS server keeps.
pub struct Nats {
    /// As it is called for people.
    url: PathBuf,
    address: String,
    credentials: Option<Credentials>,
    client: Mutex<Option<Client>>,
    /// When the visit ends, whatever the server does.
    until: Mutex<Option<Instant>>,
    /// Whether whoever sits there wants it to end.
    stop: Arc<AtomicBool>,
}

impl Nats {
    /// The board at `url`, `nats://HOST:PORT`. Nothing is asked of it yet.
    pub fn at(url: &str, credentials: Option<Credentials>) -> Result<Self, AddressError> {
        let address = host_and_port(url)?;
        let url = PathBuf::from(format!("nats://{address}"));
        let (client, until, stop) = (Mutex::new(None), Mutex::new(None), Arc::default());
        Ok(Self { url, address, credentials, client, until, stop })
    }

    /// Begins a visit that ends at `until`: from then on nothing more is asked.
    pub fn visit_until(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Where this is set, nothing more is asked.
    pub fn stop(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    fn goes_on(&self) -> Result<(), BoardError> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.load(Ordering::Relaxed) {
            return Err(BoardError::Stopped(self.url.clone()));
        }
        match until.is_some_and(|until| until <= Instant::now()) {
            true => Err(BoardError::Late(self.url.clone())),
            false => Ok(()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.url
    }

    fn failed(&self, error: &io::Error) -> BoardError {
        match (error.kind(), error.get_ref()) {
            (ErrorKind::InvalidData, Some(said)) => self.fault(match said.downcast_ref() {
                Some(fault) => ServerFault::clone(fault),
                None => ServerFault::Said(said.to_string()),
            }),
            (why, _) => BoardError::Io { path: self.url.clone(), doing: "asking it", why },
        }
    }

    /// Does something over the connection, which is made where there is none, and once more where
    /// it was lost.
    fn over<T>(&self, mut act: impl FnMut(&mut Client) -> io::Result<T>) -> Result<T, BoardError> {
        self.goes_on()?;
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let was_there = kept.is_some();
        let mut client = match kept.take() {
            Some(client) => client,
            None => self.open()?,
        };
        let mut done = act(&mut client);
        if was_there && done.is_err() {
            drop(client);
            client = self.open()?;
            done = act(&mut client);
        }
        let done = done.map_err(|error| self.failed(&error))?;
        *kept = Some(client);
        Ok(done)
    }

    fn open(&self) -> Result<Client, BoardError> {
        Client::open(&self.address, self.credentials.as_ref()).map_err(|error| self.failed(&error))
    }

    /// Asks the server's JetStream.
    fn api(&self, what: &str, question: &Value) -> Result<Vec<u8>, BoardError> {
        let subject = format!("$JS.API.{what}");
        let answer = self.over(|client| client.ask(&subject, question.to_string().as_bytes()))?;
        answer.ok_or_else(|| self.fault(ServerFault::NoJetStream))
    }

    fn fault(&self, why: ServerFault) -> BoardError {
        BoardError::Server { at: self.url.clone(), why }
    }

    fn said(&self, what: &str) -> BoardError {
        self.fault(ServerFault::Said(what.to_owned()))
    }

    /// What the server's JetStream answers; `None` if it says one of `fine` instead.
    fn answer(&self, bytes: &[u8], fine: &[u64]) -> Result<Option<Answer>, BoardError> {
        let answer = parse(bytes).ok_or_else(|| self.said("its answer is none"))?;
        match &answer.error {
            None => Ok(Some(answer)),
            Some(error) if fine.contains(&error.err_code) => Ok(None),
            Some(error) if NO_ROOM.contains(&error.err_code) => {
                Err(BoardError::NoRoom(self.url.clone()))
            }
            Some(error) if NOT_FOR_ACCOUNT.contains(&error.err_code) => {
                Err(self.fault(ServerFault::NotThisAccount(quoted(&error.description))))
            }
            Some(error) if error.err_code == NOT_ENABLED => {
                Err(self.fault(ServerFault::NoJetStream))
            }
            Some(error) => Err(self.said(&quoted(&error.description))),
        }
    }

    fn make_stream(&self, place: &Place) -> Result<(), BoardError> {
        self.make(&stream(place), &format!("quorate.1.{}.>", place.topic()), STREAM_AGE_NS)
    }

    fn make(&self, name: &str, subjects: &str, max_age: u64) -> Result<(), BoardError> {
        let stream = json!({
            "name": name, "subjects": [subjects],
            "retention": "limits", "storage": "file", "discard": "new", "num_replicas": 1,
            "max_msgs_per_subject": 1, "discard_new_per_subject": true, "max_consumers": 0,
            // A limit of bytes would be taken from the server's room at once.
            "max_msgs": -1, "max_bytes": -1, "max_age": max_age, "max_msg_size": -1,
        });
        let answer = self.api(&format!("STREAM.CREATE.{name}"), &stream)?;
        self.answer(&answer, &[IN_USE]).map(drop)
    }

    /// The first message of a subject; `None` if there is none.
    fn first(&self, stream: &str, subject: &str) -> Result<Option<Vec<u8>>, BoardError> {
        let question = json!({ "seq": 1, "next_by_subj": subject });
        let answer = self.api(&format!("STREAM.MSG.GET.{stream}"), &question)?;
        if self.answer(&answer, &[NO_STREAM, NO_MESSAGE])?.is_none() {
            return Ok(None);
        }
        Ok(message(&answer, subject))
    }

    /// Has a message kept.
    fn put(&self, stream: &str, subject: &str, part: &[u8]) -> Result<(), BoardError> {
        let answer = self.over(|client| client.ask(subject, part))?;
        let answer = answer.ok_or_else(|| self.said("nobody keeps what is said there"))?;
        // Where a connection was lost, the message may be there already.
        let taken = self.answer(&answer, &[TAKEN])?.is_none();
        if taken && self.first(stream, subject)?.as_deref() != Some(part) {
            return Err(self.said("it keeps something else in the place of what was said"));
        }
        Ok(())
    }
}

impl Board for Nats {
    fn list(&self, place: &Place) -> Result<Listing, BoardError> {
        let prefix = shelf(place);
        let mut found: BTreeMap<(Name, u64, u64), BTreeSet<u64>> = BTreeMap::new();
        let page = |offset| {
            let question = json!({ "subjects_filter": format!("{prefix}>"), "offset": offset });
            let answer = self.api(&format!("STREAM.INFO.{}", stream(place)), &question)?;
            let answer = self.answer(&answer, &[NO_STREAM])?.unwrap_or_default();
            Ok((answer.state.map(|state| state.subjects.0).unwrap_or_default(), answer.total))
        };
        let cut = pages(random::os().next_u64(), page, |subjects| {
            for subject in &subjects {
                let Some(rest) = subject.strip_prefix(&prefix) else { continue };
                if let Some((name, len, number, pieces)) = piece(rest) {
                    found.entry((name, len, pieces)).or_default().insert(number);
                }
            }
            found.len()
        })?;
        let whole =
            found.into_iter().filter(|((_, _, pieces), there)| there.len() as u64 == *pieces);
        let mut entries: Vec<Entry> =
            whole.map(|((name, len, pieces), _)| Entry { name, len, changed: pieces }).collect();
        let random = RandomState::new();
        entries.sort_by_cached_key(|entry| random.hash_one(entry.name));
        Ok(Listing { entries, cut })
    }

    fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
        let stream = stream(place);
        whole(entry.len, entry.changed, |piece| {
            self.first(&stream, &subject(place, &entry.name, entry.len, piece, entry.changed))
        })
    }

    fn publish(&self, place: &Place, bytes: &[u8]) -> Result<(), BoardError> {
        self.make_stream(place)?;
        let most = self.over(|client| Ok(client.piece))?;
        let (len, parts) = (bytes.len() as u64, bytes.chunks(most));
        let pieces = parts.len() as u64;
        if pieces > MOST_PIECES {
            return Err(self.fault(ServerFault::LongFile { takes: most, len }));
        }
        // Never a name that others could know: the first message of a subject stays.
        let mut more = [0; 8];
        random::os().fill_bytes(&mut more);
        let (name, stream) = (Name::of(bytes).beside(more), stream(place));
        for (number, part) in (1..).zip(parts) {
            self.put(&stream, &subject(place, &name, len, number, pieces), part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_visit_ends_in_time_and_when_it_is_told_to() {
        let board = Nats::at("nats://127.0.0.1:1", None).unwrap();
        let place = Place::of_request(quorate::primitives::hash::Digest([1; 32]));
        let url = board.path().to_owned();
        let why = || board.list(&place).unwrap_err();
        board.visit_until(Instant::now());
        assert_eq!(why(), BoardError::Late(url.clone()));
        board.visit_until(Instant::now() + std::time::Duration::from_secs(600));
        assert!(matches!(why(), BoardError::Io { .. }));
        board.stop().store(true, Ordering::Relaxed);
        assert_eq!(why(), BoardError::Stopped(url));
    }

    #[test]
    fn what_is_listed_and_what_is_kept() {
        let listed = br#"{"type":"io.nats.jetstream.api.v1.stream_info_response","total":2,
            "offset":0,"limit":100000,"config":{"name":"x"},
            "state":{"messages":2,"subjects":{"a.b":1,"c":7}}}"#;
        let answer = parse(listed).unwrap();
        assert_eq!(
            (answer.total, answer.state.unwrap().subjects.0),
            (2, vec!["a.b".to_owned(), "c".to_owned()])
        );
        let none = br#"{"type":"x","error":{"code":404,"err_code":10059,
            "description":"stream not found"}}"#;
        assert_eq!(parse(none).unwrap().error.unwrap().err_code, NO_STREAM);
        let kept =
            br#"{"message":{"subject":"a.b","seq":1,"data":"aGk=","time":"2026-01-01T00:00:00Z"}}"#;
        assert_eq!(message(kept, "a.b"), Some(b"hi".to_vec()));
        assert_eq!(message(kept, "a.c"), None);
        assert_eq!(message(br#"{"message":{"subject":"a.b","data":"?"}}"#, "a.b"), None);
        assert!(parse(b"7").is_none() && parse(b"").is_none() && message(b"{}", "a").is_none());
    }
}
