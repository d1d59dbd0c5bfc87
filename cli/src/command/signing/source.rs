//! Where the shares that answer a request come from: this operator's log of the ceremony, its
//! keystores alone, or a Web3Signer. Whichever it is, what they sign is remembered in a sealed log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::describe::told;
use super::{answer::agreed, audited};
use crate::args::Asked;
use crate::command::finished::{Own, attached};
use crate::command::taking_part::begun;
use crate::input;
use crate::keymanager::web3signer::Web3Signer;
use crate::keystores::{self, Opened, Unopened};
use crate::messages::{self, shown};
use crate::parent::{Attached, attach};
use crate::prompt;
use crate::report::{CliError, Output};
use quorate::ethereum::keystore::Keystore;
use quorate::identity::Operator;
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::hash::{Digest, sha256};
use quorate::protocol::outcome::certificate;
use quorate::protocol::participant::Participant;
use quorate::protocol::record::RecordKind;
use quorate::signing::ledger::Entry;
use quorate::signing::{Kind, Parent, Request};
use quorate::spec::{Ceremony, CeremonyKind, Index};
use quorate_operator::repairs_of;
use quorate_operator::store::{CeremonyView, Lock, Log, Record};

/// This operator, its shares, and what they have signed.
pub(super) struct Source {
    pub(super) parent: Parent,
    pub(super) operator: Arc<Operator>,
    pub(super) me: Index,
    /// The ceremony in whose log the shares are: the parent, or the repair in which they were
    /// regained. What is noted here of a restored directory stands under its digest.
    pub(super) here: Arc<Ceremony>,
    /// The state directory.
    pub(super) place: PathBuf,
    /// Bodies of the records of later signatures.
    pub(super) signed: Vec<Vec<u8>>,
    held: Held,
}

enum Held {
    /// The log of the ceremony, or of the repair in which its share was regained.
    Whole { participant: Box<Participant>, log: Box<Log> },
    /// Keystores, by position of their validators, and where it is remembered what they sign.
    Keystores { shares: BTreeMap<usize, SecretScalar>, lock: Lock },
    /// A Web3Signer with the shares of these validators, and where it is remembered.
    Web3Signer { signer: Box<Web3Signer>, url: String, shares: BTreeSet<usize>, lock: Lock },
}

/// What is known of a source that is not the log of the ceremony.
struct Unlogged {
    parent: Parent,
    operator: Arc<Operator>,
    me: Index,
    here: Arc<Ceremony>,
}

/// What the log of signatures by keystores is bound to. Not what a ceremony's log is.
pub(in crate::command) fn context(ceremony: &Digest) -> [u8; 32] {
    sha256(&[b"signatures", ceremony.as_bytes()])
}

fn record(body: quorate::primitives::secret::SecretBytes) -> Record {
    Record { kind: RecordKind::Signed as u8, body }
}

impl Source {
    pub(super) fn open(
        args: &Asked,
        request: &Request,
        lock: &Lock,
        out: &Output,
    ) -> Result<Self, CliError> {
        let mut source = match (&args.keystores, &args.web3signer, &args.transcript) {
            (Some(folder), _, Some(transcript)) => {
                Self::from_keystores(args, (folder, transcript), request, lock, out)?
            }
            (_, Some(url), Some(transcript)) => {
                Self::from_web3signer(args, (url, transcript), request, lock, out)?
            }
            _ => Self::from_log(args, request, lock, out)?,
        };
        let view = lock.state().find_signatures(&request.ceremony).map_err(messages::store)?;
        if let Some(view) = view.filter(|view| view.has_log().unwrap_or(true)) {
            let storage = source.operator.storage_key();
            let records = Log::read(&view, storage, &context(&request.ceremony));
            let records = records.map_err(messages::store)?;
            source.signed.extend(records.iter().map(|record| record.body.expose().to_vec()));
        }
        Ok(source)
    }

    fn from_log(
        args: &Asked,
        request: &Request,
        lock: &Lock,
        out: &Output,
    ) -> Result<Self, CliError> {
        let state = lock.state();
        let no_part =
            || messages::no_part(&args.request, &request.ceremony.to_string(), state.path());
        let view = state.find(&request.ceremony).map_err(messages::store)?;
        if !view.as_ref().is_some_and(|view| view.has_log().unwrap_or(true)) {
            return Self::regained(request, lock, out)?.ok_or_else(no_part);
        }
        let view = view.ok_or_else(no_part)?;
        let Attached { ceremony, parent: older, .. } = attached(agreed(&view, request)?, state)?;
        let ceremony = Arc::new(ceremony);
        let own = Own::open(lock, ceremony.clone(), out)?.ok_or_else(no_part)?;
        let Own { seat, participant, log, signed, .. } = own;
        let parent =
            Parent::finished(&participant).ok_or_else(|| messages::unfinished(ceremony.name()))?;
        let parent = parent.hanging_on(older.as_ref());
        let held = Held::Whole { participant: Box::new(participant), log: Box::new(log) };
        let place = state.path().to_owned();
        let (operator, me) = (seat.operator, seat.me);
        Ok(Self { parent, operator, me, here: ceremony, place, signed, held })
    }

