//! What operators of a reshare may have signed, of each part that a seat can have, and its frames:
//! what is read comes out again. Minima never lower when they are joined.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::body::{Commit, Deal, Final, Hello, Prepare};
use quorate::message::complaint::Complaint;
use quorate::message::minima::Minima;
use quorate::message::sync::Frame;
use quorate_fuzz::index;
use quorate_fuzz::reshared::SHAPE;

fuzz_target!(|input: (u8, &[u8])| {
    let (what, bytes) = input;
    let shape = &*SHAPE;
    // The first seat deals and receives, the third deals, the fourth receives.
    let seat = index([1, 3, 4][usize::from(what >> 4) % 3]);
    let again = match what & 7 {
        0 => Hello::decode(bytes, shape, seat).map(|body| body.encode()),
        1 => Deal::decode(bytes, shape, seat).map(|body| body.encode()),
        2 => Prepare::decode(bytes, shape, seat).map(|body| body.encode()),
        3 => Commit::decode(bytes, shape, seat).map(|body| body.encode()),
        4 => Final::decode(bytes, shape, seat).map(|body| body.encode()),
        5 => Complaint::decode(bytes, shape, seat).map(|body| body.encode()),
        6 => Frame::decode(bytes, shape).map(|frame| frame.encode()),
        _ => Minima::decode(bytes, shape).map(|said| {
            assert_eq!(said.joined(&said), said);
            said.encode()
        }),
    };
    assert!(again.is_err() || again == Ok(bytes.to_vec()));
});
