//! Operators in separate network namespaces behind one switch, with unplugged links, and with loss
//! and delay where the kernel has netem.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Place, Size, scratch};
use crate::support::program::behind;
use crate::support::running::Running;
use crate::{Chance, inside, seed, setting, with_others};

const SIZE: Size = Size { n: 4, t: 3, v: 1 };
const PATIENCE: Duration = Duration::from_secs(180);
const PROBE: &str = "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && ip \
                     netns add a && \
                     ip link add switch type bridge && ip link add x1 type veth peer name y1 && ip \
                     link set y1 netns a";

#[test]
fn cables_that_are_pulled_keep_nobody_from_finishing() {
    let _with = with_others();
    let seed = seed("network namespaces");
    inside("-Urnm", PROBE, "namespaces::in_namespaces", seed);
}

fn sh(line: &str) -> bool {
    Command::new("sh").args(["-c", line]).output().is_ok_and(|output| output.status.success())
}

#[test]
#[ignore = "not a test: runs in namespaces of its own"]
fn in_namespaces() {
    if setting("QUORATE_SOAK_INSIDE").is_none() {
        return;
    }
    let seed = seed("network namespaces, inside");
    let count = setting("QUORATE_SOAK_CEREMONIES").map_or(1, |count| (count / 20).max(1));
    assert!(sh(
        "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && ip link add switch \
         type bridge && ip link set switch up"
    ));
    let mut loss = true;
    for i in 1..=SIZE.n {
        assert!(sh(&format!(
            "ip netns add o{i} && ip link add h{i} type veth peer name e{i} && ip link set e{i} \
             netns o{i} && \
             ip link set h{i} master switch up && ip -n o{i} addr add 10.77.0.{i}/24 dev e{i} && \
             ip -n o{i} link set e{i} up && \
             ip -n o{i} link set lo up"
        )));
        loss &= sh(&format!(
            "ip netns exec o{i} tc qdisc add dev e{i} root netem loss 10% delay 20ms 10ms reorder \
             5%"
        ));
    }
    if !loss {
        eprintln!(
            "!! SKIPPED loss and delay between namespaces: this kernel has no netem; cables are \
             pulled all the same"
        );
    }
    let (begun, mut pulled) = (Instant::now(), 0);
    for number in 0..count {
        let mut chance = Chance::new(seed, number);
        let root = scratch();
        let place = |i| Place {
            listen: format!("0.0.0.0:{}", 3610 + number),
            address: format!("10.77.0.{i}:{}", 3610 + number),
        };
        let places = (1..=SIZE.n).map(place).collect();
        let cluster = Cluster::new(root.path(), SIZE, &mut chance, places, &BTreeMap::new());
        let start = |i: usize| {
            let namespace = format!("o{}", i + 1);
            cluster.start_with(i, behind(&["ip", "netns", "exec", &namespace], &cluster.command(i)))
        };
        let mut running: Vec<Running> = (0..SIZE.n).map(start).collect();
        let (calm, end) = (Instant::now() + Duration::from_secs(4), Instant::now() + PATIENCE);
        let mut done = [false; SIZE.n];
        while done.contains(&false) {
            if Instant::now() < calm {
                let victim = 1 + chance.below(SIZE.n);
                assert!(sh(&format!("ip link set h{victim} down")));
                std::thread::sleep(chance.millis(600));
                assert!(sh(&format!("ip link set h{victim} up")));
                pulled += 1;
            }
            std::thread::sleep(chance.millis(150));
            for (i, process) in
                running.iter_mut().enumerate().filter(|(i, _)| !done[*i]).collect::<Vec<_>>()
            {
                if let Some(ended) = process.poll() {
                    assert_eq!(ended.code, 0, "operator {}: {}", i + 1, ended.stderr);
                    done[i] = true;
                }
            }
            assert!(Instant::now() < end, "not finished: {}", cluster.said());
        }
        cluster.check().unwrap();
    }
    eprintln!(
        "network namespaces: {count} ceremonies, {pulled} cables pulled, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}
