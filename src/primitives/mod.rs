//! Arithmetic, hashing, encoding. No ceremony words in this room.

pub mod codec;

pub mod curve;

pub mod hash;

pub mod secret;

pub mod x25519;
