//! What was agreed before anyone computed anything: the ceremony file as people write it, the
//! checked [`Ceremony`], the canonical bytes that everyone signs, and what a person is shown before
//! consenting.

pub mod canonical;

pub mod ceremony;

pub mod endpoint;

pub mod error;

pub mod file;

pub mod kind;

pub mod obol;

pub mod roster;

pub mod seats;

pub mod show;

pub mod ssv;

pub mod threshold;

mod toml_text;

pub use ceremony::{Ceremony, RegistrationSpec, ValidatorSpec};
pub use endpoint::Endpoint;
pub use error::{Place, SpecError};
pub use file::CeremonyFile;
pub use kind::CeremonyKind;
pub use roster::{Roster, Seat};
pub use ssv::SsvSpec;
pub use threshold::{Index, Threshold};
