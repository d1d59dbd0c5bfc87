//! Reads an operator packet: a regular file whose front is looked at before the rest.

use std::io::Read;
use std::path::Path;

use crate::report::CliError;
use crate::{input, messages, recognise};
use quorate::spec::packet::{LONGEST_FRONT, Packet, PacketError, expected_len};
use quorate::spec::{Ceremony, Index};

/// A ceremony that a person has in a file of its own or in a packet.
pub(crate) struct Brought {
    /// The bytes of the ceremony file.
    pub(crate) file: Vec<u8>,
    pub(crate) ceremony: Ceremony,
    /// Of a packet: whom it is for, and the transcripts in it.
    pub(crate) packed: Option<(Index, Vec<Vec<u8>>)>,
}

/// Reads a ceremony file, or the one in a packet: for commands that look at it.
pub(crate) fn or_file(path: &Path) -> Result<Brought, CliError> {
    let mut magic = [0; 4];
    let opened = input::open(path, ".toml").ok();
    let is_packet = opened.is_some_and(|(mut file, _)| {
        file.read_exact(&mut magic).is_ok() && recognise::is_packet(&magic)
    });
    if !is_packet {
        let (file, ceremony) = input::any_ceremony(path)?;
        return Ok(Brought { file, ceremony, packed: None });
    }
    let Packet { file, ceremony, seat, transcripts } = read(path)?;
    Ok(Brought { file, ceremony, packed: Some((seat, transcripts)) })
}

/// The packet in a file.
pub(crate) fn read(path: &Path) -> Result<Packet, CliError> {
    let (mut file, found) = input::open(path, ".packet")?;
    let mut bytes = Vec::new();
    let reading = |error| messages::reading(path, &error);
    file.by_ref().take(LONGEST_FRONT as u64).read_to_end(&mut bytes).map_err(reading)?;
    let refused = |error: PacketError, bytes: &[u8]| match recognise::kind(bytes) {
        Some(kind) if error == PacketError::NotAPacket => messages::not_a_packet(path, kind),
        _ => messages::packet(path, &error),
    };
    let expected = expected_len(&bytes).map_err(|error| refused(error, &bytes))?;
    if found.len() != expected {
        let found = found.len();
        return Err(messages::packet(path, &PacketError::Length { found, expected }));
    }
    // A file can grow while it is read.
    file.take(expected).read_to_end(&mut bytes).map_err(reading)?;
    Packet::parse(&bytes).map_err(|error| messages::packet(path, &error))
}
