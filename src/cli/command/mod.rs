//! One file for each command.

pub(crate) mod audit;

pub(crate) mod completions;

pub(crate) mod demo;

pub(crate) mod identity;

pub(crate) mod man;

pub(crate) mod run;

#[cfg(feature = "simulation")]
pub(crate) mod simulate;

pub(crate) mod spec;

pub(crate) mod status;
