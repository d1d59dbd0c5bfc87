//! Operators under attack from the network: thousands of half-open connections, garbage at line
//! rate, and a flooding operator.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quorate::message::shape::Shape;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::cluster::{Cluster, Size, scratch};
use crate::member::{Flood, Member};
use crate::support::program::{command_of, limited};
use crate::support::running::{Running, no_starts};
use crate::{Chance, alone, seed, setting};

/// The promise: memory of an operator under siege, KiB. Keys and keystores are sealed with cheap
/// parameters here: scrypt as people have it takes 128 MiB for a moment, siege or not.
const MOST_MEMORY: u64 = 128 << 10;
const PATIENCE: Duration = Duration::from_secs(600);
const SIZE: Size = Size { n: 4, t: 3, v: 20 };
/// Of the connections of one besieger, those that send garbage as fast as it is taken.
const GARBAGE: usize = 4;

/// A process that besieges one operator, told by the environment: it needs descriptors of its own.
#[test]
#[ignore = "not a test: the others run it as a process"]
fn besieger() {
    let Ok(target) = std::env::var("QUORATE_SOAK_TARGET") else { return };
    let count = usize::try_from(setting("QUORATE_SOAK_HALF_OPEN").unwrap()).unwrap();
    let report = std::env::var("QUORATE_SOAK_REPORT").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let counters = Arc::new([const { AtomicU64::new(0) }; 3]);
        let mut most = 0;
        for number in 0..count {
            tokio::spawn(besiege(target.clone(), number, counters.clone()));
        }
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let [open, made, sent] = [0, 1, 2].map(|i| counters[i].load(Ordering::Relaxed));
            most = open.max(most);
            // Whole, for whoever reads meanwhile.
            fs::write(format!("{report}.new"), format!("{most} {made} {sent}")).unwrap();
            fs::rename(format!("{report}.new"), &report).unwrap();
        }
    });
}

/// Connects again and again, and then: nothing, or the beginning of something, or garbage without
/// end.
async fn besiege(target: String, number: usize, counters: Arc<[AtomicU64; 3]>) {
    let mut chance = Chance::new(u64::from(std::process::id()), u64::try_from(number).unwrap());
    let beginning = [&b"QRTC\0\x01\0\x04\0\x01"[..], &[0; 20]].concat();
    loop {
        let [_, b, c, d, ..] = chance.bytes();
        let from = Ipv4Addr::new(127, b, c, d.clamp(1, 254));
        let connected = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((from, 0).into())?;
            socket.connect(target.parse().unwrap()).await
        };
        let Ok(mut stream) = connected.await else {
            tokio::time::sleep(chance.millis(200)).await;
            continue;
        };
        counters[0].fetch_add(1, Ordering::Relaxed);
        counters[1].fetch_add(1, Ordering::Relaxed);
        if number < GARBAGE {
            let garbage = [chance.bytes(), chance.bytes()].concat().repeat(256);
            while stream.write_all(&garbage).await.is_ok() {
                counters[2].fetch_add(u64::try_from(garbage.len()).unwrap(), Ordering::Relaxed);
            }
        } else {
            if number.is_multiple_of(2) {
                // Whether it is taken does not matter.
                let _ = stream.write_all(&beginning).await;
            }
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        counters[0].fetch_sub(1, Ordering::Relaxed);
        drop(stream);
        tokio::task::yield_now().await;
    }
}

/// Besiegers of all operators that listen.
struct Siege(Vec<(Child, std::path::PathBuf)>);

impl Siege {
    fn lay(cluster: &Cluster, half_open: usize) -> Self {
        let besieger = |i: usize| {
            let report = cluster.root.join(format!("besieger-{i}"));
            let args = ["--exact", "siege::besieger", "--ignored"];
            let mut command = command_of(std::env::current_exe().unwrap(), &cluster.root, &args);
            command.stdout(Stdio::null());
            command
                .env("QUORATE_SOAK_TARGET", &cluster.places[i].listen)
                .env("QUORATE_SOAK_REPORT", &report);
            command.env("QUORATE_SOAK_HALF_OPEN", half_open.to_string());
            let _start = no_starts();
            (command.spawn().unwrap(), report)
        };
        Self((0..cluster.n() - 1).map(besieger).collect())
    }

