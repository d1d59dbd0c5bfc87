//! `quorate recover`: makes whole keys of validators from the shares of enough operators, once the
//! cluster is stopped.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use zeroize::Zeroize as _;

use crate::args::{KdfChoice, Recover};
use crate::keystores::{self, Unopened};
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, prompt, protection, secret_file};
use quorate::audit::facts::Audited;
use quorate::ethereum::interchange::{Interchange, Signed};
use quorate::ethereum::keystore::{Kdf, Keystore, Password};
use quorate::export::Audience;
use quorate::export::recover::{recovered_files, whole_key};
use quorate::primitives::curve::{G1, SecretScalar};
use quorate::spec::show::plural;
use quorate::spec::threshold::Index;
use quorate_operator::keystores::KeystoreKey;
use quorate_operator::random;

/// One operator's shares, by validator.
type Shares = BTreeMap<Index, Vec<SecretScalar>>;

/// Runs the command.
pub(crate) fn run(args: &Recover, out: &Output) -> Result<Exit, CliError> {
    input::folder_can_be_written(&args.out)?;
    let report = input::audited(&args.transcript)?;
    let audited = report.audited().ok_or_else(|| messages::not_audited(&args.transcript))?;
    let protection = signed(args, audited)?;
    let new = secret_file::read(&args.new_password_file)?;
    let new = Password::new(&new).map_err(|error| messages::keystore_password(&error))?;
    let shares = shares(args, audited, out)?;
    let validators = plural(audited.validators().len(), "validator");
    talk(&messages::recovery(&validators));
    let what = (messages::STOPPED, messages::not_that_sentence as fn() -> CliError);
    prompt::sentence(what, args.yes_stopped.as_deref(), "--yes-stopped")?;

    let (keys, public_keys) = whole(&shares, audited)?;
    let kdf = match args.kdf {
        KdfChoice::Scrypt => Kdf::scrypt(),
        KdfChoice::Pbkdf2 => Kdf::pbkdf2(),
    };
    let key = KeystoreKey::planned(kdf, new, None).finish();
    let name = audited.ceremony().name();
    let files = recovered_files(
        name,
        (&keys, &public_keys),
        &protection,
        &key,
        super::export::now(),
        random::os(),
    );
    let mut files = files.map_err(|error| messages::internal(&error.to_string()))?;
    let fields = json!({ "validators": keys.len() });
    let note = format!(
        "\nWhole keys of {validators}, with what their shares have signed. Import that file into \
         the validator client before the keys."
    );
    let written = super::export::write(&args.out, &files, fields, &note, out);
    files
        .iter_mut()
        .filter(|file| file.audience == Audience::Secret)
        .for_each(|file| file.bytes.zeroize());
    written
}

/// What each validator's key may have signed: the greatest of what its shares have. Every message
/// of a validator was signed by `t` of `n` shares, so by one of any `n - t + 1`.
fn signed(args: &Recover, audited: &Audited) -> Result<Interchange, CliError> {
    let ceremony = audited.ceremony();
    let network = ceremony.network();
    let mut known = Interchange::empty(network.genesis_validators_root());
    for path in &args.protection {
        let (read, notes) = protection::read(path, network)?;
        known = known.join(&read).map_err(|error| messages::protection(path, &error))?;
        notes.iter().for_each(|note| talk(&format!("NOTE: {}: {note}", messages::shown(path))));
    }
    // In a reshare, not every seat holds a share.
    let holders = ceremony.parts().receivers.len();
    let mut of_validators = Interchange::empty(network.genesis_validators_root());
    for (validator, outcome) in (1..).zip(audited.validators()) {
        let of_shares: Vec<Signed> = outcome
            .public_shares
            .iter()
            .filter_map(|share| known.signed(&share.to_compressed()).copied())
            .collect();
        let (found, required) = (of_shares.len(), holders - ceremony.t() + 1);
        if found < required && !args.others_never_ran {
            return Err(messages::not_covered(validator, found, required));
        }
        let key = outcome.public_key.to_compressed();
        of_validators.add(key, of_shares.into_iter().fold(Signed::default(), Signed::join));
    }
    protection::ahead_of_clock(&of_validators, network, super::export::now())
        .iter()
        .for_each(|note| talk(&format!("NOTE: {note}")));
    Ok(of_validators)
}

/// The shares of each operator that is given, all of them compared with the transcript.
fn shares(args: &Recover, audited: &Audited, out: &Output) -> Result<Shares, CliError> {
    let ceremony = audited.ceremony();
    let mut all = Shares::new();
    for folder in &args.share {
        let (index, shares) = of_operator(folder, args, audited, out)?;
        if all.insert(index, shares).is_some() {
            let name = ceremony.roster().get(index).map(|seat| seat.card.name.to_string());
            return Err(messages::given_twice(folder, &name.unwrap_or_default()));
        }
    }
    match all.len() {
        found if found < ceremony.t() => Err(messages::too_few_shares(found, ceremony.t())),
        _ => Ok(all),
    }
}

fn of_operator(
    folder: &Path,
    args: &Recover,
    audited: &Audited,
    out: &Output,
) -> Result<(Index, Vec<SecretScalar>), CliError> {
    let ceremony = audited.ceremony();
    let paths = keystores::find(folder)?;
    let password = args.keystore_password_file.as_deref();
    let opened = keystores::open(paths, Keystore::from_json_even_if_weak, password, out);
    let opened = opened.map_err(|unopened| match unopened {
        Unopened::Local(error) => error,
        Unopened::Refused(path, error) => messages::keystore(&path, &error),
    })?;
    let mut secrets: BTreeMap<[u8; 48], SecretScalar> = opened
        .into_iter()
        .map(|opened| (opened.keystore.pubkey().to_compressed(), opened.secret))
        .collect();
    let of = |index| -> Option<Vec<[u8; 48]>> {
        let share = |v: &quorate::protocol::outcome::ValidatorOutcome| {
            v.public_share(ceremony, index).map(G1::to_compressed)
        };
        audited.validators().iter().map(share).collect()
    };
    let seats = ceremony.roster().iter().filter_map(|(index, _)| Some((index, of(index)?)));
    let whose = seats.into_iter().find(|(_, keys)| keys.iter().any(|k| secrets.contains_key(k)));
    let Some((index, keys)) = whose else {
        let what = "none of these keystores is a share of this ceremony";
        return Err(messages::no_share_of(folder, what));
    };
    let mut shares = Vec::with_capacity(keys.len());
    for (validator, key) in (1..).zip(&keys) {
        let lacks = || {
            let what =
                format!("operator {}'s share of validator {validator} is not here", index.get());
            messages::no_share_of(folder, &what)
        };
        shares.push(secrets.remove(key).ok_or_else(lacks)?);
    }
    Ok((index, shares))
}

/// Every validator's key, from the first `t` operators' shares.
fn whole(shares: &Shares, audited: &Audited) -> Result<(Vec<SecretScalar>, Vec<G1>), CliError> {
    let ceremony = audited.ceremony();
    let (mut keys, mut public_keys) = (Vec::new(), Vec::new());
    for (v, outcome) in audited.validators().iter().enumerate() {
        let points: Vec<(u64, &SecretScalar)> = shares
            .iter()
            .take(ceremony.t())
            .filter_map(|(index, shares)| {
                Some((ceremony.roster().get(*index)?.point, shares.get(v)?))
            })
            .collect();
        let key = whole_key(&points, &outcome.public_key);
        keys.push(key.ok_or_else(|| messages::not_the_key(v + 1))?);
        public_keys.push(outcome.public_key);
    }
    Ok((keys, public_keys))
}
