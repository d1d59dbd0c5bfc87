//! One operator that replays a recording of its peers' messages through the state machine that the
//! program uses.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::exchange::{Storage, carry_out};
use quorate::identity::card::OperatorName;
use quorate::identity::operator::Operator;
use quorate::message::envelope::Statement;
use quorate::message::sync::Frame;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::evidence::Fault;
use quorate::protocol::items::Messages;
use quorate::protocol::participant::{Input, OwnSeat, Participant};
use quorate::protocol::record::{Record, RecordKind};
use quorate::simulation::machine::{bytes, ceremony, entropy};
use quorate::spec::ceremony::Ceremony;
use quorate::spec::threshold::Index;
use quorate::transcript::container;

use super::clock::{Clock, Cost, measure};
use super::{STEPS, Shape};

/// Everybody, the same in every run.
pub struct Cast {
    ceremony: Arc<Ceremony>,
    operators: Vec<Arc<Operator>>,
}

/// A deposit and a builder registration for each validator.
fn validators(count: usize) -> String {
    let address = "0x1111111111111111111111111111111111111111";
    format!(
        "[[validators]]\ncount = {count}\nwithdrawal = \"{address}\"\ncompounding = false\namounts \
         = [\"32\"]\nfee_recipient = \"{address}\"\n"
    )
}

impl Cast {
    pub fn new(shape: Shape) -> Self {
        let operator = |i: usize| {
            let name = OperatorName::parse(&format!("operator-{i}")).expect("a short name");
            Arc::new(Operator::generate(
                name,
                Secret32::new(&mut bytes(&format!("bench operator {i}"))),
            ))
        };
        let operators: Vec<Arc<Operator>> = (1..=shape.n).map(operator).collect();
        Self { ceremony: ceremony(&operators, shape.t, &validators(shape.v)), operators }
    }

    fn begin(&self, position: usize) -> (Machine, Vec<Statement>) {
        let seat = OwnSeat::find(self.ceremony.clone(), self.operators[position].clone())
            .expect("an operator of the ceremony");
        let entropy = || entropy(&format!("bench {position}"));
        let (mut participant, step) =
            Participant::start(seat, Vec::new(), entropy).expect("an empty log");
        let mut memory = Memory::default();
        let said = carry_out(&mut participant, step, &mut memory).expect("nothing is in the way");
        (Machine { participant, memory }, said)
    }
}

/// A participant and what of its log it will ask for: the rest of a log is not read back.
struct Machine {
    participant: Participant,
    memory: Memory,
}

/// The log of a machine, in memory, and the clock of what happens between its questions.
#[derive(Default)]
struct Memory {
    shares: Vec<SecretBytes>,
    lap: Option<Lap>,
}

/// Costs by step: what is being paid for, and since when.
struct Lap {
    place: usize,
    begun: Clock,
    costs: [Cost; STEPS.len()],
}

impl Lap {
    /// What follows is another step's.
    fn go_on(&mut self, place: usize) {
        self.costs[self.place] += self.begun.elapsed();
        (self.place, self.begun) = (place, Clock::start());
    }
}

impl Storage for Memory {
    type Error = std::convert::Infallible;

    fn persist(&mut self, records: Vec<Record>) -> Result<(), Self::Error> {
        let shares = records.into_iter().filter(|record| record.kind == RecordKind::Shares);
        self.shares.extend(shares.map(|record| record.body));
        Ok(())
    }

