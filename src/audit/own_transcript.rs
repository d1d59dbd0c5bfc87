//! The report of a participant on its own transcript, before it writes it. It has made every check
//! itself and holds a receipt of each. What remains is to check that these bytes are the checked
//! statements and nothing else.

use std::collections::BTreeMap;

use crate::message::body::Final;
use crate::message::envelope::{Round, Statement, session_id};
use crate::message::inbox::digests;
use crate::message::minima::Minima;
use crate::message::shape::Shape;
use crate::primitives::hash::Digest;
use crate::protocol::checks::{Signed, decode, decode_hellos};
use crate::protocol::evidence::Fault;
use crate::protocol::outcome::Outcome;
use crate::protocol::participant::Participant;
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::threshold::Index;
use crate::transcript::container::{self, Container, ContainerError, Header};

use super::code::Code;
use super::describe;
use super::details;
use super::facts::Audited;
use super::family::{self, Family};
use super::ledger::Ledger;
use super::report::Report;

/// Why a transcript is not the one of a participant's checks.
#[derive(Debug, thiserror::Error)]
pub enum NotOwn {
    /// A statement follows others than those at their places.
    #[error("the statement of round {} by operator {} was not signed over the \
             preceding statements", round.number(), sender.get())]
    Chain {
        /// Its round.
        round: Round,
        /// Its sender.
        sender: Index,
    },
    /// Not a container, or one of another length.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A body that does not decode.
    #[error("{0}")]
    Body(String),
    /// A final over another digest.
    #[error("the final of operator {} names other outputs", .0.get())]
    Outputs(Index),
    /// Another ceremony's.
    #[error("the spec is a different one")]
    Spec,
    /// Minima that are not those that were checked, in order; or that do not decode, or of a dealer
    /// none.
    #[error("the minima are not those that were checked")]
    Minima,
    /// Words of those who finish without others that are not those that were checked.
    #[error("the seats that were finished without are not those that were checked")]
    Without,
    /// Not the bytes that were checked.
    #[error("the statement of round {} by operator {} is not the one that was \
             checked", round.number(), sender.get())]
    Statement {
        /// Its round.
        round: Round,
        /// Its sender.
        sender: Index,
    },
    /// The participant has not made all checks yet.
    #[error("the ceremony is not finished")]
    Unfinished,
}

/// A round's statements as they were checked, each compared with its place in the container.
fn same(
    container: &Container<'_>,
    participant: &Participant,
    round: Round,
) -> Result<Vec<Statement>, NotOwn> {
    let one = |sender: Index| {
        let checked = participant.inbox().get(round, sender);
        let same =
            checked.filter(|checked| container.statement(round, sender) == Some(checked.bytes()));
        same.cloned().ok_or(NotOwn::Statement { round, sender })
    };
    container.speakers(round).iter().map(one).collect()
}

/// V14 of the words of those who finish without others: they are some of those that the participant
/// took, and it finished without the same.
fn same_words(container: &Container<'_>, participant: &Participant) -> Result<(), NotOwn> {
    let taken: Vec<&[u8]> = participant.inbox().withouts().map(Statement::bytes).collect();
    let all = container.withouts().iter().all(|word| taken.contains(word));
    match all && container.lacking() == participant.finished_without() {
        true => Ok(()),
        false => Err(NotOwn::Without),
    }
}

/// V14 of minima: they are those that the participant took, in the order of a container. They
/// decode, and each dealer has made one.
fn same_minima(container: &Container<'_>, participant: &Participant) -> Result<(), NotOwn> {
    let (inbox, shape) = (participant.inbox(), container.shape());
    let checked: BTreeMap<_, _> =
        inbox.minima().map(|said| ((said.envelope.sender, said.digest()), said)).collect();
    let same = checked.values().map(|said| said.bytes()).eq(container.minima().iter().copied());
    let decode = checked.values().all(|said| Minima::fault(said, shape).is_none());
    let all = shape.stops().iter().all(|dealer| !inbox.minima_of(dealer).is_empty());
    if same && decode && all { Ok(()) } else { Err(NotOwn::Minima) }
}

/// That statements were signed in this session over `before`. Their signatures and view roots were
/// checked when they came.
fn follow(
    session: Digest,
    before: &[Statement],
    statements: &[Statement],
    participant: &Participant,
) -> Result<(), NotOwn> {
    let expected = digests(before);
    let follows = |statement: &&Statement| {
        statement.envelope.session == session
            && participant.inbox().view(statement).is_some_and(|view| view == expected)
    };
    match statements.iter().find(|statement| !follows(statement)) {
        None => Ok(()),
        Some(other) => {
            Err(NotOwn::Chain { round: other.envelope.round, sender: other.envelope.sender })
        }
    }
}

