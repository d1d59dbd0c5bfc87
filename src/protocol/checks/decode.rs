//! Bodies out of statements: what the checks are asked about.

use crate::message::body::{Commit, Deal, Hello};
use crate::message::envelope::Statement;
use crate::message::shape::Shape;
use crate::primitives::batch::Weighing;
use crate::primitives::codec::DecodeError;
use crate::primitives::commitment::Commitments;
use crate::primitives::hash::Digest;
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::findings::follows_nothing;
use crate::protocol::outcome::Sums;
use crate::spec::threshold::Index;

/// A statement with its decoded body.
#[derive(Clone)]
pub struct Signed<B> {
    /// The statement.
    pub statement: Statement,
    /// Its body.
    pub body: B,
}

impl<B> Signed<B> {
    /// Who signed it.
    pub fn sender(&self) -> Index {
        self.statement.envelope.sender
    }
}

/// A round's bodies, by index; `read` is given each with who signed it.
pub fn decode<B>(
    statements: &[Statement],
    read: impl Fn(&[u8], Index) -> Result<B, DecodeError>,
) -> Result<Vec<Signed<B>>, Box<Fault>> {
    statements.iter().map(|statement| decode_one(statement, &read)).collect()
}

/// One body.
pub(crate) fn decode_one<B>(
    statement: &Statement,
    read: impl FnOnce(&[u8], Index) -> Result<B, DecodeError>,
) -> Result<Signed<B>, Box<Fault>> {
    match read(statement.body(), statement.envelope.sender) {
        Ok(body) => Ok(Signed { statement: statement.clone(), body }),
        Err(error) => Err(malformed(statement, error)),
    }
}

fn bodies(statements: &[Statement]) -> Vec<(Index, &[u8])> {
    statements.iter().map(|statement| (statement.envelope.sender, statement.body())).collect()
}

/// The deals, by index; all their points are tested together, but not those of `own` commitments
/// that the caller has made.
pub fn decode_deals(
    statements: &[Statement],
    shape: &Shape,
    own: Option<&Commitments>,
) -> Result<Vec<Signed<Deal>>, Box<Fault>> {
    decode_each_deal(statements, shape, own).into_iter().collect()
}

/// As [`decode_deals`], with a verdict on each.
pub(crate) fn decode_each_deal(
    statements: &[Statement],
    shape: &Shape,
    own: Option<&Commitments>,
) -> Vec<Result<Signed<Deal>, Box<Fault>>> {
    let bodies = bodies(statements);
    let decoded = Deal::decode_all(&bodies, shape, own).into_iter().zip(statements);
    decoded.map(|(deal, statement)| decode_one(statement, |_, _| deal)).collect()
}

/// Commits whose partial signatures were tested for their subgroup, with weights for their
/// verification.
pub struct Commits {
    /// The commits.
    pub signed: Vec<Signed<Commit>>,
    pub(super) weighing: Weighing,
    pub(super) keys: Digest,
}

/// The commits, by index; all their partial signatures are tested together. They can be verified
/// under the keys of `sums` alone: the weights of that follow from those keys too.
pub fn decode_commits(
    statements: &[Statement],
    shape: &Shape,
    sums: Option<&Sums>,
) -> Result<Commits, Box<Fault>> {
    let bodies = bodies(statements);
    let keys = sums.map_or(Digest::ZERO, |sums| *sums.digest());
    match Commit::decode_and_weigh(&bodies, shape, keys) {
        Ok((commits, weighing)) => {
            let signed = statements
                .iter()
                .zip(commits)
                .map(|(statement, body)| Signed { statement: statement.clone(), body });
            Ok(Commits { signed: signed.collect(), weighing, keys })
        }
        Err(misfit) => Err(malformed(&statements[misfit.at], misfit.error)),
    }
}

fn malformed(statement: &Statement, error: DecodeError) -> Box<Fault> {
    let (operator, round) = (statement.envelope.sender, statement.envelope.round);
    Fault::new(Rule::Malformed { operator, round, error }, [statement])
}

/// Decodes hellos. They follow nothing, so their view must be empty.
pub fn decode_hellos(
    statements: &[Statement],
    shape: &Shape,
) -> Result<Vec<Signed<Hello>>, Box<Fault>> {
    let hellos = decode(statements, |bytes, from| Hello::decode(bytes, shape, from))?;
    statements.iter().try_for_each(follows_nothing)?;
    Ok(hellos)
}
