//! The audit of a set of statements: what they prove, what they only state, and whether they hold a
//! completed ceremony. They never show that a ceremony was not completed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::message::complaint::Abandon;
use crate::message::envelope::{Kind, Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::hash::Digest;
use crate::protocol::evidence::{Certainty, Fault, Rule};
use crate::protocol::judge::{judge, of_this_ceremony};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;
use crate::transcript::container::Header;
use crate::transcript::stopped::Stopped;

use super::code::Code;
use super::completed::completed;
use super::describe;
use super::ledger::{Got, Ledger, have};

/// The check that a rule belongs to. Equivocation, complaints and abandonments belong to none.
fn code(rule: &Rule) -> Code {
    match rule {
        Rule::Malformed { round: Round::Hello, .. }
        | Rule::ViewRoot { round: Round::Hello, .. }
        | Rule::CopiedHello { .. } => Code::V5,
        Rule::Malformed { round: Round::Deal, .. } => Code::V8,
        Rule::Malformed { round: Round::Prepare, .. } | Rule::SumsRoot { .. } => Code::V12,
        Rule::Malformed { round: Round::Commit, .. } | Rule::Partial { .. } => Code::V16,
        Rule::EncryptedShare { .. } => Code::Sealed,
        Rule::Malformed { round: Round::Final, .. } | Rule::Outputs { .. } => Code::V14,
        Rule::LockShares { .. } | Rule::LockNode { .. } => Code::Cluster,
        Rule::ViewRoot { round: Round::Deal, .. } => Code::V6,
        Rule::ViewRoot { round: Round::Prepare, .. } => Code::V12,
        Rule::ViewRoot { .. } => Code::V14,
        Rule::Opening { .. } => Code::V7,
        Rule::EqualConstants { .. } => Code::V9,
        Rule::ProofOfPossession { .. } => Code::V10,
        Rule::Degenerate | Rule::MasksDiffer { .. } => Code::V11,
        Rule::Possession { .. } => Code::V13,
        Rule::Equivocation { .. }
        | Rule::Abandonment { .. }
        | Rule::View { .. }
        | Rule::ShareBox { .. }
        | Rule::Share { .. }
        | Rule::Mask { .. }
        | Rule::FalseComplaint { .. } => Code::V19,
    }
}

/// Which round's statements a check looks at.
const LOOKS_AT: [(Code, Round); 15] = [
    (Code::V4, Round::Hello),
    (Code::V5, Round::Hello),
    (Code::V6, Round::Deal),
    (Code::V7, Round::Deal),
    (Code::V8, Round::Deal),
    (Code::V9, Round::Deal),
    (Code::V10, Round::Deal),
    (Code::V11, Round::Deal),
    (Code::V12, Round::Prepare),
    (Code::V13, Round::Prepare),
    (Code::V14, Round::Final),
    (Code::V15, Round::Commit),
    (Code::V16, Round::Commit),
    (Code::Sealed, Round::Commit),
    (Code::Cluster, Round::Final),
];

/// V1, V4 to V16 as far as there are statements, and V19. `lengths` is the ceremony whether or not
/// its cards are signed: V1 stands by itself.
pub(super) fn replay(
    bytes: &[u8],
    lengths: &Got<(Header, Arc<Ceremony>)>,
    spec: &Got<Arc<Ceremony>>,
    ledger: &mut Ledger,
) -> Code {
    let opened = ledger.check(Code::V1, || {
        let (header, ceremony) = have(lengths)?;
        let stopped =
            Stopped::open(*header, ceremony.clone(), bytes).map_err(|error| error.to_string())?;
        let detail =
            format!("a set of {} statements, each signed by its sender", stopped.statements.len());
        Ok((stopped, detail))
    });
    let opened = have(spec).and(opened);
    let Stopped { ceremony, statements } = match opened {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let faults = judge(&ceremony, &statements);
    let proven = faults.iter().filter(|fault| fault.rule.certainty() == Certainty::Proven);
    let culprits: BTreeSet<Index> = proven.flat_map(|fault| fault.rule.culprits()).collect();
    ledger.culprits = Some(culprits.iter().copied().collect());
    ledger.at_fault = culprits;
    let all = statements.len();
    let statements = of_this_ceremony(&ceremony, &statements);
    let foreign = all - statements.len();
    judge_checks(&ceremony, &statements, &faults, ledger);
    ledger.completed = completed(&ceremony, &statements, &faults);
    let held = ledger.completed;
    let findings = || findings(&ceremony, &statements, &faults, foreign, held);
    // It is no transcript: that is a finding, whoever is at fault.
    let verdict: Got<()> = ledger.check(Code::V19, || Err(findings().into()));
    verdict.err().unwrap_or(Code::V19)
}

/// One line for each check that these statements can say something about.
fn judge_checks(
    ceremony: &Ceremony,
    statements: &[&Statement],
    faults: &[Fault],
    ledger: &mut Ledger,
) {
    let applies = |(check, _): &(Code, Round)| match check {
        Code::Sealed => ceremony.ssv().is_some(),
        Code::Cluster => ceremony.obol().is_some(),
        _ => true,
    };
    let published = Shape::of(ceremony).round_of_encrypted_shares();
    for (check, round) in LOOKS_AT.into_iter().filter(applies) {
        let round = if check == Code::Sealed { published } else { round };
        let broken: Vec<String> = faults
            .iter()
            .filter(|fault| code(&fault.rule) == check)
            .map(|fault| sentence(fault, ceremony))
            .collect();
        let missing = missing(ceremony, statements, round);
        match (broken.is_empty(), missing.is_empty()) {
            (false, _) => {
                let _ = ledger.check::<()>(check, || Err(broken.join("; ").into()));
            }
            (true, false) => ledger.not_judged(
                check,
                &format!("no {} of {}", describe::round(round), missing.join(", ")),
            ),
            (true, true) if is_crowded(statements, round) => ledger.not_judged(
                check,
                "every operator's statement is here; two of each were looked into, and prove no \
                 fault here",
            ),
            (true, true) => ledger
                .not_judged(check, "every operator's statement is here, and none proves a fault"),
        }
    }
}

/// All that the statements prove and say, how many are `foreign` and were left out, and the
/// certificate of the ceremony that they hold `completed`.
fn findings(
    ceremony: &Ceremony,
    statements: &[&Statement],
    faults: &[Fault],
    foreign: usize,
    completed: Option<Digest>,
) -> String {
    let mut text: Vec<String> = faults.iter().map(|fault| sentence(fault, ceremony)).collect();
    if text.is_empty() {
        text.push("these statements prove nobody at fault".to_owned());
    }
    text.push(outcome(completed));
    let said = accusations(ceremony, statements);
    text.extend(said.iter().map(|said| format!("stated, not proven: {said}")));
    text.extend(prepared(ceremony, statements));
    if foreign > 0 {
        text.push(format!(
            "{foreign} statements cannot be assigned to this ceremony and were left out"
        ));
    }
    text.join("; ")
}

fn sentence(fault: &Fault, ceremony: &Ceremony) -> String {
    let certainty = match fault.rule.certainty() {
        Certainty::Proven => "proven",
        Certainty::Suspected | Certainty::Nobody => "possible",
    };
    format!("{certainty}: {}", describe::rule(&fault.rule, Some(ceremony)))
}

/// Whether an operator has more statements for this round than the judge looks into.
fn is_crowded(statements: &[&Statement], round: Round) -> bool {
    let mut count: BTreeMap<Index, usize> = BTreeMap::new();
    let ordinary = |s: &&&Statement| (s.envelope.kind, s.envelope.round) == (Kind::Ordinary, round);
    statements.iter().filter(ordinary).any(|statement| {
        let held = count.entry(statement.envelope.sender).or_default();
        *held += 1;
        *held > 2
    })
}

fn missing(ceremony: &Ceremony, statements: &[&Statement], round: Round) -> Vec<String> {
    let ordinary = |s: &&&Statement| (s.envelope.kind, s.envelope.round) == (Kind::Ordinary, round);
    let here: BTreeSet<Index> =
        statements.iter().filter(ordinary).map(|statement| statement.envelope.sender).collect();
    Shape::of(ceremony)
        .speakers(round)
        .iter()
        .filter(|index| !here.contains(index))
        .map(|index| describe::operator(Some(ceremony), index))
        .collect()
}

/// Who says that it waited for whom: an accusation in a sentence for each who gave up.
pub fn accusations(ceremony: &Ceremony, statements: &[&Statement]) -> Vec<String> {
    let shape = Shape::of(ceremony);
    let abandoned = statements.iter().filter(|statement| statement.envelope.kind == Kind::Abandon);
    let said = abandoned.filter_map(|statement| {
        if Abandon::fault(statement, &shape).is_some() {
            return None;
        }
        let awaited = Abandon::decode(statement.body(), &shape).ok()?.awaited;
        let whom = ceremony.indices().zip(awaited).filter_map(|(index, awaited)| {
            let name = describe::operator(Some(ceremony), index);
            match (awaited.statement, awaited.share_box) {
                (false, false) => None,
                (true, false) => Some(format!("the statement of {name}")),
                (false, true) => Some(format!("the share box of {name}")),
                (true, true) => Some(format!("statement and share box of {name}")),
            }
        });
        let whom: Vec<String> = whom.collect();
        let (who, round) = (
            describe::operator(Some(ceremony), statement.envelope.sender),
            describe::round(statement.envelope.round),
        );
        Some(match whom.is_empty() {
            true => format!("{who} abandoned the ceremony, waiting for nobody"),
            false => {
                format!("{who} abandoned the ceremony in {round}, waiting for {}", whom.join(", "))
            }
        })
    });
    said.collect()
}

/// What the statements show of the ceremony's end, in a sentence without its full stop.
pub fn outcome(completed: Option<Digest>) -> String {
    match completed {
        Some(certificate) => format!(
            "these statements hold a completed ceremony with the certificate {certificate}: its \
             keys may be in use"
        ),
        None => "these statements do not show whether the ceremony was completed".to_owned(),
    }
}

/// Who has signed that its shares are stored, in a sentence without its full stop.
pub fn prepared(ceremony: &Ceremony, statements: &[&Statement]) -> Option<String> {
    let mut prepared: BTreeMap<Index, String> = BTreeMap::new();
    for statement in statements {
        if (statement.envelope.kind, statement.envelope.round) == (Kind::Ordinary, Round::Prepare) {
            let sender = statement.envelope.sender;
            prepared.insert(sender, describe::operator(Some(ceremony), sender));
        }
    }
    let names: Vec<String> = prepared.into_values().collect();
    let told = format!("{} signed that shares are stored", names.join(", "));
    (!names.is_empty()).then_some(told)
}
