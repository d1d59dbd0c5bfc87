//! `quorate demo`: a whole ceremony on this machine, with one process per operator, then the audit.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::obol_key::fresh;
use super::{demo_faults, demo_ssv};

use crate::args::{DemoArgs, KdfChoice, ProfileChoice};
use crate::cheat::{DEMO_WITHDRAWAL, Rule};
use crate::report::{CliError, Exit, Output, talk};
use crate::{messages, node_key};
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::audit::report::Report;
use quorate::audit::{audit, render};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::network::Network;
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::{
    ClusterDefinition, ClusterOperator, Creator, ValidatorAddresses, Version,
};
use quorate::ethereum::obol::enr;
use quorate::identity::Operator;
use quorate::identity::card::OperatorName;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::canonical::fingerprint;
use quorate::spec::file::{DEFAULT_GAS_LIMIT, OperatorEntry};
use quorate::spec::obol::ceremony_file;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::random;
use quorate_operator::store::{self, IDENTITY_FILE, SealCost, StateDir, seal_with_passphrase};

const NAMES: [&str; 16] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim",
    "leo", "mia", "nina", "olga", "peggy",
];
/// A demo's passphrases are random and its identities thrown away: stretching them would only take
/// time.
const DEMO_COST: u8 = 12;

/// One operator of the demo.
pub(super) struct Player {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    port: u16,
}

/// How often it is looked whether operators have ended.
const POLL: Duration = Duration::from_millis(20);

/// The demo's passphrase, the same for all its operators.
const PASSPHRASE_FILE: &str = "passphrase";

/// A demo that is prepared: who plays, in what.
pub(super) struct Demo<'a> {
    args: &'a DemoArgs,
    program: PathBuf,
    pub(super) root: PathBuf,
    pub(super) ceremony: Ceremony,
    pub(super) words: String,
    pub(super) players: Vec<Player>,
}

/// Runs the command.
pub(crate) fn run(args: &DemoArgs, out: &Output) -> Result<Exit, CliError> {
    let root = &args.out;
    if root.exists() {
        return Err(messages::demo_exists(root));
    }
    let (ceremony, players) = prepare(args, root)?;
    talk(&format!(
        "Demo ceremony: {} of {} operators, {} validators.",
        ceremony.t(),
        ceremony.n(),
        ceremony.v()
    ));
    let root = root.canonicalize().map_err(|error| messages::reading(root, &error))?;
    let program =
        env::current_exe().map_err(|error| messages::reading(Path::new("this program"), &error))?;
    let words = fingerprint(&ceremony.digest()).join(" ");
    let demo = Demo { args, program, root, ceremony, words, players };
    match args.fault {
        Some(fault) => demo_faults::run(&demo, fault, out),
        None => {
            play(&demo)?;
            conclude(&demo, out, None)
        }
    }
}

