//! Attacks S: sessions and the spec.

use std::sync::Arc;

use quorate::audit::code::Code;
use quorate::identity::Operator;
use quorate::identity::card::{CardError, NameError};
use quorate::message::body::Hello;
use quorate::message::done::Done;
use quorate::message::envelope::{Reject, Round};
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::hash::{Tag, tagged};
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::{Input, Refused};
use quorate::simulation::collusion::{Collusion, Hooks};
use quorate::simulation::machine::{
    Machine, TWO_VALIDATORS, bytes, honest, operators, run, spec_toml, statements,
};
use quorate::spec::canonical::MOST_CANONICAL_BYTES;
use quorate::spec::file::MOST_FILE_BYTES;
use quorate::spec::threshold::ThresholdError;
use quorate::spec::{Ceremony, CeremonyFile, Place, SpecError};
use quorate::transcript::container::{Container, ContainerError, expected_len};
use quorate_operator::carrier::LinkError;

use crate::auditor::told;
use crate::dealing::commit_to;
use crate::noise;
use crate::scene::{Scene, polynomial, resigned, waits};

/// A ceremony file as text.
pub(crate) fn file(n: usize, t: usize) -> String {
    spec_toml(&operators(n), t, TWO_VALIDATORS)
}

pub(crate) fn parsed(text: &str) -> Result<Ceremony, SpecError> {
    Ceremony::try_from(CeremonyFile::parse_toml(text)?)
}

/// `text` with something else in the place of `from`, which is there.
pub(crate) fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn gang(text: &str) -> Vec<Machine> {
    let ceremony = Arc::new(parsed(text).unwrap());
    operators(ceremony.n()).iter().map(|operator| Machine::new(&ceremony, operator)).collect()
}

fn played(text: &str, hooks: Hooks) -> Collusion {
    Collusion { ceremony: Arc::new(parsed(text).unwrap()), operators: operators(3), hooks }
}

/// A transcript of `host` in which the statement of seat 1 in `round` is the one of `guest`.
fn spliced(host: &Collusion, guest: &Collusion, round: Round) -> Vec<u8> {
    let (mut all, foreign) = (host.statements(), guest.statements());
    let at = usize::from(round.number()) * host.ceremony.n();
    all[at] = foreign[at].clone();
    quorate::transcript::container::encode(&host.ceremony, &all).unwrap()
}

/// Whatever `statement`s are fed to machines of another session is dropped, and changes nothing.
fn fed(to: &mut [Machine], statements: &[quorate::message::envelope::Statement], early: bool) {
    for machine in to {
        let before: Vec<_> = machine.participant().inbox().everything().cloned().collect();
        for statement in statements {
            let told = machine.receive(Frame::Statement(statement.bytes().to_vec())).unwrap();
            let hello = statement.envelope.round == Round::Hello;
            let why = if early && !hello { Reject::Early } else { Reject::ForeignSession };
            assert_eq!(told.unwrap_err(), Refused::Reject(why));
        }
        assert_eq!(machine.participant().inbox().everything().cloned().collect::<Vec<_>>(), before);
        assert_eq!(machine.participant().fault(), None);
    }
}

#[test]
fn attack_s1_other_ceremony() {
    let ours = file(3, 2);
    let theirs =
        with(&ours, &hex::encode(bytes("ceremony")), &hex::encode(bytes("another ceremony")));
    let mut old = gang(&theirs);
    run(&mut old, &mut honest);
    let log = statements(&old[0]);
    let mut new = gang(&ours);
    new.iter_mut().for_each(|machine| drop(machine.start().unwrap()));
    fed(&mut new, &log, true);
    run(&mut new, &mut honest);
    assert!(new.iter().all(|machine| machine.participant().is_finished()));
    fed(&mut new, &log, false);
    let (ours, theirs) = (played(&ours, Hooks::default()), played(&theirs, Hooks::default()));
    told("S1", &spliced(&ours, &theirs, Round::Hello), &[Code::V4], &[]);
    told("S1-deal", &spliced(&ours, &theirs, Round::Deal), &[Code::V6], &[]);
    told("S1-prepare", &spliced(&ours, &theirs, Round::Prepare), &[Code::V12], &[]);
}

