//! Quorate: distributed key generation ceremonies for Ethereum validators.

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

pub mod signing;

#[cfg(feature = "simulation")]
pub mod simulation;
