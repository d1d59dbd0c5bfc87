//! `quorate backup`: makes, checks and restores backups of an operator.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::card;
use super::export::now;
use super::finished::with_parent;
use super::status::agreed;
use crate::args::{BackupArgs, BackupMake, BackupRestore, KdfCost};
use crate::messages::{quoted, shown};
use crate::report::{CliError, Exit, Output, talk};
use crate::restored::{ago, date};
use crate::{input, messages, prompt};
use quorate::audit::describe::in_quotes;
use quorate::identity::{Operator, OperatorCard};
use quorate::primitives::hash::{Digest, sha256};
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::Ceremony;
use quorate_operator::backup::{Backup, End, Kept, LABEL, LONGEST, Unsettled, seal, settled};
use quorate_operator::random;
use quorate_operator::store::{
    BackupNote, CeremonyView, Lock, SEAL_OVERHEAD, SealCost, StateDir, StoreError, build_folder,
    open_with_passphrase,
};

/// Runs the command.
pub(crate) fn run(args: &BackupArgs, out: &Output) -> Result<Exit, CliError> {
    match args {
        BackupArgs::Make(args) => make(args, out),
        BackupArgs::Check { file } => check(file, out),
        BackupArgs::Restore(args) => restore(args, out),
    }
}

fn make(args: &BackupMake, out: &Output) -> Result<Exit, CliError> {
    if input::is_stdout(&args.file) {
        return Err(messages::backup_on_stdout());
    }
    input::can_be_written(&args.file)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let lock = state.lock().map_err(messages::store)?;
    let (operator, passphrase) = prompt::open_identity(&state, out)?;
    let operator = Arc::new(operator);
    let (kept, left_out) = ceremonies(args, &lock, &operator)?;
    let made = now();
    let backup = Backup::of(&lock, operator, (kept, left_out), made).map_err(messages::machine)?;
    let refused = |error| messages::backup(&args.file, &error);
    let sealed =
        seal(&backup, &passphrase, args.cost.get()?, &mut random::os()).map_err(refused)?;
    input::write_private(&args.file, &sealed)?;
    // What is on the disk now was compared with these bytes; and these bytes open.
    let opened = open_with_passphrase(&sealed, &passphrase, LABEL);
    let opened = opened.map_err(|error| messages::sealed_backup(&args.file, &error))?;
    Backup::parse(&opened).map_err(refused)?;
    lock.note_backup(&note(&backup, &sealed)).map_err(messages::store)?;
    let text = format!(
        "{}\nWrote {}, sealed with the passphrase of this operator's keys.\nWhat to do: copy it to \
         another machine, and keep the passphrase in a third place. Make a new one after every \
         ceremony.",
        described(&backup),
        shown(&args.file)
    );
    out.finish(Exit::Done, fields(&backup, &args.file), &text)
}

