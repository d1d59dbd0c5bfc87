//! CPU time of a process, and the speed of the core while it was measured.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use super::floor::curve;

/// Products of field elements in one look at the core's pace: about 60 µs.
const CHAIN: u32 = 1500;

/// What a piece of work cost.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// CPU time of all threads of the process, in milliseconds.
    pub process: f64,
    /// CPU time of the calling thread, in milliseconds.
    pub thread: f64,
    /// Process time divided by the core's pace around the work: millions of field products that it
    /// could have done instead. This is what is compared, since neighbours slow a core by up to two
    /// for minutes.
    pub products: f64,
    /// Nanoseconds of a field product, the faster of before and after.
    pub pace: f64,
}

impl Cost {
    /// Of one of `count` times.
    pub fn divide(&mut self, count: f64) {
        [&mut self.process, &mut self.thread, &mut self.products]
            .into_iter()
            .for_each(|sum| *sum /= count);
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.pace = if self.pace == 0.0 { other.pace } else { self.pace.min(other.pace) };
        self.process += other.process;
        self.thread += other.thread;
        self.products += other.products;
    }
}

fn milliseconds(clock: ClockId) -> f64 {
    let now = clock_gettime(clock);
    #[allow(clippy::cast_precision_loss, reason = "microseconds of a run fit 52 bits")]
    let all = (now.tv_sec as f64, now.tv_nsec as f64);
    all.0 * 1e3 + all.1 / 1e6
}

/// Nanoseconds of one product in a chain of dependent field products.
pub fn pace() -> f64 {
    let start = milliseconds(ClockId::ThreadCPUTime);
    curve::chain(CHAIN);
    (milliseconds(ClockId::ThreadCPUTime) - start) * 1e6 / f64::from(CHAIN)
}

/// No clock is read once this is set: instructions are counted from outside, where these clocks do
/// not work.
pub static COUNTING: AtomicBool = AtomicBool::new(false);

/// A look at the core's pace, and the clocks after it.
pub struct Clock(Option<(f64, (f64, f64))>);

fn clocks() -> (f64, f64) {
    (milliseconds(ClockId::ProcessCPUTime), milliseconds(ClockId::ThreadCPUTime))
}

impl Clock {
    /// From now on.
    pub fn start() -> Self {
        let counting = COUNTING.load(Ordering::Relaxed);
        Self((!counting).then(|| (pace(), clocks())))
    }

    /// What was paid since the start, until a second look at the core's pace.
    pub fn elapsed(&self) -> Cost {
        let Some((before, start)) = self.0 else { return Cost::default() };
        let end = clocks();
        let after = pace();
        let process = end.0 - start.0;
        Cost {
            process,
            thread: end.1 - start.1,
            products: process / ((before + after) / 2.0),
            pace: before.min(after),
        }
    }
}

/// Does `work` between two looks at the core's pace.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let clock = Clock::start();
    let done = work();
    (done, clock.elapsed())
}

/// Keeps this process to one core, so that it starts as many threads as it can use: one. That core
/// is the one it runs on; the first one when instructions are counted.
pub fn keep_to_one_core() {
    let counting = COUNTING.load(Ordering::Relaxed);
    let kept = sched_getaffinity(None).and_then(|allowed| {
        let first = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).unwrap_or(0);
        let mut core = CpuSet::new();
        core.set(if counting { first } else { sched_getcpu() });
        sched_setaffinity(None, &core)
    });
    if let Err(error) = kept {
        eprintln!("every core may be used: {error}");
    }
}

/// Most memory that this process ever had, in KiB: `VmHWM`.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
