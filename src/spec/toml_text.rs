//! Writes the ceremony file as TOML for people, in the order of reading, with comments where a
//! value needs explanation.

use core::fmt::{Display, Write};

use toml::Value;

use super::file::{
    CeremonyFile, NetworkEntry, NetworkTable, ObolEntry, OperatorEntry, ParentEntry, ValidatorEntry,
};
use crate::identity::card::OperatorCard;

const HEAD: &str = "\
# Quorate ceremony file. Every operator needs the same file; nothing in it is secret.
# Before the ceremony, every operator sees this content and compares its fingerprint by voice.
";

pub(super) fn write(file: &CeremonyFile) -> String {
    let mut out = Text(HEAD.to_owned());
    out.field("version", file.version);
    out.field("name", quoted(&file.name));
    out.field("id", quoted(&file.id));
    if file.attempt != 1 {
        out.field("attempt", file.attempt);
    }
    if let Some(supersedes) = &file.supersedes {
        out.field("supersedes", quoted(supersedes));
    }
    if let NetworkEntry::Known(name) = &file.network {
        out.field("network", quoted(name));
    }
    out.comment(match (&file.parent, &file.import) {
        (None, None) => "Operators required to sign; all others may be lost.",
        _ if file.repair.is_some() => "Operators required to sign, as before.",
        _ => "Operators required to sign with the new shares; all other receivers may be lost.",
    });
    out.field("threshold", file.threshold);
    if let NetworkEntry::Custom(table) = &file.network {
        network(&mut out, table);
    }
    if file.policy.allow_all_required {
        out.table("[policy]");
        out.comment(
            "Allows a threshold of all operators: then one lost share ends the validators.",
        );
        out.field("allow_all_required", true);
    }
    if let Some(entry) = &file.parent {
        parent(&mut out, entry, file.repair.is_some());
    }
    if let Some(entry) = &file.repair {
        out.table("[repair]");
        out.comment(
            "What became of the machine that had the lost share. Two copies of a share can sign \
             two different messages.",
        );
        out.field("old_machine", quoted(&entry.old_machine));
    }
    if let Some(entry) = &file.import {
        out.table("[import]");
        out.comment(
            "The number of the operator who holds the validators' keys whole, and deals them.",
        );
        out.field("dealer", entry.dealer);
    }
    if let Some(entry) = &file.preregistration {
        out.table("[preregistration]");
        out.comment(
            "DRAFT (EIP-8205): each validator's key also signs that its first deposit goes to the \
             withdrawal",
        );
        out.comment(
            "credentials below. Such a signature never expires. No network takes it yet, and the \
             draft may change.",
        );
        out.field("draft", quoted(&entry.draft));
    }
    if let Some(ssv) = &file.ssv {
        out.table("[ssv]");
        out.comment(
            "Validators for an SSV cluster: only this account can register them, in order, from \
             this nonce.",
        );
        out.field("owner", quoted(&ssv.owner));
        out.field("nonce", ssv.nonce);
    }
    file.operators.iter().for_each(|entry| operator(&mut out, entry));
    file.validators.iter().for_each(|entry| validator(&mut out, entry));
    file.obol.iter().for_each(|entry| obol(&mut out, entry));
    out.0
}

fn network(out: &mut Text, table: &NetworkTable) {
    out.table("[network]");
    out.field("name", quoted(&table.name));
    out.field("genesis_fork_version", quoted(&table.genesis_fork_version));
    if let Some(version) = &table.capella_fork_version {
        out.field("capella_fork_version", quoted(version));
    }
    out.field("genesis_validators_root", quoted(&table.genesis_validators_root));
    if let Some(time) = table.genesis_time {
        out.field("genesis_time", time);
    }
}

