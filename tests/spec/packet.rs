//! Operator packets: what is written comes out again, and each way to spoil one is its own refusal.

use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Tag, tagged};
use quorate::spec::packet::{
    LONGEST_FRONT, MOST_PACKET_BYTES, MOST_TRANSCRIPTS, Packet, PacketError, expected_len,
};
use quorate::spec::{Ceremony, CeremonyFile, Index};

const FILE: &str = include_str!("../../ceremony-specs/examples/hoodi-3-of-4.toml");
/// The magic, the version, the digest, the seat.
const SEAT: usize = 4 + 2 + 32;
const COUNT: usize = SEAT + 2;
const LIST: usize = COUNT + 1;

fn seat(index: u16) -> Index {
    Index::new(index).unwrap()
}

fn packet() -> Vec<u8> {
    Packet::new(FILE.into(), seat(2), Vec::new()).unwrap().encode().unwrap()
}

fn reshare() -> Vec<u8> {
    let text = std::fs::read_to_string("test-vectors/reshare/refresh.json").unwrap();
    let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::to_vec(&vector["file"]).unwrap()
}

/// The front of a packet written anew after a change, so that its hash is right.
fn with_front(bytes: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    change(&mut bytes);
    let end = LIST + 36 * (1 + usize::from(bytes[COUNT]));
    let hash = tagged(Tag::Packet, &[&bytes[..end]]);
    bytes[end..end + 32].copy_from_slice(hash.as_ref());
    bytes
}

fn refused(bytes: &[u8]) -> PacketError {
    Packet::parse(bytes).unwrap_err()
}

#[test]
fn what_is_packed_comes_out() {
    let bytes = packet();
    assert_eq!(expected_len(&bytes[..109]), Ok(bytes.len() as u64));
    let read = Packet::parse(&bytes).unwrap();
    assert_eq!((read.seat, read.file.as_slice()), (seat(2), FILE.as_bytes()));
    assert_eq!(read.ceremony.name(), "Hoodi example");
    assert!(read.transcripts.is_empty());
    assert_eq!(read.encode().unwrap(), bytes);

    let transcripts = vec![b"one".to_vec(), Vec::new(), b"three".to_vec()];
    let reshare = Packet::new(reshare(), seat(1), transcripts.clone()).unwrap();
    let bytes = reshare.encode().unwrap();
    assert_eq!(Packet::parse(&bytes).unwrap().transcripts, transcripts);
}

#[test]
fn json_is_packed_too() {
    let file = CeremonyFile::parse_toml(FILE).unwrap();
    let json = serde_json::to_string(&file).unwrap();
    let packed = Packet::new(json.clone().into(), seat(1), Vec::new()).unwrap().encode().unwrap();
    let read = Packet::parse(&packed).unwrap();
    assert_eq!(read.file, json.into_bytes());
    assert_eq!(read.ceremony.digest(), Ceremony::try_from(file).unwrap().digest());
}

#[test]
fn every_cut_is_refused() {
    let bytes = packet();
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        match (length, refused(cut)) {
            (0..4, PacketError::NotAPacket) => {}
            (4..109, PacketError::Layout(DecodeError::Short { .. })) => {}
            (109.., PacketError::Length { found, expected }) => {
                assert_eq!((found, expected), (length as u64, bytes.len() as u64));
            }
            (_, other) => panic!("{length}: {other}"),
        }
    }
    let longer = [&bytes[..], b"\0"].concat();
    let expected = bytes.len() as u64;
    assert_eq!(refused(&longer), PacketError::Length { found: expected + 1, expected });
}

#[test]
fn every_altered_byte_is_refused() {
    let bytes = packet();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let expected = match at {
            0..4 => PacketError::NotAPacket,
            4 => PacketError::Version(257),
            5 => PacketError::Version(0),
            // One transcript more: its place in the list is taken from what follows.
            COUNT => PacketError::Front,
            6..109 => PacketError::Front,
            _ => PacketError::FileAltered,
        };
        assert_eq!(refused(&altered), expected, "byte {at}");
    }
}

