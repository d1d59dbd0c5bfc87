//! Share boxes, and what may be in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::share_box::{decode_shares, encode_shares, open};
use quorate::primitives::secret::SecretBytes;
use quorate_fuzz::{SHAPE, box_address, box_secret};

fuzz_target!(|bytes: &[u8]| {
    let _ = open(&box_address(), &box_secret(), bytes, &SHAPE);
    if let Ok(shares) = decode_shares(&SecretBytes::new(bytes.to_vec()), SHAPE.v) {
        assert_eq!(encode_shares(&shares).expose(), bytes);
    }
});
