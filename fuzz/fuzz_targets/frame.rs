//! Frames of a channel: what is read comes out again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::sync::Frame;
use quorate_fuzz::SHAPE;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = Frame::decode(bytes, &SHAPE) {
        assert_eq!(frame.encode(), bytes);
    }
});
