//! Arithmetic, hashing, encoding. No ceremony words in this room.

pub mod batch;

pub mod codec;

pub mod commitment;

pub mod curve;

pub mod hash;

pub mod lagrange;

pub mod noise;

pub mod polynomial;

pub mod possession;

pub mod secret;

pub mod x25519;
