//! Frames put together from messages: never more memory than arrived, never a frame longer than
//! allowed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_operator::carrier::frame::{Assembled, Assembler};

fuzz_target!(|input: (u16, Vec<Vec<u8>>)| {
    let (most, messages) = input;
    let mut frames = Assembler::new(usize::from(most));
    for message in messages {
        match frames.push(&message) {
            Ok(Assembled::Frame(frame)) => {
                assert!(!frame.is_empty() && frame.len() <= usize::from(most))
            }
            Ok(Assembled::Part | Assembled::KeepAlive) => {}
            Err(_) => return,
        }
    }
});
