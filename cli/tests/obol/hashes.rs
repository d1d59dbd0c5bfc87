//! Known answers for the hashes of definitions and locks.

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::obol::definition::{
    ClusterDefinition, ClusterOperator, Creator, ValidatorAddresses, Version,
};
use quorate::ethereum::obol::lock::{ClusterLock, lock_hash};

use crate::made::address;

/// The fixed definition of Charon's own hash tests, with the fields that later versions added.
fn fixed(version: Version) -> ClusterDefinition {
    let operator = |byte, enr: &str| ClusterOperator {
        address: Some(address(byte)),
        enr: enr.to_owned(),
        config_signature: Vec::new(),
        enr_signature: Vec::new(),
    };
    ClusterDefinition {
        name: "test-cluster-3of4".to_owned(),
        creator: Creator { address: Some(address(0x11)), config_signature: Vec::new() },
        operators: vec![
            operator(0x11, "enr:-Iu4QNHNMf"),
            operator(0x22, "enr:-Iu4QABCDef"),
            operator(0x33, "enr:-Iu4QXYZghi"),
        ],
        uuid: "f4c00e58-1a54-4e55-8d76-2b2a6d4c3f9a".to_owned(),
        version,
        timestamp: "2024-06-15T12:00:00Z".to_owned(),
        num_validators: 2,
        threshold: 3,
        validators: vec![
            ValidatorAddresses {
                fee_recipient: address(0xaa),
                withdrawal: address(0xbb)
            };
            2
        ],
        dkg_algorithm: "default".to_owned(),
        fork_version: [0x00, 0x00, 0x10, 0x20],
        deposit_amounts: Some(vec![32_000_000_000]),
        consensus_protocol: "abft".to_owned(),
        target_gas_limit: 30_000_000,
        compounding: true,
        config_hash: [0; 32],
        definition_hash: [0; 32],
    }
    .with_hashes()
}

fn hashes(definition: &ClusterDefinition) -> [String; 2] {
    [definition.config_hash, definition.definition_hash].map(hex::encode)
}

#[test]
fn version_1_10() {
    let [config, definition] = hashes(&fixed(Version::V1_10));
    assert_eq!(config, "5e16fdd44a25d37ebce15ea9d2069ec9d0930ce8d3a0e9091f82edae5969b306");
    assert_eq!(definition, "41db92e0d9d29e8b3f2b3ee80e7a7256a97851e0aa63cb91d5ed9516cd2f8689");
}

#[test]
fn version_1_11_with_none_one_and_two_signatures_of_a_wallet() {
    let mut fixed = fixed(Version::V1_11);
    let [config, definition] = hashes(&fixed);
    assert_eq!(config, "e7e406f896eca7e9e375489e672665e5646f3eb585e252d9e5afae5a8ddc23d2");
    assert_eq!(definition, "f97438b172b6cf2c07fbf8c0fac5b542e333df50937c999f6d69730e73711b73");
    fixed.operators[0].config_signature = vec![1; 65];
    fixed.operators[0].enr_signature = vec![2; 130];
    fixed.creator.config_signature = vec![3; 65];
    let [same, definition] = hashes(&fixed.with_hashes());
    assert_eq!(same, config);
    assert_eq!(definition, "789901c0cfdfa8ed510b4ad948b20be55983363ed5ae4a2c9640e963a89eb85e");
}

#[test]
fn a_field_that_a_version_does_not_have_is_not_hashed() {
    let hash = |version, change: fn(&mut ClusterDefinition)| {
        let mut definition = fixed(version);
        change(&mut definition);
        definition.compute_config_hash()
    };
    let (protocol, gas) = (
        |d: &mut ClusterDefinition| d.consensus_protocol.clear(),
        |d: &mut ClusterDefinition| d.target_gas_limit = 1,
    );
    let same = |_: &mut ClusterDefinition| {};
    assert_eq!(hash(Version::V1_8, same), hash(Version::V1_8, protocol));
    assert_ne!(hash(Version::V1_9, same), hash(Version::V1_9, protocol));
    assert_eq!(hash(Version::V1_9, same), hash(Version::V1_9, gas));
    assert_ne!(hash(Version::V1_10, same), hash(Version::V1_10, gas));
}

