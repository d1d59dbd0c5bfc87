//! Process settings that must be in place before any secret is handled.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// Files are private unless somebody says otherwise; memory is neither dumped to a disk nor open to
/// other processes of this user.
///
/// What the system refuses is not an error: it protects against accidents, and no check depends on
/// it.
pub(crate) fn settle() {
    umask(Mode::RWXG | Mode::RWXO);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
