//! Calls through a SOCKS5 proxy: to a name that only the proxy knows, and with proxies that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quorate_operator::carrier::socks5::{ProxyError, Reply};
use quorate_operator::carrier::{Event, LinkError, Tcp, TcpConfig, Timing};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::tcp::{address, at, config, frame, timing, until, up};
use crate::{peer, run};

/// An onion service, of which only a proxy knows where it is.
const ONION: &str = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion:3610";

/// A proxy that connects to `there` whoever asks for [`ONION`], and counts its callers.
async fn proxy(there: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (place, callers) =
        (listener.local_addr().unwrap().to_string(), Arc::<AtomicUsize>::default());
    let counted = callers.clone();
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let there = there.clone();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut greeting = [0; 3];
                caller.read_exact(&mut greeting).await.unwrap();
                assert_eq!(greeting, [5, 1, 0]);
                caller.write_all(&[5, 0]).await.unwrap();
                let (host, _) = ONION.rsplit_once(':').unwrap();
                let mut asked = vec![0; 5 + host.len() + 2];
                caller.read_exact(&mut asked).await.unwrap();
                let port = 3610_u16.to_be_bytes();
                let length = u8::try_from(host.len()).unwrap();
                let expected = [&[5, 1, 0, 3, length], host.as_bytes(), &port[..]].concat();
                assert_eq!(asked, expected);
                let mut onward = TcpStream::connect(there).await.unwrap();
                caller.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                let _ = copy_bidirectional(&mut caller, &mut onward).await;
            });
        }
    });
    (place, callers)
}

/// A proxy that answers everybody like this, and then says nothing more.
async fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut caller, _)) = listener.accept().await {
            let _ = caller.write_all(answer).await;
            kept.push(caller);
        }
    });
    place
}

fn through(proxy: String, timing: Timing) -> TcpConfig {
    TcpConfig { listen: None, proxy: Some(proxy), timing, ..config(2, vec![at(1, ONION)]) }
}

#[test]
fn an_operator_is_called_through_a_proxy_by_a_name_that_only_that_knows() {
    run(async {
        let mut first = Tcp::start(config(1, vec![peer(2)])).await.unwrap();
        let (proxy, callers) = proxy(address(&first)).await;
        let mut second = Tcp::start(through(proxy, timing())).await.unwrap();
        up(&mut first, 2).await;
        let connected = until(&mut second, |event| matches!(event, Event::Up { .. })).await;
        assert_eq!(connected, Event::Up { peer: 1, address: ONION.to_owned() });
        assert!(first.send(2, vec![1; 70_000]) && second.send(1, vec![2; 70_000]));
        assert_eq!(frame(&mut second, 1).await, [1; 70_000]);
        assert_eq!(frame(&mut first, 2).await, [2; 70_000]);
        assert_eq!(callers.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_proxy_that_fails_is_named_and_not_the_operator() {
    run(async {
        let second = Duration::from_millis(500);
        let impatient = Timing { connect: second, handshake: second, ..timing() };
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        for (proxy, error) in [
            (gone.to_string(), ProxyError::Unreachable(std::io::ErrorKind::ConnectionRefused)),
            ("nobody.invalid:1080".to_owned(), ProxyError::Resolve),
            (answering(b"SSH-2.0-OpenSSH\r\n").await, ProxyError::NotSocks5),
            (answering(b"\x05\xff").await, ProxyError::Authentication),
            (answering(b"\x05\x00\x05\x04\x00\x01").await, ProxyError::Refused(Reply(4))),
            // It keeps the caller waiting.
            (answering(b"\x05").await, ProxyError::Silent(1)),
        ] {
            let mut tcp = Tcp::start(through(proxy, impatient.clone())).await.unwrap();
            let event = until(&mut tcp, |event| matches!(event, Event::Unreachable { .. })).await;
            let expected =
                Event::Unreachable { peer: 1, address: ONION.to_owned(), why: error.into() };
            assert_eq!(event, expected);
        }
        assert_eq!(
            LinkError::from(ProxyError::Authentication).to_string(),
            "the proxy demands authentication"
        );
    });
}
