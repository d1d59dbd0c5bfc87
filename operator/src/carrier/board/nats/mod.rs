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

mod answers;
mod client;
mod credentials;
mod fault;
mod look;
mod wire;

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

use self::answers::{Answer, message, parse};
use self::client::{Client, PIECE};
use self::fault::quoted;
use super::{Board, BoardError, Entry, Listing, Name, Place};
use crate::carrier::socks5::is_onion;
use crate::random;

/// The port of NATS servers.
const PORT: u16 = 4222;
/// Bytes that each piece but the last has at least, and pieces of a file at most.
const SHORTEST: u64 = *PIECE.start() as u64;
const MOST_PIECES: u64 = 4096;
/// Pages of a listing that are asked for, and files after which no more are.
const MOST_PAGES: usize = 8;
const MOST_FILES: usize = 1 << 17;
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

/// Why an address is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with `nats://`.
    #[error("an address of a NATS server begins with nats://")]
    Scheme,
    /// It holds a password, which everybody on this machine can see.
    #[error("this address holds a user or a password")]
    Credentials,
    /// It is an onion service, whose name is for proxies alone.
    #[error("this is an onion service, which cannot be reached without a proxy")]
    Onion,
    /// It is not HOST or HOST:PORT.
    #[error("behind nats:// there must be HOST or HOST:PORT and nothing else")]
    Host,
}

