//! One operator of a ceremony on a machine, for whoever embeds it: its files and its carriers.
//! No terminal, and no words for people.

pub mod carrier;

pub mod store;
