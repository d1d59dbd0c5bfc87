//! Files of SSV's tools: keyshares, proofs, lists of operators, operators' keys. What is read is
//! written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::keystore::TextKeystore;
use quorate::ethereum::ssv::{RsaPublic, RsaSecret, parse_operators_info};
use quorate::export::ssv::{
    Stamp, parse_keyshares, parse_proofs, verify_keyshares, verify_proofs, write_keyshares,
    write_proofs,
};
use quorate::primitives::secret::SecretBytes;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(registrations) = parse_keyshares(bytes) {
        let stamp = Stamp::from_millis(0).expect("1970");
        let written = write_keyshares(stamp, &registrations);
        let again = parse_keyshares(&written).expect("what is written is read");
        assert_eq!(write_keyshares(stamp, &again), written);
        let _ = verify_keyshares(bytes, None);
        let _ = verify_proofs(&registrations, &[]);
    }
    if let Ok(proofs) = parse_proofs(bytes) {
        let written = write_proofs(&proofs, true);
        assert_eq!(parse_proofs(&written).as_ref(), Ok(&proofs));
    }
    if let Ok(operators) = parse_operators_info(bytes) {
        operators.iter().for_each(|operator| {
            assert_eq!(RsaPublic::parse(&operator.key.to_text()).as_ref(), Ok(&operator.key))
        });
    }
    if let Ok(keystore) = TextKeystore::from_json(bytes) {
        assert_eq!(
            TextKeystore::from_json(&keystore.to_json()).map(|again| again.to_json()),
            Ok(keystore.to_json())
        );
    }
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(key) = RsaPublic::parse(text)
    {
        assert_eq!(key.to_text(), text);
    }
    if let Ok(key) = RsaSecret::from_pem(&SecretBytes::new(bytes.to_vec())) {
        assert_eq!(
            RsaSecret::from_pem(&key.to_pem()).map(|again| again.public().to_text()),
            Ok(key.public().to_text())
        );
    }
});