    /// Of an operator that has lost its log of the ceremony and regained its share: what is in the
    /// log of that repair. `None` if there is none.
    fn regained(request: &Request, lock: &Lock, out: &Output) -> Result<Option<Self>, CliError> {
        let state = lock.state();
        let repaired = |view: &CeremonyView| kind(view) == Some(CeremonyKind::Repair);
        if !state.ceremonies().map_err(messages::store)?.iter().any(repaired) {
            return Ok(None);
        }
        let (operator, passphrase) = prompt::open_identity(state, out)?;
        let operator = Arc::new(operator);
        let named = certificate(&request.ceremony, &request.dkg, &request.outputs);
        let repairs = repairs_of(state, &operator.key().public(), &named);
        let Some((view, repair)) = repairs.map_err(messages::machine)?.into_iter().next() else {
            return Ok(None);
        };
        let Attached { ceremony, parent, .. } = attach(repair, &[], Some(&view))?;
        let parent = parent.ok_or_else(|| messages::internal("a repair without its parent"))?;
        let parent = Parent::audited(&parent);
        let me = parent.ceremony().roster().find(&operator.key().public());
        let me = me.ok_or_else(|| messages::internal("a repair of somebody else's share"))?;
        let keys = (operator.clone(), passphrase);
        let here = Arc::new(ceremony);
        let Own { participant, log, signed, .. } = Own::of(lock, &view, here.clone(), keys)?;
        let held = Held::Whole { participant: Box::new(participant), log: Box::new(log) };
        let place = state.path().to_owned();
        Ok(Some(Self { parent, operator, me, here, place, signed, held }))
    }

    fn from_keystores(
        args: &Asked,
        (folder, transcript): (&Path, &Path),
        request: &Request,
        lock: &Lock,
        out: &Output,
    ) -> Result<Self, CliError> {
        let state = lock.state();
        let Unlogged { parent, operator, me, here } =
            Self::without_log(args, transcript, request, lock, out)?;
        // One that protects nothing is still a share.
        let read = Keystore::from_json_even_if_weak;
        let password = args.keystore_password_file.as_deref();
        let opened = match keystores::open(keystores::find(folder)?, read, password, out) {
            Ok(opened) => opened,
            Err(Unopened::Local(error)) => return Err(error),
            Err(Unopened::Refused(path, error)) => return Err(messages::keystore(&path, &error)),
        };
        let shares = matched(opened, folder, &parent, me)?;
        let held = Held::Keystores { shares, lock: lock.clone() };
        let place = state.path().to_owned();
        Ok(Self { parent, operator, me, here, place, signed: Vec::new(), held })
    }

    fn from_web3signer(
        args: &Asked,
        (url, transcript): (&str, &Path),
        request: &Request,
        lock: &Lock,
        out: &Output,
    ) -> Result<Self, CliError> {
        let kind = request.items.kind();
        if !matches!(kind, Kind::Exit | Kind::Registration) {
            return Err(messages::web3signer_kind(kind.name()));
        }
        let failed = |error| messages::web3signer(url, &error);
        let signer = Web3Signer::new(url).map_err(failed)?;
        let Unlogged { parent, operator, me, here } =
            Self::without_log(args, transcript, request, lock, out)?;
        let listed = signer.keys().map_err(failed)?;
        let ceremony = parent.ceremony();
        let has = |at: usize, index: Index| {
            let share = parent.validators()[at].public_share(ceremony, index);
            share.is_some_and(|share| listed.contains(&share.to_compressed()))
        };
        let all = 0..parent.validators().len();
        let shares: BTreeSet<usize> = all.clone().filter(|at| has(*at, me)).collect();
        if shares.is_empty() {
            let others = ceremony.indices().filter(|index| *index != me);
            let whose = others.clone().find(|index| all.clone().any(|at| has(at, *index)));
            return Err(messages::web3signer_has_none(url, whose, me, ceremony));
        }
        let (signer, lock) = (Box::new(signer), lock.clone());
        let place = lock.state().path().to_owned();
        let held = Held::Web3Signer { signer, url: url.to_owned(), shares, lock };
        Ok(Self { parent, operator, me, here, place, signed: Vec::new(), held })
    }

