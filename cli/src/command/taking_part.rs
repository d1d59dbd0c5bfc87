//! What taking part in a ceremony needs before anything is signed, whatever carries it: the file,
//! the seat, what a reshare takes from its parent, and a person's consent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::args::{CeremonyArgs, KdfChoice, LayoutArgs, PartArgs, ProfileChoice};
use crate::packet::{self, Brought};
use crate::parent::{self, Attached};
use crate::progress::seat_name;
use crate::report::{CliError, Output, talk};
use crate::restored::{demand_newest, demand_not_committed, demand_not_imported};
use crate::{import_keys, messages, node_key, prompt, secret_file, ssv_key};
use quorate::audit::facts::Audited;
use quorate::ethereum::keystore::{Kdf, Password};
use quorate::exchange::{Exchange, Pacing};
use quorate::export::keystores::Profile;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::record::ReplayError;
use quorate::spec::show::{describe, warnings, whole_keys};
use quorate::spec::{Ceremony, CeremonyKind, Index};
use quorate_operator::MachineError;
use quorate_operator::keystores::{KeystoreKey, KeystorePlan, Layout, fresh_password};
use quorate_operator::machine::{self, Machine};
use quorate_operator::repairs_of;
use quorate_operator::store::{CeremonyView, Lock, StateDir};

/// A ceremony to take part in, as it was given.
pub(super) struct Given<'a> {
    /// The file that a person named.
    pub(super) path: &'a Path,
    /// The bytes of the ceremony file.
    pub(super) file: Vec<u8>,
    pub(super) ceremony: Ceremony,
    /// What shows the parent of a reshare.
    pub(super) parents: Parents<'a>,
    /// Whom it was packed for.
    pub(super) seat: Option<Index>,
}

/// Transcripts of the ceremonies before a reshare.
pub(super) enum Parents<'a> {
    /// In these files, or kept when it was begun.
    Files(&'a [PathBuf]),
    /// Packed with it.
    Packed(Vec<Vec<u8>>),
}

impl<'a> Given<'a> {
    /// The ceremony of a file, or of a packet.
    pub(super) fn named(args: &'a CeremonyArgs) -> Result<Self, CliError> {
        let Brought { file, ceremony, packed } = packet::or_file(&args.file)?;
        let (seat, transcripts) = packed.unzip();
        let parents = match transcripts {
            Some(transcripts) if args.from.is_empty() => Parents::Packed(transcripts),
            _ => Parents::Files(&args.from),
        };
        Ok(Self { path: &args.file, file, ceremony, parents, seat })
    }
}

/// An operator that may take part.
pub(super) struct Part {
    /// Its seat.
    pub(super) seat: OwnSeat,
    /// Whether there is a log to go on from. Otherwise its person has not agreed yet.
    pub(super) begun: bool,
    path: PathBuf,
    lock: Lock,
    file: Vec<u8>,
    history: Vec<Vec<u8>>,
    passphrase: SecretBytes,
}

impl Part {
    /// Looks whether this operator may take part in what was given. Nothing is written.
    pub(super) fn of(given: Given<'_>, args: &PartArgs, out: &Output) -> Result<Self, CliError> {
        let Given { path, file, ceremony, parents, seat: packed_for } = given;
        let state = StateDir::open(&out.dir).map_err(messages::store)?;
        if let (Some(seat), Some(card)) = (packed_for, state.read_card().map_err(messages::store)?)
        {
            messages::packed_for(path, &ceremony, seat, &card.key, card.name.as_str())?;
        }
        let lock = state.lock().map_err(messages::store)?;
        let found = state.find(&ceremony.digest()).map_err(messages::store)?;
        machine::check_version(&ceremony, found.as_ref()).map_err(messages::machine)?;
        let Attached { ceremony, parent, history } = match parents {
            Parents::Packed(history) if ceremony.has_parent() => {
                parent::packed(path, ceremony, history)
            }
            Parents::Packed(_) => parent::attach(ceremony, &[], found.as_ref()),
            Parents::Files(paths) => parent::attach(ceremony, paths, found.as_ref()),
        }?;
        let ceremony = Arc::new(ceremony);
        let (operator, passphrase) = prompt::open_identity(&state, out)?;
        let operator = Arc::new(operator);
        if let Some(seat) = packed_for {
            let key = operator.key().public();
            messages::packed_for(path, &ceremony, seat, &key, operator.name().as_str())?;
        }
        let seat = OwnSeat::find(ceremony.clone(), operator.clone())
            .ok_or_else(|| messages::no_seat(operator.name().as_str(), ceremony.name()))?;
        let (key, password) = (args.ssv_key.as_deref(), args.ssv_password_file.as_deref());
        let seat = ssv_key::seated(seat, key, password)?;
        let seat = node_key::with_node_key(seat, &state, args.charon_enr_private_key.as_deref())?;
        let seat = with_old_shares(seat, parent.as_ref(), &lock, args, found.as_ref())?;
        let seat = import_keys::seated(seat, args, found.is_some(), out)?;
        if found.is_none() && ceremony.kind() == CeremonyKind::Import {
            demand_not_imported(&lock, &seat, &args.newest)?;
        }
        if !args.no_keystores && writes_keystores(found.as_ref())? {
            demand_newest(&lock, &ceremony, &args.newest)?;
        }
        let begun = match found {
            Some(view) => begun(&view)?,
            None => false,
        };
        if !begun && !seat.is_of_this_install() {
            return Err(messages::other_install(state.path()));
        }
        if !begun && args.stop.stopped {
            return Err(messages::not_certified(ceremony.name()));
        }
        Ok(Self { seat, begun, path: path.to_owned(), lock, file, history, passphrase })
    }