/// Wallets are compared by their bytes, so their spelling does not matter.
#[test]
fn spelling_of_addresses_is_not_hashed() {
    let checksummed =
        ExecutionAddress::parse_any("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").unwrap();
    assert_eq!(ExecutionAddress::parse_any(&checksummed.to_lower_hex()), Ok(checksummed));
}

/// Charon's own files, which are not in this repository: `cluster/testdata` of its sources.
/// Everything in them is random but the hashes. What is expected was computed by another
/// implementation, not read off the files: some state hashes of drafts of the format.
///
///     QUORATE_CHARON_TESTDATA=charon/cluster/testdata cargo test --test obol -- --ignored
#[test]
#[ignore = "needs a copy of Charon's sources"]
fn charons_own_files() {
    let folder = std::path::PathBuf::from(
        std::env::var_os("QUORATE_CHARON_TESTDATA").expect("it names the folder"),
    );
    let mut seen = 0;
    for (version, config, definition, lock) in CHARONS {
        if let Ok(bytes) = std::fs::read(folder.join(format!("cluster_definition_{version}.json")))
        {
            let read = ClusterDefinition::parse(&bytes).unwrap().with_hashes();
            assert_eq!(hashes(&read), [config, definition], "{version}");
            seen += 1;
        }
        if let Ok(bytes) = std::fs::read(folder.join(format!("cluster_lock_{version}.json"))) {
            // These three are 32 random bytes each, and in no hash.
            let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            json["signature_aggregate"] = format!("0x{}", "00".repeat(96)).into();
            json["node_signatures"] = vec![format!("0x{}", "00".repeat(65)); 2].into();
            let read = ClusterLock::parse(json.to_string().as_bytes()).unwrap();
            assert_eq!(
                hex::encode(lock_hash(&read.definition, &read.validators)),
                lock,
                "{version}"
            );
            assert_eq!(hex::encode(read.definition.compute_config_hash()), config, "{version}");
            seen += 1;
        }
    }
    assert!(seen > 0, "no file of a known version");
    println!("{seen} files");
}

/// Version, configuration hash, definition hash, lock hash.
const CHARONS: [(&str, &str, &str, &str); 4] = [
    (
        "v1_8_0",
        "be27726f562e31025947b013115e3e33cc1e832f57bea9ccff3bde4bde51bfa0",
        "43424dc5bc7748f41b6d68a0a8752d8ae8008913471068769be8887ecc485258",
        "efbdb47840715c7a3bb0fa795089afd713a863c8f523bfcb46e0ff8950b01b0d",
    ),
    (
        "v1_9_0",
        "106b5056b1f4ec7fa61fa5d5c62d555cada57d238f076b1f2b605ee192ca3249",
        "6ffb319725adc05b8bfce2b1fed2f98868ef2a4e67f3d32b9b11151014bc6b26",
        "6a2e65973460f2392c797ccee621cdce72dc4eb3536d3afa7a5d0947e2d2adc0",
    ),
    (
        "v1_10_0",
        "225c67b648abd8b459265cd84b18b86265e2c5da8e352c488ac6f0e63b2422bc",
        "77084e268288dd34970af16f55b8dcbbe26dce196e0e91be193450f24726e76e",
        "b1613824b71f57f877be2cdf230e0baa8ab2cc886f57171157be5180961764f0",
    ),
    (
        "v1_11_0",
        "9f889a6e78ca1f4637fab903ccaef6919e70ff35bcc43022512dbb843232d575",
        "1d3f0ecd993b4dc1083fe39b3a5970f3f3824b82a63791a16e9d3e4e289ed9e4",
        "ecb029e3f8fb17a280a8960718d21aef2506d861b8b1a0ca9a95d8ee15dae8e0",
    ),
];
