//! The signing policy of this operator after a ceremony: `signing.toml` in its state directory,
//! written by hand. Without the file, every request is asked.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde::Deserialize;

use super::report::CliError;
use super::{input, messages};
use quorate::ethereum::address::ExecutionAddress;
use quorate::signing::{Item, Items, Kind, Purpose};

/// The file's name.
pub(crate) const POLICY_FILE: &str = quorate_operator::store::SIGNING_FILE;
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
    registrations: Rule,
    key_shares: Rule,
    locks: Rule,
    /// Keys of validators, `0x` and 96 digits.
    allow: Vec<String>,
    /// With the allow-list, who may get the fees: addresses in their checksummed spelling.
    fee_recipients: Vec<String>,
    /// With the allow-list, who may register key shares for SSV: likewise.
    owners: Vec<String>,
}

/// What the policy says of a request.
pub(crate) struct Allowed {
    /// A person has to be asked.
    pub(crate) ask: bool,
    /// Validators that are not on the allow-list, by position in the request. Never all of them.
    pub(crate) unlisted: Vec<usize>,
}

/// Whether a person has to be asked about this, or why it is not signed at all.
pub(crate) fn allowed(dir: &Path, items: &Items, yes: bool) -> Result<Allowed, CliError> {
    let path = dir.join(POLICY_FILE);
    let policy = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Policy::default(),
        _ => read(&path)?,
    };
    let kind = items.kind();
    let rule = match kind {
        Kind::Exit => policy.exits,
        Kind::Deposit => policy.deposits,
        Kind::Registration => policy.registrations,
        Kind::KeyShares => policy.key_shares,
        Kind::Lock => policy.locks,
    };
    let what = match kind {
        Kind::KeyShares => "key share",
        Kind::Lock => "cluster lock",
        other => other.name(),
    };
    let allow: BTreeSet<&str> = policy.allow.iter().map(String::as_str).collect();
    let listed = |item: &Item| allow.contains(&*format!("0x{}", hex::encode(item.public_key)));
    match rule {
        Rule::Never => Err(messages::policy_never(&path, what)),
        Rule::AllowList => {
            // A registration decides where money goes: who signs without a question has said where.
            if let Purpose::Registration(terms) = items.first().purpose {
                let to = terms.fee_recipient.to_string();
                if !policy.fee_recipients.contains(&to) {
                    return Err(messages::policy_fee_recipient(&path, &to));
                }
            }
            // So do key shares: the owner decides over the cluster, and gets its fees.
            if let Purpose::KeyShares(first) = items.first().purpose {
                let owner = first.owner.to_string();
                if !policy.owners.contains(&owner) {
                    return Err(messages::policy_owner(&path, &owner));
                }
            }
            let unlisted = items.iter().enumerate().filter(|(_, item)| !listed(item));
            let unlisted: Vec<usize> = unlisted.map(|(position, _)| position).collect();
            match unlisted.len() == items.len() {
                true => Err(messages::policy_not_listed(&path, &items.first().public_key)),
                false => Ok(Allowed { ask: !yes, unlisted }),
            }
        }
        Rule::Ask if yes => Err(messages::policy_asks(&path, what)),
        Rule::Ask => Ok(Allowed { ask: true, unlisted: Vec::new() }),
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
    for (field, addresses) in
        [("fee_recipients", &policy.fee_recipients), ("owners", &policy.owners)]
    {
        for text in addresses {
            ExecutionAddress::parse_checksummed(text)
                .map_err(|error| messages::policy(path, &format!("{field}: {text:?}: {error}")))?;
        }
    }
    match policy.allow.iter().find(|text| !key(text)) {
        Some(text) => Err(messages::policy(
            path,
            &format!("allow: {text:?} is not 0x and 96 lower-case hexadecimal digits"),
        )),
        None => Ok(policy),
    }
}
