//! `quorate spec pack`: packs what an operator needs to begin a ceremony.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::addresses;
use super::spec_next::seat;
use crate::args::SpecPack;
use crate::messages::{self, shown};
use crate::progress::seat_name;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, parent};
use quorate::export::{Artifact, Audience};
use quorate::spec::canonical::fingerprint;
use quorate::spec::packet::{MOST_PACKET_BYTES, Packet};
use quorate::spec::show::words;
use quorate::spec::{Ceremony, Index};

/// Runs the command.
pub(super) fn run(args: &SpecPack, out: &Output) -> Result<Exit, CliError> {
    let (file, ceremony) = input::any_ceremony(&args.file)?;
    let (file, ceremony) = addresses::moved(file, ceremony, &args.at)?;
    let whom = args.operator.as_deref().map(|text| seat("--for", text, &ceremony)).transpose()?;
    let output = whom.map(|index| match &args.output {
        Some(path) => path.clone(),
        None => name(&ceremony, index).into(),
    });
    match &output {
        Some(path) => input::can_be_written(path)?,
        None => input::folder_can_be_written(&args.out)?,
    }
    // Whoever gets it could not begin with the transcripts of something else.
    let attached = parent::attach(ceremony, &args.from, None)?;
    let (ceremony, history) = (attached.ceremony, attached.history);
    let packed = |index| {
        Packet::new(file.clone(), index, history.clone())
            .and_then(|packet| packet.encode())
            .map_err(|error| messages::unpackable(&args.file, &error))
    };
    let written: Vec<(Index, PathBuf)> = match (whom, output) {
        (Some(index), Some(path)) => {
            input::write_new(&path, &packed(index)?)?;
            vec![(index, path)]
        }
        _ => {
            let mut artifacts = Vec::new();
            let mut left = MOST_PACKET_BYTES;
            for index in ceremony.indices() {
                let bytes = packed(index)?;
                left = left.checked_sub(bytes.len()).ok_or_else(messages::packets_too_large)?;
                let name = name(&ceremony, index);
                artifacts.push(Artifact { name, audience: Audience::Public, bytes });
            }
            input::write_folder(&args.out, &artifacts)?;
            let paths = artifacts.iter().map(|artifact| args.out.join(&artifact.name));
            ceremony.indices().zip(paths).collect()
        }
    };
    talk(
        "Send each operator its own packet; none is secret. It runs: quorate join PACKET. Before \
         anything is signed, all operators compare the fingerprint by voice.",
    );
    let lines: String = written
        .iter()
        .map(|(index, path)| format!("{}  {}\n", shown(path), seat_name(&ceremony, *index)))
        .collect();
    let packets: Value = written
        .iter()
        .map(|(index, path)| json!({ "operator": index.get(), "file": path.display().to_string() }))
        .collect();
    let fields = json!({
        "ceremony": ceremony.name(), "digest": ceremony.digest().to_string(),
        "fingerprint": fingerprint(&ceremony.digest()).join(" "), "packets": packets,
        "transcripts": history.len(),
    });
    out.finish(Exit::Done, fields, &format!("{lines}\nFingerprint\n{}", words(&ceremony)))
}

/// The file name of an operator's packet: its name, which no two share, in letters that every file
/// system has.
fn name(ceremony: &Ceremony, index: Index) -> String {
    let seat = ceremony.roster().get(index);
    let name = seat.map(|seat| seat.card.name.as_str()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    format!("{}.packet", name.chars().map(plain).collect::<String>())
}
