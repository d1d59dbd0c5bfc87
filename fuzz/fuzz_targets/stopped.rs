//! Files of statements: what is read comes out again, and can be judged, with work that grows with
//! the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::transcript::stopped::{Stopped, encode};
use quorate_fuzz::crowd::judged;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stopped) = Stopped::parse(bytes) {
        assert_eq!(encode(&stopped.ceremony, &stopped.statements), bytes);
        let _ = judged(&stopped, bytes.len());
    }
});
