//! The judge, of files that are made to cost it time: what it decodes, adds up and combines grows
//! with the file. A file beyond the bound is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::transcript::container::ContainerError;
use quorate::transcript::stopped::Stopped;
use quorate_fuzz::crowd::{file, judged};

fuzz_target!(|bytes: &[u8]| {
    let file = file(bytes);
    match Stopped::parse(&file) {
        Ok(read) => drop(judged(&read, file.len())),
        Err(ContainerError::Crowd { .. } | ContainerError::Statements { .. }) => {}
        Err(other) => panic!("{other}"),
    }
});
