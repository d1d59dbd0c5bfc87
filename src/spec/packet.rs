//! The operator packet: one file with what one operator needs to begin a ceremony, which are the
//! ceremony file, its seat, and in a reshare the transcripts before it.
//!
//! A packet protects against mistakes: the wrong file, another operator's, one that was cut or
//! changed on the way. Nobody has signed it, so whoever makes one writes what it likes: what an
//! operator agrees to is what it is shown and whose words it gives back.

use super::ceremony::Ceremony;
use super::error::SpecError;
use super::file::{CeremonyFile, MOST_FILE_BYTES};
use super::kind::CeremonyKind;
use super::threshold::Index;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Digest, Tag, tagged};

const MAGIC: &[u8; 4] = b"QPKT";
const VERSION: u16 = 1;
/// Most transcripts of a packet: a reshare's parent, and the parent's own parents.
pub const MOST_TRANSCRIPTS: usize = 64;
/// Largest packet, in bytes.
pub const MOST_PACKET_BYTES: usize = 1 << 30;
/// What stands before the list of files: magic, version, ceremony digest, seat, their number.
const FIXED: usize = 4 + 2 + 32 + 2 + 1;
/// One file in the list: its length, its hash.
const LISTED: usize = 4 + 32;
/// Longest front of a packet: all that stands before the files.
pub const LONGEST_FRONT: usize = FIXED + LISTED * (1 + MOST_TRANSCRIPTS) + 32;

