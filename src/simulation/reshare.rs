//! Reshares in memory, of keys that a ceremony in memory has made.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::message::envelope::Round;
use crate::message::minima::{Minima, Signed};
use crate::message::shape::Shape;
use crate::message::sync::Frame;
use crate::primitives::commitment::Commitments;
use crate::primitives::secret::SecretBytes;
use crate::protocol::checks;
use crate::protocol::dealt::added;
use crate::protocol::participant::{Input, Refused};
use crate::protocol::record::Record;
use crate::protocol::seat::OldShares;
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;
use crate::spec::seats::Seats;

use super::machine::{Crashed, Machine, bytes, operators};

/// What an operator does in a reshare: its name, and whether it deals and receives. One that does
/// neither witnesses; one that receives may do so besides ([`witnessed_toml`]).
pub type Part = (&'static str, bool, bool);

/// The summed commitments of a finished ceremony, one row for each validator.
///
/// # Panics
/// If the machine has not finished.
pub fn rows(machine: &Machine) -> Commitments {
    let ceremony = &machine.seat.ceremony;
    let shape = Shape::of(ceremony);
    let deals = machine.participant().inbox().complete(Round::Deal).expect("it has finished");
    let decoded = checks::decode_deals(&deals, &shape, None).expect("they were checked");
    added(ceremony, &decoded).expect("they were added up")
}

/// A reshare file of what `parents` hold after their ceremony, with threshold `t`, of the
/// validators `which` (positions).
pub fn reshare_toml(parents: &[Machine], parts: &[Part], t: usize, which: &[usize]) -> String {
    witnessed_toml(parents, parts, &[], t, which)
}

/// The same, where these receivers witness besides.
pub fn witnessed_toml(
    parents: &[Machine],
    parts: &[Part],
    also_witness: &[&str],
    t: usize,
    which: &[usize],
) -> String {
    let parent = &parents[0];
    let outcome = parent.participant().outcome().expect("it has finished");
    let (threshold, own) = (parent.seat.ceremony.threshold(), of(&rows(parent), which));
    let mut text = format!(
        "version = 2\nname = \"Test reshare\"\nid = \"{}\"\nnetwork = \"hoodi\"\nthreshold = {t}\n\
         [policy]\nallow_all_required = true\n[parent]\ncertificate = \"{}\"\nrows = \"{}\"\n\
         operators = {}\nthreshold = {}\n",
        hex::encode(bytes(&format!("reshare of {}", outcome.certificate))),
        outcome.certificate,
        own.merkle_root(),
        threshold.participants(),
        threshold.required(),
    );
    let everybody = operators(8);
    for (name, deals, receives) in parts {
        let named = |operator: &&Arc<_>| card_name(operator) == *name;
        let operator = everybody.iter().find(named).expect("one of the eight");
        let card = operator.card().encode();
        writeln!(text, "[[operators]]\ncard = \"{card}\"").expect("a string");
        let mut receivers = parent.seat.ceremony.receivers();
        let old = receivers.position(|(_, seat)| seat.card.name.as_str() == *name);
        let role = if *deals { "deals" } else { "witness" };
        let stops = *deals || !receives || also_witness.contains(name);
        if let Some(place) = old.filter(|_| stops) {
            let receiver = parent.seat.ceremony.receivers().nth(place).expect("it was found");
            let (index, point) = (place + 1, receiver.1.point);
            writeln!(text, "{role} = {index}\nold_point = {point}").expect("a string");
        }
        if !receives {
            writeln!(text, "receives = false").expect("a string");
        }
    }
    for v in which {
        let key = hex::encode(outcome.validators[*v].public_key.to_compressed());
        write!(
            text,
            "[[validators]]\nfirst = {}\nkeys = [\"0x{key}\"]\n\
             withdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n",
            v + 1
        )
        .expect("a string");
    }
    text
}

pub(super) fn card_name(operator: &crate::identity::operator::Operator) -> String {
    operator.card().name.to_string()
}

fn of(rows: &Commitments, which: &[usize]) -> Commitments {
    Commitments::new(rows.t(), which.iter().flat_map(|v| rows.row(*v).to_vec()).collect())
}

/// The machines of [`reshare_toml`], not started; a dealer has its shares of the parent.
///
/// # Panics
/// If the parents have not finished, or the file is against the rules.
pub fn reshare(parents: &[Machine], parts: &[Part], t: usize, which: &[usize]) -> Vec<Machine> {
    witnessed(parents, parts, &[], t, which)
}

/// The same, where these receivers witness besides.
///
/// # Panics
/// As [`reshare`].
pub fn witnessed(
    parents: &[Machine],
    parts: &[Part],
    also_witness: &[&str],
    t: usize,
    which: &[usize],
) -> Vec<Machine> {
    let text = witnessed_toml(parents, parts, also_witness, t, which);
    let file = CeremonyFile::parse_toml(&text).expect("a well-formed file");
    let ceremony = Ceremony::try_from(file).expect("a reshare within the rules");
    let own = of(&rows(&parents[0]), which);
    let ceremony = Arc::new(ceremony.with_parent_rows(own).expect("the rows of the parent"));
    let everybody = operators(8);
    let machine = |(name, deals, _): &Part| {
        let operator = everybody.iter().find(|one| card_name(one) == *name);
        let machine = Machine::new(&ceremony, operator.expect("one of the eight"));
        if *deals { with_old_shares(machine, parents) } else { machine }
    };
    parts.iter().map(machine).collect()
}

/// The machine with the shares that its operator has after the ceremony of `parents`.
pub(super) fn with_old_shares(mut machine: Machine, parents: &[Machine]) -> Machine {
    let name = card_name(&machine.seat.operator);
    let parent = parents.iter().find(|parent| card_name(&parent.seat.operator) == name);
    let parent = parent.expect("a dealer was there");
    let records = parent
        .log
        .iter()
        .map(|(kind, body)| Record { kind: *kind, body: SecretBytes::new(body.clone()) });
    let records: Vec<Record> = records.collect();
    let spec = machine.seat.ceremony.reshare().expect("it has a parent");
    let old = OldShares::of(&records, parent.seat.ceremony.v(), spec);
    machine.seat = machine.seat.with_old_shares(Arc::new(old.expect("its shares")));
    machine
}

/// Minima of `validators` validators, in which every number is `height`.
pub fn minima(validators: usize, height: u64) -> Minima {
    let signed = Signed { slot: 32 * height, source: height.saturating_sub(1), target: height };
    Minima { signed: vec![Some(signed); validators] }
}

impl Machine {
    /// Its person stops the old keys; gives what follows for everybody.
    pub fn stop(&mut self, minima: Minima) -> Result<Result<Vec<Frame>, Refused>, Crashed> {
        self.take(Input::Stopped(minima))
    }

    /// Its person finishes without these seats; gives what follows for everybody.
    pub fn finish_without(&mut self, lost: Seats) -> Result<Result<Vec<Frame>, Refused>, Crashed> {
        self.take(Input::Without(lost))
    }
}
