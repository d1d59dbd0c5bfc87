//! One operator of a ceremony over TCP, with progress of one's own. Each operator runs it.
//!
//!     cargo run -p quorate-operator --example over_tcp -- STATE PASSPHRASE_FILE CEREMONY LISTEN
//!
//! `quorate identity new` makes the state directory. No keystores are written here; the shares stay
//! in the log.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use quorate::exchange::{Notice, Pacing};
use quorate::primitives::secret::SecretBytes;
use quorate::{Ceremony, CeremonyFile, Operator, OwnSeat, Participant};
use quorate_operator::carrier::{Event, Tcp, TcpConfig};
use quorate_operator::store::{IDENTITY_FILE, StateDir, open_with_passphrase};
use quorate_operator::{Machine, Observer, drive};

/// Says what happens, a line each.
struct Lines;

impl Observer for Lines {
    fn carried(&mut self, event: &Event) {
        if let Event::Up { peer, address } = event {
            println!("operator {peer} is there, at {address}");
        }
    }

    fn told(&mut self, _: &Participant, notice: Notice) {
        println!("{notice:?}");
    }

    fn stands(&mut self, participant: &Participant) {
        println!("round {:?}", participant.waiting().round);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut word = || words.next().ok_or("STATE_DIR PASSPHRASE_FILE CEREMONY LISTEN");
    let (state, passphrase, file, listen) = (word()?, word()?, word()?, word()?);
    let file = std::fs::read(file)?;
    let parsed = CeremonyFile::parse_toml(std::str::from_utf8(&file)?)?;
    let ceremony = Arc::new(Ceremony::try_from(parsed)?);
    let state = StateDir::open(state.as_ref())?;
    let passphrase = std::fs::read_to_string(passphrase)?.trim_end().as_bytes().to_vec();
    let passphrase = SecretBytes::new(passphrase);
    let identity = open_with_passphrase(&state.read_identity()?, &passphrase, IDENTITY_FILE)?;
    let operator = Operator::from_secret_bytes(&identity)?.with_mark(state.read_mark()?);
    let seat = OwnSeat::find(ceremony, Arc::new(operator)).ok_or("no seat in this ceremony")?;
    let pacing = Pacing::new(Duration::from_secs(60));
    let (exchange, machine) = Machine::open(&state.lock()?, &seat, &file, Vec::new(), pacing)?;
    let channels = Tcp::start(TcpConfig::of(&seat, Some(listen.into()))).await?;
    let stop = std::future::pending();
    let ending = drive(exchange, machine, channels, &mut Lines, stop).await?;
    println!("{ending:?}");
    Ok(())
}