/// What [`super::audit`] would report on `bytes`, in the same words, from the receipts of a
/// finished participant. No signature and no point is looked at again: every statement is compared
/// with the one that the participant checked, and each round with the digests that the next one was
/// signed over, up to the output digest.
pub fn own(participant: &Participant, bytes: &[u8]) -> Result<Report, NotOwn> {
    own_among(participant, bytes, None)
}

/// As [`own`], of a reshare with the transcripts of its parents.
pub fn own_among(
    participant: &Participant,
    bytes: &[u8],
    parents: Option<&Family>,
) -> Result<Report, NotOwn> {
    let outcome =
        participant.outcome().filter(|_| participant.is_finished()).ok_or(NotOwn::Unfinished)?;
    let ceremony = &participant.seat().ceremony;
    let header = Header::parse(bytes)?;
    if header.spec(bytes)? != ceremony.canonical() {
        return Err(NotOwn::Spec);
    }
    let container = Container::cut(header, ceremony.clone(), bytes)?;
    let shape = *container.shape();
    let hellos = same(&container, participant, Round::Hello)?;
    let session = session_id(ceremony, &digests(&hellos));
    let mut before = hellos.clone();
    for round in shape.rounds().iter().copied().skip(1) {
        let statements = same(&container, participant, round)?;
        follow(session, &before, &statements, participant)?;
        before = statements;
    }
    same_minima(&container, participant)?;
    same_words(&container, participant)?;
    let body = |fault: &Fault| NotOwn::Body(describe::rule(&fault.rule, Some(ceremony)));
    let hellos = decode_hellos(&hellos, &shape).map_err(|fault| body(&fault))?;
    let finals = decode(&before, |bytes, from| Final::decode(bytes, &shape, from))
        .map_err(|fault| body(&fault))?;
    if let Some(other) = finals.iter().find(|last| last.body.outputs != outcome.outputs) {
        return Err(NotOwn::Outputs(other.sender()));
    }

    let lock = participant.lock().cloned();
    let mut ledger = Ledger::new(false);
    if lock.is_some() {
        ledger.passed(Code::Cluster, details::lock(&shape, ceremony));
    }
    for (code, found) in lines(bytes.len(), &shape, ceremony, session, outcome, &finals) {
        ledger.passed(code, found);
    }
    if ceremony.ssv().is_some() {
        ledger.passed(Code::Sealed, details::sealed(&shape));
    }
    let transcript = container::digest(bytes);
    let import = Some(ceremony.clone()).filter(|one| one.kind() == CeremonyKind::Import);
    let audited = Audited {
        ceremony: ceremony.clone(),
        transcript,
        session,
        dkg: outcome.digest,
        outputs: outcome.outputs,
        validators: outcome.validators.clone(),
        anchors: details::anchors(ceremony, &hellos.iter().collect::<Vec<_>>(), &mut ledger),
        flags: finals.iter().filter_map(|last| last.body.flags).collect(),
        lock,
        rows: None,
        without: container.lacking(),
        import: import.clone(),
        birth: None,
    };
    details::not_made(&shape, &mut ledger);
    details::beyond(Some(ceremony), &mut ledger);
    let audited = Ok(audited);
    match (ceremony.has_parent(), parents) {
        (false, _) => {}
        // Its operator has made it before it said hello, from the transcripts of the parents.
        (true, None) => {
            ledger.missing(Code::V18, "not checked here: audit it with its parents".to_owned());
        }
        (true, Some(_)) => drop(family::check(&audited, parents, &mut ledger)),
    }
    Ok(Report {
        transcript,
        ceremony: Some(ceremony.clone()),
        audited: audited.ok(),
        culprits: None,
        completed: None,
        at_fault: Vec::new(),
        import,
        lines: ledger.into_lines(),
    })
}

/// Every check that applies to a complete transcript: an outcome has a receipt of each.
fn lines(
    bytes: usize,
    shape: &Shape,
    ceremony: &Ceremony,
    session: Digest,
    outcome: &Outcome,
    finals: &[Signed<Final>],
) -> [(Code, String); 16] {
    [
        (Code::V1, details::well_formed(bytes)),
        (Code::V2, details::parameters(ceremony)),
        (Code::V3, details::cards(shape.n)),
        (Code::V4, details::consent(shape.n, ceremony.digest())),
        (Code::V5, details::hellos_differ(shape)),
        (Code::V6, details::reveals_follow(shape, session)),
        (Code::V7, details::opened()),
        (Code::V8, details::points(shape)),
        (Code::V9, details::constants_differ(shape)),
        (Code::V10, details::constants_known(shape)),
        (Code::V11, details::sums(shape, &outcome.digest)),
        (Code::V12, details::stored(shape)),
        (Code::V13, details::shares_proven(shape)),
        (Code::V14, details::agreed(outcome.outputs, &finals.iter().collect::<Vec<_>>(), ceremony)),
        (Code::V15, details::signatures(shape, ceremony)),
        (Code::V16, details::partials(shape)),
    ]
}
