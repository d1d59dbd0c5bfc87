//! Simulated ceremonies in one process: participants with their disks, a network, and operators
//! that break the rules. For tests and for `quorate simulate`; only in builds with the feature
//! `simulation`.

pub mod adversary;

pub mod bug;

pub mod campaign;

pub mod canary;

pub mod cast;

pub mod certificate;

pub mod chance;

pub mod coalition;

pub mod collusion;

pub mod disk;

mod draw;

pub mod flood;

pub mod forger;

pub mod fork;

pub mod home;

pub mod host;

pub mod lie;

pub mod lost;

pub mod machine;

pub mod mask;

pub mod network;

pub mod notes;

pub mod oracle;

#[cfg(test)]
mod parts;

mod parting;

mod people;

pub mod plan;

pub mod hub;

pub mod import;

pub mod repair;
pub mod reshare;

pub mod roster;

mod running;

pub mod verdict;

mod watched;

pub mod world;
