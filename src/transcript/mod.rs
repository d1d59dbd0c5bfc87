//! The public record of a ceremony: one file that anyone can check without a network, a database or
//! a secret.

pub mod container;

mod error;

pub mod stopped;

mod written;
