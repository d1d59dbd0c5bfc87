//! Answers a request: check it, confirm it, sign, log. The log entry is durable before the answer
//! leaves.

use std::path::PathBuf;
use std::sync::Arc;

use super::describe::{describe, left_out, told as lines_told};
use super::source::Source;
use super::{Beacon, Left, More, check_time, lock};
use crate::args::{Asked, KeySharesAsked, LockAsked};
use crate::command::export::check_may_run;
use crate::keymanager::web3signer::{Message, SignerError, Web3Signer};
use crate::messages::shown;
use crate::report::{CliError, Output, talk};
use crate::restored::{date, demand_newest, told};
use crate::{input, messages, policy, prompt, ssv_key};
use quorate::ethereum::bls::bls_verify;
use quorate::ethereum::secp256k1::NodeSecret;
use quorate::ethereum::ssv::RsaSecret;
use quorate::identity::Operator;
use quorate::primitives::secret::wiping;
use quorate::protocol::outcome::certificate;
use quorate::signing::key_shares::operator_key;
use quorate::signing::ledger::{Admission, Entry, admit, nonces};
use quorate::signing::newest::{Known, Standing, needed};
use quorate::signing::partial::Partial;
use quorate::signing::{Cleared, Kind, Parent, Purpose, Request};
use quorate::spec::{Ceremony, Index};
use quorate_operator::store::{CeremonyView, StateDir};
use quorate_operator::{Superseding, superseding};

/// The word that a person types.
const WORD: &str = "sign";

/// An answer that the log remembers, with what it answers.
pub(super) struct Answered {
    pub(super) cleared: Cleared,
    pub(super) parent: Parent,
    pub(super) operator: Arc<Operator>,
    pub(super) partial: Partial,
    /// Validators of the request that nothing is signed for.
    pub(super) left: Vec<Left>,
    /// If it is of keystores or a Web3Signer alone: where alone it is remembered.
    pub(super) memory: Option<PathBuf>,
    /// Its signatures are a Web3Signer's.
    pub(super) by_web3signer: bool,
}

/// Answers a request. `ready` is asked, before a person is, whether the answer has somewhere to go.
/// The state directory is free again afterwards, and the shares are gone from memory.
pub(super) fn answer<T>(
    (args, more): (&Asked, More<'_>),
    request: Request,
    out: &Output,
    ready: impl FnOnce(&Cleared, &Parent, Index) -> Result<T, CliError>,
) -> Result<(Answered, T), CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    // What is refused whatever the ceremony says is refused first.
    let allowed = policy::allowed(state.path(), &request.items, args.yes)?;
    let held = state.lock().map_err(messages::store)?;
    let mut source = Source::open(args, &request, &held, out)?;
    let ceremony = source.parent.ceremony().clone();

    let cleared =
        source.parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    check_superseded(&state, &source, &cleared)?;
    check_time(&cleared.request.items, ceremony.network(), args.future_epoch)?;
    let (positions, left) = chosen(args, &cleared, &source, &allowed.unlisted)?;
    let admitted = admit(source.signed.iter().map(Vec::as_slice), &cleared, &positions);
    let admitted = admitted.map_err(|error| messages::ledger(state.path(), &error))?;
    let (mut rsa, mut node) = (None, None);
    match more {
        More::KeyShares(ssv) => {
            // What is given to a node of SSV runs there, like what is loaded into a client.
            check_may_run(&ceremony, &state)?;
            rsa = for_key_shares(ssv, &cleared, &source, &left)?;
            demand_newest(&held, &source.here, &ssv.newest)?;
        }
        More::Lock(asked) => node = Some(for_lock(asked, &cleared, &source, &left, &state)?),
        More::Nothing => {}
    }
    let ready = ready(&cleared, &source.parent, source.me)?;

    talk(&describe(&cleared, &ceremony, &positions, args.beacon.is_some()));
    if let Some(note) = state.restored(&source.here.digest()).map_err(messages::store)? {
        talk(&messages::restored_answer(&date(note.made)));
    }
    if let Some(left) = left_out(&left) {
        talk(&left);
    }
    agree(&admitted, &cleared, allowed.ask)?;
    let keys = (rsa.as_deref(), node.as_ref());
    let partial = match source.web3signer() {
        Some((signer, url)) => elsewhere(&cleared, &source, &positions, signer)
            .map_err(|error| messages::web3signer(url, &error))?,
        None => wiping(|| signed(&cleared, &source, &positions, keys)),
    };
    let partial = partial.ok_or_else(messages::own_partial)?;
    if !partial.verifies(&cleared, &source.parent)
        || partial.proven(&cleared, &source.parent).is_err()
    {
        return Err(messages::own_partial());
    }
    if admitted != Admission::Again {
        source.remember(&Entry::of(&cleared, &positions))?;
    }
    let (memory, by_web3signer) = (source.memory(), source.web3signer().is_some());
    if let Some(memory) = &memory {
        let with = if by_web3signer { "by Web3Signer" } else { "with keystores" };
        talk(&format!(
            "NOTE: signed {with} alone. Only {} remembers it. What these shares have \
             signed before, in another directory, is not known here.",
            shown(memory)
        ));
    }
    let Source { parent, operator, .. } = source;
    let answered = Answered { cleared, parent, operator, partial, left, memory, by_web3signer };
    Ok((answered, ready))
}

