//! Policy packs by name or file, and what they say of a ceremony.

use std::path::Path;

use serde_json::{Value, json};

use super::report::CliError;
use super::{input, messages};
use quorate::spec::Ceremony;
use quorate::spec::pack::{Breach, MOST_BYTES, Outcome, Pack};

/// The pack that a person means, with the bytes of its file: one that is built in, or a file.
pub(crate) fn load(text: &str) -> Result<(Pack, Vec<u8>), CliError> {
    if let Some((pack, bytes)) = Pack::built_in(text).zip(Pack::text(text)) {
        return Ok((pack, bytes.as_bytes().to_vec()));
    }
    let path = Path::new(text);
    // What looks like a name is not looked for in the folder: a pack there might be anybody's.
    if !text.contains(['/', '.']) {
        return Err(messages::unknown_policy(text, path.is_file()));
    }
    let bytes = input::read_named(path, ".toml", MOST_BYTES)?;
    let pack = Pack::parse(input::text(path, &bytes)?);
    Ok((pack.map_err(|error| messages::policy_pack(path, &error))?, bytes))
}

/// As [`load`], of several. One that is named again counts once; two packs of one name are refused,
/// since every verdict is told by it.
pub(crate) fn load_each(texts: &[String]) -> Result<Vec<(Pack, Vec<u8>)>, CliError> {
    let mut packs: Vec<(Pack, Vec<u8>)> = Vec::new();
    for text in texts {
        let (pack, bytes) = load(text)?;
        match packs.iter().find(|(known, _)| known.name() == pack.name()) {
            None => packs.push((pack, bytes)),
            Some((_, same)) if *same == bytes => {}
            Some(_) => return Err(messages::two_policies(text, pack.name())),
        }
    }
    Ok(packs)
}

/// As [`load_each`], without the files.
pub(crate) fn load_all(texts: &[String]) -> Result<Vec<Pack>, CliError> {
    Ok(load_each(texts)?.into_iter().map(|(pack, _)| pack).collect())
}

/// What packs say of a ceremony.
pub(crate) struct Compared {
    /// Whether every demand of every pack is met.
    pub(crate) met: bool,
    /// For a person, with a line end before it; empty without packs.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Vec<Value>,
}

/// Compares a ceremony with these packs.
pub(crate) fn compare(packs: &[Pack], ceremony: &Ceremony) -> Compared {
    let mut compared = Compared { met: true, text: String::new(), json: Vec::new() };
    for pack in packs {
        let outcome = pack.check(ceremony);
        compared.met &= outcome.is_met();
        compared.text += &text(pack, &outcome);
        compared.json.push(value(pack, &outcome));
    }
    compared
}

fn text(pack: &Pack, outcome: &Outcome) -> String {
    let verdict = match outcome.is_met() {
        true => "MET",
        false => "NOT MET",
    };
    let mut text = format!(
        "\n\nPolicy {}, {verdict}: {}, as of {}\n  compared     {}",
        pack.name(),
        pack.title(),
        pack.date(),
        outcome.rules.join(", ")
    );
    for Breach { rule, found, wanted } in &outcome.breaches {
        text += &format!("\n  NOT MET      {rule}: {found}; demanded: {wanted}");
    }
    if let Some(wallets) = pack.wallets() {
        let whose = if wallets.required() { "every member signs" } else { "members can sign" };
        text += &format!("\n  wallets      {whose}, see quorate dossier; not compared here");
    }
    for open in pack.not_checked() {
        text += &format!("\n  not checked  {open}");
    }
    text
}

fn value(pack: &Pack, outcome: &Outcome) -> Value {
    let breach = |breach: &Breach| {
        let Breach { rule, found, wanted } = breach;
        json!({ "rule": rule, "found": found, "demanded": wanted })
    };
    json!({
        "name": pack.name(), "title": pack.title(), "date": pack.date(),
        "sources": pack.sources(), "not_checked": pack.not_checked(),
        "rules": outcome.rules, "met": outcome.is_met(),
        "not_met": outcome.breaches.iter().map(breach).collect::<Vec<_>>(),
    })
}
