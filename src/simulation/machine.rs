//! A whole ceremony in memory, without faults of its own: participants, their logs, and a scheduler
//! that delivers what they send.

use std::sync::Arc;

use crate::exchange::{Storage, Trouble, carry_out};
use crate::identity::operator::Operator;
use crate::message::envelope::Statement;
use crate::message::sync::Frame;
use crate::primitives::hash::{Tag, tagged};
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::protocol::evidence::Fault;
use crate::protocol::participant::{Entropy, Input, OwnSeat, Participant, Refused, Step};
use crate::protocol::put_back::Beside;
use crate::protocol::record::{Record, RecordKind};
use crate::spec::ceremony::Ceremony;
use crate::spec::file::CeremonyFile;
use crate::spec::threshold::Index;

/// 32 bytes from a label, so that every run of a test is the same run.
pub fn bytes(label: &str) -> [u8; 32] {
    tagged(Tag::BatchSeed, &[b"test", label.as_bytes()]).0
}

/// `n` operators, at most 8, the same in every run.
pub fn operators(n: usize) -> Vec<Arc<Operator>> {
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
    names
        .iter()
        .take(n)
        .map(|name| {
            let name = crate::identity::card::OperatorName::parse(name).expect("a short name");
            Arc::new(Operator::generate(
                name.clone(),
                Secret32::new(&mut bytes(&format!("operator {name}"))),
            ))
        })
        .collect()
}

/// A ceremony file of `n` operators with threshold `t`; `validators` is TOML.
pub fn spec_toml(operators: &[Arc<Operator>], t: usize, validators: &str) -> String {
    let mut text = format!(
        "version = 2\nname = \"Test cluster\"\nid = \"{}\"\nnetwork = \"hoodi\"\nthreshold = {t}\n",
        hex::encode(bytes("ceremony"))
    );
    for (i, operator) in operators.iter().enumerate() {
        let card = operator.card().encode();
        text +=
            &format!("[[operators]]\ncard = \"{card}\"\naddress = \"127.0.0.1:{}\"\n", 3600 + i);
    }
    text + validators
}

/// TOML of two validators: one deposit; two deposits and a registration.
pub const TWO_VALIDATORS: &str = r#"
[[validators]]
withdrawal = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
compounding = false
[[validators]]
withdrawal = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
compounding = true
amounts = ["1", "32"]
fee_recipient = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
"#;

/// The ceremony of [`spec_toml`].
pub fn ceremony(operators: &[Arc<Operator>], t: usize, validators: &str) -> Arc<Ceremony> {
    let file =
        CeremonyFile::parse_toml(&spec_toml(operators, t, validators)).expect("a well-formed file");
    Arc::new(Ceremony::try_from(file).expect("a ceremony within the rules"))
}

/// Entropy from a label.
pub fn entropy(label: &str) -> Entropy {
    Entropy {
        seed: Secret32::new(&mut bytes(&format!("{label} seed"))),
        nonce: bytes(&format!("{label} nonce")),
        extra: SecretBytes::new(Vec::new()),
    }
}

/// An operator with its log, as the driver of a live ceremony would keep it.
pub struct Machine {
    /// Whose it is.
    pub seat: OwnSeat,
    /// `None` before the start and after a crash.
    pub participant: Option<Participant>,
    /// Its records; all writes are synced.
    pub log: Vec<(RecordKind, Vec<u8>)>,
    /// What stands beside the log.
    pub beside: Beside,
    /// Outputs were staged.
    pub staged: bool,
    /// Outputs were written.
    pub written: bool,
    /// How many records were ever made; a crash can be put after any of them.
    pub recorded: usize,
    /// How many records are written before a crash, once.
    pub crash_after: Option<usize>,
}

/// The machine lost power.
#[derive(Debug)]
pub struct Crashed;

impl Machine {
    /// The machine of `operator`, not started.
    pub fn new(ceremony: &Arc<Ceremony>, operator: &Arc<Operator>) -> Self {
        let seat =
            OwnSeat::find(ceremony.clone(), operator.clone()).expect("an operator of the ceremony");
        Self {
            seat,
            participant: None,
            log: Vec::new(),
            beside: Beside::default(),
            staged: false,
            written: false,
            recorded: 0,
            crash_after: None,
        }
    }

    /// Starts from what the log holds.
    pub fn start(&mut self) -> Result<Vec<Frame>, Crashed> {
        let records = self
            .log
            .iter()
            .map(|(kind, body)| Record { kind: *kind, body: SecretBytes::new(body.clone()) });
        let entropy = || entropy(&format!("{}", self.seat.me.get()));
        let (seat, beside) = (self.seat.clone(), self.beside.clone());
        let (participant, step) =
            Participant::start_beside(seat, records.collect(), beside, entropy)
                .expect("a log that replays");
        self.participant = Some(participant);
        self.follow(step)
    }

    fn follow(&mut self, step: Step) -> Result<Vec<Frame>, Crashed> {
        let mut participant = self.participant.take().expect("it runs");
        let said = match carry_out(&mut participant, step, self) {
            Ok(said) => said,
            Err(Trouble::Storage(crashed)) => return Err(crashed),
            Err(other) => panic!("an answer to what was asked: {other:?}"),
        };
        self.participant = Some(participant);
        Ok(said.iter().map(|statement| Frame::Statement(statement.bytes().to_vec())).collect())
    }