/// Refuses what shares of an earlier generation no longer sign: deposits from this operator's final
/// of the reshare on, exits and registrations from its outputs on, so that there is always a way
/// out: an exit cannot get anybody slashed. Key shares run, and a cluster starts from a lock: none
/// are given out while a reshare of theirs stands.
fn check_superseded(state: &StateDir, source: &Source, cleared: &Cleared) -> Result<(), CliError> {
    let request = &cleared.request;
    let own = certificate(&request.ceremony, &request.dkg, &request.outputs);
    let keys = (0..request.items.len()).map(|at| request.items[at].public_key);
    let generation = (&**source.parent.ceremony(), &own);
    let found = superseding(state, &source.operator, generation, &keys.collect::<Vec<_>>());
    let kind = request.items.kind();
    let over = |by: &Superseding| match kind {
        Kind::KeyShares | Kind::Lock => true,
        Kind::Deposit => by.is_final,
        Kind::Exit | Kind::Registration => by.is_complete,
    };
    if let Some(by) = found.map_err(messages::machine)?.into_iter().find(over) {
        return Err(messages::superseded_for(kind.name(), &by));
    }
    // What others have answered to a directory that came out of a backup, of which it knows nothing
    // itself.
    let ceremony = source.parent.ceremony();
    let over = |known: &Known| match kind {
        Kind::KeyShares | Kind::Lock => true,
        Kind::Deposit => known.standing >= Standing::Final,
        Kind::Exit | Kind::Registration => known.standing == Standing::Complete,
    };
    let told = told(state, &source.here)?;
    match told.iter().any(|(_, known)| over(known)) {
        true => {
            let subject = messages::NewestSubject { ceremony, needed: needed(ceremony) };
            Err(messages::newer_told(&subject, &told))
        }
        false => Ok(()),
    }
}

/// What is asked of key shares alone: nonces that grow, no validator left out, and the RSA key if
/// shares are encrypted anew.
fn for_key_shares(
    args: &KeySharesAsked,
    cleared: &Cleared,
    source: &Source,
    left: &[Left],
) -> Result<Option<Box<RsaSecret>>, CliError> {
    if let Some(left) = left_out(left) {
        return Err(messages::key_shares_whole(&left));
    }
    if !args.lower_nonce {
        let signed = source.signed.iter().map(Vec::as_slice);
        nonces(signed, cleared, &source.parent)
            .map_err(|error| messages::ledger(&source.place, &error))?;
    }
    if cleared.required.is_empty() {
        return Ok(None);
    }
    let file = args.ssv_key.as_deref().ok_or_else(messages::key_shares_key_needed)?;
    let key = Box::new(ssv_key::opened(file, args.ssv_password_file.as_deref())?);
    match operator_key(cleared, &source.parent, source.me) == Some(key.public()) {
        true => Ok(Some(key)),
        false => Err(messages::ssv_key_of_another(file)),
    }
}

