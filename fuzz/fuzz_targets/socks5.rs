//! A SOCKS5 proxy's answers: what follows them is left to the channel, whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::Endpoint;
use quorate_operator::carrier::socks5::connect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fuzz_target!(|bytes: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let to = Endpoint::parse("a.example:3610").expect("an endpoint");
    let bytes = &bytes[..bytes.len().min(4096)];
    runtime.block_on(async {
        let (mut proxy, mut ours) = tokio::io::duplex(1 << 16);
        let _ = proxy.write_all(bytes).await;
        let _ = proxy.shutdown().await;
        if connect(&mut ours, &to).await.is_ok() {
            let mut rest = Vec::new();
            ours.read_to_end(&mut rest).await.expect("what is in memory");
            assert!(bytes.ends_with(&rest));
            // The shortest and the longest answers.
            assert!((9..=264).contains(&(bytes.len() - rest.len())));
        }
    });
});
