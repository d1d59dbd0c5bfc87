//! `quorate demo`: a whole ceremony on this machine, with as many operator processes as operators, then the audit.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, fs, thread};

use serde_json::json;

use crate::audit::expectation::Expectations;
use crate::audit::{audit, render};
use crate::cli::args::{DemoArgs, KdfChoice};
use crate::cli::report::{CliError, Exit, Output, talk};
use crate::cli::{messages, random};
use crate::identity::Operator;
use crate::identity::card::OperatorName;
use crate::primitives::secret::SecretBytes;
use crate::spec::canonical::fingerprint;
use crate::spec::{Ceremony, CeremonyFile};
use crate::store::{self, IDENTITY_FILE, SealCost, StateDir, seal_with_passphrase};

const NAMES: [&str; 16] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim", "leo", "mia", "nina", "olga",
    "peggy",
];
/// A demo's passphrases are random and its identities thrown away: stretching them would only take time.
const DEMO_COST: u8 = 12;
/// A recognisable address that nobody owns.
const DEMO_WITHDRAWAL: &str = "0x000000000000000000000000000000000000dEaD";

/// One operator of the demo.
struct Player {
    name: String,
    dir: PathBuf,
    port: u16,
}

/// How often it is looked whether operators have ended.
const POLL: Duration = Duration::from_millis(20);

/// The demo's passphrase, the same for all its operators.
const PASSPHRASE_FILE: &str = "passphrase";

/// Runs the command.
pub(crate) fn run(args: &DemoArgs, out: &Output) -> Result<Exit, CliError> {
    let root = &args.out;
    if root.exists() {
        return Err(messages::demo_exists(root));
    }
    let (ceremony, players) = prepare(args, root)?;
    talk(&format!("Demo ceremony: {} of {} operators, {} validators.", ceremony.t(), ceremony.n(), ceremony.v()));
    let root = root.canonicalize().map_err(|error| messages::reading(root, &error))?;
    play(args, &root, &ceremony, &players)?;
    conclude(&root, &ceremony, &players, out)
}

/// Makes identities and the ceremony file.
fn prepare(args: &DemoArgs, root: &Path) -> Result<(Ceremony, Vec<Player>), CliError> {
    fs::create_dir_all(root).map_err(|error| messages::writing(root, &error))?;
    let root = root.canonicalize().map_err(|error| messages::reading(root, &error))?;
    let ports = free_ports(usize::from(args.operators))?;
    let passphrase = SecretBytes::new(hex::encode(random::secret().expose()).into_bytes());
    store::write_new(&root.join(PASSPHRASE_FILE), passphrase.expose(), 0o600).map_err(messages::store)?;
    let cost = SealCost::new(DEMO_COST).expect("within bounds");
    let mut players = Vec::new();
    let mut text = format!(
        "version = 1\nname = \"Demo cluster\"\nid = \"{}\"\nnetwork = \"{}\"\nthreshold = {}\n",
        hex::encode(random::secret().expose()),
        args.network,
        args.threshold
    );
    if args.threshold == args.operators {
        text += "[policy]\nallow_all_required = true\n";
    }
    for (i, port) in ports.into_iter().enumerate() {
        let name = NAMES.get(i).map_or_else(|| format!("operator-{}", i + 1), |name| (*name).to_owned());
        let dir = root.join(&name);
        let operator = Operator::generate(OperatorName::parse(&name).expect("a plain name"), random::secret());
        let state = StateDir::open_or_create(&dir).map_err(messages::store)?;
        let sealed = seal_with_passphrase(&operator.to_secret_bytes(), &passphrase, IDENTITY_FILE, cost, &mut random::os());
        state.write_identity(&sealed).map_err(messages::store)?;
        text += &format!("[[operators]]\ncard = \"{}\"\naddress = \"127.0.0.1:{port}\"\n", operator.card().encode());
        players.push(Player { name, dir, port });
    }
    text += &format!("[[validators]]\ncount = {}\nwithdrawal = \"{DEMO_WITHDRAWAL}\"\ncompounding = false\n", args.validators);
    let parsed = CeremonyFile::parse_toml(&text).and_then(Ceremony::try_from).map_err(|error| messages::spec(&error))?;
    store::write_new(&root.join("ceremony.toml"), text.as_bytes(), 0o644).map_err(messages::store)?;
    Ok((parsed, players))
}