/// Why bytes are no packet, or none that can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// It begins in another way.
    #[error("not an operator packet")]
    NotAPacket,
    /// Of another version.
    #[error("a packet of version {0}; this program reads version {VERSION}")]
    Version(u16),
    /// The front is not laid out like one.
    #[error("damaged: {0}")]
    Layout(#[from] DecodeError),
    /// The front is not the one that was written.
    #[error("altered: the list of its files does not have the hash that stands behind it")]
    Front,
    /// Longer or shorter than its front says.
    #[error("{found} bytes; its list of files says {expected}")]
    Length {
        /// How long it is.
        found: u64,
        /// How long its front makes it.
        expected: u64,
    },
    /// Larger than any packet.
    #[error("{0} bytes; a packet has at most {MOST_PACKET_BYTES}")]
    TooLarge(u64),
    /// More transcripts than a packet holds.
    #[error("{0} transcripts; a packet has at most {MOST_TRANSCRIPTS}")]
    TooMany(usize),
    /// The ceremony file is not the one that was packed.
    #[error("altered: its ceremony file does not have the hash in its list")]
    FileAltered,
    /// A transcript is not the one that was packed.
    #[error("altered: its transcript {0} does not have the hash in its list")]
    TranscriptAltered(usize),
    /// The ceremony file is not text.
    #[error("its ceremony file is not UTF-8")]
    NotText,
    /// The ceremony file is invalid.
    #[error("its ceremony file is invalid: {0}")]
    Ceremony(#[source] Box<SpecError>),
    /// The ceremony file is of another ceremony than the packet.
    #[error("it is a packet of another ceremony than its ceremony file")]
    OtherCeremony {
        /// What the packet says.
        packet: Digest,
        /// The digest of the file in it.
        file: Digest,
    },
    /// A seat that the ceremony does not have.
    #[error("it is for operator {0}, and its ceremony has no such operator")]
    NoSeat(u16),
    /// Transcripts, where there is nothing before the ceremony.
    #[error("it has transcripts, and its ceremony is no reshare")]
    Transcripts,
    /// A reshare without the transcript of its parent.
    #[error("its ceremony is a reshare, and it has no transcript of the parent")]
    NoTranscript,
}

/// A packet that was read, or is to be written.
#[derive(Debug)]
pub struct Packet {
    /// The ceremony; of a reshare without what it takes from its parent.
    pub ceremony: Ceremony,
    /// Whom the packet is for.
    pub seat: Index,
    /// The ceremony file, TOML or JSON.
    pub file: Vec<u8>,
    /// In a reshare: the transcript of its parent and those before, in any order. They are bytes of
    /// unknown content.
    pub transcripts: Vec<Vec<u8>>,
}

/// What stands before the files.
struct Front {
    digest: Digest,
    seat: u16,
    /// Length and hash of each file.
    files: Vec<(usize, Digest)>,
    bytes: usize,
}

impl Front {
    fn parse(bytes: &[u8]) -> Result<Self, PacketError> {
        if !bytes.starts_with(MAGIC) {
            return Err(PacketError::NotAPacket);
        }
        let most = bytes.len().min(LONGEST_FRONT);
        let fixed = bytes.get(..FIXED.min(most)).unwrap_or_default();
        let (version, digest, seat, count) = Reader::all(fixed, |r| {
            r.bytes("magic", MAGIC.len())?;
            let version = r.u16("version")?;
            if version != VERSION {
                r.bytes("rest", r.remaining())?;
                return Ok((version, Digest::ZERO, 0, 0));
            }
            let digest = Digest(r.array("ceremony digest")?);
            Ok((version, digest, r.u16("seat")?, usize::from(r.u8("number of transcripts")?)))
        })?;
        if version != VERSION {
            return Err(PacketError::Version(version));
        }
        if count > MOST_TRANSCRIPTS {
            return Err(PacketError::TooMany(count));
        }
        let end = FIXED + LISTED * (1 + count);
        let list = bytes.get(FIXED..(end + 32).min(most)).unwrap_or_default();
        let (files, hash) = Reader::all(list, |r| {
            let files = r.many(1 + count, |r| {
                Ok((r.u32("length of a file")?, Digest(r.array("hash of a file")?)))
            })?;
            Ok((files, Digest(r.array("hash of the list")?)))
        })?;
        if hash != tagged(Tag::Packet, &[&bytes[..end]]) {
            return Err(PacketError::Front);
        }
        let length = |length: u32| usize::try_from(length).unwrap_or(usize::MAX);
        let files = files.into_iter().map(|(bytes, hash)| (length(bytes), hash)).collect();
        Ok(Self { digest, seat, files, bytes: end + 32 })
    }

    fn whole(&self) -> Result<usize, PacketError> {
        let files = self.files.iter().map(|(length, _)| *length);
        let all = files.fold(self.bytes, usize::saturating_add);
        let is_file = self.files.first().is_some_and(|(length, _)| *length <= MOST_FILE_BYTES);
        match all <= MOST_PACKET_BYTES && is_file {
            true => Ok(all),
            false => Err(PacketError::TooLarge(all as u64)),
        }
    }
}

/// How long a packet is that begins like this, at most [`LONGEST_FRONT`] bytes of which are looked
/// at.
pub fn expected_len(front: &[u8]) -> Result<u64, PacketError> {
    Front::parse(front)?.whole().map(|length| length as u64)
}

impl Packet {
    /// Packs for `seat` of the ceremony in `file`.
    pub fn new(file: Vec<u8>, seat: Index, transcripts: Vec<Vec<u8>>) -> Result<Self, PacketError> {
        let ceremony = read(&file)?;
        if ceremony.roster().get(seat).is_none() {
            return Err(PacketError::NoSeat(seat.get()));
        }
        match (ceremony.kind(), transcripts.len()) {
            (CeremonyKind::Reshare, 0) => return Err(PacketError::NoTranscript),
            (CeremonyKind::Reshare, count) if count > MOST_TRANSCRIPTS => {
                return Err(PacketError::TooMany(count));
            }
            (CeremonyKind::Reshare, _) | (_, 0) => {}
            (_, _) => return Err(PacketError::Transcripts),
        }
        Ok(Self { ceremony, seat, file, transcripts })
    }

    /// Reads a packet; nothing may stand behind it.
    pub fn parse(bytes: &[u8]) -> Result<Self, PacketError> {
        let front = Front::parse(bytes)?;
        let (found, expected) = (bytes.len(), front.whole()?);
        if found != expected {
            let (found, expected) = (found as u64, expected as u64);
            return Err(PacketError::Length { found, expected });
        }
        let mut rest = &bytes[front.bytes..];
        let mut files = Vec::with_capacity(front.files.len());
        for (number, (length, hash)) in front.files.iter().enumerate() {
            let (file, behind) = rest.split_at(*length);
            rest = behind;
            match tagged(Tag::PacketFile, &[file]) == *hash {
                true => files.push(file.to_vec()),
                false if number == 0 => return Err(PacketError::FileAltered),
                false => return Err(PacketError::TranscriptAltered(number)),
            }
        }
        let file = files.remove(0);
        let seat = Index::new(front.seat).ok_or(PacketError::NoSeat(front.seat))?;
        let packet = Self::new(file, seat, files)?;
        let digest = packet.ceremony.digest();
        match digest == front.digest {
            true => Ok(packet),
            false => Err(PacketError::OtherCeremony { packet: front.digest, file: digest }),
        }
    }

    /// The bytes of the packet.
    pub fn encode(&self) -> Result<Vec<u8>, PacketError> {
        let files = || core::iter::once(&self.file).chain(&self.transcripts);
        let front = FIXED + LISTED * files().count() + 32;
        let all = files().map(Vec::len).fold(front, usize::saturating_add);
        if all > MOST_PACKET_BYTES || self.file.len() > MOST_FILE_BYTES {
            return Err(PacketError::TooLarge(all as u64));
        }
        let count = u8::try_from(self.transcripts.len());
        let count = count.map_err(|_| PacketError::TooMany(self.transcripts.len()))?;
        let length = |file: &Vec<u8>| u32::try_from(file.len()).expect("less than a packet");
        let w = Writer::with_capacity(all)
            .bytes(MAGIC)
            .u16(VERSION)
            .bytes(self.ceremony.digest().as_ref())
            .u16(self.seat.get())
            .u8(count)
            .each(files(), |w, file| {
                w.u32(length(file)).bytes(tagged(Tag::PacketFile, &[file]).as_ref())
            });
        let mut bytes = w.finish();
        let hash = tagged(Tag::Packet, &[&bytes]);
        bytes.extend_from_slice(hash.as_ref());
        files().for_each(|file| bytes.extend_from_slice(file));
        Ok(bytes)
    }
}

fn read(file: &[u8]) -> Result<Ceremony, PacketError> {
    let text = core::str::from_utf8(file).map_err(|_| PacketError::NotText)?;
    let ceremony = CeremonyFile::parse(text).and_then(Ceremony::try_from);
    ceremony.map_err(|error| PacketError::Ceremony(Box::new(error)))
}
