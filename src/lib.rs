//! Quorate: distributed key generation ceremonies for Ethereum validators.

pub mod ethereum;

pub mod primitives;
