//! Arithmetic, hashing, encoding. This module knows nothing of ceremonies.

#[doc(hidden)]
pub mod batch;

#[doc(hidden)]
pub mod codec;

#[doc(hidden)]
pub mod commitment;

// The flag is the compiler's, not a feature: no crate of a dependency graph can set it.
#[cfg_attr(quorate_toy_curve, path = "curve_toy/mod.rs")]
pub mod curve;

pub mod hash;

#[cfg_attr(quorate_toy_curve, path = "kernel_toy.rs")]
mod kernel;

#[doc(hidden)]
pub mod lagrange;

#[doc(hidden)]
pub mod memo;

pub mod noise;

#[doc(hidden)]
pub mod polynomial;

#[doc(hidden)]
pub mod possession;

pub mod secret;

pub mod x25519;
