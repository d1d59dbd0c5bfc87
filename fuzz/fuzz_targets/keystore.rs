//! Keystores: what is read comes out again. Nothing is decrypted: the key derivation would take all
//! the time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::keystore::Keystore;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keystore) = Keystore::from_json_even_if_weak(bytes) {
        assert_eq!(Keystore::from_json_even_if_weak(&keystore.to_json()).as_ref(), Ok(&keystore));
    }
});
