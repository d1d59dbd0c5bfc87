//! Rows of the chapter "Attacks" (`ceremony-specs/10-attacks.md`) that need a disk which fails or
//! lies; all others are in `cli/tests/attacks`.

use super::{crash, failure};

/// O1: no space, from every single effect on.
#[test]
fn attack_o1_full_disk() {
    failure::a_full_disk_loses_nothing();
}

/// O2: the power goes before every single effect.
#[test]
fn attack_o2_crash_between_effects() {
    crash::a_log_keeps_what_it_acknowledged();
    crash::outputs_appear_together_or_not_at_all();
}

/// O5: a write that stores something else, a sync that stores nothing, and both say that all is
/// well.
#[test]
fn attack_o5_lying_disk() {
    failure::a_disk_that_writes_something_else_is_found_out();
    failure::a_disk_that_does_not_sync_is_found_out();
}
