//! All checks of public data. Participants and the auditor call the same functions. Only this
//! folder makes receipts, and an [`Outcome`](super::outcome::Outcome) holds one of each: code that
//! skips a check does not compile.

mod dealing;
mod decode;
mod prepares;
mod signing;

use crate::message::envelope::Statement;
use crate::primitives::batch::Weights;
use crate::primitives::hash::Digest;

use super::evidence::Fault;
use super::findings::view_faults;

pub use dealing::{
    add_up, deals_follow_hellos, distinct_constants, distinct_hellos, hello_commitment,
    known_constants, opened,
};
pub use decode::{Commits, Signed, decode, decode_commits, decode_deals, decode_hellos};
pub(crate) use decode::{decode_each_deal, decode_one};
pub(super) use prepares::possession_in;
pub(crate) use prepares::sums_root;
pub use prepares::{possession_message, prepared, shares_proven};
pub use signing::{
    all_verified, combine, commits_follow_prepares, outputs_agreed, partials_verified,
    shares_encrypted, signatures_verified, verified_together,
};

macro_rules! receipts {
    ($($(#[$doc:meta])* $name:ident,)*) =>
        { $($(#[$doc])* #[derive(Debug)] pub struct $name(()); )* };
}

receipts! {
    /// No two hellos share a nonce, a commitment or a one-time key.
    DistinctHellos,
    /// Every deal was signed after, and over, all hellos.
    DealsFollowHellos,
    /// Every deal opens its hello's commitment.
    Opened,
    /// No two polynomials share a constant term.
    DistinctConstants,
    /// Every dealer knew its constant terms.
    KnownConstants,
    /// All operators prepared over the same deals and the same sums: certificate 1 is complete.
    Prepared,
    /// Every seat answered for all its shares.
    SharesProven,
    /// Every commit was signed over certificate 1.
    CommitsFollowPrepares,
    /// Every partial signature verifies under its seat's public share.
    PartialsVerified,
    /// Every combined signature verifies under its validator's key.
    SignaturesVerified,
    /// Every operator has proven its encrypted shares, where the ceremony is for SSV.
    SharesEncrypted,
    /// All operators signed the same outputs: certificate 2 is complete.
    OutputsAgreed,
}

/// Whether every statement of a round was computed from exactly the statements `before`, and says
/// so consistently.
fn views_agree<'a>(
    before: &[Statement],
    mut statements: impl Iterator<Item = (&'a Statement, &'a [Digest])>,
) -> Result<(), Box<Fault>> {
    statements.try_for_each(|(statement, view)| {
        match view_faults(before.iter().map(Some), statement, view).into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(Box::new(fault)),
        }
    })
}

fn weights_over<B>(dkg: &Digest, statements: &[&Signed<B>]) -> Weights {
    let bodies: Vec<Digest> =
        statements.iter().map(|signed| signed.statement.envelope.body_digest).collect();
    let parts: Vec<&[u8]> =
        core::iter::once(dkg.as_ref()).chain(bodies.iter().map(AsRef::as_ref)).collect();
    Weights::new(&parts)
}
