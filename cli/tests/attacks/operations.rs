//! Attacks O: failing machines and mistakes of people.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::export::{Artifact, Audience};
use quorate::identity::OperatorCard;
use quorate::message::body::{Commit, Deal, Final, Hello, Prepare};
use quorate::message::complaint::{Abandon, Complaint};
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::participant::{Input, Participant};
use quorate::protocol::record::{Record, RecordKind, ReplayError};
use quorate::simulation::machine::{
    Machine, TWO_VALIDATORS, bytes, entropy, honest, machines, run, statements,
};
use quorate::spec::{Ceremony, CeremonyFile};
use quorate::transcript::container::{self, Container};
use quorate::transcript::stopped::Stopped;
use quorate_operator::store::{Log, StateDir, StoreError, Written};

use crate::scene::index;

fn reference(n: usize, t: usize) -> Vec<Statement> {
    let mut all = machines(n, t, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    statements(&all[0])
}

#[test]
fn attack_o2_crash_between_effects() {
    // After every record of every operator; effects within a record are the store's
    // (`operator/src/store/tests`).
    let expected = reference(3, 2);
    let mut crashes = 0;
    for victim in 0..3 {
        for at in 0..40 {
            let mut all = machines(3, 2, TWO_VALIDATORS);
            all[victim].crash_after = Some(at);
            run(&mut all, &mut honest);
            crashes += usize::from(all[victim].crash_after.is_none());
            for machine in &all {
                assert!(machine.participant().is_finished(), "operator {victim}, record {at}");
                assert_eq!(statements(machine), expected, "operator {victim}, record {at}");
                assert_eq!(machine.participant().inbox().conflicts().count(), 0);
            }
        }
    }
    assert!(crashes > 60, "{crashes} crashes");
}

#[test]
fn attack_o3_sent_before_saved() {
    // Every step of an operator: what it sends is among what is to be written first; and it
    // confirms its shares only after it was asked to read them back, in a step of its own.
    let mut all = machines(3, 2, TWO_VALIDATORS);
    let mut frames = Vec::new();
    run(&mut all, &mut |from, to, frame| {
        if to.get() == 3 {
            frames.push((from, frame.clone()));
        }
        vec![frame]
    });
    let (mut participant, mut step) =
        Participant::start(all[2].seat.clone(), Vec::new(), || entropy("3")).unwrap();
    let (mut sent, mut durable, mut reread) = (Vec::new(), Vec::new(), false);
    let mut frames = frames.into_iter();
    loop {
        for record in &step.persist {
            durable.push((record.kind, record.body.expose().to_vec()));
        }
        for statement in &step.send {
            assert!(
                durable.contains(&(RecordKind::Statement, statement.bytes().to_vec())),
                "written before it is sent"
            );
            if statement.envelope.round == Round::Prepare {
                assert!(reread && durable.iter().any(|(kind, _)| *kind == RecordKind::Shares));
            }
            sent.push(statement.envelope.round);
        }
        let answer = step.asks.iter().find_map(|ask| match ask {
            quorate::protocol::participant::Ask::Reread(kind) => {
                reread = true;
                let of = |(of, body): &(RecordKind, Vec<u8>)| {
                    (of == kind).then(|| SecretBytes::new(body.clone()))
                };
                Some(Input::Reread(durable.iter().filter_map(of).collect()))
            }
            quorate::protocol::participant::Ask::Stage => Some(Input::Staged),
            quorate::protocol::participant::Ask::WriteOut => None,
        });
        let input = match answer {
            Some(input) => input,
            None => match frames.next() {
                Some((_, Frame::Statement(bytes))) => Input::Statement(bytes),
                Some((_, Frame::ShareBox { dealer, sealed, .. })) => {
                    Input::ShareBox { dealer, sealed }
                }
                Some(_) => continue,
                None => break,
            },
        };
        step = participant.handle(input).unwrap_or_default();
    }
    assert_eq!(sent, Round::ALL);
    assert!(participant.is_finished());
}

#[test]
fn attack_o4_finished_before_the_others() {
    // Operator 1 has every final; the others have not, and their authors are gone.
    let expected = reference(4, 3);
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut |_, to, frame| {
        let last = matches!(&frame, Frame::Statement(bytes) if bytes[7] == Round::Final.number());
        if last && to.get() != 1 { Vec::new() } else { vec![frame] }
    });
    let done: Vec<bool> = all.iter().map(|machine| machine.participant().is_finished()).collect();
    assert_eq!(done, [true, false, false, false]);
    // Killed right after it was done, it comes back from its log and serves.
    all[0].participant = None;
    run(&mut all, &mut |from, _, frame| if from.get() == 1 { vec![frame] } else { Vec::new() });
    for machine in &all {
        assert!(machine.participant().is_finished() && machine.written);
        assert_eq!(statements(machine), expected);
    }
}