/// Makes identities and the ceremony file.
fn prepare(args: &DemoArgs, root: &Path) -> Result<(Ceremony, Vec<Player>), CliError> {
    fs::create_dir_all(root).map_err(|error| messages::writing(root, &error))?;
    let root = root.canonicalize().map_err(|error| messages::reading(root, &error))?;
    let ports = free_ports(usize::from(args.operators))?;
    let passphrase = SecretBytes::new(hex::encode(random::secret().expose()).into_bytes());
    store::write_new(&root.join(PASSPHRASE_FILE), passphrase.expose(), 0o600)
        .map_err(messages::store)?;
    let cost = SealCost::new(DEMO_COST).expect("within bounds");
    let mut players = Vec::new();
    let mut text = format!(
        "version = 2\nname = \"Demo cluster\"\nid = \"{}\"\nnetwork = \"{}\"\nthreshold = {}\n",
        hex::encode(random::secret().expose()),
        args.network,
        args.threshold
    );
    if args.threshold == args.operators {
        text += "[policy]\nallow_all_required = true\n";
    }
    let name = |i: usize| {
        NAMES.get(i).map_or_else(|| format!("operator-{}", i + 1), |name| (*name).to_owned())
    };
    let names: Vec<String> = (0..ports.len()).map(name).collect();
    let mut for_ssv = Vec::new();
    if args.ssv {
        text += &format!("[ssv]\nowner = \"{DEMO_WITHDRAWAL}\"\nnonce = 0\n");
        for_ssv = demo_ssv::prepare(&root, &names)?;
    }
    for (i, (port, name)) in ports.into_iter().zip(names).enumerate() {
        let dir = root.join(&name);
        let operator =
            Operator::generate(OperatorName::parse(&name).expect("a plain name"), random::secret());
        let state = StateDir::open_or_create(&dir).map_err(messages::store)?;
        let sealed = seal_with_passphrase(
            &operator.to_secret_bytes(),
            &passphrase,
            IDENTITY_FILE,
            cost,
            &mut random::os(),
        );
        state.write_identity(&sealed).map_err(messages::store)?;
        text += &format!(
            "[[operators]]\ncard = \"{}\"\naddress = \"127.0.0.1:{port}\"\n",
            operator.card().encode()
        );
        text += for_ssv.get(i).map_or("", String::as_str);
        players.push(Player { name, dir, port });
    }
    if args.obol {
        return obol(args, &root, players, &text);
    }
    text += &format!(
        "[[validators]]\ncount = {}\nwithdrawal = \"{DEMO_WITHDRAWAL}\"\ncompounding = false\n",
        args.validators
    );
    let parsed = CeremonyFile::parse_toml(&text)
        .and_then(Ceremony::try_from)
        .map_err(|error| messages::spec(&error))?;
    store::write_new(&root.join("ceremony.toml"), text.as_bytes(), 0o644)
        .map_err(messages::store)?;
    Ok((parsed, players))
}

/// A definition that nobody signed, a node key for every operator, and the ceremony that makes the
/// cluster; `text` has the operators.
fn obol(
    args: &DemoArgs,
    root: &Path,
    players: Vec<Player>,
    text: &str,
) -> Result<(Ceremony, Vec<Player>), CliError> {
    let network =
        Network::known(&args.network).ok_or_else(|| messages::unknown_network(&args.network))?;
    let mut operators = Vec::new();
    for player in &players {
        let key = fresh();
        node_key::keep(&StateDir::open(&player.dir).map_err(messages::store)?, &key)?;
        let (config_signature, enr_signature) = Default::default();
        operators.push(ClusterOperator {
            address: None,
            enr: enr::write(&key),
            config_signature,
            enr_signature,
        });
    }
    let withdrawal =
        ExecutionAddress::parse_checksummed(DEMO_WITHDRAWAL).expect("an address with its checksum");
    let addresses = ValidatorAddresses { fee_recipient: withdrawal, withdrawal };
    let definition = ClusterDefinition {
        name: "Demo cluster".to_owned(),
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
    let path = root.join("cluster-definition.json");
    let cluster = Cluster::check(definition.with_hashes(), BTreeSet::new())
        .map_err(|error| messages::definition(&path, &error))?;
    store::write_new(&path, &cluster.definition().to_json(), 0o644).map_err(messages::store)?;
    #[derive(serde::Deserialize)]
    struct Operators {
        operators: Vec<OperatorEntry>,
    }
    let operators: Operators = toml::from_str(text)
        .map_err(|error| messages::internal(&format!("the demo's own operators: {error}")))?;
    let file = ceremony_file(&cluster, "Demo cluster", &random::public(), operators.operators);
    let mut file = file.map_err(|error| messages::spec(&error))?;
    file.policy.allow_all_required = args.threshold == args.operators;
    let text = file.to_toml();
    let ceremony = CeremonyFile::parse_toml(&text)
        .and_then(Ceremony::try_from)
        .map_err(|error| messages::spec(&error))?;
    store::write_new(&root.join("ceremony.toml"), text.as_bytes(), 0o644)
        .map_err(messages::store)?;
    Ok((ceremony, players))
}

/// Ports that are free now. All are held until all are known, so none is given twice.
fn free_ports(count: usize) -> Result<Vec<u16>, CliError> {
    let listeners: Result<Vec<TcpListener>, _> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let listeners = listeners.map_err(messages::no_port)?;
    listeners
        .iter()
        .map(|listener| Ok(listener.local_addr().map_err(messages::no_port)?.port()))
        .collect()
}

/// An operator's process, which ends with this one's interest in it.
pub(super) struct Running<'a> {
    pub(super) player: &'a Player,
    child: Child,
    lines: Receiver<String>,
    talk: Option<JoinHandle<()>>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Of one that has ended, both say so at once.
        let _ = self.child.kill().and_then(|()| self.child.wait());
        // The reader ends with the process; a panic in it would only lose lines of talk.
        let _ = self.talk.take().map(JoinHandle::join);
    }
}