    /// Asks for consent where it was not given, and opens the log or begins one. From here on
    /// things are written and signed.
    pub(super) fn begin(
        self,
        args: &PartArgs,
        pacing: Pacing,
    ) -> Result<(Exchange, Machine), CliError> {
        let (seat, ceremony) = (&self.seat, &self.seat.ceremony);
        match (&args.yes_fingerprint, self.begun) {
            (_, false) => consent(args, ceremony, seat.me)?,
            // Whoever gives words means the ceremony that has them, also when it is continued.
            (Some(_), true) => prompt::agree(ceremony, args.yes_fingerprint.as_deref(), "")?,
            (None, true) => {}
        }
        // Nothing is written before this line, and nothing secret is made before the disk has
        // proven itself.
        self.lock.state().try_writing().map_err(messages::store)?;
        if !self.history.is_empty() {
            let dir = self.lock.ceremony(&ceremony.digest()).map_err(messages::store)?;
            dir.keep_history(&self.history).map_err(messages::store)?;
        }
        let mut keystores = plan_keystores(args, &self.path, self.passphrase)?;
        if seat.node_expected().is_some() && !args.no_keystores {
            keystores.push(KeystorePlan::for_node());
        }
        let (exchange, machine) = Machine::open(&self.lock, seat, &self.file, keystores, pacing)
            .map_err(|error| trouble(error, ceremony))?;
        let participant = exchange.participant();
        if participant.is_finished() && ceremony.parts().receivers.contains(seat.me) {
            let by = machine.superseding(participant).map_err(messages::machine)?;
            by.iter().for_each(|by| talk(&messages::note_superseded(by)));
        }
        Ok((exchange, machine))
    }
}

/// What ended a run. The keys of an import are in no log: until they are dealt, their keystores are
/// needed.
pub(super) fn trouble(error: MachineError, ceremony: &Ceremony) -> CliError {
    match error {
        MachineError::Replay { error: ReplayError::OldShares, .. }
            if ceremony.kind() == CeremonyKind::Import =>
        {
            messages::keys_needed(ceremony.name())
        }
        error => messages::machine(error),
    }
}

/// The seat of a dealer of a reshare with what it deals: its shares of the parent, from the
/// parent's log. They are needed until it has dealt.
fn with_old_shares(
    seat: OwnSeat,
    parent: Option<&Audited>,
    lock: &Lock,
    args: &PartArgs,
    found: Option<&CeremonyView>,
) -> Result<OwnSeat, CliError> {
    let ceremony = seat.ceremony.clone();
    let (Some(reshare), Some(parent)) = (ceremony.reshare(), parent) else { return Ok(seat) };
    if !ceremony.parts().dealers.contains(seat.me) {
        // What a witness has committed to since, an older copy of its directory does not know.
        if ceremony.parts().witnesses.contains(seat.me) && found.is_none() {
            demand_newest_of(lock, &seat, parent, args)?;
        }
        return Ok(seat);
    }
    let state = lock.state();
    let begun = found.map_or(Ok(false), CeremonyView::has_log).map_err(messages::store)?;
    match machine::old_shares(state, &seat.operator, parent.ceremony(), reshare) {
        // One that was begun here was asked for then, or came out of a backup at its end.
        Ok(Some(old)) if begun => Ok(seat.with_old_shares(Arc::new(old))),
        Ok(Some(old)) => {
            demand_newest_of(lock, &seat, parent, args)?;
            Ok(seat.with_old_shares(Arc::new(old)))
        }
        // Shares are erased only when no reshare needs them any more.
        Ok(None) if found.is_some() => Ok(seat),
        Err(MachineError::Forgotten(_)) if begun => Ok(seat),
        Ok(None) => Err(messages::no_old_shares(state.path(), parent.ceremony().name())),
        Err(error) => Err(messages::machine(error)),
    }
}