    /// What is known where the log of the ceremony is not: by the transcript and the operator keys.
    fn without_log(
        args: &Asked,
        transcript: &Path,
        request: &Request,
        lock: &Lock,
        out: &Output,
    ) -> Result<Unlogged, CliError> {
        let state = lock.state();
        let parent = audited(transcript)?;
        let refused = |error| messages::request(&args.request, &error);
        // Before anybody is asked for a passphrase.
        parent.clear(request.clone()).map_err(refused)?;
        if let Some(view) = state.find(&request.ceremony).map_err(messages::store)?
            && begun(&view)?
        {
            return Err(messages::log_is_here(view.path()));
        }
        let (operator, _) = prompt::open_identity(state, out)?;
        let roster = parent.ceremony().roster();
        let me = roster
            .find(&operator.key().public())
            .ok_or_else(|| messages::no_seat(operator.name().as_str(), parent.ceremony().name()))?;
        // So does the log of a repair in which these shares were regained.
        let named = certificate(&request.ceremony, &request.dkg, &request.outputs);
        let repairs = repairs_of(state, &operator.key().public(), &named);
        if let Some((view, _)) = repairs.map_err(messages::machine)?.first() {
            return Err(messages::log_is_here(view.path()));
        }
        let here = parent.ceremony().clone();
        Ok(Unlogged { parent, operator: Arc::new(operator), me, here })
    }

    /// Whether the share of this validator can sign.
    pub(super) fn holds(&self, validator: usize) -> bool {
        match &self.held {
            Held::Web3Signer { shares, .. } => shares.contains(&validator),
            Held::Whole { .. } | Held::Keystores { .. } => self.share(validator).is_some(),
        }
    }

    /// The share of this validator, if it is here.
    pub(super) fn share(&self, validator: usize) -> Option<&SecretScalar> {
        match &self.held {
            Held::Whole { participant, .. } => participant.shares()?.get(validator),
            Held::Keystores { shares, .. } => shares.get(&validator),
            Held::Web3Signer { .. } => None,
        }
    }

    /// The Web3Signer that has the shares, if they are in one, and where it is.
    pub(super) fn web3signer(&self) -> Option<(&Web3Signer, &str)> {
        match &self.held {
            Held::Web3Signer { signer, url, .. } => Some((signer, url)),
            Held::Whole { .. } | Held::Keystores { .. } => None,
        }
    }

    /// Remembers what is signed, durably.
    pub(super) fn remember(&mut self, entry: &Entry) -> Result<(), CliError> {
        let ceremony = self.parent.ceremony().digest();
        match &mut self.held {
            Held::Whole { log, .. } => log.append(&[record(entry.encode())]),
            Held::Keystores { lock, .. } | Held::Web3Signer { lock, .. } => {
                lock.signatures(&ceremony).and_then(|dir| {
                    let context = context(&ceremony);
                    let (mut log, _) =
                        Log::open_or_create(&dir, self.operator.storage_key(), &context)?;
                    log.append(&[record(entry.encode())])
                })
            }
        }
        .map_err(messages::store)
    }

    /// Where alone it is remembered what keystores or a Web3Signer sign.
    pub(super) fn memory(&self) -> Option<PathBuf> {
        let (Held::Keystores { lock, .. } | Held::Web3Signer { lock, .. }) = &self.held else {
            return None;
        };
        let view = lock.state().find_signatures(&self.parent.ceremony().digest());
        view.ok().flatten().map(|view| view.path().to_owned())
    }
}

/// What a ceremony makes, by the file that is kept of it.
fn kind(view: &CeremonyView) -> Option<CeremonyKind> {
    let bytes = view.ceremony_file().ok()??;
    let text = core::str::from_utf8(&bytes).ok()?;
    Some(input::parse_ceremony(text).ok()?.kind())
}

/// The shares in keystores, each compared with the transcript: all of them are operator `me`'s, of
/// this ceremony.
fn matched(
    opened: Vec<Opened>,
    folder: &Path,
    parent: &Parent,
    me: Index,
) -> Result<BTreeMap<usize, SecretScalar>, CliError> {
    let ceremony = parent.ceremony();
    let mut known: BTreeMap<[u8; 48], (usize, Index)> = BTreeMap::new();
    for (at, validator) in parent.validators().iter().enumerate() {
        for (index, _) in ceremony.roster().iter() {
            if let Some(share) = validator.public_share(ceremony, index) {
                known.insert(share.to_compressed(), (at, index));
            }
        }
    }
    let count = opened.len();
    let (mut shares, mut foreign) = (BTreeMap::new(), Vec::new());
    for Opened { path, keystore, secret } in opened {
        match known.get(&keystore.pubkey().to_compressed()) {
            Some((validator, index)) if *index == me => drop(shares.insert(*validator, secret)),
            Some((validator, index)) => {
                return Err(messages::share_of_another(&path, *validator, (*index, me), ceremony));
            }
            None => foreign.push(format!("\n  {}", shown(&path))),
        }
    }
    match (foreign.len(), shares.is_empty()) {
        (0, _) => Ok(shares),
        (_, true) => Err(messages::no_shares_here(folder, ceremony.name())),
        (strangers, false) => {
            let files = told(foreign.into_iter());
            Err(messages::shares_mixed(folder, (strangers, count), ceremony.name(), &files))
        }
    }
}
