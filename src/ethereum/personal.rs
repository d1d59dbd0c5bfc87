//! What wallets sign for people (EIP-191, version `0x45`: `personal_sign`).

use sha3::{Digest, Keccak256};

use super::address::{AddressError, ExecutionAddress};
use super::secp256k1::{SIGNATURE_BYTES, Secp256k1Error, recover};

/// Why a signature is no account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonalError {
    /// Not a signature.
    #[error("{0}")]
    Signature(#[from] Secp256k1Error),
    /// A key whose account has the address zero.
    #[error("{0}")]
    Address(#[from] AddressError),
}

/// What is signed: Keccak-256 of `"\x19Ethereum Signed Message:\n" ‖ decimal length ‖ text`.
pub fn personal_hash(text: &str) -> [u8; 32] {
    let mut hash = Keccak256::new();
    hash.update(b"\x19Ethereum Signed Message:\n");
    hash.update(text.len().to_string().as_bytes());
    hash.update(text.as_bytes());
    hash.finalize().into()
}

/// The account that has signed this text. Any signature is some account's: compare it.
pub fn personal_signer(
    text: &str,
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<ExecutionAddress, PersonalError> {
    let key = recover(&personal_hash(text), signature)?;
    Ok(ExecutionAddress::from_bytes(key.address())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of web3.js's documentation (`eth.accounts.sign`, `hashMessage`): "Some data",
    /// signed by the key 4c0883a6...
    #[test]
    fn the_example_of_web3() {
        assert_eq!(
            hex::encode(personal_hash("Some data")),
            "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
        );
        let mut signature = [0; 65];
        hex::decode_to_slice(
            "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd\
             6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029\
             1c",
            &mut signature,
        )
        .unwrap();
        let signer = personal_signer("Some data", &signature).unwrap();
        assert_eq!(signer.to_string(), "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
        assert_ne!(personal_signer("Some date", &signature).ok(), Some(signer));
        signature[64] = 2;
        let error = personal_signer("Some data", &signature).unwrap_err();
        assert_eq!(error, PersonalError::Signature(Secp256k1Error::RecoveryId(2)));
    }
}