fn operator(out: &mut Text, entry: &OperatorEntry) {
    out.table("[[operators]]");
    // A parsed name is printable ASCII on one line: it cannot end the comment.
    if let Ok(card) = OperatorCard::parse(&entry.card) {
        out.comment(card.name.as_str());
    }
    out.field("card", quoted(&entry.card));
    if let Some(index) = entry.deals {
        out.comment("Deals the share that it has as this operator of the parent.");
        out.field("deals", index);
    }
    if let Some(index) = entry.witness {
        out.comment(
            "Deals nothing, and stops the share that it has as this operator of the parent.",
        );
        out.field("witness", index);
    }
    if let Some(index) = entry.regains {
        out.comment("Regains the share that it had as this operator of the parent.");
        out.field("regains", index);
    }
    if let Some(point) = entry.old_point {
        out.field("old_point", point);
    }
    if let Some(receives) = entry.receives {
        out.comment("Whether it gets a new share.");
        out.field("receives", receives);
    }
    if let Some(address) = &entry.address {
        out.field("address", quoted(address));
    }
    if let Some(point) = entry.point {
        out.field("point", point);
    }
    if let Some(key) = &entry.ssv_key {
        out.field("ssv_key", quoted(key));
    }
}

fn validator(out: &mut Text, entry: &ValidatorEntry) {
    out.table("[[validators]]");
    out.field("count", entry.count);
    if let Some(first) = entry.first {
        out.comment("The number of the first of them in the parent.");
        out.field("first", first);
    }
    if entry.keys.is_some() && entry.first.is_none() {
        out.comment("Claimed: compare it with what a beacon node says of these keys.");
    }
    out.field("withdrawal", quoted(&entry.withdrawal));
    out.comment(if entry.compounding {
        "Credentials 0x02: rewards stay in the balance, up to 2048 ETH (64 GNO)."
    } else {
        "Credentials 0x01: balance above 32 ETH (1 GNO) is paid out automatically."
    });
    out.field("compounding", entry.compounding);
    if let Some(amounts) = &entry.amounts {
        let amounts: Vec<String> = amounts.iter().map(|amount| quoted(&amount.0)).collect();
        out.field("amounts", format!("[{}]", amounts.join(", ")));
    }
    if let Some(fee_recipient) = &entry.fee_recipient {
        out.field("fee_recipient", quoted(fee_recipient));
    }
    if let Some(gas_limit) = entry.gas_limit {
        out.field("gas_limit", gas_limit);
    }
    if let Some(keys) = &entry.keys {
        let keys: Vec<String> = keys.iter().map(|key| format!("\n  {}", quoted(key))).collect();
        out.field("keys", format!("[{}\n]", keys.join(",")));
    }
}

fn obol(out: &mut Text, entry: &ObolEntry) {
    out.table("[obol]");
    if !entry.contract_wallets.is_empty() {
        out.comment(
            "Contract wallets, according to the coordinator. Their signatures cannot be checked \
             offline.",
        );
        let wallets: Vec<String> =
            entry.contract_wallets.iter().map(|wallet| quoted(wallet)).collect();
        out.field("contract_wallets", format!("[{}]", wallets.join(", ")));
    }
    out.comment("The cluster definition. Everything above must agree with it.");
    out.field("definition", quoted(&entry.definition));
}

fn parent(out: &mut Text, entry: &ParentEntry, of_repair: bool) {
    out.table("[parent]");
    out.comment(match of_repair {
        true => "The completed ceremony of the share that was lost.",
        false => {
            "The completed ceremony whose shares are dealt anew. Keys and withdrawal addresses \
             stay."
        }
    });
    out.field("certificate", quoted(&entry.certificate));
    out.field("rows", quoted(&entry.rows));
    out.field("operators", entry.operators);
    out.field("threshold", entry.threshold);
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

struct Text(String);

impl Text {
    fn field(&mut self, name: &str, value: impl Display) {
        writeln!(self.0, "{name} = {value}").expect("a string takes everything");
    }

    fn comment(&mut self, text: &str) {
        writeln!(self.0, "# {text}").expect("a string takes everything");
    }

    fn table(&mut self, header: &str) {
        writeln!(self.0, "\n{header}").expect("a string takes everything");
    }
}