/// Of the shares of a parent that came out of a backup, also as a repair in which they were
/// regained, or of which nothing came out of it: asks for the word that no newer ones exist.
fn demand_newest_of(
    lock: &Lock,
    seat: &OwnSeat,
    parent: &Audited,
    args: &PartArgs,
) -> Result<(), CliError> {
    demand_newest(lock, parent.ceremony(), &args.newest)?;
    let key = seat.operator.key().public();
    let repairs = repairs_of(lock.state(), &key, &parent.certificate());
    let repairs = repairs.map_err(messages::machine)?;
    let here = lock.state().find(&parent.ceremony().digest()).map_err(messages::store)?;
    let has_log = here.map_or(Ok(false), |view| view.has_log()).map_err(messages::store)?;
    // A repair that was only begun gave nothing back, and nobody has answered for it.
    let mut regained = false;
    for (view, _) in &repairs {
        regained |= view.is_written().map_err(messages::store)?;
    }
    if !has_log && !regained {
        return demand_not_committed(lock, seat, parent.ceremony(), &args.newest);
    }
    for (_, repair) in repairs {
        demand_newest(lock, &repair, &args.newest)?;
    }
    Ok(())
}

/// Whether this run may write keystores of shares that are there.
fn writes_keystores(found: Option<&CeremonyView>) -> Result<bool, CliError> {
    let Some(view) = found else { return Ok(false) };
    Ok(!view.is_written().map_err(messages::store)?)
}

/// Whether there is a log to go on from. Traces of a ceremony without its log are refused:
/// beginning anew would sign other statements for slots that this operator has already filled.
pub(crate) fn begun(view: &CeremonyView) -> Result<bool, CliError> {
    let log = view.has_log().map_err(messages::store)?;
    match !log && view.has_traces().map_err(messages::store)? {
        true => Err(messages::log_gone(view.path())),
        false => Ok(log),
    }
}

/// Shows everything that a person must agree to, and asks for the fingerprint back. Signing the
/// hello is the consent.
fn consent(args: &PartArgs, ceremony: &Ceremony, me: Index) -> Result<(), CliError> {
    if args.yes_fingerprint.is_none() {
        talk(&describe(ceremony));
        talk(&format!("You are {}.", seat_name(ceremony, me)));
    } else {
        whole_keys(ceremony).iter().for_each(|whole| talk(&format!("WARNING: {whole}")));
        warnings(ceremony).iter().for_each(|warning| talk(&format!("WARNING: {warning}")));
    }
    prompt::agree(
        ceremony,
        args.yes_fingerprint.as_deref(),
        "Type the twelve words of the fingerprint to take part",
    )
}

fn plan_keystores(
    args: &PartArgs,
    path: &Path,
    passphrase: SecretBytes,
) -> Result<Vec<KeystorePlan>, CliError> {
    if args.no_keystores {
        return Ok(Vec::new());
    }
    let (password, layout) =
        args.layout.plan(args.keystore_password_file.as_deref(), || Ok(passphrase))?;
    let turns = args.kdf_turns.then(|| path.to_owned());
    Ok(vec![KeystorePlan {
        key: KeystoreKey::planned(args.layout.kdf(), password, turns),
        layout,
        folder: "",
    }])
}

impl LayoutArgs {
    /// The password of keystores, and how they are laid out. `otherwise` is the password where none
    /// is given and none is to be written: what is written to a file is never what a person
    /// remembers.
    pub(crate) fn plan(
        &self,
        file: Option<&Path>,
        otherwise: impl FnOnce() -> Result<SecretBytes, CliError>,
    ) -> Result<(Password, Layout), CliError> {
        let secret = match file {
            Some(path) => secret_file::read(path)?,
            None if self.password_files => fresh_password(),
            None => otherwise()?,
        };
        let password =
            Password::new(&secret).map_err(|error| messages::keystore_password(&error))?;
        let profile = match self.profile {
            ProfileChoice::Default => Profile::Default,
            ProfileChoice::Charon => Profile::Charon,
            ProfileChoice::Web3signer => Profile::Web3Signer,
        };
        Ok((password, Layout { profile, written: self.password_files.then_some(secret) }))
    }

    pub(crate) fn kdf(&self) -> Kdf {
        match self.kdf {
            KdfChoice::Scrypt => Kdf::scrypt(),
            KdfChoice::Pbkdf2 => Kdf::pbkdf2(),
        }
    }
}
