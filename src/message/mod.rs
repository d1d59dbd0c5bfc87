//! Messages: decodes and authenticates statements. Opens no socket; a carrier moves the bytes and
//! is not trusted.

pub mod body;

pub mod complaint;

pub mod envelope;

pub mod inbox;

pub mod share_box;

pub mod shape;

pub mod sync;
