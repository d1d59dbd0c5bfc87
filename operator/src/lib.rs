//! One operator of a ceremony on one machine, for programs that embed it: its files and its network
//! connections. No terminal, and no texts for people.

pub mod carrier;

pub mod store;
