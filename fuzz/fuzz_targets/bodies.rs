//! Bodies of the five rounds, and of what stands in no slot, as an operator may have signed them,
//! and of those that are otherwise in a repair: what is read comes out again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::body::{Commit, Deal, Final, Hello, Prepare};
use quorate::message::complaint::{Abandon, Complaint};
use quorate::message::minima::Minima;
use quorate::message::without::Without;
use quorate_fuzz::{REPAIR, SHAPE, index};

fuzz_target!(|input: (u8, &[u8])| {
    let (round, bytes) = input;
    let again = match round % 13 {
        0 => Hello::decode(bytes, &SHAPE, index(1)).map(|body| body.encode()),
        1 => Deal::decode(bytes, &SHAPE, index(1)).map(|body| body.encode()),
        2 => Prepare::decode(bytes, &SHAPE, index(1)).map(|body| body.encode()),
        3 => Commit::decode(bytes, &SHAPE, index(1)).map(|body| body.encode()),
        5 => Complaint::decode(bytes, &SHAPE, index(1)).map(|body| body.encode()),
        6 => Abandon::decode(bytes, &SHAPE).map(|body| body.encode()),
        7 => Minima::decode(bytes, &SHAPE).map(|body| body.encode()),
        8 => Without::decode(bytes, &SHAPE).map(|body| body.encode(SHAPE.n)),
        9 => Hello::decode(bytes, &REPAIR, index(1)).map(|body| body.encode()),
        10 => Deal::decode(bytes, &REPAIR, index(1)).map(|body| body.encode()),
        11 => Complaint::decode(bytes, &REPAIR, index(1)).map(|body| body.encode()),
        12 => Complaint::decode(bytes, &REPAIR, index(4)).map(|body| body.encode()),
        _ => Final::decode(bytes, &SHAPE, index(1)).map(|body| body.encode()),
    };
    assert!(again.is_err() || again == Ok(bytes.to_vec()));
});
