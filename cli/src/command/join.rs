//! `quorate join`: takes part in the ceremony of a packet that was made for this operator.

use super::run::take_part;
use super::taking_part::{Given, Parents};
use crate::args::JoinArgs;
use crate::packet;
use crate::report::{CliError, Exit, Output};

/// Runs the command.
pub(crate) fn run(args: &JoinArgs, out: &Output) -> Result<Exit, CliError> {
    let packet = packet::read(&args.packet)?;
    let given = Given {
        path: &args.packet,
        file: packet.file,
        ceremony: packet.ceremony,
        parents: Parents::Packed(packet.transcripts),
        seat: Some(packet.seat),
    };
    take_part(given, (&args.part, &args.calls), None, out)
}
