//! Ceremonies for SSV: the spec, whole ceremonies in memory, and operators that publish false
//! proofs.
#![allow(clippy::unwrap_used, missing_docs)]

mod again;
mod ceremonies;
#[path = "../common/mod.rs"]
mod common;
mod compared;
mod faults;
mod spec;

use std::sync::Arc;

use common::{Machine, bytes};
use quorate::ethereum::ssv::RsaSecret;
use quorate::identity::card::OperatorName;
use quorate::identity::operator::Operator;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::spec::{Ceremony, CeremonyFile};

const OWNER: &str = "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9";
/// SSV's numbers of thirteen operators.
const IDS: [u64; 13] = [11, 22, 33, 44, 55, 66, 77, 88, 99, 110, 111, 112, 113];

const TWO: &str = r#"
[[validators]]
count = 2
withdrawal = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
compounding = false
"#;

/// The RSA key at a position, from 0; published, and of no use to anybody.
fn rsa(position: usize) -> RsaSecret {
    let path =
        format!("{}/test-vectors/ssv/keys/{:02}.pem", env!("CARGO_MANIFEST_DIR"), position + 1);
    RsaSecret::from_pem(&SecretBytes::new(std::fs::read(path).unwrap())).ok().unwrap()
}

/// Operators, the same in every run.
fn operators(n: usize) -> Vec<Arc<Operator>> {
    let one = |i: usize| {
        let name = OperatorName::parse(&format!("member-{}", IDS[i])).unwrap();
        Arc::new(Operator::generate(name, Secret32::new(&mut bytes(&format!("ssv operator {i}")))))
    };
    (0..n).map(one).collect()
}

/// The file of a cluster of `n` that `threshold` can sign for, on hoodi.
fn file(n: usize, threshold: usize, validators: &str) -> String {
    let id = hex::encode(bytes("ssv ceremony"));
    let mut text = format!(
        "version = 2\nname = \"SSV\"\nid = \"{id}\"\nnetwork = \"hoodi\"\nthreshold = {threshold}\n"
    );
    text += &format!("[ssv]\nowner = \"{OWNER}\"\nnonce = 7\n");
    for (i, operator) in operators(n).iter().enumerate() {
        let (card, key) = (operator.card().encode(), rsa(i).public().to_text());
        text +=
            &format!("[[operators]]\ncard = \"{card}\"\npoint = {}\nssv_key = \"{key}\"\n", IDS[i]);
    }
    text + validators
}

fn ceremony(text: &str) -> Arc<Ceremony> {
    Arc::new(Ceremony::try_from(CeremonyFile::parse_toml(text).unwrap()).unwrap())
}

/// Machines that have their RSA keys, not started.
fn machines(n: usize, threshold: usize) -> Vec<Machine> {
    let ceremony = ceremony(&file(n, threshold, TWO));
    let machine = |(i, operator): (usize, &Arc<Operator>)| {
        let mut machine = Machine::new(&ceremony, operator);
        machine.seat = machine.seat.with_ssv_key(Arc::new(rsa(i)));
        machine
    };
    operators(n).iter().enumerate().map(machine).collect()
}
