//! The spec, which the operators agree on before a ceremony: the ceremony file, the checked
//! [`Ceremony`], the canonical bytes that all operators sign, and the summary that a person reads
//! before consenting.

pub mod canonical;

pub mod ceremony;

pub mod endpoint;

pub mod error;

pub mod file;

mod fingerprint;

pub mod kind;

mod network;

pub mod obol;

pub mod pack;

pub mod packet;

pub mod parent;

pub mod preregistration;

pub mod rehearsal;

pub mod repair;

pub mod reshare;

mod reshare_error;

pub mod roster;

pub mod seats;

pub mod show;

mod show_repair;

mod show_reshare;

pub mod ssv;

mod terms;

pub mod threshold;

mod toml_text;

mod validator;

pub mod version;

pub use ceremony::{Ceremony, RegistrationSpec, ValidatorSpec};
pub use endpoint::Endpoint;
pub use error::{Place, SpecError};
pub use file::CeremonyFile;
pub use kind::CeremonyKind;
pub use roster::{Roster, Seat};
pub use ssv::SsvSpec;
pub use threshold::{Index, Threshold};
pub use version::Version;