#[test]
fn what_a_front_may_not_say() {
    let bytes = packet();
    let (all, file) = (bytes.len() as u64, FILE.len() as u64);
    for index in [0, 5, u16::MAX] {
        let seated = with_front(&bytes, |b| b[SEAT..COUNT].copy_from_slice(&index.to_be_bytes()));
        assert_eq!(refused(&seated), PacketError::NoSeat(index));
    }
    let other = with_front(&bytes, |b| b[6] ^= 1);
    let digest = Ceremony::try_from(CeremonyFile::parse_toml(FILE).unwrap()).unwrap().digest();
    let mut claimed = digest;
    claimed.0[0] ^= 1;
    assert_eq!(refused(&other), PacketError::OtherCeremony { packet: claimed, file: digest });
    let hashed = with_front(&bytes, |b| b[LIST + 4] ^= 1);
    assert_eq!(refused(&hashed), PacketError::FileAltered);
    // Bounds come before anything that is there.
    let set = |length: u32| {
        with_front(&bytes, |b| b[LIST..LIST + 4].copy_from_slice(&length.to_be_bytes()))
    };
    let short = refused(&set(u32::try_from(file).unwrap() - 1));
    assert_eq!(short, PacketError::Length { found: all, expected: all - 1 });
    let large = (4 << 20) + 1;
    assert_eq!(refused(&set(large)), PacketError::TooLarge(all - file + u64::from(large)));
    let huge = u32::MAX;
    assert_eq!(
        expected_len(&set(huge)[..109]),
        Err(PacketError::TooLarge(all - file + u64::from(huge)))
    );
    let mut many = bytes;
    many[COUNT] = u8::try_from(MOST_TRANSCRIPTS).unwrap() + 1;
    assert_eq!(refused(&many), PacketError::TooMany(MOST_TRANSCRIPTS + 1));
}

#[test]
fn transcripts_belong_to_reshares() {
    let new = |file: Vec<u8>, count| Packet::new(file, seat(1), vec![vec![7]; count]).map(|_| ());
    assert_eq!(new(FILE.into(), 1), Err(PacketError::Transcripts));
    assert_eq!(new(reshare(), 0), Err(PacketError::NoTranscript));
    assert_eq!(new(reshare(), 64), Ok(()));
    assert_eq!(new(reshare(), 65), Err(PacketError::TooMany(65)));
    assert_eq!(new(b"\xff".to_vec(), 0), Err(PacketError::NotText));
    let foreign = FILE.replace("\nthreshold", "\ncolour = \"red\"\nthreshold");
    let error = new(foreign.into(), 0).unwrap_err();
    assert!(error.to_string().contains("unknown field `colour`"), "{error}");

    let bytes = Packet::new(reshare(), seat(1), vec![vec![7; 9]; 2]).unwrap().encode().unwrap();
    let mut altered = bytes.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&altered), PacketError::TranscriptAltered(2));
    let last = bytes.len() - 9;
    altered[last..].fill(7);
    altered[last - 1] ^= 1;
    assert_eq!(refused(&altered), PacketError::TranscriptAltered(1));
}

#[test]
fn the_longest_front_is_enough() {
    let packet = Packet::new(reshare(), seat(1), vec![vec![7; 9]; MOST_TRANSCRIPTS]).unwrap();
    let bytes = packet.encode().unwrap();
    assert_eq!(expected_len(&bytes[..LONGEST_FRONT]), Ok(bytes.len() as u64));
    assert!(matches!(
        expected_len(&bytes[..LONGEST_FRONT - 1]),
        Err(PacketError::Layout(DecodeError::Short { missing: 1, .. }))
    ));
    assert!(bytes.len() < MOST_PACKET_BYTES);
}
