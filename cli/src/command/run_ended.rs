//! How `quorate run` ends: what is said to a person, and to programs.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::messages::{self, Held, quoted, shown};
use crate::parent::whole_keys;
use crate::progress::{Named, listed, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use quorate::audit::describe;
use quorate::exchange::Exchange;
use quorate::protocol::evidence::{Certainty, Fault};
use quorate::spec::ssv::RSA_WEAKNESS;
use quorate::spec::threshold::FEWEST_OPERATORS;
use quorate::spec::{Ceremony, CeremonyKind, Index};
use quorate::transcript::container::Container;
use quorate_operator::Visited;
use quorate_operator::machine::{self, Machine};
use quorate_operator::store::{CeremonyDir, CeremonyView};

/// Outputs are written: what there is, and what comes next. With the faults that are proven,
/// whether this operator's shares are superseded.
pub(super) fn done(
    (ceremony, me): (&Ceremony, Index),
    dir: &CeremonyDir,
    unconfirmed: &[Named],
    (proven, superseded): (&[Fault], bool),
    out: &Output,
) -> Result<Exit, CliError> {
    let folder = dir.view().out();
    if !unconfirmed.is_empty() {
        talk(&format!(
            "These operators have not confirmed that they have everything: {}. If one of them \
             needs your statements, run the same command again.",
            listed(unconfirmed)
        ));
    }
    let held = match dir.view().has_keystores().map_err(messages::store)? {
        _ if !ceremony.parts().receivers.contains(me) => Held::Nothing,
        true => Held::Keystores,
        false if superseded => Held::Superseded,
        false => Held::InLog,
    };
    let lost = seat_names(ceremony, &left_out_of(dir.view()));
    if !lost.is_empty() {
        talk(&messages::finished_without(&listed(&lost)));
    }
    if let Some(whole) = whole_keys(ceremony, dir.view())? {
        talk(&whole);
    }
    if ceremony.kind() == CeremonyKind::Import && ceremony.parts().dealers.contains(me) {
        talk(messages::destroy_keystores());
    }
    if ceremony.reshare().is_some() && matches!(held, Held::Keystores | Held::InLog) {
        talk(&messages::begins(&folder.join("secret")));
    }
    if held == Held::InLog {
        talk(&format!(
            "There are no keystores in {}. To write them from this operator's stored shares, move \
             that folder away and run the same command again, without --no-keystores.",
            shown(&folder)
        ));
    }
    if ceremony.ssv().is_some() {
        let folder = shown(&folder.join("public/ssv"));
        talk(&format!(
            "For SSV: check {folder} with quorate verify ssv, then register its keyshares.json \
             with the next nonces. Note:"
        ));
        RSA_WEAKNESS.iter().for_each(|sentence| talk(&format!("* {sentence}")));
    }
    out.finish(
        Exit::Done,
        json!({
            "ceremony": ceremony.name(),
            "spec_digest": ceremony.digest().to_string(),
            "finished": true, "outputs": folder.display().to_string(), "shares": held.name(),
            "unconfirmed": unconfirmed,
            "finished_without": lost,
            "also_proven": also_proven(proven, ceremony),
        }),
        &format!(
            "Done. Outputs are in {}\n\n{}",
            folder.display(),
            messages::made(ceremony, dir, held)
        ),
    )
}

/// Whether the shares of a finished ceremony were dealt anew since.
pub(super) fn is_superseded(machine: &Machine, exchange: &Exchange) -> Result<bool, CliError> {
    let found = machine.superseding(exchange.participant()).map_err(messages::machine)?;
    Ok(!found.is_empty())
}

/// Of a reshare: without whom it was finished, by the transcript among the outputs.
pub(super) fn left_out_of(view: &CeremonyView) -> Vec<Index> {
    let Ok(bytes) = view.read_transcript() else { return Vec::new() };
    Container::parse(&bytes).map_or_else(|_| Vec::new(), |all| all.lacking().iter().collect())
}

/// A person or the system has stopped the run: for whom it waited.
pub(super) fn interrupted(
    (waiting, stop): (&[Named], bool),
    gone: &[Index],
    proven: &[Fault],
    ceremony: &Ceremony,
    out: &Output,
) -> Result<Exit, CliError> {
    let abandoned_by = seat_names(ceremony, gone);
    let whom = if waiting.is_empty() {
        String::new()
    } else {
        format!(" It was waiting for {}.", listed(waiting))
    };
    let whom = match stop {
        true => format!("{whom} It is waiting for you to stop the old keys: --stopped."),
        false => whom,
    };
    let gone = match abandoned_by.is_empty() {
        true => String::new(),
        false => format!(" Abandoned by {}.", listed(&abandoned_by)),
    };
    out.finish(
        Exit::Waiting,
        json!({
            "ceremony": ceremony.name(), "waiting_for": waiting, "awaits_stop": stop,
            "abandoned_by": abandoned_by,
            "also_proven": also_proven(proven, ceremony),
        }),
        &format!("Stopped.{whom}{gone} Run the same command again to continue from its log."),
    )
}

/// A visit to a board did what it could, and the ceremony is not finished: who is awaited, who has
/// given up, who asks to finish without somebody, and whether this operator's own person is awaited
/// to stop its keys.
pub(super) fn goes_on(
    (waiting, gone, asked, stop): (&[Named], &[Named], &[Named], bool),
    visited: &Visited,
    proven: &[Fault],
    ceremony: &Ceremony,
    out: &Output,
) -> Result<Exit, CliError> {
    out.finish(
        Exit::Done,
        json!({
            "ceremony": ceremony.name(), "spec_digest": ceremony.digest().to_string(),
            "finished": false, "waiting_for": waiting, "abandoned_by": gone,
            "asked_without_by": asked,
            "waiting_for_your_stop": stop, "taken": visited.taken, "written": visited.written,
            "junk": visited.junk, "unread_folders": visited.unread,
            "also_proven": also_proven(proven, ceremony),
        }),
        &messages::goes_on(waiting, gone, stop, ceremony.reshare().is_some()),
    )
}

/// Faults that are proven beside the one that ended a run, for programs.
fn also_proven(proven: &[Fault], ceremony: &Ceremony) -> Value {
    let told = proven.iter().map(|fault| {
        json!({
            "fault": describe::rule(&fault.rule, Some(ceremony)),
            "culprits": seat_names(ceremony, &fault.rule.culprits()),
        })
    });
    told.collect()
}

/// A fault ended it: whose it is, how certain that is, and what to do. With the ceremony file, the
/// file that a person named: what is written next goes beside that.
pub(super) fn aborted(
    fault: &Fault,
    others: &[Fault],
    (file, named_file): (&Path, &Path),
    ceremony: &Ceremony,
    prepared: bool,
    dir: &CeremonyDir,
    out: &Output,
) -> Result<Exit, CliError> {
    let culprits = seat_names(ceremony, &fault.rule.culprits());
    let what = describe::rule(&fault.rule, Some(ceremony));
    let (certainty, sure) = match fault.rule.certainty() {
        Certainty::Proven => ("proven", "anyone can verify the proof"),
        Certainty::Suspected => ("suspected", "suspected: it is not proven which of them"),
        Certainty::Nobody => ("nobody", "nothing to prove"),
    };
    let evidence = dir.view().evidence().map_err(messages::store)?;
    let stored = match prepared {
        _ if ceremony.kind() == CeremonyKind::Import => messages::import_stopped(prepared),
        _ if ceremony.is_repair() => messages::repair_stopped(prepared),
        _ if ceremony.reshare().is_some() => messages::reshare_stopped(prepared),
        true => {
            "Your shares stay stored. If the other operators complete the certificate, this \
             ceremony can still finish: run the same command again. Otherwise its keys must never \
             receive a deposit."
        }
        false => {
            "By the log in this folder, this operator never confirmed its shares. If no newer log \
             of it exists, this ceremony cannot produce a key."
        }
    };
    let mut todo = "show the evidence to the other operators and agree on who takes part in the \
                    next attempt."
        .to_owned();
    for proof in evidence.iter().filter(|path| named(path, machine::FAULT)) {
        todo += &format!("\n  judge it:   {}", messages::check_evidence(proof, Some(file)));
    }
    let stem = named_file.file_stem().map(Path::new).unwrap_or(Path::new("ceremony"));
    let new = named_file.with_file_name(format!(
        "{}-attempt-{}.toml",
        stem.display(),
        ceremony.attempt().saturating_add(1)
    ));
    let faults = core::iter::once(fault).chain(others);
    let next = attempt_without(&at_fault(faults), file, &new, ceremony);
    let also: String = others
        .iter()
        .map(|fault| {
            let who = seat_names(ceremony, &fault.rule.culprits());
            format!(
                "Also proven: {}\nResponsible: {}.\n",
                describe::rule(&fault.rule, Some(ceremony)),
                who.iter().map(Named::with_key).collect::<Vec<_>>().join(" and ")
            )
        })
        .collect();
    todo += &format!("\n  next file:  {next}");
    if ceremony.reshare().is_some() {
        todo += &format!("\n  private:    {}", messages::EXPOSES);
    }
    out.finish(
        Exit::Aborted,
        json!({
            "ceremony": ceremony.name(), "fault": what, "culprits": culprits,
            "certainty": certainty, "prepared": prepared,
            "also_proven": also_proven(others, ceremony),
            "evidence": evidence.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "next": next,
        }),
        &format!(
            "Stopped by a fault: {what}\nResponsible: {} ({sure}).\n{also}{stored}\nEvidence: \
             {}\nWhat to do: {todo}",
            if culprits.is_empty() {
                "nobody's".to_owned()
            } else {
                culprits.iter().map(Named::with_key).collect::<Vec<_>>().join(" or ")
            },
            evidence.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
        ),
    )
}

/// The command that drafts the next attempt, without the operators whose fault is proven: by their
/// seats, so that no name is taken for another.
pub(super) fn next_attempt(fault: &Fault, file: &Path, new: &Path, ceremony: &Ceremony) -> String {
    attempt_without(&at_fault([fault]), file, new, ceremony)
}

/// Whose fault is proven, by index.
fn at_fault<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> BTreeSet<Index> {
    let proven = |fault: &&Fault| fault.rule.certainty() == Certainty::Proven;
    faults.into_iter().filter(proven).flat_map(|fault| fault.rule.culprits()).collect()
}

/// The command that drafts the next attempt without these operators.
fn attempt_without(
    culprits: &BTreeSet<Index>,
    file: &Path,
    new: &Path,
    ceremony: &Ceremony,
) -> String {
    if ceremony.is_repair() && !culprits.is_empty() {
        return format!(
            "quorate repair new --from TRANSCRIPT --lost NAME --helper NAME -o {}",
            quoted(new)
        );
    }
    let without: String = culprits.iter().map(|index| format!(" --without {index}")).collect();
    let left = ceremony.parts().receivers.iter().filter(|seat| !culprits.contains(seat)).count();
    // Where the next share stands may be a number that nobody can guess: `spec next` adds none.
    let numbered = ceremony.receivers().zip(1..).any(|((_, seat), place)| seat.point != place);
    let add = match (left < FEWEST_OPERATORS, ceremony.kind()) {
        (false, _) => "",
        (true, CeremonyKind::Reshare) if numbered => {
            return format!("quorate reshare new --from TRANSCRIPT -o {}", quoted(new));
        }
        (true, CeremonyKind::Import) if numbered => {
            return format!("quorate import new ... -o {}", quoted(new));
        }
        (true, _) => " --add CARD@HOST:PORT",
    };
    format!("quorate spec next {}{without}{add} --reason \"...\" -o {}", quoted(file), quoted(new))
}

/// Whether a file of evidence is of this name.
pub(super) fn named(path: &Path, name: &str) -> bool {
    path.file_name()
        .and_then(|file| file.to_str())
        .is_some_and(|file| file.starts_with(&format!("{name}-")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use quorate::spec::file::CeremonyFile;

    use super::*;

    fn of(text: &str) -> Ceremony {
        CeremonyFile::parse(text).and_then(Ceremony::try_from).unwrap()
    }

    /// The file of a reshare among the vectors, as JSON and as the ceremony that it describes.
    fn reshare(name: &str) -> Ceremony {
        let path = format!("{}/../test-vectors/reshare/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let vector: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        of(&vector["file"].to_string())
    }

    fn advice(ceremony: &Ceremony, culprits: &[u16]) -> String {
        let culprits = culprits.iter().map(|index| Index::new(*index).unwrap()).collect();
        attempt_without(&culprits, Path::new("old.toml"), Path::new("new.toml"), ceremony)
    }

    #[test]
    fn whoever_is_left_out_is_replaced_where_too_few_are_left() {
        let refresh = reshare("refresh");
        let next = |middle: &str| {
            format!("quorate spec next old.toml{middle} --reason \"...\" -o new.toml")
        };
        assert_eq!(advice(&refresh, &[]), next(""));
        assert_eq!(advice(&refresh, &[2]), next(" --without 2"));
        assert_eq!(
            advice(&refresh, &[1, 4]),
            next(" --without 1 --without 4 --add CARD@HOST:PORT")
        );
    }

    #[test]
    fn what_cannot_be_added_is_drafted_anew() {
        // Points that are numbers of the file's own: the next one is nothing to guess.
        let numbers = reshare("numbers");
        assert!(advice(&numbers, &[4]).starts_with("quorate spec next old.toml --without 4 --re"));
        // Who deals and receives nothing leaves no fewer receivers.
        assert!(advice(&numbers, &[1, 5]).starts_with("quorate spec next old.toml --without 1"));
        let anew = "quorate reshare new --from TRANSCRIPT -o new.toml";
        assert_eq!(advice(&numbers, &[1, 4]), anew);
        let import = include_str!("../../../test-vectors/import-ceremony/2-of-3.toml");
        let next = "quorate spec next old.toml --without 3 --add CARD@HOST:PORT --reason \"...\"";
        assert_eq!(advice(&of(import), &[3]), format!("{next} -o new.toml"));
        let numbered = import.replace("# carol\n", "point = 7\n");
        assert_eq!(advice(&of(&numbered), &[3]), "quorate import new ... -o new.toml");
        let repair = include_str!("../../../test-vectors/repair/file.json");
        let repair: Value = serde_json::from_str(repair).unwrap();
        let again = "quorate repair new --from TRANSCRIPT --lost NAME --helper NAME -o new.toml";
        assert_eq!(advice(&of(&repair["file"].to_string()), &[1]), again);
    }
}
