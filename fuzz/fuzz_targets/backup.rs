//! What is in a backup: what is read is what would be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::primitives::secret::SecretBytes;
use quorate_operator::backup::Backup;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(backup) = Backup::parse(&SecretBytes::new(bytes.to_vec())) {
        let again = backup.encode().expect("no longer than what was read");
        assert_eq!(again.expose(), bytes);
    }
});
