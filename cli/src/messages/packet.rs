//! Messages about operator packets.

use std::path::Path;

use super::{shown, usage};
use crate::progress::seat_name;
use crate::report::{CliError, Exit};
use quorate::identity::OperatorPublic;
use quorate::spec::packet::PacketError;
use quorate::spec::{Ceremony, Index};

const AGAIN: &str = "ask the coordinator for it again (quorate spec pack), and compare its length \
                     or its hash with theirs";

fn refused(what: String, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Finding, what, fix)
}

/// A packet that is refused.
pub(crate) fn packet(path: &Path, error: &PacketError) -> CliError {
    use PacketError::*;
    let fix = match error {
        NotAPacket => "give the file that the coordinator made with quorate spec pack",
        Version(_) => "use the release of quorate that the coordinator uses",
        Length { found, expected } if found < expected => {
            "it was cut off on the way: ask the coordinator to send it again"
        }
        Layout(_) | Front | Length { .. } | FileAltered | TranscriptAltered(_) => AGAIN,
        TooLarge(_) | TooMany(_) => {
            "nothing so large is read: use quorate run with the ceremony file and --from"
        }
        NotText | Ceremony(_) | NoSeat(_) | Transcripts | NoTranscript | OtherCeremony { .. } => {
            "sign nothing with it: the coordinator has to correct the ceremony file and pack it \
             again (quorate spec pack)"
        }
    };
    refused(format!("{}: {error}", shown(path)), fix)
}

/// Something else in the place of a packet.
pub(crate) fn not_a_packet(path: &Path, kind: &str) -> CliError {
    let what = format!("{}: not an operator packet: this is {kind}", shown(path));
    refused(what, "for a ceremony file, use quorate run; otherwise ask the coordinator")
}

/// Packets that cannot be made of a ceremony file.
pub(crate) fn unpackable(path: &Path, error: &PacketError) -> CliError {
    let fix = match error {
        PacketError::TooLarge(_) | PacketError::TooMany(_) => {
            "send the ceremony file and the transcripts instead; the operators use quorate run \
             --from"
        }
        _ => "correct the ceremony file; quorate spec check says what is wrong with it",
    };
    usage(format!("{} cannot be packed: {error}", shown(path)), fix)
}

/// More than is packed at once.
pub(crate) fn packets_too_large() -> CliError {
    usage(
        "these packets are too large to be made at once",
        "make one at a time, with --for; or send the ceremony file and the transcripts",
    )
}

/// Transcripts in a packet that are not those before its ceremony.
pub(crate) fn packed_parents(path: &Path, error: &CliError) -> CliError {
    refused(
        format!("{}: the transcripts in it do not show this reshare: {}", shown(path), error.what),
        "sign nothing with it: ask the coordinator to pack it again (quorate spec pack --from)",
    )
}

/// Whether a packet for `seat` is for the operator with this key: another one's, or one for other
/// keys under the same name, is refused.
pub(crate) fn packed_for(
    path: &Path,
    ceremony: &Ceremony,
    seat: Index,
    key: &OperatorPublic,
    name: &str,
) -> Result<(), CliError> {
    let Some(there) = ceremony.roster().get(seat) else {
        return Err(packet(path, &PacketError::NoSeat(seat.get())));
    };
    if there.card.key == *key {
        return Ok(());
    }
    let (file, whom) = (shown(path), seat_name(ceremony, seat));
    if let Some(own) = ceremony.roster().find(key) {
        return Err(refused(
            format!("{file}: this packet is for {whom}, and you are {}", seat_name(ceremony, own)),
            "ask the coordinator for your own packet, and give this one to its operator",
        ));
    }
    if there.card.name.as_str() == name {
        return Err(refused(
            format!(
                "{file}: this packet is for {whom} with the key {}, and the identity here has the \
                 key {}",
                there.card.key.short(),
                key.short()
            ),
            "use the directory (--dir) with that identity. If you have made new keys, send the \
             coordinator your new card (quorate identity show) and wait for a new ceremony file",
        ));
    }
    Err(refused(
        format!(
            "{file}: this packet is for {whom}; operator {name:?} has no seat in the ceremony {:?}",
            ceremony.name()
        ),
        "check that --dir is the right directory; otherwise ask the coordinator for the packet of \
         your ceremony",
    ))
}
