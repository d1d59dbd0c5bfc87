//! Whole ceremonies in one process: participants with their disks, a network, and operators that break the rules. For tests and for
//! `quorate simulate`; in no ordinary build (feature `simulation`).

pub mod collusion;

pub mod forger;

pub mod machine;
