//! Quorate: distributed key generation ceremonies for Ethereum validators.

pub mod carrier;

pub mod ethereum;

pub mod export;

pub mod identity;

pub mod primitives;

pub mod spec;
