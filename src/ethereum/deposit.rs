//! Deposit messages and withdrawal credentials (consensus specification, `phase0/beacon-chain.md`,
//! `electra/beacon-chain.md`).

use core::fmt;

use super::address::{AddressError, ExecutionAddress};
use super::network::Network;
use super::ssz::{self, Chunk};

/// `ETH1_ADDRESS_WITHDRAWAL_PREFIX`.
const EXECUTION_PREFIX: u8 = 0x01;
/// `COMPOUNDING_WITHDRAWAL_PREFIX` (EIP-7251).
const COMPOUNDING_PREFIX: u8 = 0x02;

/// Why 32 bytes are not withdrawal credentials that money can come back from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Neither `0x01` nor `0x02`. `0x00` needs a BLS key that a ceremony does not make; `0xb0` is
    /// no validator's.
    #[error("withdrawal credentials start with 0x{0:02x}; only 0x01 and 0x02 can be used")]
    Prefix(u8),
    /// The eleven bytes between prefix and address are not zero.
    #[error("withdrawal credentials: the bytes between prefix and address are not all zero")]
    Padding,
    /// No usable address.
    #[error("withdrawal credentials: {0}")]
    Address(#[from] AddressError),
}

/// Where a validator's money goes: an execution address, with or without compounding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WithdrawalCredentials([u8; 32]);

impl WithdrawalCredentials {
    /// `0x01`: balance beyond 32 ETH is swept to `address`.
    pub fn execution(address: ExecutionAddress) -> Self {
        Self::build(EXECUTION_PREFIX, address)
    }

    /// `0x02`: balance compounds up to 2048 ETH (EIP-7251).
    pub fn compounding(address: ExecutionAddress) -> Self {
        Self::build(COMPOUNDING_PREFIX, address)
    }

    fn build(prefix: u8, address: ExecutionAddress) -> Self {
        let mut bytes = [0; 32];
        bytes[0] = prefix;
        bytes[12..].copy_from_slice(address.as_bytes());
        Self(bytes)
    }

    /// From 32 bytes: prefix `0x01` or `0x02`, eleven zeros, an address.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, CredentialsError> {
        if !matches!(bytes[0], EXECUTION_PREFIX | COMPOUNDING_PREFIX) {
            return Err(CredentialsError::Prefix(bytes[0]));
        }
        if bytes[1..12] != [0; 11] {
            return Err(CredentialsError::Padding);
        }
        ExecutionAddress::from_bytes(Self(bytes).address_bytes())?;
        Ok(Self(bytes))
    }

    fn address_bytes(&self) -> [u8; 20] {
        *self.0.last_chunk().expect("20 of 32 bytes")
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The address.
    pub fn address(&self) -> ExecutionAddress {
        ExecutionAddress::from_bytes(self.address_bytes()).expect("checked by every constructor")
    }

    /// Whether the balance compounds (`0x02`).
    pub fn is_compounding(&self) -> bool {
        self.0[0] == COMPOUNDING_PREFIX
    }
}

impl fmt::Display for WithdrawalCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for WithdrawalCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WithdrawalCredentials({self})")
    }
}

/// `DepositMessage`: what a deposit signature is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepositMessage {
    /// The validator's public key, compressed.
    pub pubkey: [u8; 48],
    /// Where the money goes.
    pub withdrawal_credentials: WithdrawalCredentials,
    /// In gwei, as it stands in the message (32 for each GNO).
    pub amount: u64,
}

impl DepositMessage {
    /// `deposit_message_root`. The same on every network.
    pub fn root(&self) -> Chunk {
        let [pubkey, credentials, amount] = self.fields();
        ssz::four(pubkey, credentials, amount, [0; 32])
    }

    /// What the validator's key signs.
    pub fn signing_root(&self, network: &Network) -> Chunk {
        network.deposit_domain().signing_root(self.root())
    }

    /// `deposit_data_root`: the message with its signature, as the deposit contract recomputes it.
    pub fn data_root(&self, signature: &[u8; 96]) -> Chunk {
        let [pubkey, credentials, amount] = self.fields();
        ssz::four(pubkey, credentials, amount, ssz::bytes96(signature))
    }

    fn fields(&self) -> [Chunk; 3] {
        [
            ssz::bytes48(&self.pubkey),
            *self.withdrawal_credentials.as_bytes(),
            ssz::uint64(self.amount),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn credentials_refuse_what_cannot_be_withdrawn() {
        let address = ExecutionAddress::from_bytes([0x4d; 20]).unwrap();
        for credentials in
            [WithdrawalCredentials::execution(address), WithdrawalCredentials::compounding(address)]
        {
            let bytes = *credentials.as_bytes();
            assert_eq!(WithdrawalCredentials::from_bytes(bytes), Ok(credentials));
            assert_eq!(credentials.address(), address);
            for prefix in [0x00, 0x03, 0xb0] {
                let mut other = bytes;
                other[0] = prefix;
                assert_eq!(
                    WithdrawalCredentials::from_bytes(other),
                    Err(CredentialsError::Prefix(prefix))
                );
            }
            for i in 1..12 {
                let mut other = bytes;
                other[i] = 1;
                assert_eq!(
                    WithdrawalCredentials::from_bytes(other),
                    Err(CredentialsError::Padding)
                );
            }
            let mut zero = [0; 32];
            zero[0] = bytes[0];
            assert_eq!(
                WithdrawalCredentials::from_bytes(zero),
                Err(CredentialsError::Address(AddressError::Zero))
            );
        }
        assert!(WithdrawalCredentials::compounding(address).is_compounding());
        assert!(!WithdrawalCredentials::execution(address).is_compounding());
    }
}
