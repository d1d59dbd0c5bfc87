//! A bad network in user space: every connection goes through a proxy that cuts it in the middle of
//! frames, stalls, changes bytes, refuses, and separates operators for a while. When it has calmed
//! down, all operators finish.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Place, Size, scratch};
use crate::kills::Play;
use crate::support::ports::free_address;
use crate::{Chance, seed, setting, with_others};

/// What is done to a direction of a connection after some bytes.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Nothing,
    Cut,
    Stall(Duration),
    Flip,
}

/// The network of a cluster.
struct Network {
    /// From then on it is a good one.
    calm: Instant,
    /// Caller and called that are parted, and until when.
    parted: Mutex<Vec<(u16, u16, Instant)>>,
    harms: AtomicUsize,
    stop: AtomicBool,
}

impl Network {
    fn is_calm(&self) -> bool {
        Instant::now() >= self.calm
    }

    fn parted_until(&self, caller: u16, called: u16) -> Option<Instant> {
        let parted = self.parted.lock().unwrap();
        parted
            .iter()
            .filter(|(a, b, until)| (*a, *b) == (caller, called) && *until > Instant::now())
            .map(|(.., until)| *until)
            .max()
    }

    fn count(&self) {
        self.harms.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes calls for operator `called`.
fn serve(
    network: &Arc<Network>,
    listener: &TcpListener,
    called: u16,
    target: &str,
    mut chance: Chance,
) {
    for (number, stream) in listener.incoming().enumerate() {
        if network.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(near) = stream else { continue };
        if !network.is_calm() && chance.below(8) == 0 {
            network.count();
            continue;
        }
        let Ok(far) = TcpStream::connect(target) else { continue };
        for (from, to, outward) in [(&near, &far, true), (&far, &near, false)] {
            let (from, to, network) =
                (from.try_clone().unwrap(), to.try_clone().unwrap(), network.clone());
            let chance = Chance::new(chance.next(), u64::try_from(number).unwrap());
            thread::spawn(move || carry(&network, from, to, called, outward, chance));
        }
    }
}

/// Carries bytes one way. The caller's index is in its first flight, at bytes 6 and 7.
fn carry(
    network: &Network,
    mut from: TcpStream,
    mut to: TcpStream,
    called: u16,
    outward: bool,
    mut chance: Chance,
) {
    let mut harm = match chance.below(6) {
        0 | 1 => Harm::Cut,
        2 => Harm::Stall(chance.millis(1500)),
        3 => Harm::Flip,
        _ => Harm::Nothing,
    };
    let mut after = if chance.below(3) == 0 { chance.below(300) } else { chance.below(8000) };
    let (mut caller, mut buffer) = (None, [0; 1400]);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..count].to_vec();
        if outward && caller.is_none() && count >= 8 {
            caller = Some(u16::from_be_bytes([bytes[6], bytes[7]]));
        }
        while let Some(until) = caller.and_then(|caller| network.parted_until(caller, called)) {
            network.count();
            thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        if after < count && !network.is_calm() {
            match std::mem::replace(&mut harm, Harm::Nothing) {
                Harm::Nothing => {}
                Harm::Cut => {
                    network.count();
                    let _ = to.write_all(&bytes[..after]);
                    break;
                }
                Harm::Stall(pause) => {
                    network.count();
                    thread::sleep(pause);
                }
                Harm::Flip => {
                    network.count();
                    bytes[after] ^= 1 << chance.below(8);
                }
            }
        }
        after = after.saturating_sub(count);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // Both ends notice.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn a_network_that_calms_down_lets_everybody_finish() {
    let _with = with_others();
    let seed = seed("bad network, by proxy");
    let count =
        usize::try_from(setting("QUORATE_SOAK_CEREMONIES").map_or(1, |count| (count / 20).max(2)))
            .unwrap();
    let (begun, mut harms) = (Instant::now(), 0);
    for number in 0..count {
        let mut chance = Chance::new(seed, u64::try_from(number).unwrap());
        let size = Size { n: 4, t: 3, v: 1 };
        let root = scratch();
        let listeners: Vec<TcpListener> =
            (0..size.n).map(|_| TcpListener::bind(free_address()).unwrap()).collect();
        let place = |listener: &TcpListener| Place {
            listen: free_address(),
            address: listener.local_addr().unwrap().to_string(),
        };
        let places: Vec<Place> = listeners.iter().map(place).collect();
        let network = Arc::new(Network {
            calm: Instant::now() + Duration::from_secs(2) + chance.millis(4000),
            parted: Mutex::default(),
            harms: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let addresses: Vec<String> = places.iter().map(|place| place.address.clone()).collect();
        for (i, listener) in listeners.into_iter().enumerate() {
            let (network, target) = (network.clone(), places[i].listen.clone());
            let chance = Chance::new(chance.next(), 0);
            thread::spawn(move || {
                serve(&network, &listener, u16::try_from(i + 1).unwrap(), &target, chance)
            });
        }
        let cluster = Cluster::new(root.path(), size, &mut chance, places, &Default::default());
        let mut play = Play::new(&cluster, &mut chance);
        let mut next = Instant::now() + chance.millis(1000);
        let played = loop {
            match play.step() {
                Ok(false) => {}
                other => break other,
            }
            if Instant::now() >= next && !network.is_calm() {
                next = Instant::now() + chance.millis(1000);
                // One operator is cut off from some of the others.
                let lonely = u16::try_from(1 + chance.below(size.n)).unwrap();
                let until = Instant::now() + chance.millis(1500);
                let others = (1..=4)
                    .filter(|other| *other != lonely && chance.below(3) > 0)
                    .collect::<Vec<u16>>();
                let pairs =
                    others.into_iter().map(|other| (other.max(lonely), other.min(lonely), until));
                network.parted.lock().unwrap().extend(pairs);
            }
        };
        drop(play);
        network.stop.store(true, Ordering::Relaxed);
        // Wakes the proxies, so that they end.
        addresses.iter().for_each(|address| drop(TcpStream::connect(address)));
        if let Err(why) = played.map(drop).and_then(|()| cluster.check()) {
            panic!("ceremony {number}: {why}; kept {}\n{}", root.keep().display(), cluster.said());
        }
        harms += network.harms.load(Ordering::Relaxed);
    }
    eprintln!(
        "bad network, by proxy: {count} ceremonies, {harms} cuts, stalls, changed bytes, refusals \
         and partings, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(harms >= count, "the network was a good one");
}
