//! Reads a transcript: checks V1 to V3, and opens the statements of every round.

use std::sync::Arc;

use crate::message::envelope::{Kind, Round, Statement};
use crate::primitives::hash::Digest;
use crate::spec::ceremony::{Ceremony, Uncertified};
use crate::spec::threshold::Index;
use crate::transcript::container::{self, Container, ContainerKind, Header};

use super::code::Code;
use super::describe;
use super::details;
use super::exhaustive;
use super::expectation::{self, Expectations};
use super::facts::Audited;
use super::family::{self, Family, Unrelated};
use super::ledger::{Got, Ledger, have};
use super::report::Report;
use super::rounds::Rounds;
use super::stopped;

/// Audits a transcript: every check that can be made is made, whatever else failed, and nothing is
/// believed before it is checked. Does not panic, whatever the bytes. Memory is a small multiple of
/// `bytes`; the caller bounds those ([`container::expected_len`]).
pub fn audit(bytes: &[u8], expectations: &Expectations<'_>) -> Report {
    let mut ledger = Ledger::new(false);
    let audited = replay(bytes, expectations.ceremony, &mut ledger);
    let hangs = family::check(&audited, expectations.family, &mut ledger);
    let (import, birth) = (ledger.import.clone(), ledger.birth.take());
    let audited = hangs.and(audited).map(|audited| Audited { import, birth, ..audited });
    expectation::compare(expectations, &mut ledger, &audited);
    if expectations.exhaustive {
        let _: Got<()> = ledger.check(Code::Exhaustive, || {
            let audited = have(&audited)?;
            let header = Header::parse(bytes).map_err(|error| error.to_string())?;
            let container = Container::cut(header, audited.ceremony().clone(), bytes)
                .map_err(|error| error.to_string())?;
            Ok((
                (),
                exhaustive::check(
                    &container,
                    audited.session(),
                    audited.dkg(),
                    audited.validators(),
                )?,
            ))
        });
    }
    Report {
        transcript: container::digest(bytes),
        ceremony: ledger.ceremony.clone(),
        audited: audited.ok(),
        import: ledger.import.take(),
        culprits: ledger.culprits.take(),
        completed: ledger.completed.take(),
        at_fault: core::mem::take(&mut ledger.at_fault).into_iter().collect(),
        lines: ledger.into_lines(),
    }
}

/// Audits the newest of several transcripts, given in any order, with the others as its parents.
///
/// # Errors
/// If they are not generations of the same keys.
pub fn audit_all(files: &[&[u8]], expectations: &Expectations<'_>) -> Result<Report, Unrelated> {
    if let [only] = files {
        return Ok(audit(only, expectations));
    }
    let family = Family::of(files);
    let newest = files.get(family.newest()?).copied().unwrap_or_default();
    Ok(audit(newest, &Expectations { family: Some(&family), ..*expectations }))
}

/// The first check of the transcript that fails, in order of dependency; `None` if all hold. The
/// same verdict as [`audit`] gives without expectations, sooner where the transcript is bad.
pub fn first_failure(bytes: &[u8]) -> Option<Code> {
    let mut ledger = Ledger::new(true);
    replay(bytes, None, &mut ledger).err().map(|code| ledger.first_failure().unwrap_or(code))
}

/// Of another ceremony than the one that is expected, no more than the front is read.
pub(super) fn replay(
    bytes: &[u8],
    expected: Option<&Ceremony>,
    ledger: &mut Ledger,
) -> Got<Audited> {
    let (lengths, spec) = read_spec(bytes, ledger);
    if let Some(expected) = expected {
        let compared: Got<()> =
            ledger.check(Code::Expected, || expectation::same_ceremony(expected, have(&spec)?));
        if let (Err(cause), Ok(_)) = (compared, &spec) {
            ledger.not_reached_yet(cause);
            return Err(cause);
        }
    }
    let stopped = Header::parse(bytes).is_ok_and(|header| header.kind() == ContainerKind::Stopped);
    if stopped {
        let cause = stopped::replay(bytes, &lengths, &spec, ledger);
        if ledger.culprits.is_some() {
            for code in [Code::V17, Code::V18, Code::V20] {
                ledger.not_applicable(code, "a set of statements is no transcript");
            }
        }
        ledger.not_reached_yet(cause);
        return Err(cause);
    }
    let container = ledger.check(Code::V1, || {
        let (header, ceremony) = have(&lengths)?;
        let container =
            Container::cut(*header, ceremony.clone(), bytes).map_err(|error| error.to_string())?;
        Ok((container, details::well_formed(bytes.len())))
    });
    let audited = spec.clone().and(container).and_then(|container| {
        Rounds::open(&container, ledger).check(container::digest(bytes), ledger)
    });
    details::beyond(spec.as_deref().ok(), ledger);
    if let Err(cause) = audited {
        ledger.not_reached_yet(cause);
    }
    audited
}