/// What a log holds.
type State = Vec<(RecordKind, Vec<u8>)>;

/// Plays, and keeps every state that operator 1's log was in.
fn states_of_first() -> (Vec<Machine>, Vec<State>) {
    let mut all = machines(3, 2, TWO_VALIDATORS);
    all.iter_mut().for_each(|machine| drop(machine.start().unwrap()));
    let mut states = vec![all[0].log.clone()];
    while !all.iter().all(|machine| machine.participant().is_finished()) {
        for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let have = all[to].participant().have(true);
            let peer = all[to].seat.me;
            for frame in all[from].participant().lacking(peer, &have) {
                let _ = all[to].receive(frame).unwrap();
                if to == 0 && states.last() != Some(&all[0].log) {
                    states.push(all[0].log.clone());
                }
            }
        }
    }
    (all, states)
}

#[test]
fn attack_o6_machine_set_back() {
    let (mut all, states) = states_of_first();
    let expected = statements(&all[0]);
    assert!(states.len() > 12, "{} states", states.len());
    let mut finished = 0;
    for (at, state) in states.iter().enumerate() {
        // The others are where they were; the first is set back, and may have lost everything
        // since.
        let mut first = Machine {
            log: state.clone(),
            ..Machine::new(&all[0].seat.ceremony, &all[0].seat.operator)
        };
        first.start().unwrap();
        all[0] = first;
        run(&mut all, &mut honest);
        for machine in &all {
            assert_eq!(
                machine.participant().inbox().conflicts().count(),
                0,
                "state {at}: nobody has said two things"
            );
            assert_eq!(machine.participant().fault(), None);
        }
        let (first, others) = all.split_first().unwrap();
        assert!(
            others
                .iter()
                .all(|machine| machine.participant().is_finished()
                    && statements(machine) == expected)
        );
        // Set back to before its shares were stored, it comes too late: the others have forgotten
        // its boxes. It says nothing new, and is as good as absent.
        finished += usize::from(first.participant().is_finished());
        match first.participant().is_finished() {
            true => assert_eq!(statements(first), expected, "state {at}"),
            false => {
                assert!(
                    statements(first).iter().all(|statement| expected.contains(statement)),
                    "state {at}"
                );
                assert!(first.participant().shares().is_none() && !first.staged, "state {at}");
            }
        }
    }
    assert!(
        finished > 5 && finished < states.len(),
        "{finished} of {} states are late enough",
        states.len()
    );
    // Under another map of points to people the same seed deals other polynomials.
    let text = crate::session::file(3, 2);
    let address = "address = \"127.0.0.1:3602\"";
    let moved = crate::session::parsed(&crate::session::with(
        &text,
        address,
        &format!("{address}\npoint = 9"),
    ))
    .unwrap();
    let moved = Machine::new(&std::sync::Arc::new(moved), &all[0].seat.operator);
    let shape = Shape::of(&moved.seat.ceremony);
    let (_, step) = Participant::start(moved.seat, Vec::new(), || entropy("1")).unwrap();
    let (new, old) = (
        Hello::decode(step.send[0].body(), &shape, step.send[0].envelope.sender).unwrap(),
        Hello::decode(expected[0].body(), &shape, expected[0].envelope.sender).unwrap(),
    );
    assert_eq!(new.nonce, old.nonce);
    assert_ne!(new.commitment, old.commitment);
}