/// Ports that are free now. All are held until all are known, so none is given twice.
fn free_ports(count: usize) -> Result<Vec<u16>, CliError> {
    let listeners: Result<Vec<TcpListener>, _> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let listeners = listeners.map_err(messages::no_port)?;
    listeners.iter().map(|listener| Ok(listener.local_addr().map_err(messages::no_port)?.port())).collect()
}

/// An operator's process, which ends with this one's interest in it.
struct Running<'a> {
    player: &'a Player,
    child: Child,
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

/// Runs one process for each operator until all have ended, or one has failed: the others would wait for it for ever.
fn play(args: &DemoArgs, root: &Path, ceremony: &Ceremony, players: &[Player]) -> Result<(), CliError> {
    let program = env::current_exe().map_err(|error| messages::reading(Path::new("this program"), &error))?;
    let words = fingerprint(&ceremony.digest()).join(" ");
    let width = players.iter().map(|player| player.name.len()).max().unwrap_or(0);
    let mut running = Vec::new();
    for player in players {
        let mut command = Command::new(&program);
        command.arg("--dir").arg(&player.dir).arg("--passphrase-file").arg(root.join(PASSPHRASE_FILE));
        command.arg("run").arg(root.join("ceremony.toml")).args(["--yes-fingerprint", &words]);
        command.arg("--listen").arg(format!("127.0.0.1:{}", player.port)).args(["--kdf", kdf_name(args.kdf)]);
        if args.no_keystores {
            command.arg("--no-keystores");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| messages::no_process(&player.name, &error))?;
        let stderr = child.stderr.take().expect("stderr is piped");
        let prefix = format!("{:>width$} | ", player.name);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                talk(&format!("{prefix}{line}"));
            }
        });
        running.push(Running { player, child, talk: Some(reader) });
    }
    loop {
        let mut failed = Vec::new();
        let mut ended = 0;
        for Running { player, child, .. } in &mut running {
            if let Some(status) = child.try_wait().map_err(|error| messages::no_process(&player.name, &error))? {
                ended += 1;
                if !status.success() {
                    failed.push(player.name.clone());
                }
            }
        }
        match failed.is_empty() {
            false => return Err(messages::demo_failed(&failed, root)),
            true if ended == running.len() => return Ok(()),
            true => thread::sleep(POLL),
        }
    }
}

fn kdf_name(choice: KdfChoice) -> &'static str {
    match choice {
        KdfChoice::Scrypt => "scrypt",
        KdfChoice::Pbkdf2 => "pbkdf2",
    }
}

/// Compares what the operators hold, and audits it as a stranger would.
fn conclude(root: &Path, ceremony: &Ceremony, players: &[Player], out: &Output) -> Result<Exit, CliError> {
    let mut folders = Vec::new();
    for player in players {
        let state = StateDir::open(&player.dir).map_err(messages::store)?;
        let view = state.find(&ceremony.digest()).map_err(messages::store)?;
        folders.push(view.ok_or_else(|| messages::demo_failed(std::slice::from_ref(&player.name), root))?.out());
    }
    let read = |folder: &Path| {
        let path = folder.join("public").join("transcript.quorate");
        fs::read(&path).map_err(|error| messages::reading(&path, &error))
    };
    let transcript = read(&folders[0])?;
    for (player, folder) in players.iter().zip(&folders) {
        if read(folder)? != transcript {
            return Err(messages::internal(&format!("{} holds another transcript", player.name)));
        }
    }
    let report = audit(&transcript, &Expectations { ceremony: Some(ceremony), ..Expectations::default() });
    let text = format!(
        "{}\nAll {} operators hold the same transcript.\nOutputs: {}",
        render::to_text(&report),
        players.len(),
        root.display()
    );
    let public = folders[0].join("public");
    out.finish(
        if report.is_clean() { Exit::Done } else { Exit::Finding },
        json!({
            "out": root.display().to_string(),
            "public": public.display().to_string(),
            "findings": report.findings(),
            "transcript": report.transcript().to_string(),
        }),
        &text,
    )
}
