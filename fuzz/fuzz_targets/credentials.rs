//! Credentials for a NATS server, in a file that whoever runs it has made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::primitives::secret::SecretBytes;
use quorate_operator::carrier::board::nats::{Credentials, CredentialsError, LONGEST_CREDENTIALS};

fuzz_target!(|bytes: &[u8]| {
    let read = Credentials::parse(&SecretBytes::new(bytes.to_vec()));
    assert_eq!(matches!(read, Err(CredentialsError::Long)), bytes.len() > LONGEST_CREDENTIALS);
});
