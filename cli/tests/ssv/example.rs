//! The worked example: a cluster of operators 11, 22, 33 and 44, made by SSV's own tool, with all
//! intermediate values.

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::bls::{bls_sign, bls_verify, message_point};
use quorate::ethereum::deposit::{DepositMessage, WithdrawalCredentials};
use quorate::ethereum::network::Network;
use quorate::ethereum::ssv::OwnerNonce;
use quorate::ethereum::ssz;
use quorate::primitives::batch::verify_signature;
use quorate::primitives::curve::{G1, G1Sum, G2, SecretScalar};
use quorate::primitives::lagrange::{coefficients_at_zero, combine};

use crate::vectors::array;

pub(crate) const IDS: [u64; 4] = [11, 22, 33, 44];
pub(crate) const VALIDATOR: &str = "801bca4e379a2e240ed004acbe8f905a0a43f3322faa251fbb9c8d4d49af8ba9c669e930ea7caa234cb7d537d600e9ee";
pub(crate) const OWNER: &str = "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9";
pub(crate) const WITHDRAWAL: &str = "81592c3de184a3e2c0dcb5a261bc107bfa91f494";
pub(crate) const SHARES: [&str; 4] = [
    "47e4e0c3b0a3b355c58f21b9d4978302b7cdff6dfbc4edbac9a1d101179e22ef",
    "41b1c12f0dd803758208dd56558d338c0f225c7747d386f55591bb5fe19a2ec3",
    "5983dcaa0751230aee03b83a1319c68c76aea79a26578966a94e010f974e6fd6",
    "1b6d8be1737194cdd645da5d039b63fe9ab53cd39752990fc4d6a21138bae627",
];
const SHARE_KEYS: [&str; 4] = [
    "a653852dfaa7231ca32e61085bc896dcabb2b00c1f3e8fae8aeef314b6eee8b665552dea14986a35996180d946e8560f",
    "80ad1e0d0d25bd5ec09eb551eaf82f655104ef5795c73fb89e5cb5ba1e563f78daeb902072d499e81cbf84b74d02cf89",
    "8e3cce11278428db0245b71cdde79c032237cd5b170e48f36480c1ade1f7cede933a899e40431da261cb6e7162de75d1",
    "8101f3aef6430158918237bdf61b49f7d5ed094009cb0a2bef5e1373f3a46afe521466ffacf1280f656de271d9e86e5d",
];
const SIGNATURE: &str = "980e566c2c16f4d1b8bc14e17a83c4346eefe234063675f4ddcfee0e7712c7f9ec6f8ae5ad7ec13318a8aa032eedb91b\
                         059c92aa01cc7c30b1c4fbd9282bf9b4ef25d394bca3051bac002139e03d7c2865df8fc496a8d7777fd1eda1f960dfda";

pub(crate) fn share(i: usize) -> SecretScalar {
    SecretScalar::from_be_bytes(&array(SHARES[i])).unwrap()
}

fn share_key(i: usize) -> G1 {
    G1::from_compressed(&array(SHARE_KEYS[i])).unwrap()
}

pub(crate) fn owner_nonce() -> OwnerNonce {
    OwnerNonce { owner: ExecutionAddress::parse_checksummed(OWNER).unwrap(), nonce: 1 }
}

/// The validator's key; any three operators could do this.
pub(crate) fn secret() -> SecretScalar {
    let coefficients = coefficients_at_zero(&IDS[..3]).unwrap();
    let mut secret = SecretScalar::zero();
    (0..3).for_each(|i| secret.add_assign(&share(i).scaled(&coefficients[i])));
    secret
}

#[test]
fn shares_have_their_keys_and_any_three_combine() {
    let validator = G1::from_compressed(&array(VALIDATOR)).unwrap();
    for (i, id) in IDS.iter().enumerate() {
        assert_eq!(share(i).base_mult().unwrap(), share_key(i), "operator {id}");
    }
    for subset in [vec![0, 1, 2], vec![1, 2, 3], vec![0, 2, 3], vec![0, 1, 2, 3]] {
        let ids: Vec<u64> = subset.iter().map(|i| IDS[*i]).collect();
        let keys: Vec<G1> = subset.iter().map(|i| share_key(*i)).collect();
        let coefficients = coefficients_at_zero(&ids).unwrap();
        assert_eq!(G1Sum::msm(&keys, &coefficients).finish(), Some(validator), "{ids:?}");
    }
    assert_eq!(secret().base_mult().unwrap(), validator);
}

