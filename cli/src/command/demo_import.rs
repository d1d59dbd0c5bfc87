//! `quorate demo --import`: the first operator holds validator keys whole and deals them to all, on
//! real processes: drafted, run, stopped with what its validator client would export, and audited.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::demo::{Demo, Player};
use super::demo_faults::as_announced;
use super::demo_prepare::CEREMONY_FILE;
use super::demo_process::{PATIENCE, Running};
use super::demo_reshare::{exported, first_epoch};
use crate::args::DemoArgs;
use crate::cheat::DEMO_WITHDRAWAL;
use crate::messages;
use crate::report::{CliError, Exit, Output, talk};
use quorate::ethereum::keystore::{DerivedKey, Kdf, KeyPath, Keystore, Password};
use quorate::primitives::hash::{Tag, secret_scalar};
use quorate::spec::show::plural;
use quorate_operator::keystores::fresh_password;
use quorate_operator::{random, store};

/// Where the whole keys are, below the demo's folder.
const SOLO: &str = "solo";
/// What is shown, as it is typed.
const SHOWN: &str = "import";

/// Whole keys in keystores, each with its password beside it; the validators of the file.
pub(super) fn prepare(args: &DemoArgs, root: &Path) -> Result<String, CliError> {
    let folder = root.join(SOLO);
    fs::create_dir(&folder).map_err(|error| messages::writing(&folder, &error))?;
    let internal = |error: &dyn core::fmt::Display| messages::internal(&error.to_string());
    let text = fresh_password();
    let password = Password::new(&text).map_err(|error| internal(&error))?;
    let key = DerivedKey::derive(Kdf::pbkdf2(), &password, random::public());
    let mut keys = Vec::new();
    for number in 0..u32::from(args.validators) {
        let secret = secret_scalar(Tag::Coefficient, &[random::secret().expose()]);
        let path = KeyPath::validator(number);
        let keystore = Keystore::encrypt(&key, &secret, path, String::new(), random::os());
        let keystore = keystore.map_err(|error| internal(&error))?;
        keys.push(format!("\"0x{}\"", hex::encode(keystore.pubkey().to_compressed())));
        let file = folder.join(format!("keystore-{number}.json"));
        store::write_new(&file, &keystore.to_json(), 0o600).map_err(messages::store)?;
        store::write_new(&file.with_extension("txt"), text.expose(), 0o600)
            .map_err(messages::store)?;
    }
    Ok(format!(
        "[[validators]]\ncount = {}\nkeys = [{}]\nwithdrawal = \"{DEMO_WITHDRAWAL}\"\ncompounding \
         = false\n",
        args.validators,
        keys.join(", ")
    ))
}

/// Deals the keys of the first operator.
pub(super) fn run(demo: &Demo<'_>, out: &Output) -> Result<Exit, CliError> {
    let dealer = &demo.players[0];
    let solo = demo.root.join(SOLO);
    talk(&format!(
        "demo: {} holds {} whole, and deals them: quorate run {CEREMONY_FILE} --keystores {SOLO}",
        dealer.name,
        plural(demo.ceremony.v(), "key"),
    ));
    let others: Vec<Running<'_>> = demo.start_all_but(0)?;
    let keystores = solo.display().to_string();
    let mut first = start(demo, dealer, &["--keystores", &keystores])?;
    if first.until(&[messages::MAY_STOP.to_owned()], PATIENCE).is_none() {
        return Err(demo.differs(SHOWN, &format!("{} was not asked to stop", dealer.name)));
    }
    first.interrupt()?;
    demo.all_end_with(SHOWN, Exit::Waiting, vec![first])?;
    talk(&format!(
        "demo: all shares are stored and proven. {} removes the keys, and says what they have \
         signed: quorate run {CEREMONY_FILE} --stopped --protection protection.json",
        dealer.name
    ));
    let spec = demo.ceremony.reshare().expect("the file of an import");
    let keys = spec.validators.iter().map(|validator| validator.key);
    let file = exported(demo, &dealer.name, keys)?;
    let stop = ["--stopped", "--yes-stopped", messages::KEYS_REMOVED, "--protection", &file];
    let last = start(demo, dealer, &stop)?;
    demo.finish(SHOWN, others.into_iter().chain([last]).collect())?;
    conclude(demo, &solo, out)
}

fn start<'a>(demo: &Demo<'_>, player: &'a Player, more: &[&str]) -> Result<Running<'a>, CliError> {
    let mut command = demo.command(player);
    command.arg("run").arg(demo.root.join(CEREMONY_FILE));
    command.args(["--yes-fingerprint", &demo.words]).args(more);
    demo.launch(player, command)
}

/// Compares what all of them hold, and audits it.
fn conclude(demo: &Demo<'_>, solo: &Path, out: &Output) -> Result<Exit, CliError> {
    let held = demo.held()?;
    let first_epoch = first_epoch(&held.public)?;
    let dealer = &demo.players[0].name;
    let (t, n) = (demo.ceremony.t(), demo.ceremony.threshold().participants());
    let what = format!(
        "{dealer} held the keys of {} whole, in keystores. It dealt them to all operators. When \
         all shares were stored and proven, it removed the keys. Then it ran the command again \
         with --stopped, and gave what its validator client had exported. (This demo has no \
         clients: it wrote that file as one would.)",
        plural(demo.ceremony.v(), "validator")
    );
    let begin = first_epoch.map_or_else(String::new, |epoch| {
        format!(
            " They may be loaded from epoch {epoch} on, with the slashing-protection.json beside \
             them: it forbids whatever the whole keys may have signed."
        )
    });
    let came = format!(
        "The keys are the same. Any {t} of {n} operators sign with their shares.{begin} The whole \
         keys are still in {}: whoever keeps a copy signs alone, for ever.",
        messages::shown(solo)
    );
    let more = json!({ "import": {
        "dealer": dealer,
        "keystores": solo.display().to_string(),
        "first_epoch": first_epoch,
    } });
    held.conclude(demo, out, Some((&as_announced(&what, &came), more)))
}
