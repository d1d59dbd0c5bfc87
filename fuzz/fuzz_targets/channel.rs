//! The answering side of a channel, called by a stranger.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_fuzz::{CEREMONY, OPERATORS, PEERS, secret};
use quorate_operator::carrier::channel::{Local, Session, respond};
use tokio::io::AsyncWriteExt;

fuzz_target!(|bytes: &[u8]| {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let local = Local {
        session: Session::Ceremony(CEREMONY.digest()),
        index: 1,
        operator: OPERATORS[0].clone(),
    };
    runtime.block_on(async {
        let (mut caller, answerer) = tokio::io::duplex(1 << 16);
        let _ = caller.write_all(&bytes[..bytes.len().min(1 << 16)]).await;
        let _ = caller.shutdown().await;
        let caller = |index: u16| PEERS.get(usize::from(index).checked_sub(2)?);
        assert!(
            respond(answerer, &local, caller, secret("ephemeral")).await.is_err(),
            "nobody knows a peer's key"
        );
    });
});
