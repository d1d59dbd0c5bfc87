//! Repairs in memory, of a share that a ceremony in memory has made.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;

use super::machine::{Machine, bytes, operators};
use super::reshare::{card_name, rows, with_old_shares};

/// The file of a repair of the share that `lost` has after the ceremony of `parents`, with these
/// helpers; seats in the order of the parent's.
///
/// # Panics
/// If the parents have not finished.
pub fn repair_toml(parents: &[Machine], lost: &str, helpers: &[&str]) -> String {
    let parent = &parents[0];
    let outcome = parent.participant().outcome().expect("it has finished");
    let (old, rows) = (&parent.seat.ceremony, rows(parent));
    let threshold = old.threshold();
    let mut text = format!(
        "version = 2\nname = \"Test repair\"\nid = \"{}\"\nnetwork = \"hoodi\"\nthreshold = {}\n\
         [parent]\ncertificate = \"{}\"\nrows = \"{}\"\noperators = {}\nthreshold = {}\n\
         [repair]\nold_machine = \"destroyed\"\n",
        hex::encode(bytes(&format!("repair for {lost} of {}", outcome.certificate))),
        threshold.required(),
        outcome.certificate,
        rows.merkle_root(),
        threshold.participants(),
        threshold.required(),
    );
    for (number, (_, seat)) in (1..).zip(old.receivers()) {
        let (name, point) = (seat.card.name.as_str(), seat.point);
        let does = match (name == lost, helpers.contains(&name)) {
            (true, _) => "regains",
            (false, true) => "deals",
            (false, false) => continue,
        };
        let card = seat.card.encode();
        let at = if point == number { String::new() } else { format!("old_point = {point}\n") };
        write!(text, "[[operators]]\ncard = \"{card}\"\n{does} = {number}\n{at}")
            .expect("a string");
    }
    for (number, (validator, here)) in (1..).zip(outcome.validators.iter().zip(old.validators())) {
        let key = hex::encode(validator.public_key.to_compressed());
        let (address, compounding) = (here.withdrawal.address(), here.withdrawal.is_compounding());
        write!(
            text,
            "[[validators]]\nfirst = {number}\nkeys = [\"0x{key}\"]\nwithdrawal = \"{address}\"\n\
             compounding = {compounding}\n"
        )
        .expect("a string");
    }
    text
}

/// The machines of [`repair_toml`], not started; a helper has its shares of the parent, and the one
/// that has lost its own has none.
///
/// # Panics
/// If the parents have not finished, or the file is against the rules.
pub fn repair(parents: &[Machine], lost: &str, helpers: &[&str]) -> Vec<Machine> {
    let file = CeremonyFile::parse_toml(&repair_toml(parents, lost, helpers));
    let ceremony = Ceremony::try_from(file.expect("a well-formed file"));
    let ceremony = ceremony.expect("a repair within the rules");
    let ceremony = ceremony.with_parent_rows(rows(&parents[0])).expect("the rows of the parent");
    let ceremony = Arc::new(ceremony);
    let everybody = operators(8);
    let seats: Vec<_> = ceremony.roster().iter().collect();
    let machine = |(index, seat): &(_, &crate::spec::roster::Seat)| {
        let name = seat.card.name.as_str();
        let operator = everybody.iter().find(|one| card_name(one) == name);
        let machine = Machine::new(&ceremony, operator.expect("one of the eight"));
        match ceremony.parts().dealers.contains(*index) {
            true => with_old_shares(machine, parents),
            false => machine,
        }
    };
    seats.iter().map(machine).collect()
}
