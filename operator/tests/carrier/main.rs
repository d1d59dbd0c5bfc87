//! Channels and the TCP carrier, between honest ends and hostile ones.
#![allow(clippy::unwrap_used, missing_docs)]

mod channel;
mod proxy;
mod tcp;
mod tcp_hostile;
#[path = "../../../tests/support/weak_keys.rs"]
mod weak_keys;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quorate::identity::{Operator, OperatorName};
use quorate::primitives::hash::{Digest, Tag, tagged};
use quorate::primitives::secret::Secret32;
use quorate_operator::carrier::channel::Local;
use quorate_operator::carrier::{Peer, Session};

/// No test waits for this; it turns a hang into a failure.
const LONG: Duration = Duration::from_secs(60);

const SPEC: Digest = Digest([7; 32]);

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LONG, test).await.expect("the test hangs") })
}

fn operator(number: u8) -> Arc<Operator> {
    let name = OperatorName::parse(&format!("operator {number}")).unwrap();
    Arc::new(Operator::generate(name, Secret32::new(&mut [number; 32])))
}

/// `operator` as the ceremony file would list it.
fn listed(operator: &Operator, index: u16, address: Option<String>) -> Peer {
    let card = operator.card();
    Peer {
        index,
        name: operator.name().as_str().to_owned(),
        key: operator.key().public(),
        noise: card.noise,
        address,
    }
}

fn peer(index: u16) -> Peer {
    listed(&operator(u8::try_from(index).unwrap()), index, None)
}

fn local(index: u16) -> Local {
    Local {
        session: Session::Ceremony(SPEC),
        index,
        operator: operator(u8::try_from(index).unwrap()),
    }
}

/// Different at each call, the same in each run.
fn random() -> Secret32 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Secret32::new(&mut tagged(Tag::Seed, &[&call]).0)
}
