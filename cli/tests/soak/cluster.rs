//! Operators with their directories, and their processes.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use quorate::identity::card::OperatorName;
use quorate::identity::operator::Operator;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::participant::{Ask, Entropy, Input, OwnSeat, Participant};
use quorate::protocol::record::{Record, RecordKind};
use quorate::spec::canonical::fingerprint;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::store::{IDENTITY_FILE, Log, SealCost, StateDir, seal_with_passphrase};

use crate::Chance;
use crate::support::files::private;
use crate::support::ports::free_address;
use crate::support::program::{Ended, QUORATE, command_of, end};
use crate::support::running::{Running, no_starts};

const PASSPHRASE: &str = "correct horse battery";

/// How big a ceremony is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) n: usize,
    pub(crate) t: usize,
    pub(crate) v: usize,
}

/// Where an operator listens, and where the others are told that it does.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) listen: String,
    pub(crate) address: String,
}

impl Place {
    /// On loopback, the same for both.
    pub(crate) fn loopback() -> Self {
        let address = free_address();
        Self { listen: address.clone(), address }
    }
}

/// Operators of one ceremony, each with its own directory.
pub(crate) struct Cluster {
    pub(crate) root: PathBuf,
    pub(crate) ceremony: Arc<Ceremony>,
    pub(crate) operators: Vec<Arc<Operator>>,
    pub(crate) places: Vec<Place>,
    pub(crate) dirs: Vec<PathBuf>,
    words: String,
    keystores: bool,
}

impl Cluster {
    /// A cluster below `root`. `dirs`: where operators keep their state, if not below `root`.
    /// Validators of one deposit each.
    pub(crate) fn new(
        root: &Path,
        size: Size,
        chance: &mut Chance,
        places: Vec<Place>,
        dirs: &BTreeMap<usize, PathBuf>,
    ) -> Self {
        Self::depositing(root, size, &["32"], chance, places, dirs)
    }

    fn depositing(
        root: &Path,
        size: Size,
        amounts: &[&str],
        chance: &mut Chance,
        places: Vec<Place>,
        dirs: &BTreeMap<usize, PathBuf>,
    ) -> Self {
        let Size { n, t, v } = size;
        let _no_starts = no_starts();
        private(root.join("passphrase"), PASSPHRASE);
        let id = hex::encode(chance.bytes());
        let mut text = format!(
            "version = 2\nname = \"Soak\"\nid = \"{id}\"\nnetwork = \"hoodi\"\nthreshold = {t}\n"
        );
        let (mut operators, mut homes) = (Vec::new(), Vec::new());
        for (i, place) in places.iter().enumerate().take(n) {
            let name = OperatorName::parse(&format!("member-{}", i + 1)).unwrap();
            let operator = Operator::generate(name, Secret32::new(&mut chance.bytes()));
            let dir =
                dirs.get(&i).cloned().unwrap_or_else(|| root.join(format!("operator-{}", i + 1)));
            let state = StateDir::open_or_create(&dir).unwrap();
            let secret = SecretBytes::new(PASSPHRASE.as_bytes().to_vec());
            let cost = SealCost::new(SealCost::LEAST).unwrap();
            let mut source = rand_core::UnwrapErr(getrandom::SysRng);
            let sealed = seal_with_passphrase(
                &operator.to_secret_bytes(),
                &secret,
                IDENTITY_FILE,
                cost,
                &mut source,
            );
            state.write_identity(&sealed).unwrap();
            state.ensure_mark(operator.mark().unwrap()).unwrap();
            text += &format!(
                "[[operators]]\ncard = \"{}\"\naddress = \"{}\"\n",
                operator.card().encode(),
                place.address
            );
            operators.push(Arc::new(operator));
            homes.push(dir);
        }
        text += &format!(
            "[[validators]]\ncount = {v}\nwithdrawal = \
             \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\namounts = \
             {amounts:?}\n"
        );
        let ceremony = CeremonyFile::parse_toml(&text).and_then(Ceremony::try_from).unwrap();
        fs::write(root.join("ceremony.toml"), text).unwrap();
        let words = fingerprint(&ceremony.digest()).join(" ");
        let keystores = chance.below(4) == 0;
        Self {
            root: root.to_owned(),
            ceremony: Arc::new(ceremony),
            operators,
            places,
            dirs: homes,
            words,
            keystores,
        }
    }

    /// On loopback, below `root`.
    pub(crate) fn local(root: &Path, size: Size, chance: &mut Chance) -> Self {
        let places = (0..size.n).map(|_| Place::loopback()).collect();
        Self::new(root, size, chance, places, &BTreeMap::new())
    }

    /// The same, with eight deposits for each validator, which is the most.
    pub(crate) fn local_with_eight_deposits(root: &Path, size: Size, chance: &mut Chance) -> Self {
        let places = (0..size.n).map(|_| Place::loopback()).collect();
        let amounts = ["1", "2", "3", "4", "5", "6", "7", "8"];
        Self::depositing(root, size, &amounts, chance, places, &BTreeMap::new())
    }

    pub(crate) fn n(&self) -> usize {
        self.operators.len()
    }

    /// The command of operator `i`: the same each time.
    pub(crate) fn command(&self, i: usize) -> Command {
        let mut command = command_of(program(), &self.root, &["--json"]);
        command
            .arg("--dir")
            .arg(&self.dirs[i])
            .arg("--passphrase-file")
            .arg(self.root.join("passphrase"));
        command
            .arg("run")
            .arg(self.root.join("ceremony.toml"))
            .args(["--yes-fingerprint", &self.words]);
        command.args(["--listen", &self.places[i].listen, "--linger", "4", "--kdf", "pbkdf2"]);
        if !self.keystores {
            command.arg("--no-keystores");
        }
        command
    }

