//! Messages: decodes and authenticates statements. Opens no socket; a carrier moves the bytes and
//! is not trusted.

#[doc(hidden)]
pub mod body;

#[doc(hidden)]
pub mod complaint;

pub mod done;

pub mod envelope;

#[doc(hidden)]
pub mod inbox;

pub mod minima;

pub mod posting;
pub mod probe;

#[doc(hidden)]
pub mod share_box;

pub mod shape;

pub mod sync;

pub mod without;
