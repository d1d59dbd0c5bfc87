//! Formats and rules of Ethereum: networks, addresses, deposits, exits, builder registrations,
//! preregistrations, keystores, slashing protection; and those of Obol's and SSV's clusters. This
//! module knows nothing of ceremonies.

pub mod address;

pub mod amount;

pub mod bls;

pub mod deposit;

pub mod destination;

pub mod exit;

pub mod interchange;

pub mod json;

pub mod keystore;

pub mod network;

pub mod obol;

pub mod personal;

pub mod preregistration;

pub mod registration;

pub mod secp256k1;

pub mod ssv;

#[doc(hidden)]
pub mod ssz;