impl Running<'_> {
    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, CliError> {
        self.child.try_wait().map_err(|error| messages::no_process(&self.player.name, &error))
    }

    /// Waits for a line with one of `texts`; `None` if the process ends without, or takes too long.
    pub(super) fn until(&mut self, texts: &[String], patience: Duration) -> Option<String> {
        let end = Instant::now() + patience;
        loop {
            let line =
                self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            if texts.iter().any(|text| line.contains(text)) {
                return Some(line);
            }
        }
    }

    /// `kill -9`, as dropping it does.
    pub(super) fn kill(self) {}

    /// What Ctrl-C does.
    pub(super) fn interrupt(&self) -> Result<(), CliError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let sent = pid.map_or(Ok(()), |pid| kill_process(pid, Signal::INT));
        sent.map_err(|error| messages::no_process(&self.player.name, &error.into()))
    }
}

impl Demo<'_> {
    /// The program with an operator's directory and passphrase.
    pub(super) fn command(&self, player: usize) -> Command {
        let mut command = Command::new(&self.program);
        let passphrase = self.root.join(PASSPHRASE_FILE);
        command
            .arg("--dir")
            .arg(&self.players[player].dir)
            .arg("--passphrase-file")
            .arg(passphrase);
        command
    }

    /// Starts an operator; one that breaks a rule, if there is one.
    pub(super) fn start(
        &self,
        player: usize,
        cheat: Option<Rule>,
    ) -> Result<Running<'_>, CliError> {
        let mut command = self.command(player);
        let player = &self.players[player];
        match cheat {
            None => command.arg("run"),
            Some(rule) => command.arg("demo-cheat").args(["--rule", cheat_name(rule)]),
        };
        command.arg(self.root.join("ceremony.toml")).args(["--yes-fingerprint", &self.words]);
        command
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", player.port))
            .args(["--kdf", kdf_name(self.args.kdf)]);
        command.args(["--profile", profile_name(self.args.profile)]);
        if self.args.password_files {
            command.arg("--password-files");
        }
        if self.args.ssv {
            command.arg("--ssv-key").arg(demo_ssv::key_file(&self.root, &player.name));
            command.arg("--ssv-password-file").arg(demo_ssv::password_file(&self.root));
        }
        if self.args.no_keystores {
            command.arg("--no-keystores");
        } else if self.args.kdf == KdfChoice::Scrypt {
            // 256 MiB each.
            command.arg("--kdf-turns");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| messages::no_process(&player.name, &error))?;
        let stderr = child.stderr.take().expect("stderr is piped");
        let width = self.players.iter().map(|player| player.name.len()).max().unwrap_or(0);
        let prefix = format!("{:>width$} | ", player.name);
        let (send, lines) = channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                talk(&format!("{prefix}{line}"));
                // Nobody may be waiting for a line.
                let _ = send.send(line);
            }
        });
        Ok(Running { player, child, lines, talk: Some(reader) })
    }

    /// Starts all operators but one.
    pub(super) fn start_all_but(&self, one: usize) -> Result<Vec<Running<'_>>, CliError> {
        (0..self.players.len())
            .filter(|player| *player != one)
            .map(|player| self.start(player, None))
            .collect()
    }
}