/// The ceremonies that are over, and the names of those that are left out. All others are an error.
fn ceremonies(
    args: &BackupMake,
    lock: &Lock,
    operator: &Arc<Operator>,
) -> Result<(Vec<Kept>, Vec<[u8; 8]>), CliError> {
    let (mut kept, mut left_out, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
    let views = lock.state().ceremonies().map_err(messages::store)?;
    let children = lock.state().children().map_err(messages::store)?;
    for folder in &args.leave_out {
        if !views.iter().any(|view| view.name() == folder) {
            return Err(messages::not_left_out(folder, false));
        }
    }
    for view in &views {
        let begun = view.has_log().map_err(messages::store)?
            || view.has_traces().map_err(messages::store)?;
        if !begun {
            continue;
        }
        let is_left_out = args.leave_out.iter().any(|folder| folder == view.name());
        match over(lock, view, operator)? {
            Ok(_) if is_left_out => return Err(messages::not_left_out(view.name(), true)),
            Ok(over) => kept.extend(over),
            Err(_) if is_left_out => {
                let mut committed = children.iter().map(|child| child.reshare.to_string());
                if committed.any(|reshare| reshare.starts_with(view.name())) {
                    return Err(messages::committed_left_out(view.name()));
                }
                left_out.extend(name(view));
            }
            Err(why) => under_way.push((view.name().to_owned(), why)),
        }
    }
    match under_way.is_empty() {
        true => Ok((kept, left_out)),
        false => Err(messages::under_way(&args.file, &under_way, &args.leave_out)),
    }
}

/// What is kept of a ceremony; or why it is not known to be over.
fn over(
    lock: &Lock,
    view: &CeremonyView,
    operator: &Arc<Operator>,
) -> Result<Result<Option<Kept>, String>, CliError> {
    let folder = view.name();
    let ceremony = match agreed(view)? {
        Ok(ceremony) => ceremony,
        Err(why) => return Ok(Err(format!("{folder}: its ceremony file: {why}"))),
    };
    let named = format!("{folder}, {:?}, attempt {}", ceremony.name(), ceremony.attempt());
    let file = view.ceremony_file().map_err(messages::store)?.unwrap_or_default();
    let seat = match with_parent(ceremony, lock.state()) {
        Ok(ceremony) => OwnSeat::find(Arc::new(ceremony), operator.clone()),
        Err(error) => return Ok(Err(format!("{named}: {}", error.what))),
    };
    let Some(seat) = seat else {
        return Ok(Err(format!("{named}: this operator has no seat in it")));
    };
    Ok(settled(lock, &seat, &file).map_err(|why| match why {
        Unsettled::UnderWay => format!("{named}: neither finished nor abandoned"),
        Unsettled::Unknown(error) => format!("{named}: {}", messages::machine(*error).what),
    }))
}

fn name(view: &CeremonyView) -> Option<[u8; 8]> {
    hex::decode(view.name()).ok()?.try_into().ok()
}

fn check(file: &Path, out: &Output) -> Result<Exit, CliError> {
    let Opened { backup, sealed, .. } = open(file, out)?;
    noted(&backup, &sealed, out)?;
    let text = format!("{}\nIt opens, and every part of it is whole.", described(&backup));
    out.finish(Exit::Done, fields(&backup, file), &text)
}

/// Notes that it was opened, where the directory at hand is that of its operator and no other
/// process is at work in it.
fn noted(backup: &Backup, sealed: &[u8], out: &Output) -> Result<(), CliError> {
    let Ok(state) = StateDir::open(&out.dir) else { return Ok(()) };
    let card = state.read_card().map_err(messages::store)?;
    if card.is_none_or(|card| card.key != backup.operator.key().public()) {
        return Ok(());
    }
    let lock = match state.lock() {
        Err(StoreError::Locked { .. }) => return Ok(()),
        lock => lock.map_err(messages::store)?,
    };
    let known = state.backup_note().map_err(messages::store)?;
    if let Some(known) = known.filter(|known| known.made > backup.made) {
        talk(&format!(
            "NOTE: a newer backup of this operator was made: {}.",
            ago(known.made, now())
        ));
        return Ok(());
    }
    lock.note_backup(&note(backup, sealed)).map_err(messages::store)
}

fn note(backup: &Backup, sealed: &[u8]) -> BackupNote {
    let (made, opened, file) = (backup.made, now(), sha256(&[sealed]));
    let ceremonies = backup.ceremonies.iter().map(Kept::name).collect();
    BackupNote { made, opened, file, ceremonies }
}

fn restore(args: &BackupRestore, out: &Output) -> Result<Exit, CliError> {
    input::folder_can_be_written(&out.dir)?;
    let cost = args.cost.get()?;
    let Opened { backup, passphrase, .. } = open(&args.file, out)?;
    talk(&described(&backup));
    let made = build_folder(&out.dir, 0o700, |path| build(&backup, path, &passphrase, cost));
    let card = made.map_err(messages::store)??;
    let dir = StateDir::open(&out.dir).map_err(messages::store)?.path().to_owned();
    let mut fields = fields(&backup, &args.file);
    fields["dir"] = dir.display().to_string().into();
    fields["operator"] = card::fields(&card);
    let text = format!(
        "Restored to {}\nWhat to do:\n* Never run the old directory again, should it come \
         back.\n* This directory has a new card. It takes part only in ceremonies whose file has \
         it: quorate --dir {dir} identity show\n* There are no keystores in it: quorate export \
         keystores writes them. Never load a share that still runs in a validator client. If that \
         client's slashing protection data is lost, import the newest that you have. Without any, \
         wait two epochs after it has stopped for good.\n* What this operator signed after {} is \
         not known here.",
        shown(&dir),
        date(backup.known_until(&Digest::ZERO)),
        dir = quoted(&dir)
    );
    out.finish(Exit::Done, fields, &text)
}

/// Fills the new directory: all logs first, since a reshare asks for what became of another one.
fn build(
    backup: &Backup,
    path: &Path,
    passphrase: &SecretBytes,
    cost: SealCost,
) -> Result<OperatorCard, CliError> {
    let begun = backup.begin_restoring(path, passphrase, cost);
    let (lock, card) = begun.map_err(messages::machine)?;
    let mut dirs = Vec::new();
    for kept in &backup.ceremonies {
        dirs.push(backup.restore_log(kept, &lock).map_err(messages::machine)?);
    }
    for (kept, dir) in backup.ceremonies.iter().zip(&dirs) {
        let view = dir.view();
        let restored = seat_of(kept, backup, &lock, view).and_then(|seat| {
            backup.restore_outputs(kept, &seat, &lock, dir).map_err(messages::machine)
        });
        restored.map_err(|error| messages::not_restored(view.name(), &error))?;
    }
    Ok(card)
}

fn seat_of(
    kept: &Kept,
    backup: &Backup,
    lock: &Lock,
    view: &CeremonyView,
) -> Result<OwnSeat, CliError> {
    let agreed = agreed(view)?.map_err(|why| messages::internal(&why))?;
    let ceremony = Arc::new(with_parent(agreed, lock.state())?);
    OwnSeat::find(ceremony, backup.operator.clone())
        .ok_or_else(|| messages::no_seat(backup.operator.name().as_str(), kept.ceremony.name()))
}

/// A backup, and what opened it.
struct Opened {
    backup: Backup,
    sealed: Vec<u8>,
    passphrase: SecretBytes,
}

fn open(file: &Path, out: &Output) -> Result<Opened, CliError> {
    let sealed = input::read_named(file, ".backup", LONGEST + SEAL_OVERHEAD)?;
    let (opened, passphrase) = prompt::open_backup(file, &sealed, out)?;
    let backup = Backup::parse(&opened).map_err(|error| messages::backup(file, &error))?;
    Ok(Opened { backup, sealed, passphrase })
}

impl KdfCost {
    fn get(&self) -> Result<SealCost, CliError> {
        SealCost::new(self.kdf_cost)
            .ok_or_else(|| messages::internal("a cost out of the bounds of its flag"))
    }
}

/// What is in a backup, for people.
fn described(backup: &Backup) -> String {
    let operator = &backup.operator;
    let mut text = format!(
        "Backup of operator {}\n  key        {}\n  made       {}",
        in_quotes(operator.name().as_str()),
        operator.key().public().short(),
        ago(backup.made, now())
    );
    for Kept { ceremony, end, .. } in &backup.ceremonies {
        text += &format!("\n  ceremony   {}: {}", of(ceremony), word(*end));
    }
    if backup.ceremonies.is_empty() {
        text += "\n  ceremony   none";
    }
    for name in &backup.left_out {
        text += &format!("\n  left out   {}: it was under way", hex::encode(name));
    }
    if !backup.ledgers.is_empty() {
        text += "\n  and        logs of what was signed with keystores alone";
    }
    if !backup.children.is_empty() {
        text += "\n  and        notes of the reshares that this operator has committed to";
    }
    if backup.node_key.is_some() {
        text += "\n  and        the key of its node in an Obol cluster";
    }
    if backup.signing.is_some() {
        text += "\n  and        signing.toml";
    }
    text
}

fn of(ceremony: &Ceremony) -> String {
    format!(
        "\"{}\" on {}, attempt {}, validators: {}",
        ceremony.name(),
        ceremony.network().name(),
        ceremony.attempt(),
        ceremony.v()
    )
}

fn word(end: End) -> &'static str {
    match end {
        End::Finished => "finished",
        End::Abandoned => "abandoned",
    }
}

/// The same for programs.
fn fields(backup: &Backup, file: &Path) -> Value {
    let ceremonies = backup.ceremonies.iter().map(|kept| {
        json!({
            "folder": hex::encode(kept.name()),
            "name": kept.ceremony.name(),
            "network": kept.ceremony.network().name(),
            "attempt": kept.ceremony.attempt(),
            "validators": kept.ceremony.v(),
            "state": word(kept.end),
        })
    });
    json!({
        "file": file.display().to_string(),
        "name": backup.operator.name().as_str(),
        "key": hex::encode(backup.operator.key().public().as_bytes()),
        "made": backup.made,
        "ceremonies": ceremonies.collect::<Vec<_>>(),
        "left_out": backup.left_out.iter().map(hex::encode).collect::<Vec<_>>(),
        "signatures": backup.ledgers.len(),
        "reshares": backup.children.len(),
        "node_key": backup.node_key.is_some(),
        "signing_toml": backup.signing.is_some(),
    })
}