#[test]
fn owner_and_nonce_are_signed_as_there() {
    let owner_nonce = owner_nonce();
    assert_eq!(owner_nonce.text(), format!("{OWNER}:1"));
    assert_eq!(
        hex::encode(owner_nonce.digest()),
        "7e60ef67f77832e9465173397c6329866545efc7d00270af8b88ab125178442e"
    );
    assert_eq!(
        hex::encode(bls_sign(&secret(), &owner_nonce.digest()).unwrap().to_compressed()),
        SIGNATURE
    );
    // As operators make it.
    let partials: Vec<G2> =
        (1..4).map(|i| bls_sign(&share(i), &owner_nonce.digest()).unwrap()).collect();
    let combined = combine(&coefficients_at_zero(&IDS[1..]).unwrap(), &partials).unwrap();
    assert_eq!(hex::encode(combined.to_compressed()), SIGNATURE);
}

/// A registration on chain, of another origin.
#[test]
fn a_registration_on_chain_verifies() {
    let owner =
        ExecutionAddress::parse_checksummed("0x382f6FF5B9a29FcF1Dd2bf8B86C3234Dc7ed2Df6").unwrap();
    let owner_nonce = OwnerNonce { owner, nonce: 8 };
    assert_eq!(
        hex::encode(owner_nonce.digest()),
        "32b2772a6daac6532a21a0b4f01e3728099abab56f9e135c9ff6122b44fd74fa"
    );
    let key = "94cbce91137bfda4a7638941a68d6b156712bd1ce80e5dc580adc74a445099cbbfb9f97a6c7c89c6a87e28e0657821ac";
    let signature = "9720bfb2aa152d512232dc255f9565b226800bc362f1e2462e08a8856317497e3d21c5e2690b86f8e27f3c6c666d9487\
                     104c72847bba9493aa8fcc2d473b4c83dcc7b3db2f732da2a8a3df6e2609a65222e335321f694a7ab3ac16f55920d645";
    let (key, signature) = (
        G1::from_compressed(&array(key)).unwrap(),
        G2::from_compressed(&array(signature)).unwrap(),
    );
    assert!(verify_signature(&key, &owner_nonce.message(), &signature));
    assert!(bls_verify(&key, &owner_nonce.digest(), &signature));
    // With the address in lower case it is another message.
    let lower = format!("{}:8", owner.to_lower_hex());
    use sha3::Digest as _;
    assert!(!verify_signature(
        &key,
        &message_point(&sha3::Keccak256::digest(lower.as_bytes()).into()),
        &signature
    ));
}

#[test]
fn roots_of_the_proofs() {
    let validator = ssz::bytes48(&array(VALIDATOR));
    assert_eq!(
        hex::encode(validator),
        "fee53daf4c3f20577795c4f2cd6ae150a8042385121a47db517970d6ebc39fca"
    );
    let first = ssz::bytes48(&array(SHARE_KEYS[0]));
    assert_eq!(
        hex::encode(first),
        "8d83a85397c79e24db2593ffa864f3ee691dd831e42ced6c397632fb1ee28465"
    );
    let owner = ssz::bytes20(owner_nonce().owner.as_bytes());
    assert_eq!(
        hex::encode(owner),
        "dcc846fa10c7cfce9e6eb37e06ed93b666cfc5e9000000000000000000000000"
    );
    // The ciphertext's own root is given, and none but its operator could make the ciphertext
    // again.
    let encrypted = array("8ef24f4d058881366adc66b062530517df2b2762a9f3535017891e40bc025273");
    let root = ssz::four(validator, encrypted, first, owner);
    assert_eq!(
        hex::encode(root),
        "3752a361ff477f0d3f4465a9bbe3de36b9c936f4b833674a9a7109d7b49cc57a"
    );
}

#[test]
fn the_deposit_is_that_of_the_example() {
    let network = Network::known("mainnet").unwrap();
    let address = ExecutionAddress::from_bytes(array(WITHDRAWAL)).unwrap();
    let message = DepositMessage {
        pubkey: array(VALIDATOR),
        withdrawal_credentials: WithdrawalCredentials::execution(address),
        amount: 32_000_000_000,
    };
    assert_eq!(
        hex::encode(message.root()),
        "991c0c3f753a74008b72f4352a6e7203fe48699c7d509d78e0f2fb75b5b905ae"
    );
    let root = message.signing_root(&network);
    assert_eq!(
        hex::encode(root),
        "d4b5807e4e0d7d1c45e913b8972757229388d07825569b2da91e17eb165b89c5"
    );
    let signature = bls_sign(&secret(), &root).unwrap().to_compressed();
    assert_eq!(
        hex::encode(message.data_root(&signature)),
        "579a33034f701b24e6854aadc2b9b0dd8e843f8443ab96d455c198932464ee34"
    );
}
