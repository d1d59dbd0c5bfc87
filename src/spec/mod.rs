//! What was agreed before anyone computed anything.

pub mod threshold;

pub use threshold::{Index, Threshold};
