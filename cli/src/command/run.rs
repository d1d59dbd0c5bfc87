//! `quorate run`: takes part in a ceremony, or resumes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::addresses;
use super::run_ended::{aborted, done, interrupted};
use crate::args::{DemoCheatArgs, KdfChoice, LayoutArgs, PartArgs, ProfileChoice, RunArgs};
use crate::cheat::{Cheating, Rule, may_cheat};
use crate::live::{Live, stopped};
use crate::parent::{self, Attached};
use crate::progress::{seat_name, seat_names};
use crate::reach::Ways;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, node_key, prompt, secret_file, ssv_key, stop};
use quorate::audit::facts::Audited;
use quorate::ethereum::keystore::{Kdf, Password};
use quorate::exchange::{Ending, Pacing};
use quorate::export::keystores::Profile;
use quorate::identity::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::show::{describe, warnings};
use quorate::spec::{Ceremony, Index};
use quorate_operator::carrier::{Listen, Tcp, TcpConfig};
use quorate_operator::drive;
use quorate_operator::keystores::{KeystoreKey, KeystorePlan, Layout, fresh_password};
use quorate_operator::machine::{self, Machine};
use quorate_operator::store::{CeremonyView, StateDir};

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

/// Runs the command.
pub(crate) fn run(args: &RunArgs, out: &Output) -> Result<Exit, CliError> {
    take_part(given(args)?, &args.part, None, out)
}

fn given(args: &RunArgs) -> Result<Given<'_>, CliError> {
    let (file, ceremony) = input::any_ceremony(&args.file)?;
    let parents = Parents::Files(&args.from);
    Ok(Given { path: &args.file, file, ceremony, parents, seat: None })
}

/// Runs the hidden command of the demo: the same, with a rule to break.
pub(crate) fn cheat(args: &DemoCheatArgs, out: &Output) -> Result<Exit, CliError> {
    take_part(given(&args.run)?, &args.run.part, Some(args.rule), out)
}