/// The header, and the ceremony for lengths and places alone: whether its cards are signed is not
/// said.
type Lengths = (Header, Arc<Ceremony>);

/// V2 and V3, which need no more than the front of the file, each by itself. Only a ceremony whose
/// cards are all signed is one that anything else is judged by.
fn read_spec(bytes: &[u8], ledger: &mut Ledger) -> (Got<Lengths>, Got<Arc<Ceremony>>) {
    let front = ledger.part(Code::V1, || {
        let read = Header::parse(bytes).and_then(|header| Ok((header, header.spec(bytes)?)));
        Ok(read.map_err(|error| error.to_string())?)
    });
    let read = ledger.check(Code::V2, || {
        let (header, spec) = have(&front)?;
        let read = Uncertified::from_canonical(spec).map_err(|error| error.to_string())?;
        let unsigned: Vec<String> = read.faults().iter().map(ToString::to_string).collect();
        let ceremony = header.with_rows(read.into_inner(), bytes);
        let ceremony = Arc::new(ceremony.map_err(|error| error.to_string())?);
        let detail = details::parameters(&ceremony);
        Ok(((*header, ceremony, unsigned), detail))
    });
    let spec = ledger.check(Code::V3, || {
        let (_, ceremony, unsigned) = have(&read)?;
        match unsigned.is_empty() {
            true => Ok((ceremony.clone(), details::cards(ceremony.n()))),
            false => Err(unsigned.join("; ").into()),
        }
    });
    ledger.ceremony = spec.as_ref().ok().cloned();
    (read.map(|(header, ceremony, _)| (header, ceremony)), spec)
}

/// What stands in no slot: of the right length and session, signed by who may.
pub(super) fn open_unslotted(
    container: &Container<'_>,
    kind: Kind,
    name: &str,
    bytes: &[u8],
    session: &Digest,
) -> Result<Statement, String> {
    let statement =
        Statement::open(bytes, container.ceremony()).map_err(|error| format!("{name}: {error}"))?;
    match (statement.envelope.kind == kind, statement.envelope.session == *session) {
        (true, true) => Ok(statement),
        (true, false) => Err(format!("{name}: signed for another session")),
        (false, _) => Err(format!("{name}: another statement")),
    }
}

/// The statement at a place: of the right length and session, signed by its sender.
pub(super) fn open(
    container: &Container<'_>,
    round: Round,
    sender: Index,
    session: &Digest,
) -> Result<Statement, String> {
    let ceremony = container.ceremony();
    let name =
        || format!("{} of {}", describe::round(round), describe::operator(Some(ceremony), sender));
    let bytes =
        container.statement(round, sender).ok_or_else(|| format!("{}: no statement", name()))?;
    let statement =
        Statement::open(bytes, ceremony).map_err(|error| format!("{}: {error}", name()))?;
    let envelope = &statement.envelope;
    if (envelope.round, envelope.sender) != (round, sender) {
        let (round, sender) =
            (describe::round(envelope.round), describe::operator(Some(ceremony), envelope.sender));
        return Err(format!("{}: its place holds {round} of {sender}", name()));
    }
    if envelope.kind != Kind::Ordinary {
        return Err(format!("{}: not an ordinary statement", name()));
    }
    match (envelope.session == *session, round) {
        (true, _) => Ok(statement),
        (false, Round::Hello) => Err(format!("{}: signed for a different spec", name())),
        (false, _) => Err(format!("{}: signed for another session", name())),
    }
}
