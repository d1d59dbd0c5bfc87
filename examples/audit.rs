//! Audits a transcript offline, with the library alone.
//!
//!     cargo run --example audit -- transcript.quorate [ceremony.toml]
//!
//! With the ceremony file that the operators agreed to, the transcript is compared with it.

use std::error::Error;

use quorate::{Ceremony, CeremonyFile, Expectations, audit};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let transcript = std::fs::read(paths.next().ok_or("which transcript?")?)?;
    let agreed = match paths.next() {
        Some(path) => {
            let file = CeremonyFile::parse_toml(&std::fs::read_to_string(path)?)?;
            Some(Ceremony::try_from(file)?)
        }
        None => None,
    };
    let expected = Expectations { ceremony: agreed.as_ref(), ..Expectations::default() };
    let report = audit(&transcript, &expected);
    for line in report.lines() {
        println!("{:4} {:14} {}", line.code, line.status, line.detail);
    }
    let audited = report.audited().ok_or("the transcript is not sound")?;
    println!("\n{}", audited.ceremony().name());
    for validator in audited.validators() {
        println!("  0x{}", hex::encode(validator.public_key.to_compressed()));
    }
    if report.is_clean() { Ok(()) } else { Err("it is sound, and not what was expected".into()) }
}