    fn erase(&mut self, _: &[RecordKind]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn read_back(&mut self, _: RecordKind) -> Result<Vec<SecretBytes>, Self::Error> {
        if let Some(lap) = &mut self.lap {
            lap.go_on(2);
        }
        Ok(std::mem::take(&mut self.shares))
    }

    fn stage(&mut self, _: &Participant) -> Result<(), Self::Error> {
        if let Some(lap) = &mut self.lap {
            lap.go_on(5);
        }
        Ok(())
    }

    fn write_outputs(&mut self, _: &Participant) -> Result<(), Self::Error> {
        Ok(())
    }

    fn keep_proof(&mut self, _: &Participant, _: &Fault) -> Result<(), Self::Error> {
        unreachable!("everybody is honest")
    }

    fn keep_everything(&mut self, _: &Participant) -> Result<(), Self::Error> {
        unreachable!("everybody is honest")
    }
}

impl Machine {
    /// Takes an input and all that follows.
    fn handle(&mut self, input: Input) -> Vec<Statement> {
        let step = self.participant.handle(input).expect("an honest input");
        carry_out(&mut self.participant, step, &mut self.memory).expect("nothing is in the way")
    }
}

fn write_frame(
    file: &mut impl io::Write,
    wave: u8,
    dealer: Option<Index>,
    bytes: &[u8],
) -> io::Result<()> {
    file.write_all(&[
        wave,
        dealer.map_or(0, |dealer| u8::try_from(dealer.get()).expect("few operators")),
    ])?;
    file.write_all(&u32::try_from(bytes.len()).expect("a short frame").to_be_bytes())?;
    file.write_all(bytes)
}

/// Plays the whole ceremony, every operator in this process, and writes down what the last one
/// receives, and the transcript. Gives the bytes that it sends: its statements and boxes, to each
/// peer.
pub fn record(shape: Shape, recording: &Path, transcript: &Path) -> io::Result<usize> {
    // The same public questions are put by everybody: they are answered once. (What is measured
    // later remembers nothing.)
    let memory = quorate::primitives::memo::Memory::begin();
    let cast = Cast::new(shape);
    let (mut machines, mut said): (Vec<Machine>, Vec<Vec<Statement>>) =
        (0..shape.n).map(|i| cast.begin(i)).collect();
    let mut file = BufWriter::new(File::create(recording)?);
    let last = shape.n - 1;
    let mut bytes_out = 0;
    for wave in 0u8.. {
        let spoken: Vec<Vec<u8>> =
            said.iter().flatten().map(|statement| statement.bytes().to_vec()).collect();
        if spoken.is_empty() {
            break;
        }
        assert_eq!(spoken.len(), shape.n, "one statement of everybody in each wave");
        bytes_out += last * spoken[last].len();
        let mut inputs: Vec<Vec<Input>> = (0..shape.n).map(|_| Vec::new()).collect();
        for (from, bytes) in spoken.iter().enumerate() {
            for to in (0..shape.n).filter(|to| *to != from) {
                inputs[to].push(Input::Statement(bytes.clone()));
            }
            if from != last {
                write_frame(&mut file, wave, None, bytes)?;
            }
        }
        // Boxes follow the deals that sign them.
        for from in (0..shape.n).filter(|_| wave == 1) {
            for to in (0..shape.n).filter(|to| *to != from) {
                let index =
                    Index::new(u16::try_from(to + 1).expect("few operators")).expect("from one");
                let Some(Frame::ShareBox { dealer, sealed, .. }) =
                    machines[from].participant.box_for(index)
                else {
                    panic!("a dealer has a box for everybody");
                };
                if from == last {
                    bytes_out += sealed.len();
                }
                if to == last {
                    write_frame(&mut file, wave, Some(dealer), &sealed)?;
                }
                inputs[to].push(Input::ShareBox { dealer, sealed });
            }
        }
        said = machines
            .iter_mut()
            .zip(inputs)
            .map(|(machine, inputs)| {
                inputs.into_iter().flat_map(|input| machine.handle(input)).collect()
            })
            .collect();
    }
    file.flush()?;
    drop(memory);
    let participant = &machines[last].participant;
    assert!(participant.is_finished(), "an honest ceremony ends well");
    let encoded = container::encode(&cast.ceremony, participant.inbox().statements())
        .expect("a complete transcript");
    std::fs::write(transcript, encoded)?;
    Ok(bytes_out)
}

/// One operator's life: what each of [`STEPS`] costs.
pub fn live(shape: Shape, recording: &Path) -> io::Result<[Cost; STEPS.len()]> {
    let cast = Cast::new(shape);
    let mut costs = [Cost::default(); STEPS.len()];
    let (started, cost) = measure(|| cast.begin(shape.n - 1));
    let (mut machine, _) = started;
    costs[0] += cost;
    let mut file = BufReader::new(File::open(recording)?);
    let mut header = [0; 6];
    while file.read_exact(&mut header).is_ok() {
        let [wave, dealer, length @ ..] = header;
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        file.read_exact(&mut bytes)?;
        let input = match Index::new(u16::from(dealer)) {
            Some(dealer) => Input::ShareBox { dealer, sealed: bytes },
            None => Input::Statement(bytes),
        };
        // Waves: hello, deal, prepare, commit, final. Answers to storage are steps of their own.
        let place = [0, 1, 3, 4, 5][usize::from(wave)];
        let lap = Lap { place, begun: Clock::start(), costs: [Cost::default(); STEPS.len()] };
        machine.memory.lap = Some(lap);
        machine.handle(input);
        if let Some(mut lap) = machine.memory.lap.take() {
            lap.go_on(place);
            costs.iter_mut().zip(lap.costs).for_each(|(all, cost)| *all += cost);
        }
    }
    let outcome = machine.participant.outcome().filter(|_| machine.participant.is_finished());
    let keys: Vec<_> = outcome
        .expect("the recorded ceremony ends well")
        .validators
        .iter()
        .map(|v| v.public_key)
        .collect();
    costs[6] = measure(|| Messages::new(&cast.ceremony, &keys)).1;
    Ok(costs)
}

/// The audit of the transcript.
pub fn audited(transcript: &Path) -> io::Result<Cost> {
    let bytes = std::fs::read(transcript)?;
    let (report, cost) = measure(|| audit(&bytes, &Expectations::default()));
    assert!(report.is_clean(), "an honest transcript");
    Ok(cost)
}
