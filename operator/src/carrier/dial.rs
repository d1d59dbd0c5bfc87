//! Connects to a peer whenever there is no connection to it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout};

use super::channel::{self, Channel};
use super::link::{self, Backoff, Hub, Side, Slot};
use super::refusals::Refusals;
use super::socks5::{self, ProxyError};
use super::{Event, LinkError};
use quorate::spec::Endpoint;

/// A host name's addresses beyond this many are not looked at.
const ADDRESSES: usize = 8;
/// Most reports about one peer's address within a minute.
const REPORTS: usize = 8;

/// Calls the peer `index` whenever there is no connection to it, until the carrier stops.
pub(super) async fn run(hub: Arc<Hub>, index: u16, address: String) {
    let slot = &hub.slots[&index];
    let mut backoff = Backoff::new(&hub.timing);
    let (mut told, mut refusals) = (None, Refusals::at_most(REPORTS));
    while !hub.is_closing() && !slot.is_shut() {
        let called = tokio::select! {
            called = turn(&hub, slot, &address) => called,
            () = hub.closed() => return,
        };
        match called {
            // The peer was faster.
            Ok(None) => continue,
            Ok(Some(channel)) => {
                told = None;
                let since = Instant::now();
                link::run(&hub, slot, channel, address.clone(), Side::Called).await;
                // A connection that ends at once is a failure like others; only one that held makes
                // the next call prompt.
                if since.elapsed() >= hub.timing.retry_most {
                    backoff.reset();
                }
            }
            // Whoever answers there can choose another reason each time.
            Err(why) if told.as_ref() != Some(&why) && refusals.admit((), &why, Instant::now()) => {
                told = Some(why.clone());
                hub.tell(Event::Unreachable { peer: index, address: address.clone(), why }).await;
            }
            Err(_) => {}
        }
        let random = (hub.random)();
        let [a, b, c, d, ..] = *random.expose();
        tokio::select! {
            () = sleep(backoff.wait(u32::from_be_bytes([a, b, c, d]))) => {}
            () = hub.closed() => return,
        }
    }
}

/// One call, when there is no connection and the peer has had its head start; `None` if it called
/// meanwhile.
async fn turn(
    hub: &Hub,
    slot: &Slot,
    address: &str,
) -> Result<Option<Channel<TcpStream>>, LinkError> {
    slot.until(false).await;
    if slot.is_shut() {
        return Ok(None);
    }
    let calling = async {
        if slot.is_second() {
            sleep(hub.timing.head_start).await;
        }
        call(hub, slot, address).await
    };
    tokio::select! {
        called = calling => called.map(Some),
        () = slot.until(true), if slot.is_second() => Ok(None),
    }
}

/// The addresses that a host name has now, the first few. Onion services have none.
pub(super) async fn resolve(
    hub: &Hub,
    address: &str,
) -> Result<impl Iterator<Item = SocketAddr>, LinkError> {
    if socks5::is_onion(address) {
        return Err(LinkError::Onion);
    }
    match timeout(hub.timing.connect, lookup_host(address)).await {
        Ok(Ok(found)) => Ok(found.take(ADDRESSES)),
        Ok(Err(_)) | Err(_) => Err(LinkError::Resolve),
    }
}

/// One attempt: the name is resolved anew, its addresses are tried in turn, the last failure is the
/// reason.
async fn call(hub: &Hub, slot: &Slot, address: &str) -> Result<Channel<TcpStream>, LinkError> {
    let limit = hub.timing.connect;
    if let Some(proxy) = &hub.proxy {
        // Nothing is looked up here: who is called is between us and the proxy.
        let stream = through(hub, proxy, address).await?;
        return initiate(hub, slot, stream).await;
    }
    let mut failure = LinkError::Resolve;
    for address in resolve(hub, address).await? {
        let connected = timeout(limit, TcpStream::connect(address)).await;
        let attempt = match connected {
            Err(_) => Err(LinkError::NoAnswer(limit.as_secs())),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(stream)) => initiate(hub, slot, stream).await,
        };
        match attempt {
            Ok(channel) => return Ok(channel),
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

/// A connection through the proxy to `address`, within the time for both parts of it.
async fn through(hub: &Hub, proxy: &str, address: &str) -> Result<TcpStream, LinkError> {
    let limit = hub.timing.connect;
    let to = Endpoint::parse(address).map_err(|_| LinkError::Resolve)?;
    let mut failure = ProxyError::Resolve;
    for place in resolve(hub, proxy).await.map_err(|_| ProxyError::Resolve)? {
        match timeout(limit, TcpStream::connect(place)).await {
            Err(_) => failure = ProxyError::Silent(limit.as_secs()),
            Ok(Err(error)) => failure = ProxyError::Unreachable(error.kind()),
            Ok(Ok(mut stream)) => {
                // The proxy answers when it has connected, which takes as long again.
                let patience = limit + hub.timing.handshake;
                let made = timeout(patience, socks5::connect(&mut stream, &to)).await;
                return match made {
                    Err(_) => Err(ProxyError::Silent(patience.as_secs()).into()),
                    Ok(made) => made.map(|()| stream),
                };
            }
        }
    }
    Err(failure.into())
}

async fn initiate(
    hub: &Hub,
    slot: &Slot,
    stream: TcpStream,
) -> Result<Channel<TcpStream>, LinkError> {
    stream.set_nodelay(true)?;
    let limit = hub.timing.handshake;
    let handshake = channel::initiate(stream, &hub.local, &slot.peer, (hub.random)());
    timeout(limit, handshake).await.unwrap_or(Err(LinkError::HandshakeTime(limit.as_secs())))
}