/// Runs one process for each operator until all have ended, or one has failed: the others would
/// wait for it for ever.
fn play(demo: &Demo<'_>) -> Result<(), CliError> {
    let mut running = (0..demo.players.len())
        .map(|player| demo.start(player, None))
        .collect::<Result<Vec<_>, _>>()?;
    loop {
        let mut failed = Vec::new();
        let mut ended = 0;
        for one in &mut running {
            if let Some(status) = one.ended()? {
                ended += 1;
                if !status.success() {
                    failed.push(one.player.name.clone());
                }
            }
        }
        match failed.is_empty() {
            false => return Err(messages::demo_failed(&failed, &demo.root)),
            true if ended == running.len() => return Ok(()),
            true => thread::sleep(POLL),
        }
    }
}

fn cheat_name(rule: Rule) -> &'static str {
    match rule {
        Rule::BadShare => "bad-share",
        Rule::Equivocate => "equivocate",
        Rule::RogueKey => "rogue-key",
        Rule::Withhold => "withhold",
        Rule::FalseComplaint => "false-complaint",
    }
}

fn kdf_name(choice: KdfChoice) -> &'static str {
    match choice {
        KdfChoice::Scrypt => "scrypt",
        KdfChoice::Pbkdf2 => "pbkdf2",
    }
}

fn profile_name(choice: ProfileChoice) -> &'static str {
    match choice {
        ProfileChoice::Default => "default",
        ProfileChoice::Charon => "charon",
        ProfileChoice::Web3signer => "web3signer",
    }
}

/// Compares what the operators hold, and audits it as a stranger would.
pub(super) fn conclude(
    demo: &Demo<'_>,
    out: &Output,
    story: Option<(&str, Value)>,
) -> Result<Exit, CliError> {
    let Demo { root, ceremony, players, .. } = demo;
    let mut folders = Vec::new();
    for player in players {
        let state = StateDir::open(&player.dir).map_err(messages::store)?;
        let view = state.find(&ceremony.digest()).map_err(messages::store)?;
        folders.push(
            view.ok_or_else(|| messages::demo_failed(std::slice::from_ref(&player.name), root))?
                .out(),
        );
    }
    let read = |folder: &Path| {
        let path = folder.join("public").join("transcript.quorate");
        fs::read(&path).map_err(|error| messages::reading(&path, &error))
    };
    let transcript = read(&folders[0])?;
    let judged = |transcript: &[u8]| {
        audit(transcript, &Expectations { ceremony: Some(ceremony), ..Expectations::default() })
    };
    let report = judged(&transcript);
    let certificate = |report: &Report| report.audited().map(Audited::certificate);
    for (player, folder) in players.iter().zip(&folders) {
        // A ceremony is named by its certificate; bytes may differ where that does not.
        let held = read(folder)?;
        if held != transcript && certificate(&judged(&held)) != certificate(&report) {
            return Err(messages::internal(&format!(
                "{} holds a different certificate",
                player.name
            )));
        }
    }
    let text = format!(
        "{}\nAll {} operators hold the same certificate.\n{}Outputs: {}",
        render::to_text(&report),
        players.len(),
        story.as_ref().map(|(told, _)| format!("\nAs announced.\n{told}\n")).unwrap_or_default(),
        root.display()
    );
    let public = folders[0].join("public");
    let mut fields = json!({
        "out": root.display().to_string(),
        "public": public.display().to_string(),
        "findings": report.findings(),
        "transcript": report.transcript().to_string(),
        "certificate": certificate(&report).map(|digest| digest.to_string()),
    });
    if let (Some(fields), Some((_, Value::Object(more)))) = (fields.as_object_mut(), story) {
        fields.extend(more);
    }
    out.finish(if report.is_clean() { Exit::Done } else { Exit::Finding }, fields, &text)
}
