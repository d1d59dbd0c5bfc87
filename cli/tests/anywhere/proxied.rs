//! An operator that calls everybody through a SOCKS5 proxy, one of them by a name that only the
//! proxy knows.

use std::collections::BTreeSet;
use std::io::{Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::scene::Scene;
use crate::support::program::end;

const ONION: &str = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";

/// A proxy that knows where [`ONION`] is; gives its own address, and whom it was asked for.
fn proxy(onion: String) -> (String, Arc<Mutex<BTreeSet<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let asked = Arc::<Mutex<BTreeSet<String>>>::default();
    let noted = asked.clone();
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let (onion, noted) = (onion.clone(), noted.clone());
            thread::spawn(move || serve(caller, &onion, &noted));
        }
    });
    (place, asked)
}

fn serve(mut caller: TcpStream, onion: &str, noted: &Mutex<BTreeSet<String>>) -> Option<()> {
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        caller.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    assert_eq!(read(3)?, [5, 1, 0]);
    caller.write_all(&[5, 0]).ok()?;
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        caller.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let head = read(4)?;
    assert_eq!(head[..3], [5, 1, 0]);
    let there = match head[3] {
        1 => {
            let ip = <[u8; 4]>::try_from(read(4)?).unwrap();
            let port = u16::from_be_bytes(read(2)?.try_into().unwrap());
            SocketAddr::from((ip, port)).to_string()
        }
        3 => {
            let length = usize::from(read(1)?[0]);
            let name = String::from_utf8(read(length)?).unwrap();
            assert_eq!((name.as_str(), read(2)?), (ONION, vec![14, 26]));
            noted.lock().unwrap().insert(name);
            onion.to_owned()
        }
        other => panic!("an address of kind {other}"),
    };
    let Ok(mut onward) = TcpStream::connect(&there) else {
        return caller.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).ok();
    };
    noted.lock().unwrap().insert(there);
    caller.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    let (mut from, mut to) = (caller.try_clone().ok()?, onward.try_clone().ok()?);
    let back = thread::spawn(move || {
        let _ = copy(&mut onward, &mut caller);
        let _ = caller.shutdown(Shutdown::Both);
    });
    let _ = copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    back.join().ok()
}

#[test]
fn a_ceremony_through_a_proxy() {
    let scene = Scene::new(3, &[1, 2]);
    let (place, asked) = proxy(scene.address(1));
    let at = format!("bob={ONION}:3610");
    let proxied = ["--socks5", &place, "--at", &at];
    let others = [1, 2].map(|i| scene.listen(i, &[]));
    let alice = scene.by(0, &[&["doctor", "ceremony.toml", "--wait", "60"], &proxied[..]].concat());
    let alice = end(alice).ended_with(0);
    assert!(alice.stdout.contains(&format!("reached at {ONION}:3610")), "{}", alice.stdout);
    let alice = scene.run(0, "ceremony.toml", &proxied);
    alice.ends_with(0);
    others.into_iter().for_each(|running| drop(running.ends_with(0)));
    let expected = [scene.address(1), scene.address(2), ONION.to_owned()];
    assert_eq!(*asked.lock().unwrap(), BTreeSet::from(expected));
}