    /// Takes a frame; gives what follows for everybody.
    pub fn receive(&mut self, frame: Frame) -> Result<Result<Vec<Frame>, Refused>, Crashed> {
        let input = match frame {
            Frame::Statement(bytes) => Input::Statement(bytes),
            Frame::ShareBox { dealer, recipient, sealed } if recipient == self.seat.me => {
                Input::ShareBox { dealer, sealed }
            }
            Frame::Done(done) => Input::Done(done),
            Frame::ShareBox { .. } | Frame::Want { .. } | Frame::Have(_) | Frame::Probe(_) => {
                return Ok(Ok(Vec::new()));
            }
        };
        self.take(input)
    }

    /// Takes an input; gives what follows for everybody.
    pub fn take(&mut self, input: Input) -> Result<Result<Vec<Frame>, Refused>, Crashed> {
        let participant = self.participant.as_mut().expect("it runs");
        match participant.handle(input) {
            Ok(step) => Ok(Ok(self.follow(step)?)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// The participant of a machine that runs.
    pub fn participant(&self) -> &Participant {
        self.participant.as_ref().expect("it runs")
    }
}

impl Storage for Machine {
    type Error = Crashed;

    fn persist(&mut self, records: Vec<Record>) -> Result<(), Crashed> {
        for record in records {
            if self.crash_after.is_some_and(|at| self.recorded >= at) {
                self.crash_after = None;
                return Err(Crashed);
            }
            self.recorded += 1;
            self.log.push((record.kind, record.body.expose().to_vec()));
        }
        Ok(())
    }

    fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), Crashed> {
        self.log.retain(|(kind, _)| !kinds.contains(kind));
        Ok(())
    }

    fn read_back(&mut self, kind: RecordKind) -> Result<Vec<SecretBytes>, Crashed> {
        let bodies = self.log.iter().filter(|(of, _)| *of == kind);
        Ok(bodies.map(|(_, body)| SecretBytes::new(body.clone())).collect())
    }

    fn stage(&mut self, _: &Participant) -> Result<(), Crashed> {
        self.staged = true;
        Ok(())
    }

    fn write_outputs(&mut self, _: &Participant) -> Result<(), Crashed> {
        self.written = true;
        Ok(())
    }

    fn keep_proof(&mut self, _: &Participant, _: &Fault) -> Result<(), Crashed> {
        Ok(())
    }

    fn keep_everything(&mut self, _: &Participant) -> Result<(), Crashed> {
        Ok(())
    }

    fn keep_elsewhere(&mut self, _: &Participant, _: &[Statement]) -> Result<(), Crashed> {
        Ok(())
    }
}

/// The network: sender, recipient and frame; what arrives.
pub type Mutate<'a> = dyn FnMut(Index, Index, Frame) -> Vec<Frame> + 'a;

/// Runs machines until nothing changes, exchanging what each lacks. `mutate(from, to, frame)` is
/// the network.
pub fn run(machines: &mut [Machine], mutate: &mut Mutate<'_>) {
    for machine in machines.iter_mut().filter(|machine| machine.participant.is_none()) {
        if machine.start().is_err() {
            machine.start().expect("it crashes once");
        }
    }
    loop {
        let held = |machine: &Machine| {
            let inbox = machine.participant().inbox();
            inbox.statements().count() + inbox.minima().count() + inbox.withouts().count()
        };
        let before: Vec<usize> = machines.iter().map(held).collect();
        let boxes: Vec<usize> =
            machines.iter().map(|machine| machine.participant().waiting().boxes.len()).collect();
        for from in 0..machines.len() {
            for to in (0..machines.len()).filter(|to| *to != from) {
                let have = machines[to].participant().have(true);
                let (a, b) = (machines[from].seat.me, machines[to].seat.me);
                for frame in machines[from].participant().lacking(b, &have) {
                    for frame in mutate(a, b, frame) {
                        // A crash loses the frame; the next exchange sends it again.
                        if machines[to].receive(frame).is_err() {
                            let _ = machines[to].start().or_else(|Crashed| machines[to].start());
                        }
                    }
                }
            }
        }
        let after: Vec<usize> = machines.iter().map(held).collect();
        let boxes_after: Vec<usize> =
            machines.iter().map(|machine| machine.participant().waiting().boxes.len()).collect();
        if before == after && boxes == boxes_after {
            return;
        }
    }
}

/// A network without faults.
pub fn honest(_: Index, _: Index, frame: Frame) -> Vec<Frame> {
    vec![frame]
}

/// Machines of a ceremony of `n` operators with threshold `t`; `validators` is TOML.
pub fn machines(n: usize, t: usize, validators: &str) -> Vec<Machine> {
    let operators = operators(n);
    let ceremony = ceremony(&operators, t, validators);
    operators.iter().map(|operator| Machine::new(&ceremony, operator)).collect()
}

/// Every statement of a machine, in order.
pub fn statements(machine: &Machine) -> Vec<Statement> {
    machine.participant().inbox().statements().cloned().collect()
}