    /// For each besieger: most connections open at a time, connections made, bytes of garbage.
    fn reports(&self) -> Vec<[u64; 3]> {
        let read = |path: &Path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or(0));
            [0; 3].map(|_: i32| numbers.next().unwrap_or(0))
        };
        self.0.iter().map(|(_, path)| read(path)).collect()
    }
}

impl Drop for Siege {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Peak memory so far, KiB; 0 where the system does not tell, or when the process is gone.
fn peak_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Processor time so far, in hundredths of a second; 0 where the system does not tell, or when the
/// process is gone.
fn processor_time(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything: the state is the first, user and system time are
    // the twelfth and the thirteenth.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse().unwrap_or(0)).sum()
}

/// Waits until all have ended well; the peak memory of each, KiB.
fn finish(cluster: &Cluster, running: Vec<Running>) -> Vec<u64> {
    watch(cluster, running, peak_memory)
}

/// Waits until all have ended well; the most that `measure` said of each.
fn watch(cluster: &Cluster, mut running: Vec<Running>, measure: fn(u32) -> u64) -> Vec<u64> {
    let mut peaks = vec![0; running.len()];
    let end = Instant::now() + PATIENCE;
    let mut left = running.len();
    let mut done = vec![false; running.len()];
    while left > 0 {
        for (i, process) in
            running.iter_mut().enumerate().filter(|(i, _)| !done[*i]).collect::<Vec<_>>()
        {
            peaks[i] = peaks[i].max(measure(process.id()));
            if let Some(ended) = process.poll() {
                assert_eq!(ended.code, 0, "operator {}: {}", i + 1, ended.stderr);
                done[i] = true;
                left -= 1;
            }
        }
        assert!(Instant::now() < end, "not finished; {}", cluster.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    peaks
}

fn half_open(short: u64) -> usize {
    usize::try_from(setting("QUORATE_SOAK_HALF_OPEN").unwrap_or(short)).unwrap()
}

/// A ceremony of four processes without trouble: how long it takes.
fn undisturbed(chance: &mut Chance) -> Duration {
    let root = scratch();
    let cluster = Cluster::local(root.path(), SIZE, chance);
    let begun = Instant::now();
    let peaks = finish(&cluster, (0..SIZE.n).map(|i| cluster.start(i)).collect());
    eprintln!(
        "no siege: {:.1} s, peak memory of each operator {peaks:?} KiB",
        begun.elapsed().as_secs_f64()
    );
    begun.elapsed()
}

fn told(what: &str, begun: Instant, peaks: &[u64], reports: &[[u64; 3]]) {
    let sum = |i: usize| reports.iter().map(|report| report[i]).sum::<u64>();
    eprintln!(
        "{what}: {:.1} s, peak memory of each operator {peaks:?} KiB; besiegers: most open {:?}, \
         {} connections made, {} MiB of garbage",
        begun.elapsed().as_secs_f64(),
        reports.iter().map(|report| report[0]).collect::<Vec<_>>(),
        sum(1),
        sum(2) >> 20,
    );
    assert!(peaks.iter().all(|peak| *peak < MOST_MEMORY), "{peaks:?} KiB");
}

/// Waits until the besiegers have opened what they can: they hold what they are to hold, or are
/// turned away again and again.
fn until_laid(siege: &Siege, half_open: usize) {
    let enough = u64::try_from(half_open).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !siege.reports().iter().all(|report| report[1] >= enough) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(siege.reports().iter().all(|report| report[1] >= enough), "{:?}", siege.reports());
}

#[test]
fn strangers_keep_nobody_from_a_ceremony() {
    let _alone = alone();
    let mut chance = Chance::new(seed("siege by strangers"), 0);
    let half_open = half_open(500);
    undisturbed(&mut chance);
    let root = scratch();
    let cluster = Cluster::local(root.path(), SIZE, &mut chance);
    // Those who listen come first, and are besieged before the last one, who completes the
    // ceremony, calls.
    let mut running: Vec<Running> = (0..SIZE.n - 1).map(|i| cluster.start(i)).collect();
    let siege = Siege::lay(&cluster, half_open);
    until_laid(&siege, half_open);
    let begun = Instant::now();
    running.push(cluster.start(SIZE.n - 1));
    let peaks = finish(&cluster, running);
    told(
        &format!("{half_open} half-open connections to each operator that listens"),
        begun,
        &peaks,
        &siege.reports(),
    );
    drop(siege);
    cluster.check().unwrap();
}

#[test]
fn few_descriptors_are_enough_under_siege() {
    let _alone = alone();
    let mut chance = Chance::new(seed("few descriptors"), 0);
    let root = scratch();
    let cluster = Cluster::local(root.path(), SIZE, &mut chance);
    let start = |i: usize| cluster.start_with(i, limited("-n 48", &cluster.command(i)));
    let mut running: Vec<Running> = (0..SIZE.n - 1).map(start).collect();
    let siege = Siege::lay(&cluster, 100);
    until_laid(&siege, 100);
    running.push(start(SIZE.n - 1));
    finish(&cluster, running);
    drop(siege);
    cluster.check().unwrap();
}

#[test]
fn a_member_that_floods_keeps_nobody_from_a_ceremony() {
    let _alone = alone();
    let mut chance = Chance::new(seed("siege by a member"), 0);
    let half_open = half_open(100);
    let root = scratch();
    let cluster = Cluster::local(root.path(), SIZE, &mut chance);
    let running: Vec<Running> = (0..SIZE.n - 1).map(|i| cluster.start(i)).collect();
    let siege = Siege::lay(&cluster, half_open);
    until_laid(&siege, half_open);
    let begun = Instant::now();
    let member = Member::start(&cluster, Flood::Everything, chance.clone());
    let peaks = finish(&cluster, running);
    let what = format!(
        "a member that floods ({}) and gets {} KiB, and {half_open} half-open connections to each",
        member.counts(),
        member.received() >> 10
    );
    told(&what, begun, &peaks, &siege.reports());
    // However often he says that he lacks everything, each of the others gives it to him 64 times
    // and then twice a second at most.
    let shape = Shape::of(&cluster.ceremony);
    let statements: usize =
        shape.slots().map(|(round, seat)| shape.statement_bytes(seat, round).unwrap()).sum();
    let everything = u64::try_from(statements + shape.box_bytes() + 1024).unwrap();
    let answers = 64 + 2 * (begun.elapsed().as_secs() + 1);
    let most = u64::try_from(shape.n - 1).unwrap() * answers * everything;
    assert!(member.received() <= most, "{} bytes, {most} expected at most", member.received());
    drop((member, siege));
    cluster.check_among(SIZE.n - 1).unwrap();
}

/// What honest operators compute while a member says without end that it lacks everything, against
/// the same ceremony with a member that keeps the rules. It measures and judges nothing.
#[test]
#[ignore = "a measurement: QUORATE_SOAK_VALIDATORS=1000 makes it the largest"]
fn what_frames_of_have_cost() {
    let _alone = alone();
    let mut chance = Chance::new(seed("frames of have"), 0);
    let v = usize::try_from(setting("QUORATE_SOAK_VALIDATORS").unwrap_or(20)).unwrap();
    let mut measured = |flood| {
        let root = scratch();
        let cluster =
            Cluster::local_with_eight_deposits(root.path(), Size { v, ..SIZE }, &mut chance);
        let running: Vec<Running> = (0..SIZE.n - 1).map(|i| cluster.start(i)).collect();
        let begun = Instant::now();
        let member = Member::start(&cluster, flood, chance.clone());
        let times = watch(&cluster, running, processor_time);
        cluster.check_among(SIZE.n - 1).unwrap();
        let total = times.iter().sum::<u64>();
        eprintln!(
            "{v} validators with eight deposits each, member sent {}: {:.1} s, processor time of \
             the honest {times:?}, {total} hundredths of a second in all",
            member.counts(),
            begun.elapsed().as_secs_f64(),
        );
        total
    };
    for _ in 0..3 {
        let (without, with) = (measured(Flood::Nothing), measured(Flood::Haves));
        eprintln!("with / without: {:.2}", with as f64 / without as f64);
    }
}