/// What is asked of a lock alone: no validator left out, and the key of the operator's node.
fn for_lock(
    args: &LockAsked,
    cleared: &Cleared,
    source: &Source,
    left: &[Left],
    state: &StateDir,
) -> Result<NodeSecret, CliError> {
    if let Some(left) = left_out(left) {
        return Err(messages::lock_whole(&left));
    }
    lock::node_key(
        args.charon_enr_private_key.as_deref(),
        cleared,
        &source.parent,
        source.me,
        state,
    )
}

/// The answer, not verified yet.
fn signed(
    cleared: &Cleared,
    source: &Source,
    positions: &[usize],
    (rsa, node): (Option<&RsaSecret>, Option<&NodeSecret>),
) -> Option<Partial> {
    let share = |position: usize| source.share(cleared.targets[position].validator);
    if cleared.is_for_key_shares() {
        let shares: Vec<_> = (0..cleared.targets.len()).map(share).collect::<Option<_>>()?;
        let seat = (&*source.operator, source.me);
        return Partial::sign_key_shares(cleared, &source.parent, seat, &shares, rsa);
    }
    if let Some(node) = node {
        let shares: Vec<_> = (0..cleared.targets.len()).map(share).collect::<Option<_>>()?;
        return Partial::sign_lock(cleared, (&*source.operator, source.me), &shares, node);
    }
    let mut signing = vec![None; cleared.targets.len()];
    positions.iter().for_each(|position| signing[*position] = share(*position));
    Partial::sign(cleared, &source.operator, source.me, &signing)
}

/// The answer by a Web3Signer, each signature verified as it comes: nothing is made of one that is
/// another key's, or of another message.
fn elsewhere(
    cleared: &Cleared,
    source: &Source,
    positions: &[usize],
    signer: &Web3Signer,
) -> Result<Option<Partial>, SignerError> {
    let (parent, network) = (&source.parent, source.parent.ceremony().network());
    let mut partials = vec![None; cleared.targets.len()];
    for position in positions {
        let (item, target) = (&cleared.request.items[*position], &cleared.targets[*position]);
        let message = match item.purpose {
            Purpose::Exit(exit) => Message::Exit(exit),
            Purpose::Registration(terms) => {
                Message::Registration(terms.registration(item.public_key))
            }
            Purpose::Deposit { .. } | Purpose::KeyShares(_) | Purpose::Lock => return Ok(None),
        };
        let validator = &parent.validators()[target.validator];
        let Some(share) = validator.public_share(parent.ceremony(), source.me) else {
            return Ok(None);
        };
        let (key, root) = (share.to_compressed(), &target.signing_root);
        let signature = signer.sign(&key, &message, root, network)?;
        if !bls_verify(share, root, &signature) {
            return Err(SignerError::Foreign(hex::encode(key)));
        }
        partials[*position] = Some(signature);
    }
    Ok(Partial::of_signatures(cleared, &source.operator, source.me, partials))
}

