//! A whole ceremony in one process: four operators, and a queue for a network.
//!
//!     cargo run --example in_memory

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use quorate::exchange::{Action, Event, Exchange, InMemory, Moment, Pacing};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::{Ceremony, CeremonyFile, Entropy, Expectations, Index, Operator, OperatorName};
use quorate::{OwnSeat, Participant, audit, container};

fn random() -> [u8; 32] {
    std::array::from_fn(|_| getrandom::u32().expect("the system has randomness").to_be_bytes()[0])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut file = "version = 2\nname = \"Example\"\nnetwork = \"hoodi\"\n".to_owned();
    file += &format!("id = \"{}\"\nthreshold = 3\n", hex::encode(random()));
    let mut operators = Vec::new();
    for name in ["alice", "bob", "carol", "dave"] {
        let seed = Secret32::new(&mut random());
        let operator = Arc::new(Operator::generate(OperatorName::parse(name)?, seed));
        file += &format!("[[operators]]\ncard = \"{}\"\n", operator.card().encode());
        operators.push(operator);
    }
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    file += &format!("[[validators]]\nwithdrawal = \"{address}\"\ncompounding = false\n");
    let ceremony = Arc::new(Ceremony::try_from(CeremonyFile::parse_toml(&file)?)?);

    let mut machines = Vec::new();
    for operator in operators {
        let seat = OwnSeat::find(ceremony.clone(), operator).ok_or("no seat")?;
        let (seed, extra) = (Secret32::new(&mut random()), SecretBytes::new(Vec::new()));
        let entropy = || Entropy { seed, nonce: random(), extra };
        let (participant, step) = Participant::start(seat, Vec::new(), entropy)?;
        let (mut log, pacing) = (InMemory::default(), Pacing::new(Duration::ZERO));
        machines.push((Exchange::begin(participant, step, pacing, &mut log)?, log));
    }

    let ups = |to| ceremony.indices().map(move |peer| (to, Event::Up(peer)));
    let mut network: VecDeque<(Index, Event)> = ceremony.indices().flat_map(ups).collect();
    while let Some((me, event)) = network.pop_front() {
        let (exchange, log) = &mut machines[me.position()];
        for action in exchange.handle(event, &Moment::default(), log)? {
            if let Action::Send { to, frame } = action {
                network.push_back((to, Event::Frame { from: me, bytes: frame.encode() }));
            }
        }
    }

    let statements = machines[0].0.participant().inbox().statements();
    let transcript = container::encode(&ceremony, statements)?;
    assert!(audit(&transcript, &Expectations::default()).is_clean());
    println!("Four operators made a key; the transcript verifies.");
    Ok(())
}
