//! Quorate: distributed key generation ceremonies for Ethereum validators.

pub mod primitives;