/// The positions in the request that are signed for, and the validators that are not: they are not
/// on the allow-list, or the beacon node says that there is nothing to sign now.
fn chosen(
    args: &Asked,
    cleared: &Cleared,
    source: &Source,
    unlisted: &[usize],
) -> Result<(Vec<usize>, Vec<Left>), CliError> {
    let ceremony = source.parent.ceremony();
    let validator = |position: usize| cleared.targets[position].validator;
    let listed = (0..cleared.targets.len()).filter(|position| !unlisted.contains(position));
    let mut positions: Vec<usize> = listed.collect();
    let without = |position: &usize, why: &str| Left {
        validator: validator(*position),
        public_key: cleared.request.items[*position].public_key,
        why: why.to_owned(),
    };
    let unlisted = unlisted.iter();
    let mut left: Vec<Left> =
        unlisted.map(|at| without(at, "not on the allow-list in signing.toml")).collect();
    let is_held = |position: &usize| source.holds(validator(*position));
    let unheld_why = match source.web3signer() {
        Some(_) => "Web3Signer does not list its share",
        None => "there is no keystore with its share",
    };
    let unheld = positions.iter().filter(|at| !is_held(at));
    left.extend(unheld.map(|at| without(at, unheld_why)));
    positions.retain(is_held);
    let deposits = cleared.request.items.kind() == Kind::Deposit;
    if deposits && source.parent.is_claimed() && args.beacon.is_none() {
        return Err(messages::claimed_credentials(Some(&args.request)));
    }
    if let Some(beacon) = Beacon::read(args.beacon.as_deref(), ceremony)? {
        let items = positions.iter().map(|at| (validator(*at), cleared.request.items[*at]));
        let not_now = beacon.compare(&items.collect::<Vec<_>>(), ceremony)?;
        positions.retain(|at| !not_now.iter().any(|left| left.validator == validator(*at)));
        left.extend(not_now);
    }
    match positions.is_empty() {
        true => Err(messages::nothing_left(&left_out(&left).unwrap_or_default())),
        false => Ok((positions, left)),
    }
}

/// Says what the log remembers, and asks a person if nobody has allowed it in advance.
fn agree(admitted: &Admission, cleared: &Cleared, ask: bool) -> Result<(), CliError> {
    match admitted {
        Admission::Again => {
            talk("This operator has already answered this request; it gives the same answer again.")
        }
        Admission::New { exited, .. } if !exited.is_empty() => talk(&format!(
            "WARNING: this operator has signed an exit of {} of the validators of this request. \
             Once \
             a validator has left, what is deposited to it is only paid out again.",
            exited.len()
        )),
        Admission::New { other_exits, .. } if other_exits.is_empty() => {}
        Admission::New { other_exits, .. } if cleared.request.is_single() => {
            let count: usize = other_exits.values().sum();
            talk(&format!(
                "NOTE: this operator has already signed {count} other exits of this validator, for \
                 a different index or epoch."
            ));
        }
        Admission::New { other_exits, .. } => {
            let lines = other_exits.iter().map(|(position, count)| {
                let number = cleared.targets[*position].validator + 1;
                let key = hex::encode(cleared.request.items[*position].public_key);
                format!("\n  validator {number}, 0x{key}: {count}")
            });
            talk(&format!(
                "NOTE: this operator has already signed other exits of {} of these validators, for \
                 a different index or epoch:{}",
                other_exits.len(),
                lines_told(lines)
            ));
        }
    }
    let it = if cleared.request.is_single() { "it" } else { "all of them" };
    let question = format!("Type the word {WORD:?} to sign {it}");
    if ask && prompt::line(&question, "--yes, with an allow-list in signing.toml")? != WORD {
        return Err(messages::not_agreed());
    }
    Ok(())
}

/// The ceremony as this operator agreed to it.
pub(super) fn agreed(view: &CeremonyView, request: &Request) -> Result<Ceremony, CliError> {
    let gone = |why: &str| messages::ceremony_file_gone(view.path(), why);
    let bytes = view.ceremony_file().map_err(messages::store)?.ok_or_else(|| gone("not found"))?;
    let text = core::str::from_utf8(&bytes).map_err(|_| gone("not UTF-8 text"))?;
    let ceremony = input::parse_ceremony(text).map_err(|error| gone(&error.to_string()))?;
    if ceremony.digest() == request.ceremony {
        Ok(ceremony)
    } else {
        Err(gone("not the ceremony of the request"))
    }
}
