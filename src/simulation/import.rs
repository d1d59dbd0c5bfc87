//! Imports in memory, of keys that nobody needs.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::{Tag, secret_scalar};
use crate::protocol::seat::OldShares;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;

use super::machine::{Machine, bytes, operators};

/// The secret of a key, from a label.
pub fn key(label: &str) -> SecretScalar {
    secret_scalar(Tag::Coefficient, &[b"a key of an import", label.as_bytes()])
}

/// The file of an import of the keys of these labels, by one of these operators (position), with
/// threshold `t`. The dealer gets a share if `stays`.
pub fn import_toml(
    names: &[&str],
    (dealer, stays): (usize, bool),
    t: usize,
    labels: &[&str],
) -> String {
    let mut text = format!(
        "version = 2\nname = \"Test import\"\nid = \"{}\"\nnetwork = \"hoodi\"\nthreshold = {t}\n\
         [policy]\nallow_all_required = true\n[import]\ndealer = {}\n",
        hex::encode(bytes(&format!("import of {labels:?} by {names:?}"))),
        dealer + 1
    );
    let everybody = operators(8);
    for (at, name) in names.iter().enumerate() {
        let named = everybody.iter().find(|one| one.name().as_str() == *name);
        let card = named.expect("one of the eight").card().encode();
        writeln!(text, "[[operators]]\ncard = \"{card}\"").expect("a string");
        if at == dealer && !stays {
            text += "receives = false\n";
        }
    }
    for label in labels {
        let public = key(label).base_mult().expect("a label's key is not zero");
        write!(
            text,
            "[[validators]]\nkeys = [\"0x{}\"]\n\
             withdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n",
            hex::encode(public.to_compressed())
        )
        .expect("a string");
    }
    text
}

/// The machines of [`import_toml`], not started; the dealer has the keys.
///
/// # Panics
/// If the file is against the rules.
pub fn import(
    names: &[&str],
    (dealer, stays): (usize, bool),
    t: usize,
    labels: &[&str],
) -> Vec<Machine> {
    let text = import_toml(names, (dealer, stays), t, labels);
    let file = CeremonyFile::parse_toml(&text).expect("a well-formed file");
    let ceremony = Arc::new(Ceremony::try_from(file).expect("an import within the rules"));
    let everybody = operators(8);
    let machine = |(at, name): (usize, &&str)| {
        let named = everybody.iter().find(|one| one.name().as_str() == *name);
        let mut machine = Machine::new(&ceremony, named.expect("one of the eight"));
        if at == dealer {
            let keys = labels.iter().map(|label| key(label).scaled(&Scalar::one())).collect();
            machine.seat = machine.seat.with_old_shares(Arc::new(OldShares::whole(keys)));
        }
        machine
    };
    names.iter().enumerate().map(machine).collect()
}