#[test]
fn attack_s2_earlier_attempt() {
    // The next attempt is another spec.
    let first = file(3, 2);
    let digest = parsed(&first).unwrap().digest();
    let second = with(
        &first,
        "threshold =",
        &format!("attempt = 2\nsupersedes = \"{digest}\"\nthreshold ="),
    );
    assert_ne!(parsed(&second).unwrap().digest(), digest);
    let mut old = gang(&first);
    run(&mut old, &mut honest);
    let log = statements(&old[0]);
    let mut new = gang(&second);
    new.iter_mut().for_each(|machine| drop(machine.start().unwrap()));
    fed(&mut new, &log, true);
    // The same spec with other nonces is another session.
    let play = |nonce: u8| {
        let mut scene = Scene::new(3, 2, &[3]);
        scene.play(&mut |forger, round, sent| {
            if round == Round::Hello {
                let rows = (0..2).flat_map(|v| polynomial(3, v, 2).commit()).collect();
                sent.statement = resigned(forger, &sent.statement, |body| body[0] ^= nonce);
                sent.statement = commit_to(forger, sent, &Commitments::new(2, rows));
            }
        });
        scene
    };
    let (old, mut new) = (play(0), play(1));
    let later: Vec<_> = statements(&old.machines[0])
        .into_iter()
        .filter(|statement| statement.envelope.round != Round::Hello)
        .collect();
    assert_eq!(later.len(), 12);
    fed(&mut new.machines, &later, false);
    let nonce = Hooks {
        hello: Box::new(|seat, hello: &mut Hello| hello.nonce[0] ^= u8::from(seat == 2)),
        ..Hooks::default()
    };
    let (host, guest) = (played(&first, Hooks::default()), played(&first, nonce));
    told("S2", &spliced(&host, &guest, Round::Deal), &[Code::V6], &[]);
}

#[test]
fn attack_s3_different_specs() {
    let ours = file(4, 3);
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let theirs = with(&ours, address, "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB");
    let (mut all, other) = (gang(&ours), gang(&theirs));
    all.truncate(2);
    all.extend(other.into_iter().skip(2));
    run(&mut all, &mut honest);
    for machine in &all {
        let missing: &[u16] = if machine.seat.me.get() <= 2 { &[3, 4] } else { &[1, 2] };
        waits(machine, Round::Hello, missing, &[]);
    }
    let hello = statements(&all[3]).remove(0);
    let told = all[0].receive(Frame::Statement(hello.bytes().to_vec())).unwrap();
    assert_eq!(told.unwrap_err(), Refused::Reject(Reject::ForeignSession));
    // And before any statement is sent, both ends of a channel learn both digests.
    let digests = [all[0].seat.ceremony.digest(), all[3].seat.ceremony.digest()];
    assert_ne!(digests[0], digests[1]);
    let (caller, called) = noise::greet(digests[0], digests[1]);
    assert_eq!(caller, Some(LinkError::OtherCeremony { index: 1, theirs: digests[1] }));
    assert_eq!(called, Some(LinkError::OtherCeremony { index: 2, theirs: digests[0] }));
}