/// Takes part in a ceremony, or resumes it.
pub(super) fn take_part(
    given: Given<'_>,
    args: &PartArgs,
    rule: Option<Rule>,
    out: &Output,
) -> Result<Exit, CliError> {
    let (path, packed_for) = (given.path, given.seat);
    let (file, ceremony) = addresses::moved(given.file, given.ceremony, &args.at)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    if let (Some(seat), Some(card)) = (packed_for, state.read_card().map_err(messages::store)?) {
        messages::packed_for(path, &ceremony, seat, &card.key, card.name.as_str())?;
    }
    let lock = state.lock().map_err(messages::store)?;
    let found = state.find(&ceremony.digest()).map_err(messages::store)?;
    machine::check_version(&ceremony, found.as_ref()).map_err(messages::machine)?;
    let Attached { ceremony, parent, history } = match given.parents {
        Parents::Packed(history) if ceremony.reshare().is_some() => {
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
    let seat = ssv_key::seated(seat, args.ssv_key.as_deref(), args.ssv_password_file.as_deref())?;
    let seat = node_key::with_node_key(seat, &state, args.charon_enr_private_key.as_deref())?;
    let seat = with_old_shares(seat, parent.as_ref(), &state, &operator, found.as_ref())?;
    if rule.is_some() && !may_cheat(&ceremony) {
        return Err(messages::not_a_demo());
    }

    let begun = match found {
        Some(view) => begun(&view)?,
        None => false,
    };
    if !begun && !seat.is_of_this_install() {
        return Err(messages::other_install(state.path()));
    }
    let listen = listen_address(args.listen.as_deref(), &ceremony, seat.me)?;
    if !begun && let Some(listen) = &listen {
        listen.check().map_err(messages::carrier)?;
    }
    match (&args.yes_fingerprint, begun) {
        (_, false) => consent(args, &ceremony, seat.me)?,
        // Whoever gives words means the ceremony that has them, also when it is continued.
        (Some(_), true) => prompt::agree(&ceremony, args.yes_fingerprint.as_deref(), "")?,
        (None, true) => {}
    }
    // Nothing is written before this line, and nothing secret is made before the disk has proven
    // itself.
    state.try_writing().map_err(messages::store)?;
    if !history.is_empty() {
        let dir = lock.ceremony(&ceremony.digest()).map_err(messages::store)?;
        dir.keep_history(&history).map_err(messages::store)?;
    }
    let mut keystores = plan_keystores(args, path, passphrase)?;
    if seat.node_expected().is_some() && !args.no_keystores {
        keystores.push(KeystorePlan::for_node());
    }
    let pacing = Pacing::new(Duration::from_secs(args.linger));
    let (mut exchange, mut machine) =
        Machine::open(&lock, &seat, &file, keystores, pacing).map_err(messages::machine)?;
    let dir = machine.dir().clone();
    if args.stop.stopped {
        stop::stop(&args.stop, &mut exchange, &mut machine)?;
    }
    let others: Vec<Index> = ceremony.indices().filter(|index| *index != seat.me).collect();
    let ways = Ways::new(&ceremony, listen.is_some(), &others);
    let mut live = Live::new(ceremony.clone(), ways);
    if begun {
        live.say("Continuing where this operator stopped.");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let ending = runtime.block_on(async {
        // One listener for the whole run: an interruption during a piece of work is heard when that
        // is done.
        let stop = stopped()?;
        let config =
            TcpConfig { proxy: args.socks5.clone(), ..TcpConfig::of(&seat, listen.clone()) };
        let tcp = Tcp::start(config).await.map_err(messages::carrier)?;
        if let Some((listen, bound)) = listen.as_ref().zip(tcp.local_address()) {
            live.say(&format!("This operator is {}.", listen.described(bound)));
        }
        live.say_ways();
        let ended = match rule {
            None => drive(exchange, machine, tcp, &mut live, stop).await,
            Some(rule) => {
                let cheating = Cheating::new(tcp, rule, seat.clone());
                drive(exchange, machine, cheating, &mut live, stop).await
            }
        };
        ended.map_err(messages::machine)
    });
    // The system may look up a name for much longer than anybody waits.
    runtime.shutdown_background();
    let names = |indices: &[Index]| seat_names(&ceremony, indices);
    match ending? {
        Ending::Fault { fault, prepared } => {
            let kept = dir.view().path().join("ceremony.toml");
            let file = if packed_for.is_some() { (kept.as_path(), path) } else { (path, path) };
            aborted(&fault, live.proven(), file, &ceremony, prepared, &dir, out)
        }
        Ending::PutBack(put_back) => Err(messages::put_back(dir.view().path(), &put_back)),
        Ending::Interrupted { waiting } => interrupted(&names(&waiting), &live, &ceremony, out),
        Ending::Written { unconfirmed } => {
            done((&ceremony, seat.me), &dir, &names(&unconfirmed), live.proven(), out)
        }
        Ending::Complete => done((&ceremony, seat.me), &dir, &[], live.proven(), out),
    }
}

/// The seat of a dealer of a reshare with what it deals: its shares of the parent, from the
/// parent's log. They are needed until it has dealt.
fn with_old_shares(
    seat: OwnSeat,
    parent: Option<&Audited>,
    state: &StateDir,
    operator: &Operator,
    found: Option<&CeremonyView>,
) -> Result<OwnSeat, CliError> {
    let ceremony = seat.ceremony.clone();
    let (Some(reshare), Some(parent)) = (ceremony.reshare(), parent) else { return Ok(seat) };
    if !ceremony.parts().dealers.contains(seat.me) {
        return Ok(seat);
    }
    let old = machine::old_shares(state, operator, parent.ceremony(), reshare);
    match old.map_err(messages::machine)? {
        Some(old) => Ok(seat.with_old_shares(Arc::new(old))),
        None if found.is_some() => Ok(seat),
        None => Err(messages::no_old_shares(state.path(), parent.ceremony().name())),
    }
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

/// Where to listen: as typed, or everywhere at the port of the ceremony file. An operator without
/// an address calls the others, of whom one must have an address.
pub(super) fn listen_address(
    typed: Option<&str>,
    ceremony: &Ceremony,
    me: Index,
) -> Result<Option<Listen>, CliError> {
    if let Some(listen) = typed {
        return Ok(Some(listen.into()));
    }
    let own = ceremony.roster().get(me).and_then(|own| own.address.as_ref());
    let others = ceremony.roster().iter().filter(|(index, _)| *index != me);
    match own {
        Some(own) => Ok(Some(Listen::Everywhere(own.port()))),
        None if others.into_iter().all(|(_, seat)| seat.address.is_none()) => {
            Err(messages::nobody_reachable())
        }
        None => Ok(None),
    }
}
