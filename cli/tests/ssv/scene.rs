//! Registrations for the tests to alter: a cluster's keys, and shares of validators from one
//! dealer.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::deposit::{DepositMessage, WithdrawalCredentials};
use quorate::ethereum::network::Network;
use quorate::ethereum::ssv::{OwnerNonce, RsaSecret, ShareProof, threshold};
use quorate::export::launchpad::SignedDeposit;
use quorate::export::ssv::{OperatorShare, Registration, SignedProof, Stamp};
use quorate::primitives::curve::Scalar;
use quorate::primitives::hash::{Tag, secret_scalar};
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::secret::SecretBytes;

use crate::example::owner_nonce;
use crate::vectors::{array, path};

/// The RSA key of the operator at `position`, from 0.
pub(crate) fn operator(position: usize) -> RsaSecret {
    let pem = std::fs::read(path(&format!("ssv/keys/{:02}.pem", position + 1))).unwrap();
    RsaSecret::from_pem(&SecretBytes::new(pem)).ok().unwrap()
}

/// Validators with everything that is published about them.
pub(crate) struct Scene {
    pub(crate) created: Stamp,
    pub(crate) network: Network,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) proofs: Vec<Vec<SignedProof>>,
    pub(crate) deposits: Vec<SignedDeposit>,
}

impl Scene {
    /// `validators` of them, with operators 11, 22, and so on.
    pub(crate) fn new(operators: usize, validators: u64) -> Self {
        let network = Network::known("hoodi").unwrap();
        let mut random = ChaCha20Rng::from_seed([9; 32]);
        let keys: Vec<RsaSecret> = (0..operators).map(operator).collect();
        let (mut registrations, mut proofs, mut deposits) = (Vec::new(), Vec::new(), Vec::new());
        for v in 0..validators {
            let coefficient =
                |k: usize| secret_scalar(Tag::Coefficient, &[&v.to_be_bytes(), &k.to_be_bytes()]);
            let polynomial = Polynomial::from_coefficients(
                (0..threshold(operators).unwrap()).map(coefficient).collect(),
            )
            .unwrap();
            let owner_nonce = OwnerNonce { owner: owner_nonce().owner, nonce: 1 + v };
            let validator = polynomial.constant().base_mult().unwrap();
            let (mut shares, mut signed) = (Vec::new(), Vec::new());
            for (id, key) in (1..).map(|i: u64| 11 * i).zip(&keys) {
                let share = polynomial.evaluate(&Scalar::from_u64(id));
                let share_key = share.base_mult().unwrap();
                let encrypted_share = key.public().encrypt_share(&share, &mut random);
                let proof = ShareProof {
                    validator: validator.to_compressed(),
                    encrypted_share,
                    share_key: share_key.to_compressed(),
                    owner: owner_nonce.owner,
                };
                signed.push(SignedProof { proof, signature: key.sign(&proof.root(), &mut random) });
                shares.push(OperatorShare {
                    id,
                    key: key.public().clone(),
                    share_key,
                    encrypted_share,
                });
            }
            let message = DepositMessage {
                pubkey: validator.to_compressed(),
                withdrawal_credentials: WithdrawalCredentials::compounding(withdrawal()),
                amount: 64_000_000_000,
            };
            let signature =
                bls_sign(polynomial.constant(), &message.signing_root(&network)).unwrap();
            deposits.push(SignedDeposit { message, signature });
            let signature = bls_sign(polynomial.constant(), &owner_nonce.digest()).unwrap();
            registrations.push(Registration {
                owner_nonce,
                validator,
                signature,
                operators: shares,
            });
            proofs.push(signed);
        }
        Self {
            created: Stamp::from_millis(1_795_420_800_123).unwrap(),
            network,
            registrations,
            proofs,
            deposits,
        }
    }
}

/// Where the deposits go.
pub(crate) fn withdrawal() -> ExecutionAddress {
    ExecutionAddress::from_bytes(array("81592c3de184a3e2c0dcb5a261bc107bfa91f494")).unwrap()
}
