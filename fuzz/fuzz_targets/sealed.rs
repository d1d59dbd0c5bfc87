//! Files sealed under a passphrase: a header that is in order, bytes that are not. The cost is held
//! down, or the fuzzer would only run scrypt.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::identity::Operator;
use quorate::primitives::{hash::sha256, secret::SecretBytes};
use quorate_operator::store::open_with_passphrase;

fuzz_target!(|bytes: &[u8]| {
    let mut sealed = bytes.to_vec();
    if let Some(cost) = sealed.get_mut(5) {
        *cost = (*cost).min(10);
    }
    let sealed = [&sealed[..], &sha256(&[&sealed])[..8]].concat();
    if let Ok(plain) =
        open_with_passphrase(&sealed, &SecretBytes::new(b"passphrase".to_vec()), "identity.sealed")
    {
        let _ = Operator::from_secret_bytes(&plain);
    }
    let _ = Operator::from_secret_bytes(&SecretBytes::new(bytes.to_vec()))
        .map(|same| assert_eq!(same.to_secret_bytes().expose(), bytes));
});
