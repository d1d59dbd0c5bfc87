//! The signing policy of this operator after a ceremony: `signing.toml` in its state directory,
//! written by hand. Without the file, every request is asked.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde::Deserialize;

use super::report::CliError;
use super::{input, messages};
use quorate::signing::Purpose;

/// The file's name.
pub(crate) const POLICY_FILE: &str = "signing.toml";
/// Most bytes of it: some thousand keys.
const MOST_BYTES: usize = 1 << 20;

/// What is done with a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    /// A person is asked, each time.
    #[default]
    Ask,
    /// Only for validators on the list; without a question if `--yes` is given.
    AllowList,
    /// Not at all.
    Never,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    exits: Rule,
    deposits: Rule,
    /// Keys of validators, `0x` and 96 digits.
    allow: Vec<String>,
}

/// Whether a person has to be asked about this, or why it is not signed at all.
pub(crate) fn must_ask(
    dir: &Path,
    purpose: &Purpose,
    public_key: &[u8; 48],
    yes: bool,
) -> Result<bool, CliError> {
    let path = dir.join(POLICY_FILE);
    let policy = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Policy::default(),
        _ => read(&path)?,
    };
    let rule = match purpose {
        Purpose::Exit(_) => policy.exits,
        Purpose::Deposit { .. } => policy.deposits,
    };
    let listed = policy.allow.contains(&format!("0x{}", hex::encode(public_key)));
    match (rule, listed) {
        (Rule::Never, _) => Err(messages::policy_never(&path, purpose.name())),
        (Rule::AllowList, false) => Err(messages::policy_not_listed(&path, public_key)),
        (Rule::AllowList, true) => Ok(!yes),
        (Rule::Ask, _) if yes => Err(messages::policy_asks(&path, purpose.name())),
        (Rule::Ask, _) => Ok(true),
    }
}

fn read(path: &Path) -> Result<Policy, CliError> {
    let (_, found) = input::open(path, ".toml")?;
    let (owner, user) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(messages::policy_of_another(path, owner, user));
    }
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(messages::policy_open(path, mode));
    }
    let bytes = input::read(path, MOST_BYTES)?;
    let policy: Policy = toml::from_str(input::text(path, &bytes)?)
        .map_err(|error| messages::policy(path, error.message()))?;
    let key = |text: &&String| {
        text.strip_prefix("0x").is_some_and(|digits| {
            digits.len() == 96 && digits.bytes().all(|b| b"0123456789abcdef".contains(&b))
        })
    };
    match policy.allow.iter().find(|text| !key(text)) {
        Some(text) => Err(messages::policy(
            path,
            &format!("allow: {text:?} is not 0x and 96 lower-case hexadecimal digits"),
        )),
        None => Ok(policy),
    }
}