#[test]
fn attack_s4_file_changed_after_reading() {
    let home = tempfile::TempDir::new().unwrap();
    let path = home.path().join("ceremony.toml");
    std::fs::write(&path, file(3, 2)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let ceremony = Arc::new(parsed(&text).unwrap());
    let shown = quorate::spec::show::describe(&ceremony);
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    std::fs::write(&path, with(&text, address, "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"))
        .unwrap();
    // What was shown is what is signed, and what comes out.
    let mut all: Vec<Machine> =
        operators(3).iter().map(|operator| Machine::new(&ceremony, operator)).collect();
    run(&mut all, &mut honest);
    assert!(shown.contains(address) && shown.contains(&ceremony.digest().to_string()));
    let signed = statements(&all[0]);
    assert!(signed[..3].iter().all(|hello| hello.envelope.session == ceremony.digest()));
    // A spec that is exchanged afterwards was consented to by nobody.
    let transcript = quorate::transcript::container::encode(&ceremony, &signed).unwrap();
    let old = hex::decode(&address[2..]).unwrap();
    let at = transcript.windows(20).position(|window| window == old).unwrap();
    let mut swapped = transcript;
    swapped[at..at + 20]
        .copy_from_slice(&hex::decode("dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB").unwrap());
    told("S4", &swapped, &[Code::V4], &[]);
}

fn card(operator: &Operator) -> String {
    operator.card().encode()
}

#[test]
fn attack_s5_operator_in_two_seats() {
    let (all, text) = (operators(4), file(4, 3));
    let place = Place::operator(3, "card");
    let seated = |last: &str| parsed(&with(&text, &card(&all[3]), last)).unwrap_err();
    assert_eq!(seated(&card(&all[0])), SpecError::KeyDuplicate { place, first: 0 });
    // An operator of its own key and name with another's channel key.
    let mut secret = all[3].to_secret_bytes().expose().to_vec();
    secret[38..70].copy_from_slice(all[1].noise().expose());
    let twin = Operator::from_secret_bytes(&SecretBytes::new(secret)).unwrap();
    let twin = twin.with_mark(all[3].mark());
    assert_eq!(twin.card().noise, all[1].card().noise);
    assert_eq!(seated(&card(&twin)), SpecError::NoiseKeyDuplicate { place, first: 1 });
    // Names and card signatures: another name over the same keys does not verify.
    let ceremony = parsed(&text).unwrap();
    let mut renamed = ceremony.canonical().to_vec();
    let at = renamed.windows(5).position(|window| window == b"\x04dave").unwrap();
    renamed[at + 1] = b'D';
    let told = Ceremony::from_canonical(&renamed).unwrap_err();
    assert_eq!(told, SpecError::Card { place, source: CardError::Signature });
    let upper = Operator::generate(
        "Alice".parse_name(),
        quorate::primitives::secret::Secret32::new(&mut [5; 32]),
    );
    assert_eq!(
        seated(&card(&upper)),
        SpecError::NameDuplicate { place, name: "Alice".to_owned(), first: 0 }
    );
    let spoofed = with(&text, "Test cluster", "Test\u{202e}cluster");
    assert_eq!(
        parsed(&spoofed).unwrap_err(),
        SpecError::Name(NameError::Character { found: '\u{202e}' })
    );
}

trait ParseName {
    fn parse_name(self) -> quorate::identity::OperatorName;
}

impl ParseName for &str {
    fn parse_name(self) -> quorate::identity::OperatorName {
        quorate::identity::OperatorName::parse(self).unwrap()
    }
}

#[test]
fn attack_s6_file_not_strict() {
    let text = file(3, 2);
    let at_line = |text: &str, line: usize| {
        assert!(
            matches!(CeremonyFile::parse_toml(text), Err(SpecError::Toml { line: at,
            .. }) if at == line),
            "{text}"
        );
    };
    at_line(&with(&text, "threshold", "treshold = 9\nthreshold"), 5);
    at_line(&with(&text, "threshold = 2", "threshold = 2\nthreshold = 3"), 6);
    let json = |text: &str| matches!(CeremonyFile::parse_json(text), Err(SpecError::Json { .. }));
    assert!(json(r#"{"version":1,"version":1}"#) && json(r#"{"version":1,"surprise":true}"#));
    let ceremony = parsed(&text).unwrap();
    let longer = [ceremony.canonical(), &[0]].concat();
    let trailing = SpecError::Layout(DecodeError::Trailing { extra: 1 });
    assert_eq!(Ceremony::from_canonical(&longer).unwrap_err(), trailing);
    // Every byte counts: a changed one is refused, or gives another digest.
    for at in 0..ceremony.canonical().len() {
        let mut changed = ceremony.canonical().to_vec();
        changed[at] ^= 1;
        if let Ok(other) = Ceremony::from_canonical(&changed) {
            assert_ne!(other.digest(), ceremony.digest());
            assert_eq!(other.canonical(), changed, "one spelling");
        }
    }
}

#[test]
fn attack_s7_other_version_or_options() {
    let text = file(3, 2);
    for version in [0, 3] {
        let told =
            parsed(&with(&text, "version = 2", &format!("version = {version}"))).unwrap_err();
        assert_eq!(told, SpecError::FileVersion(version));
    }
    let ceremony = parsed(&text).unwrap();
    for version in [0u16, 3] {
        let mut changed = ceremony.canonical().to_vec();
        changed[4..6].copy_from_slice(&version.to_be_bytes());
        assert_eq!(
            Ceremony::from_canonical(&changed).unwrap_err(),
            SpecError::CanonicalVersion(version)
        );
    }
    // The option is part of the digest; others do not exist.
    let lenient = parsed(&(text + "[policy]\nallow_all_required = true\n")).unwrap();
    assert_ne!(lenient.digest(), ceremony.digest());
    let mut changed = ceremony.canonical().to_vec();
    changed[7] = 16;
    assert_eq!(Ceremony::from_canonical(&changed).unwrap_err(), SpecError::Policy(16));
    // A statement of another version of the protocol.
    let collusion = played(&file(3, 2), Hooks::default());
    let mut transcript = collusion.transcript();
    transcript[12 + collusion.ceremony.canonical().len() + 5] = 1;
    told("S7", &transcript, &[Code::V4], &[]);
}

#[test]
fn attack_s8_exhausting_sizes() {
    let text = file(3, 2);
    let many = |count: u64| {
        parsed(&with(
            &text,
            "compounding = false",
            &format!("compounding = false\ncount = {count}"),
        ))
    };
    assert_eq!(many(1 << 31).unwrap_err(), SpecError::TooManyValidators((1 << 31) + 1));
    assert_eq!(many((1 << 63) - 1).unwrap_err(), SpecError::TooManyValidators(1 << 63));
    let operators = (0..256).fold(String::new(), |text, i| {
        let secret = quorate::primitives::secret::Secret32::new(&mut bytes(&format!("crowd {i}")));
        text + &format!(
            "[[operators]]\ncard = \"{}\"\n",
            card(&Operator::generate(format!("member {i}").as_str().parse_name(), secret))
        )
    });
    let head = format!(
        "version = 2\nname = \"Crowd\"\nid = \"{}\"\nnetwork = \"hoodi\"\nthreshold = 200\n",
        hex::encode(bytes("crowd"))
    );
    let told = parsed(&(head + &operators + TWO_VALIDATORS)).unwrap_err();
    assert_eq!(told, SpecError::Threshold(ThresholdError::TooManyOperators(256)));
    let long = " ".repeat(MOST_FILE_BYTES + 1);
    assert_eq!(
        CeremonyFile::parse_toml(&long).err(),
        Some(SpecError::FileTooLarge(MOST_FILE_BYTES + 1))
    );
    let long = vec![0; MOST_CANONICAL_BYTES + 1];
    assert_eq!(
        Ceremony::from_canonical(&long).unwrap_err(),
        SpecError::CanonicalTooLarge(MOST_CANONICAL_BYTES + 1)
    );
    // A transcript that claims a giant spec is not waited for.
    let header = [&b"QTRN\0\x01\x01\0"[..], &u32::MAX.to_be_bytes()].concat();
    assert!(matches!(expected_len(&header), Err(ContainerError::SpecLength(_))));
    assert!(matches!(Container::parse(&header), Err(ContainerError::SpecLength(_))));
    crate::auditor::told("S8", &header, &[Code::V1], &[]);
}

#[test]
fn attack_s9_operator_cut_off() {
    let mut all = gang(&file(4, 3));
    run(&mut all, &mut |from, to, frame| {
        if from.get() == 4 || to.get() == 4 { Vec::new() } else { vec![frame] }
    });
    for machine in &all[..3] {
        waits(machine, Round::Hello, &[4], &[]);
    }
    waits(&all[3], Round::Hello, &[1, 2, 3], &[]);
    // Cut off later, it is waited for just as well.
    for cut in [Round::Deal, Round::Prepare, Round::Commit, Round::Final] {
        let mut all = gang(&file(4, 3));
        run(&mut all, &mut |from, _, frame| match &frame {
            Frame::Statement(bytes)
                if from.get() == 4 && bytes[7] >= cut.number() && bytes[9] == 4 =>
            {
                Vec::new()
            }
            _ => vec![frame],
        });
        for machine in &all[..3] {
            let participant = machine.participant();
            assert!(
                !participant.is_finished() && !machine.written && participant.fault().is_none()
            );
            assert!(
                participant.waiting().statements.iter().any(|index| index.get() == 4),
                "{cut:?}"
            );
        }
        run(&mut all, &mut honest);
        assert!(all.iter().all(|machine| machine.participant().is_finished()));
    }
}

/// A relay says in the name of another operator that it has finished.
#[test]
fn attack_n13_done_in_the_name_of_another() {
    let text = file(3, 2);
    let mut all = gang(&text);
    let elsewhere = parsed(&with(&text, "name = \"", "name = \"Not ")).unwrap();
    let (hub, third) = (all[1].seat.clone(), all[2].seat.clone());
    let certificate = tagged(Tag::Certificate, &[b"one"]);
    let own = Done::sign(third.operator.key(), third.me, &third.ceremony, certificate);
    let by_hub = |index| Done::sign(hub.operator.key(), index, &hub.ceremony, certificate);
    let forged = [
        by_hub(third.me),
        Done { operator: third.me, ..by_hub(hub.me) },
        Done::sign(third.operator.key(), third.me, &elsewhere, certificate),
        Done { certificate: tagged(Tag::Certificate, &[b"another"]), ..own.clone() },
        Done {
            operator: third.me,
            ..Done::sign(third.operator.key(), hub.me, &third.ceremony, certificate)
        },
    ];
    let first = &mut all[0];
    first.start().unwrap();
    let stands = |machine: &Machine| {
        let participant = machine.participant.as_ref().unwrap();
        (participant.unconfirmed(), participant.fault().is_none())
    };
    for done in forged {
        let told = first.take(Input::Done(done)).unwrap().map(|_| ());
        assert_eq!(told, Err(Refused::Unsigned(third.me)));
        assert_eq!(stands(first), (vec![hub.me, third.me], true));
    }
    first.take(Input::Done(own)).unwrap().unwrap();
    assert_eq!(stands(first), (vec![hub.me], true));
}
