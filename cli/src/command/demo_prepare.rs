//! What a demo begins with: identities, free ports, and the ceremony file; for an Obol cluster also
//! a definition and a key for each node.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use super::demo::{PASSPHRASE_FILE, Player};
use super::demo_import;
use super::demo_ssv;
use super::obol_key::fresh;
use crate::args::DemoArgs;
use crate::cheat::DEMO_WITHDRAWAL;
use crate::report::CliError;
use crate::{messages, node_key};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::network::Network;
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::{
    ClusterDefinition, ClusterOperator, Creator, ValidatorAddresses, Version,
};
use quorate::ethereum::obol::enr;
use quorate::ethereum::preregistration::Draft;
use quorate::ethereum::secp256k1::NodeSecret;
use quorate::identity::Operator;
use quorate::identity::card::OperatorName;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::file::{DEFAULT_GAS_LIMIT, OperatorEntry};
use quorate::spec::obol::ceremony_file;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::random;
use quorate_operator::store::{self, IDENTITY_FILE, SealCost, StateDir, seal_with_passphrase};

/// The ceremony file of a demo, below its folder.
pub(super) const CEREMONY_FILE: &str = "ceremony.toml";
/// The name of a demo's ceremony and cluster.
const NAME: &str = "Demo cluster";
const NAMES: [&str; 16] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim",
    "leo", "mia", "nina", "olga", "peggy",
];
/// A demo's passphrases are random and its identities thrown away: stretching them would only take
/// time.
const DEMO_COST: u8 = 12;

/// What the operator at this position (from 0) is called.
pub(super) fn operator_name(position: usize) -> String {
    let name = NAMES.get(position).map(|name| (*name).to_owned());
    name.unwrap_or_else(|| format!("member-{}", position + 1))
}

/// Makes identities and the ceremony file.
pub(super) fn prepare(args: &DemoArgs, root: &Path) -> Result<(Ceremony, Vec<Player>), CliError> {
    fs::create_dir_all(root).map_err(|error| messages::writing(root, &error))?;
    let root = root.canonicalize().map_err(|error| messages::reading(root, &error))?;
    let ports = free_ports(usize::from(args.operators))?;
    let passphrase = SecretBytes::new(hex::encode(random::secret().expose()).into_bytes());
    store::write_new(&root.join(PASSPHRASE_FILE), passphrase.expose(), 0o600)
        .map_err(messages::store)?;
    let names: Vec<String> = (0..ports.len()).map(operator_name).collect();
    let for_ssv = match args.ssv {
        true => demo_ssv::prepare(&root, &names, args.reshare)?,
        false => Vec::new(),
    };
    let mut text = head(args);
    let mut players = Vec::new();
    for (i, (port, name)) in ports.into_iter().zip(names).enumerate() {
        let dir = root.join(&name);
        let card = identity(&name, &dir, &passphrase)?;
        text += &format!("[[operators]]\ncard = \"{card}\"\naddress = \"127.0.0.1:{port}\"\n");
        text += for_ssv.get(i).map_or("", String::as_str);
        players.push(Player { name, dir, port });
    }
    let text = match args.obol {
        true => obol(args, &root, &players, &text)?,
        false if args.import => text + &demo_import::prepare(args, &root)?,
        false => {
            text + &format!(
                "[[validators]]\ncount = {}\nwithdrawal = \"{DEMO_WITHDRAWAL}\"\ncompounding = \
                 false\n",
                args.validators
            )
        }
    };
    let ceremony = CeremonyFile::parse_toml(&text)
        .and_then(Ceremony::try_from)
        .map_err(|error| messages::spec(&error))?;
    store::write_new(&root.join(CEREMONY_FILE), text.as_bytes(), 0o644).map_err(messages::store)?;
    Ok((ceremony, players))
}

/// What stands before the operators in the ceremony file.
fn head(args: &DemoArgs) -> String {
    let mut text = format!(
        "version = 2\nname = \"{NAME}\"\nid = \"{}\"\nnetwork = \"{}\"\nthreshold = {}\n",
        hex::encode(random::secret().expose()),
        args.network,
        args.threshold
    );
    if args.threshold == args.operators {
        text += "[policy]\nallow_all_required = true\n";
    }
    if args.import {
        text += "[import]\ndealer = 1\n";
    }
    if args.preregistration {
        text += &format!("[preregistration]\ndraft = \"{}\"\n", Draft::NEWEST.date());
    }
    if args.ssv {
        text += &format!("[ssv]\nowner = \"{DEMO_WITHDRAWAL}\"\nnonce = 0\n");
    }
    text
}