/// Whoever has signed its last statement is bound by it: another may have finished with it.
#[test]
fn attack_o7_giving_up_after_the_last_statement() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut |_, to, frame| {
        let last = matches!(&frame, Frame::Statement(bytes) if bytes[7] == Round::Final.number());
        if last && to.get() == 1 { Vec::new() } else { vec![frame] }
    });
    let participant = all[0].participant.take().unwrap();
    assert!(participant.has_said(Round::Final) && !participant.is_finished());
    assert_eq!(participant.abandon().err(), Some(ReplayError::Agreed));
    // The one that only lacks others' commits is not bound yet.
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut |_, to, frame| {
        let commit =
            matches!(&frame, Frame::Statement(bytes) if bytes[7] == Round::Commit.number());
        if commit && to.get() == 1 { Vec::new() } else { vec![frame] }
    });
    let participant = all[0].participant.take().unwrap();
    assert!(participant.has_said(Round::Commit) && !participant.has_said(Round::Final));
    assert!(participant.abandon().is_ok());
}

#[test]
fn attack_o7_giving_up_when_prepared() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut |from, _, frame| {
        let prepare =
            matches!(&frame, Frame::Statement(bytes) if bytes[7] == Round::Prepare.number());
        if prepare && from.get() == 4 { Vec::new() } else { vec![frame] }
    });
    let participant = all[0].participant.take().unwrap();
    assert!(participant.is_prepared());
    let (record, statement) = participant.abandon().unwrap();
    assert_eq!(statement.envelope.sender, index(1));
    all[0].log.push((record.kind, record.body.expose().to_vec()));
    // It is final, and the shares are still in the log.
    let shares = all[0].log.iter().filter(|(kind, _)| *kind == RecordKind::Shares).count();
    assert_eq!(shares, 1);
    let records = || {
        all[0]
            .log
            .iter()
            .map(|(kind, body)| Record { kind: *kind, body: SecretBytes::new(body.clone()) })
            .collect()
    };
    let again = Participant::start(all[0].seat.clone(), records(), || entropy("1"));
    assert_eq!(again.err(), Some(ReplayError::Abandoned));
    // To the others it is an accusation of whom it waited for, and proof of nothing.
    for machine in &mut all[1..] {
        let _ = machine.receive(Frame::Statement(statement.bytes().to_vec())).unwrap();
        assert_eq!(machine.participant().fault(), None);
        assert_eq!(machine.participant().inbox().abandoned().count(), 1);
    }
    let said = Abandon::decode(statement.body(), &Shape::of(&all[0].seat.ceremony)).unwrap();
    let awaited: Vec<bool> = said.awaited.iter().map(|awaited| awaited.statement).collect();
    assert_eq!(awaited, [false, false, false, true]);
}

fn state() -> (tempfile::TempDir, StateDir) {
    let home = tempfile::TempDir::new().unwrap();
    let state = StateDir::open_or_create(&home.path().join("state")).unwrap();
    (home, state)
}

#[test]
fn attack_o8_two_processes() {
    let (_home, state) = state();
    let again = StateDir::open(state.path()).unwrap();
    let held = state.lock().unwrap();
    assert!(matches!(again.lock(), Err(StoreError::Locked { .. })));
    // Who removes the lock's file has not got the lock.
    std::fs::remove_file(state.path().join("lock")).unwrap();
    assert!(matches!(again.lock(), Err(StoreError::Locked { .. })));
    drop(held);
    again.lock().unwrap();
}

