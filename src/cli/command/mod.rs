//! commands
pub(crate) mod demo;
pub(crate) mod run;
