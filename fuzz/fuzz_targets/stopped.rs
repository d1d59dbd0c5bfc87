//! Files of statements: what is read comes out again, and can be judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::protocol::judge::judge;
use quorate::transcript::stopped::{Stopped, encode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stopped) = Stopped::parse(bytes) {
        assert_eq!(encode(&stopped.ceremony, &stopped.statements), bytes);
        let _ = judge(&stopped.ceremony, &stopped.statements);
    }
});
