//! Arithmetic, hashing, encoding. This module knows nothing of ceremonies.

pub mod batch;

pub mod codec;

pub mod commitment;

// The flag is the compiler's, not a feature: no crate of a dependency graph can set it.
#[cfg_attr(quorate_toy_curve, path = "curve_toy/mod.rs")]
pub mod curve;

pub mod hash;

#[cfg_attr(quorate_toy_curve, path = "kernel_toy.rs")]
mod kernel;

pub mod lagrange;

pub mod memo;

pub mod noise;

pub mod polynomial;

pub mod possession;

pub mod secret;

pub mod x25519;