#[test]
fn attack_o9_different_clocks() {
    // Operators who start at any time, one after the other, end with the same bytes: the core asks
    // no clock.
    let expected = reference(4, 3);
    let mut all = machines(4, 3, TWO_VALIDATORS);
    for present in 1..=4 {
        run(&mut all[..present], &mut honest);
        assert_eq!(all[0].participant().is_finished(), present == 4);
    }
    assert!(all.iter().all(|machine| statements(machine) == expected));
    for room in [
        "primitives",
        "identity",
        "ethereum",
        "spec",
        "message",
        "protocol",
        "export",
        "transcript",
        "audit",
    ] {
        let mut folders =
            vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src").join(room)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                assert!(
                    !code.contains("SystemTime") && !code.contains("Instant::"),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

fn artifact(name: &str, audience: Audience, bytes: &[u8]) -> Artifact {
    Artifact { name: name.to_owned(), audience, bytes: bytes.to_vec() }
}

#[test]
fn attack_o10_outputs_half_written() {
    let (_home, state) = state();
    let dir = state.lock().unwrap().ceremony(&Digest([7; 32])).unwrap();
    let outputs = || {
        [
            artifact("k.json", Audience::Secret, b"key"),
            artifact("d.json", Audience::Public, b"deposit"),
        ]
    };
    // Stopped between two of them.
    let mut half = dir.stage(&outputs()[..1]).unwrap();
    half.add(&[]).unwrap();
    drop(half);
    assert!(!dir.view().is_written().unwrap() && !dir.view().out().exists());
    assert_eq!(dir.stage(&outputs()).unwrap().write_out().unwrap(), Written::Now);
    assert_eq!(
        dir.stage(&outputs()).unwrap().write_out().unwrap(),
        Written::Earlier { different: Vec::new() }
    );
    assert_eq!(std::fs::read(dir.view().out().join("secret/k.json")).unwrap(), b"key");
    assert_eq!(std::fs::read(dir.view().out().join("public/d.json")).unwrap(), b"deposit");
}

#[test]
fn attack_o11_share_cannot_be_opened() {
    let (_home, state) = state();
    let dir = state.lock().unwrap().ceremony(&Digest([7; 32])).unwrap();
    let storage = || Secret32::new(&mut [9; 32]);
    let shares = RecordKind::Shares as u8;
    let mut log = Log::create(&dir, &storage(), &[7; 32]).unwrap();
    log.append(&[quorate_operator::store::Record {
        kind: shares,
        body: SecretBytes::new(vec![5; 64]),
    }])
    .unwrap();
    assert_eq!(log.reread(shares).unwrap()[0].expose(), [5; 64]);
    // What cannot be opened again is found out before it is confirmed: any bit of it.
    let path = dir.view().path().join("log.sealed");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    let mut byte = [0];
    file.read_exact_at(&mut byte, length - 40).unwrap();
    file.write_all_at(&[byte[0] ^ 1], length - 40).unwrap();
    assert!(log.reread(shares).is_err());
    file.write_all_at(&byte, length - 40).unwrap();
    assert_eq!(log.reread(shares).unwrap().len(), 1);
    drop(log);
    // With another key than the one it was closed with nothing opens.
    let dir = StateDir::open(state.path()).unwrap().lock();
    drop(dir);
    let view = state.find(&Digest([7; 32])).unwrap().unwrap();
    assert!(matches!(
        Log::read(&view, &Secret32::new(&mut [8; 32]), &[7; 32]),
        Err(StoreError::LogKey { .. })
    ));
}

#[test]
fn attack_o12_secrets_out_of_place() {
    // Files, outputs and command lines of real processes are searched by
    // `cli/tests/cli/secrets.rs`; here, everything that is sent, and what the sealed log leaves on
    // a disk.
    let mut all = machines(4, 3, TWO_VALIDATORS);
    let mut wire = Vec::new();
    let mut secrets: BTreeSet<Vec<u8>> = BTreeSet::new();
    let hide = |machine: &Machine, secrets: &mut BTreeSet<Vec<u8>>| {
        let secret =
            [RecordKind::Seed, RecordKind::OneTimeKeys, RecordKind::OwnShares, RecordKind::Shares];
        for (_, body) in machine.log.iter().filter(|(kind, _)| secret.contains(kind)) {
            secrets.extend(body.chunks_exact(32).map(<[u8]>::to_vec));
        }
        secrets.insert(machine.seat.operator.noise().expose().to_vec());
        secrets.insert(machine.seat.operator.storage_key().expose().to_vec());
    };
    all.iter_mut().for_each(|machine| drop(machine.start().unwrap()));
    for machine in &all {
        hide(machine, &mut secrets);
        secrets.insert(bytes(&format!("{} seed", machine.seat.me.get())).to_vec());
    }
    run(&mut all, &mut |_, _, frame| {
        wire.extend(frame.encode());
        vec![frame]
    });
    all.iter().for_each(|machine| hide(machine, &mut secrets));
    assert!(secrets.len() >= 4 * (1 + 3 + 2 + 2), "{} secrets", secrets.len());
    let contains = |haystack: &[u8], needle: &[u8]| {
        haystack.windows(needle.len()).any(|window| window == needle)
    };
    for secret in &secrets {
        assert!(!contains(&wire, secret), "a secret was sent");
        let text = hex::encode(secret);
        assert!(!contains(&wire, text.as_bytes()));
    }
    let (_home, state) = state();
    let dir = state.lock().unwrap().ceremony(&Digest([7; 32])).unwrap();
    let mut log = Log::create(&dir, &Secret32::new(&mut [9; 32]), &[7; 32]).unwrap();
    for secret in &secrets {
        log.append(&[quorate_operator::store::Record {
            kind: 1,
            body: SecretBytes::new(secret.clone()),
        }])
        .unwrap();
    }
    let path = dir.view().path().join("log.sealed");
    let sealed = std::fs::read(&path).unwrap();
    assert!(sealed.len() > 32 * secrets.len());
    assert!(secrets.iter().all(|secret| !contains(&sealed, secret)), "records are sealed");
    // Erased ones are gone from the file, even for who has the key.
    log.compact(|kind| kind != 1).unwrap();
    assert!(log.reread(1).unwrap().is_empty());
    assert!(std::fs::metadata(&path).unwrap().len() < u64::try_from(sealed.len()).unwrap());
}

/// Numbers that look random and are the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }

    /// `bytes` cut, grown, and with some bytes changed.
    fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..self.next(6) {
            match self.next(8) {
                0 => out.truncate(self.next(out.len() + 1)),
                1 => out.extend(core::iter::repeat_n(0xff, self.next(40))),
                _ if out.is_empty() => (),
                _ => {
                    let at = self.next(out.len());
                    out[at] = [0, 1, 0x7f, 0x80, 0xff, out[at] ^ 1, out[at].wrapping_add(1)]
                        [self.next(7)];
                }
            }
        }
        out
    }
}

