//! Keystores: what is read comes out again. Nothing is decrypted: the key derivation would take all
//! the time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::keystore::{Keystore, KeystoreRemark};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keystore) = Keystore::from_json_even_if_weak(bytes) {
        let written = keystore.to_json();
        let again = Keystore::from_json_even_if_weak(&written).expect("what is written is read");
        assert_eq!(again.to_json(), written);
        // What was unusual is written as usual, but for its path and its UUID.
        let unknown = |remark: &&KeystoreRemark| matches!(remark, KeystoreRemark::UnknownField(_));
        assert_eq!(again.remarks().iter().filter(unknown).count(), 0);
    }
});
