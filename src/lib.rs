//! Distributed key generation ceremonies for Ethereum validators: operators who do not trust each
//! other make a BLS12-381 validator key that never exists in one place, sign its deposits, and
//! leave a transcript that anyone can audit offline.
//!
//! This crate is the pure part: it opens no file or socket, reads no clock, asks nobody for
//! randomness and starts no async runtime. Bytes, time and randomness come in as values.
//!
//! * **To audit a transcript**, call [`audit()`] and read the [`Report`]:
//!
//! ```
//! use quorate::{Expectations, audit};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let transcript = include_bytes!("../test-vectors/ceremony/2-of-3.quorate");
//! let report = audit(transcript, &Expectations::default());
//! assert!(report.is_clean());
//!
//! let audited = report.audited().ok_or("not a sound transcript")?;
//! for validator in audited.validators() {
//!     println!("0x{}", hex::encode(validator.public_key.to_compressed()));
//! }
//! # Ok(())
//! # }
//! ```
//!
//!   Sound is not the same as agreed: bring the [`Ceremony`] that you agreed to in
//!   [`Expectations::ceremony`], or read the report's ceremony yourself.
//! * **To take part**, make a [`Participant`] and give it to an [`Exchange`], which decides what is
//!   sent to whom and when. You move frames and implement [`exchange::Storage`]. `examples/` has a
//!   whole ceremony in memory in 60 lines. The crate `quorate-operator` has the files, the TCP
//!   channels and the loop.
//! * **To read or write what others need**, see [`export`] (deposits, registrations, exits,
//!   keystores, Obol, SSV) and [`signing`] (exits and deposits after the ceremony).
//!
//! The rooms, each of which uses only those before it: [`primitives`], [`identity`], [`ethereum`],
//! [`spec`], [`message`], [`protocol`], [`exchange`], [`export`], [`transcript`], [`mod@audit`],
//! [`signing`]. What is signed, and every check and code, is specified in `ceremony-specs/`; a
//! verifier can be written from that text alone.
//!
//! What this documentation leaves out but the compiler can reach is open for this workspace's own
//! tests, benches and fuzz targets. Nothing is promised about it.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod primitives;

pub mod identity;

pub mod ethereum;

pub mod spec;

pub mod message;

pub mod protocol;

pub mod exchange;

pub mod export;

pub mod transcript;

pub mod audit;

pub mod registered;

pub mod dossier;

pub mod signing;

#[cfg(feature = "simulation")]
pub mod simulation;

pub use audit::audit;
pub use audit::expectation::Expectations;
pub use audit::facts::Audited;
pub use audit::report::{Report, Status};
pub use exchange::Exchange;
pub use identity::{Operator, OperatorCard, OperatorName};
pub use protocol::outcome::Outcome;
pub use protocol::participant::{Entropy, OwnSeat, Participant};
pub use spec::{Ceremony, CeremonyFile, Index};
pub use transcript::container;