#[test]
fn attack_o13_panic_from_bytes() {
    let mut all = machines(3, 2, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let (ceremony, shape) = (all[0].seat.ceremony.clone(), Shape::of(&all[0].seat.ceremony));
    let signed = statements(&all[0]);
    let transcript = container::encode(&ceremony, &signed).unwrap();
    let card = all[0].seat.operator.card().encode();
    let toml = crate::session::file(3, 2);
    let have = Frame::Have(all[0].participant().have(true)).encode();
    let mut noise = Noise(1);
    for round in 0..3000 {
        let statement = &signed[noise.next(signed.len())];
        let bytes = noise.mutated(statement.bytes());
        let _ = Statement::open(&bytes, &ceremony);
        let _ = all[noise.next(3)].participant.as_mut().unwrap().handle(Input::Statement(bytes));
        let (body, from) = (noise.mutated(statement.body()), statement.envelope.sender);
        let _ = (
            Hello::decode(&body, &shape, from).err(),
            Prepare::decode(&body, &shape, from).err(),
            Final::decode(&body, &shape, from).err(),
        );
        let _ = (
            Complaint::decode(&body, &shape, index(1)).err(),
            Abandon::decode(&body, &shape).err(),
        );
        if round % 10 == 0 {
            let _ = (
                Deal::decode(&body, &shape, from).is_ok(),
                Commit::decode(&body, &shape, from).err(),
            );
            let _ = Container::parse(&noise.mutated(&transcript)).err();
            let _ = audit(&noise.mutated(&transcript), &Expectations::default()).findings();
            let _ = Stopped::parse(&noise.mutated(&transcript)).err();
            let text = String::from_utf8_lossy(&noise.mutated(toml.as_bytes())).into_owned();
            let _ = CeremonyFile::parse_toml(&text).map(Ceremony::try_from).is_ok();
        }
        let _ = Ceremony::from_canonical(&noise.mutated(ceremony.canonical())).err();
        let _ = Frame::decode(&noise.mutated(&have), &shape).err();
        let _ =
            OperatorCard::parse(&String::from_utf8_lossy(&noise.mutated(card.as_bytes()))).err();
    }
}