/// `HOST:PORT` of an address.
fn host_and_port(url: &str) -> Result<String, AddressError> {
    let rest = url.strip_prefix("nats://").ok_or(AddressError::Scheme)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('@') {
        return Err(AddressError::Credentials);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]%".contains(&b);
    if rest.is_empty() || !rest.bytes().all(plain) {
        return Err(AddressError::Host);
    }
    if is_onion(rest) {
        return Err(AddressError::Onion);
    }
    let behind = rest.rsplit_once(']').map_or(rest, |(_, behind)| behind);
    match behind.rsplit_once(':') {
        Some((_, port)) => match port.parse::<u16>() {
            Ok(_) => Ok(rest.to_owned()),
            Err(_) => Err(AddressError::Host),
        },
        None => Ok(format!("{rest}:{PORT}")),
    }
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

/// The name of a topic's stream.
fn stream(place: &Place) -> String {
    format!("quorate-{}", &place.topic()[..32])
}

fn shelf(place: &Place) -> String {
    format!("quorate.1.{}.{}.", place.topic(), place.shelf())
}

/// The subject of a piece, from 1.
fn subject(place: &Place, name: &Name, len: u64, piece: u64, pieces: u64) -> String {
    format!("{}{name}.{len}.{piece}.{pieces}", shelf(place))
}

/// What a subject says of a piece: a name, the file's length, which piece it is and of how many.
fn piece(rest: &str) -> Option<(Name, u64, u64, u64)> {
    let mut words = rest.split('.');
    let name = Name::parse(words.next()?.as_bytes())?;
    let mut number = || {
        let word = words.next()?;
        let plain = !word.starts_with('0') && word.bytes().all(|b| b.is_ascii_digit());
        word.parse::<u64>().ok().filter(|_| plain)
    };
    let (len, piece, pieces) = (number()?, number()?, number()?);
    let most = MOST_PIECES.min(len.div_ceil(SHORTEST));
    let sound = piece <= pieces && pieces <= most && words.next().is_none();
    sound.then_some((name, len, piece, pieces))
}

/// A file of `len` bytes in so many pieces; `None` as soon as one is not there, or has a length
/// that no piece of such a file has.
fn whole<E>(
    len: u64,
    pieces: u64,
    mut get: impl FnMut(u64) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    let (mut bytes, mut each) = (Vec::new(), len);
    for piece in 1..=pieces {
        let Some(part) = get(piece)? else { return Ok(None) };
        let found = part.len() as u64;
        if piece == 1 {
            each = found;
            let sound = pieces == 1 || PIECE.contains(&part.len());
            if !sound || each == 0 || len.div_ceil(each) != pieces {
                return Ok(None);
            }
        }
        if found != each.min(len - bytes.len() as u64) {
            return Ok(None);
        }
        bytes.extend(part);
    }
    Ok(Some(bytes))
}

/// Asks for pages of a listing, from an offset each, and gives what they show to `take`, which
/// tells how many files that makes. Where the first page is not all, what is looked at begins at
/// an offset that `random` chooses, and goes round: so nothing is always behind the end. Whether
/// there is more than was looked at.
fn pages<E>(
    random: u64,
    mut page: impl FnMut(u64) -> Result<(Vec<String>, u64), E>,
    mut take: impl FnMut(Vec<String>) -> usize,
) -> Result<bool, E> {
    let (here, total) = page(0)?;
    if here.is_empty() || here.len() as u64 >= total {
        take(here);
        return Ok(false);
    }
    let start = random % total;
    let (mut offset, mut seen) = (start, 0_u64);
    for _ in 1..MOST_PAGES {
        let (here, _) = page(offset)?;
        let count = here.len() as u64;
        seen = seen.saturating_add(count);
        // Behind the end comes the beginning.
        offset = if count == 0 { 0 } else { offset.saturating_add(count) % total };
        if take(here) >= MOST_FILES {
            return Ok(true);
        }
        if seen >= total {
            return Ok(false);
        }
    }
    Ok(true)
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
    fn addresses() {
        let of = |url: &str| host_and_port(url);
        assert_eq!(of("nats://example.org"), Ok("example.org:4222".to_owned()));
        assert_eq!(of("nats://example.org:99/"), Ok("example.org:99".to_owned()));
        assert_eq!(of("nats://[::1]"), Ok("[::1]:4222".to_owned()));
        assert_eq!(of("nats://[::1]:7"), Ok("[::1]:7".to_owned()));
        for (url, why) in [
            ("tls://example.org", AddressError::Scheme),
            ("example.org:4222", AddressError::Scheme),
            ("nats://me:secret@example.org", AddressError::Credentials),
            ("nats://abc.onion", AddressError::Onion),
            ("nats://abc.onion:4222/", AddressError::Onion),
            ("nats://", AddressError::Host),
            ("nats://example.org:port", AddressError::Host),
            ("nats://example.org:99/more", AddressError::Host),
            ("nats://exam\nple", AddressError::Host),
        ] {
            assert_eq!(of(url), Err(why), "{url}");
        }
    }

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
    fn pieces_have_one_spelling_and_bounds() {
        let name = Name::of(b"abc");
        assert_eq!(piece(&format!("{name}.3.1.1")), Some((name, 3, 1, 1)));
        assert_eq!(piece(&format!("{name}.9000.2.3")), Some((name, 9000, 2, 3)));
        for wrong in [
            "3.2.1",
            "3.0.1",
            "3.1.0",
            "03.1.1",
            "3.1.1.1",
            "3.1",
            "2.1.3",
            "2048.1.3",
            "9999999.1.5000",
            "+3.1.1",
            "x.1.1",
        ] {
            assert_eq!(piece(&format!("{name}.{wrong}")), None, "{wrong}");
        }
        assert_eq!(piece("name.3.1.1"), None);
    }

    #[test]
    fn pieces_have_the_lengths_that_a_file_in_pieces_has() {
        let of = |len: u64, parts: &[usize]| {
            let mut asked = 0;
            let got = whole(len, parts.len() as u64, |piece| {
                asked += 1;
                Ok::<_, ()>(Some(vec![7; parts[usize::try_from(piece).unwrap() - 1]]))
            });
            (got.unwrap().map(|bytes| bytes.len()), asked)
        };
        assert_eq!(of(3, &[3]), (Some(3), 1));
        assert_eq!(of(5000, &[2000, 2000, 1000]), (Some(5000), 3));
        assert_eq!(of(4000, &[2000, 2000]), (Some(4000), 2));
        // As soon as it is known, nothing more is asked for.
        for (len, parts, asked) in [
            (3, &[4][..], 1),
            (3, &[2], 1),
            (5000, &[0, 2500, 2500], 1),
            (2000, &[1000, 1000], 1),
            (3 << 20, &[(1 << 20) + 1, 1 << 20, (1 << 20) - 1], 1),
            (5000, &[3000, 1000, 1000], 1),
            (5000, &[1100, 1100, 2800], 1),
            (5000, &[2000, 1999, 1001], 2),
            (5000, &[2000, 2001, 999], 2),
            (5000, &[2000, 2000, 1001], 3),
            (5000, &[2000, 2000, 999], 3),
        ] {
            assert_eq!(of(len, parts), (None, asked), "{len} {parts:?}");
        }
    }

    /// Whoever fills a shelf does not choose what is behind the end of what is looked at.
    #[test]
    fn pages_begin_anywhere_and_go_round() {
        let of = |total: u64, random: u64| {
            let (mut offsets, mut seen) = (Vec::new(), BTreeSet::new());
            let page = |offset: u64| {
                offsets.push(offset);
                let to = total.min(offset + 10);
                Ok::<_, ()>(((offset..to).map(|at| at.to_string()).collect(), total))
            };
            let cut = pages(random, page, |here| {
                seen.extend(here);
                seen.len()
            });
            (offsets, seen.len(), cut.unwrap())
        };
        assert_eq!(of(0, 7), (vec![0], 0, false));
        assert_eq!(of(10, 7), (vec![0], 10, false));
        assert_eq!(of(25, 17), (vec![0, 17, 0, 10], 25, false));
        assert_eq!(of(25, 50), (vec![0, 0, 10, 20], 25, false));
        let (offsets, seen, cut) = of(1000, 1990);
        assert_eq!((offsets, seen, cut), (vec![0, 990, 0, 10, 20, 30, 40, 50], 70, true));
        // A server that tells of more than it shows.
        let cut = pages(7, |offset| Ok::<_, ()>((vec![offset.to_string()], u64::MAX)), |_| 1);
        assert_eq!(cut, Ok(true));
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