/// An operator's keys in a directory of its own; its card.
pub(super) fn identity(
    name: &str,
    dir: &Path,
    passphrase: &SecretBytes,
) -> Result<String, CliError> {
    let name = OperatorName::parse(name).expect("a plain name");
    let operator = Operator::generate(name, random::secret());
    let state = StateDir::open_or_create(dir).map_err(messages::store)?;
    let cost = SealCost::new(DEMO_COST).expect("within bounds");
    let secret = operator.to_secret_bytes();
    let sealed = seal_with_passphrase(&secret, passphrase, IDENTITY_FILE, cost, &mut random::os());
    let mark = operator.mark().expect("a new operator has one");
    let mark = state.ensure_mark(mark).map_err(messages::store)?;
    state.write_identity(&sealed).map_err(messages::store)?;
    let card = operator.with_mark(Some(mark)).card();
    state.keep_card(&card).map_err(messages::store)?;
    Ok(card.encode())
}

/// A definition that nobody signed, a node key for every operator, and the file of the ceremony
/// that makes the cluster; `text` has the operators.
fn obol(args: &DemoArgs, root: &Path, players: &[Player], text: &str) -> Result<String, CliError> {
    let path = root.join("cluster-definition.json");
    let cluster = defined(args, &path, &players.iter().collect::<Vec<_>>())?;
    #[derive(serde::Deserialize)]
    struct Operators {
        operators: Vec<OperatorEntry>,
    }
    let operators: Operators = toml::from_str(text)
        .map_err(|error| messages::internal(&format!("the demo's own operators: {error}")))?;
    let file = ceremony_file(&cluster, NAME, &random::public(), operators.operators);
    let mut file = file.map_err(|error| messages::spec(&error))?;
    file.policy.allow_all_required = args.threshold == args.operators;
    file.preregistration = args.preregistration.then(|| Draft::NEWEST.into());
    Ok(file.to_toml())
}

/// Writes a definition of these operators, and gives what it says.
pub(super) fn defined(
    args: &DemoArgs,
    path: &Path,
    players: &[&Player],
) -> Result<Cluster, CliError> {
    let cluster = Cluster::check(definition(args, players)?, BTreeSet::new())
        .map_err(|error| messages::definition(path, &error))?;
    store::write_new(path, &cluster.definition().to_json(), 0o644).map_err(messages::store)?;
    Ok(cluster)
}

/// The key of an operator's node: the one that it has, or a fresh one.
fn node(player: &Player) -> Result<NodeSecret, CliError> {
    let state = StateDir::open(&player.dir).map_err(messages::store)?;
    let path = node_key::path(&state);
    if path.exists() {
        return node_key::read(&path);
    }
    let key = fresh();
    node_key::keep(&state, &key)?;
    Ok(key)
}

/// The definition, with the key of each node.
fn definition(args: &DemoArgs, players: &[&Player]) -> Result<ClusterDefinition, CliError> {
    let network =
        Network::known(&args.network).ok_or_else(|| messages::unknown_network(&args.network))?;
    let mut operators = Vec::new();
    for player in players {
        let (config_signature, enr_signature) = Default::default();
        operators.push(ClusterOperator {
            address: None,
            enr: enr::write(&node(player)?),
            config_signature,
            enr_signature,
        });
    }
    let withdrawal =
        ExecutionAddress::parse_checksummed(DEMO_WITHDRAWAL).expect("an address with its checksum");
    let addresses = ValidatorAddresses { fee_recipient: withdrawal, withdrawal };
    let definition = ClusterDefinition {
        name: NAME.to_owned(),
        creator: Creator::default(),
        operators,
        uuid: hex::encode_upper(&random::public()[..16]),
        version: Version::V1_10,
        timestamp: String::new(),
        num_validators: args.validators.into(),
        threshold: args.threshold.into(),
        validators: vec![addresses; args.validators.into()],
        dkg_algorithm: "default".to_owned(),
        fork_version: network.genesis_fork_version(),
        deposit_amounts: Some(vec![network.standard_amount()]),
        consensus_protocol: "qbft".to_owned(),
        target_gas_limit: DEFAULT_GAS_LIMIT,
        compounding: false,
        config_hash: [0; 32],
        definition_hash: [0; 32],
    };
    Ok(definition.with_hashes())
}

/// Ports that are free now. All are held until all are known, so none is given twice.
pub(super) fn free_ports(count: usize) -> Result<Vec<u16>, CliError> {
    let listeners: Result<Vec<TcpListener>, _> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let listeners = listeners.map_err(messages::no_port)?;
    listeners
        .iter()
        .map(|listener| Ok(listener.local_addr().map_err(messages::no_port)?.port()))
        .collect()
}