    pub(crate) fn start(&self, i: usize) -> Running {
        self.start_with(i, self.command(i))
    }

    /// Runs `command`, which is, or wraps, the command of operator `i`.
    pub(crate) fn start_with(&self, i: usize, command: Command) -> Running {
        let open = |kind: &str| {
            let path = self.root.join(format!("operator-{}.{kind}", i + 1));
            OpenOptions::new().create(true).read(true).append(true).open(path).unwrap()
        };
        Running::start_into(command, open("stdout"), open("stderr"))
    }

    fn out(&self, i: usize) -> PathBuf {
        StateDir::open(&self.dirs[i])
            .unwrap()
            .find(&self.ceremony.digest())
            .unwrap()
            .expect("a ceremony")
            .out()
    }

    /// Whether all operators hold the same public outputs, the transcript passes the audit, and
    /// every operator holds its shares of the keys in it.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.check_among(self.n())
    }

    /// The same of the first `count` operators.
    pub(crate) fn check_among(&self, count: usize) -> Result<(), String> {
        // The page says who made it.
        let public = |i: usize| {
            let mut files = files(&self.out(i).join("public"))?;
            let page = files.remove("report.html").ok_or("there is no report page")?;
            let said = String::from_utf8_lossy(&page).contains("It proves nothing by itself");
            said.then_some(files)
                .ok_or_else(|| "a page that does not say what it proves".to_owned())
        };
        let first = public(0)?;
        for i in 1..count {
            if public(i)? != first {
                return Err(format!(
                    "operator {} holds other public outputs than operator 1",
                    i + 1
                ));
            }
        }
        let transcript = self.out(0).join("public/transcript.quorate");
        let mut audit = command_of(program(), &self.root, &["audit"]);
        audit.arg(&transcript).args(["--expect", "ceremony.toml"]);
        let audited = end(audit);
        if audited.code != 0 {
            return Err(format!("the audit ended with {}: {}", audited.code, audited.stdout));
        }
        (0..count).try_for_each(|i| {
            self.check_shares(i).map_err(|why| format!("operator {}: {why}", i + 1))
        })
    }

    /// Whether the log of operator `i` still has the shares whose public keys everybody agreed on,
    /// and its keystores are there.
    fn check_shares(&self, i: usize) -> Result<(), String> {
        let operator = &self.operators[i];
        let view = StateDir::open(&self.dirs[i])
            .unwrap()
            .find(&self.ceremony.digest())
            .unwrap()
            .expect("a ceremony");
        let records = Log::read(&view, operator.storage_key(), self.ceremony.digest().as_bytes())
            .map_err(|why| why.to_string())?;
        let records = records.into_iter().map(|record| {
            let kind = RecordKind::from_number(record.kind).ok_or("a record of an unknown kind")?;
            Ok(Record { kind, body: record.body })
        });
        let records: Vec<Record> = records.collect::<Result<_, &str>>()?;
        let seat = OwnSeat::find(self.ceremony.clone(), operator.clone()).unwrap();
        let me = seat.me.position();
        let none = || -> Entropy { panic!("a finished ceremony has its entropy behind it") };
        let (mut participant, step) =
            Participant::start(seat, records, none).map_err(|why| why.to_string())?;
        // The next run would find its outputs published, and say so.
        if step.asks.iter().any(|ask| matches!(ask, Ask::Stage)) {
            participant.handle(Input::Staged).map_err(|why| why.to_string())?;
        }
        if !participant.is_finished() {
            return Err("its log does not lead to the end".to_owned());
        }
        let outcome = participant.outcome().ok_or("no outcome")?;
        let shares = participant.shares().ok_or("SHARES LOST")?;
        for (share, validator) in shares.iter().zip(&outcome.validators) {
            if share.base_mult() != Some(validator.public_shares[me]) {
                return Err("its share is not the one of the public key".to_owned());
            }
        }
        let keystores =
            fs::read_dir(self.out(i).join("secret/validator_keys")).map_or(0, Iterator::count);
        let expected = if self.keystores { self.ceremony.v() } else { 0 };
        if shares.len() != self.ceremony.v() || keystores != expected {
            return Err(format!(
                "{} shares and {keystores} keystores of {} validators",
                shares.len(),
                self.ceremony.v()
            ));
        }
        Ok(())
    }

    /// All that the processes said, for a failure.
    pub(crate) fn said(&self) -> String {
        let path = |i: &usize| self.root.join(format!("operator-{}.stderr", i + 1));
        let said = |i: usize| {
            format!("--- operator {}\n{}", i + 1, fs::read_to_string(path(&i)).unwrap_or_default())
        };
        (0..self.n()).map(said).collect()
    }
}

/// The program under test.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("QUORATE_SOAK_PROGRAM").map_or_else(|| QUORATE.into(), PathBuf::from)
}

fn files(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let entries = fs::read_dir(dir).map_err(|why| format!("{}: {why}", dir.display()))?;
    Ok(entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect())
}

/// How many others had not confirmed that they hold everything when a process ended.
pub(crate) fn unconfirmed(ended: &Ended) -> usize {
    ended.json()["unconfirmed"].as_array().map_or(0, Vec::len)
}

/// A directory of this harness. It stays when a test fails.
pub(crate) fn scratch() -> tempfile::TempDir {
    let root = tempfile::Builder::new().prefix("quorate-soak-").tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
    root
}
