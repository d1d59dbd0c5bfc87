//! The checks of the rounds: V4 to V17.

use std::sync::Arc;

use crate::ethereum::bls::bls_verify;
use crate::ethereum::obol::lock::ClusterLock;
use crate::message::body::{Deal, Final, Hello, Prepare};
use crate::message::envelope::{Round, Statement, session_id};
use crate::message::inbox::digests;
use crate::message::shape::Shape;
use crate::primitives::curve::G2;
use crate::primitives::hash::Digest;
use crate::protocol::checks::{
    self, Commits, DealsFollowHellos, DistinctConstants, DistinctHellos, KnownConstants, Opened,
    Prepared, SharesProven, Signed,
};
use crate::protocol::items::{Messages, outputs_digest};
use crate::protocol::obol::UnsignedLock;
use crate::protocol::outcome::{Sums, ValidatorOutcome};
use crate::spec::ceremony::Ceremony;
use crate::transcript::container::Container;

use super::code::Code;
use super::describe;
use super::details;
use super::facts::Audited;
use super::ledger::{Got, Ledger, have};
use super::replay::open;

/// The statements of all rounds, opened: V4, and the signatures of V6, V12 and V14.
pub(super) struct Rounds {
    ceremony: Arc<Ceremony>,
    shape: Shape,
    hellos: Got<Vec<Statement>>,
    session: Got<Digest>,
    deals: Got<Vec<Statement>>,
    prepares: Got<Vec<Statement>>,
    commits: Got<Vec<Statement>>,
    finals: Got<Vec<Statement>>,
}

/// Their bodies.
struct Bodies {
    hellos: Got<Vec<Signed<Hello>>>,
    deals: Got<Vec<Signed<Deal>>>,
    prepares: Got<Vec<Signed<Prepare>>>,
    finals: Got<Vec<Signed<Final>>>,
}

/// What follows from the commits.
struct Signatures {
    messages: Messages,
    combined: Vec<G2>,
}

/// A receipt of each check on the deals.
type Dealt = (DistinctHellos, DealsFollowHellos, Opened, DistinctConstants, KnownConstants);
/// The same for the prepares.
type Stored = (Prepared, SharesProven);

impl Rounds {
    /// Opens all statements: signatures first, because they are cheap and everything else hangs on
    /// them.
    pub(super) fn open(container: &Container<'_>, ledger: &mut Ledger) -> Self {
        let ceremony = container.ceremony().clone();
        let hellos = ledger.check(Code::V4, || {
            let spec = ceremony.digest();
            let hellos = open(container, Round::Hello, &spec)?;
            let detail = details::consent(hellos.len(), spec);
            Ok((hellos, detail))
        });
        let session = have(&hellos).map(|hellos| session_id(&ceremony, &digests(hellos)));
        let mut later = |code, round| ledger.part(code, || open(container, round, have(&session)?));
        let deals = later(Code::V6, Round::Deal);
        let prepares = later(Code::V12, Round::Prepare);
        let commits = later(Code::V14, Round::Commit);
        let finals = later(Code::V14, Round::Final);
        Self {
            shape: *container.shape(),
            ceremony,
            hellos,
            session,
            deals,
            prepares,
            commits,
            finals,
        }
    }

    fn decode(&self, ledger: &mut Ledger) -> Bodies {
        let shape = &self.shape;
        Bodies {
            hellos: ledger
                .part(Code::V5, || Ok(checks::decode_hellos(have(&self.hellos)?, shape)?)),
            deals: ledger.check(Code::V8, || {
                let deals = checks::decode_deals(have(&self.deals)?, shape, None)?;
                Ok((deals, details::points(shape)))
            }),
            prepares: ledger.part(Code::V12, || {
                Ok(checks::decode(have(&self.prepares)?, |bytes, from| {
                    Prepare::decode(bytes, shape, from)
                })?)
            }),
            finals: ledger.part(Code::V14, || {
                Ok(checks::decode(have(&self.finals)?, |bytes, from| {
                    Final::decode(bytes, shape, from)
                })?)
            }),
        }
    }

    /// Everything that follows. `transcript` is the digest of the whole.
    pub(super) fn check(&self, transcript: Digest, ledger: &mut Ledger) -> Got<Audited> {
        let bodies = self.decode(ledger);
        let dealing = self.dealing(&bodies, ledger);
        let sums = self.sums(&bodies, ledger);
        let storing = self.storing(&bodies, &sums, ledger);
        let decode_commits =
            || Ok(checks::decode_commits(have(&self.commits)?, &self.shape, sums.as_ref().ok())?);
        let commits = ledger.part(Code::V16, decode_commits);
        let (signatures, signing) = self.signing(&commits, &sums, ledger);
        let sealing = self.sealing(&bodies, &commits, &sums, ledger);
        let outputs = self.agreeing(&bodies, &commits, &sums, &signatures, ledger);
        let lock = self.locking(&bodies, &sums, &signatures, &outputs, ledger);
        let anchors =
            have(&bodies.hellos).map(|hellos| details::anchors(&self.ceremony, hellos, ledger));
        dealing?;
        storing?;
        signing?;
        sealing?;
        let (sums, signatures, commits, finals) = (sums?, signatures?, commits?, bodies.finals?);
        let mut validators =
            ValidatorOutcome::all(&sums, &signatures.messages.roots, &signatures.combined);
        ValidatorOutcome::publish(&mut validators, &commits.signed);
        ValidatorOutcome::publish(&mut validators, &finals);
        Ok(Audited {
            transcript,
            session: self.session?,
            dkg: *sums.digest(),
            outputs: outputs?,
            validators,
            anchors: anchors?,
            flags: finals.iter().filter_map(|last| last.body.flags).collect(),
            lock: lock?,
            ceremony: self.ceremony.clone(),
        })
    }

    /// V5 to V10.
    fn dealing(&self, bodies: &Bodies, ledger: &mut Ledger) -> Got<Dealt> {
        let shape = &self.shape;
        let (hellos, deals) = (&bodies.hellos, &bodies.deals);
        let distinct = ledger.check(Code::V5, || {
            let receipt = checks::distinct_hellos(have(hellos)?)?;
            Ok((receipt, details::hellos_differ(shape)))
        });
        let follow = ledger.check(Code::V6, || {
            let receipt = checks::deals_follow_hellos(have(&self.hellos)?, have(deals)?)?;
            Ok((receipt, details::reveals_follow(shape, self.session?)))
        });
        let opened = ledger.check(Code::V7, || {
            let receipt = checks::opened(&self.ceremony, have(hellos)?, have(deals)?)?;
            Ok((receipt, details::opened()))
        });
        let distinct_constants = ledger.check(Code::V9, || {
            let receipt = checks::distinct_constants(have(deals)?)?;
            Ok((receipt, details::constants_differ(shape)))
        });
        let known = ledger.check(Code::V10, || {
            let receipt = checks::known_constants(have(&self.session)?, have(deals)?)?;
            Ok((receipt, details::constants_known(shape)))
        });
        Ok((distinct?, follow?, opened?, distinct_constants?, known?))
    }

    /// V11.
    fn sums(&self, bodies: &Bodies, ledger: &mut Ledger) -> Got<Sums> {
        ledger.check(Code::V11, || {
            let sums = checks::add_up(&self.ceremony, have(&self.session)?, have(&bodies.deals)?)?;
            let detail = details::sums(&self.shape, sums.digest());
            Ok((sums, detail))
        })
    }

    /// V12 and V13.
    fn storing(&self, bodies: &Bodies, sums: &Got<Sums>, ledger: &mut Ledger) -> Got<Stored> {
        let prepared = ledger.check(Code::V12, || {
            let receipt =
                checks::prepared(have(&self.deals)?, have(sums)?, have(&bodies.prepares)?)?;
            Ok((receipt, details::stored(&self.shape)))
        });
        let proven = ledger.check(Code::V13, || {
            let receipt =
                checks::shares_proven(&self.ceremony, have(sums)?, have(&bodies.prepares)?)?;
            Ok((receipt, details::shares_proven(&self.shape)))
        });
        Ok((prepared?, proven?))
    }

    /// V15 and V16. Yields the combined signatures, verified or not, beside the verdict.
    fn signing(
        &self,
        commits: &Got<Commits>,
        sums: &Got<Sums>,
        ledger: &mut Ledger,
    ) -> (Got<Signatures>, Got<()>) {
        // V16 needs the messages, also where what is combined of its partial signatures is nothing.
        let messages =
            ledger.part(Code::V15, || Ok(Messages::new(&self.ceremony, have(sums)?.public_keys())));
        let combined =
            ledger.part(Code::V15, || Ok(checks::combine(&self.ceremony, &have(commits)?.signed)?));
        // Both at once; if that fails, each by itself, for its own verdict.
        let both = match (sums, commits, &messages, &combined) {
            (Ok(sums), Ok(commits), Ok(messages), Ok(combined)) => {
                checks::verified_together(sums, messages, commits, combined)
            }
            _ => None,
        };
        let partials = ledger.check(Code::V16, || {
            if both.is_none() {
                checks::partials_verified(have(sums)?, have(&messages)?, have(commits)?)?;
            }
            Ok(((), details::partials(&self.shape)))
        });
        let verified = ledger.check(Code::V15, || {
            let (sums, messages, combined) = (have(sums)?, have(&messages)?, have(&combined)?);
            if both.is_none() {
                checks::signatures_verified(sums, messages, combined).map_err(|_| {
                    // The check is a batch, and blames nobody: the partial signatures (V16) tell
                    // who.
                    let valid = |(v, root): &(usize, [u8; 32]), signature| {
                        bls_verify(&sums.public_key(*v), root, signature)
                    };
                    let wrong = messages
                        .roots
                        .iter()
                        .zip(combined)
                        .position(|(root, signature)| !valid(root, signature));
                    let what = wrong.map_or_else(
                        || "a signature".to_owned(),
                        |item| describe::item(Some(&self.ceremony), item),
                    );
                    format!(
                        "the combined signature on {what} does not verify under its validator's key"
                    )
                })?;
            }
            Ok(((), details::signatures(&self.shape, &self.ceremony)))
        });
        let verdict = partials.and(verified);
        (messages.and_then(|messages| Ok(Signatures { messages, combined: combined? })), verdict)
    }

    /// The proofs of encrypted shares, where the ceremony is for SSV.
    fn sealing(
        &self,
        bodies: &Bodies,
        commits: &Got<Commits>,
        sums: &Got<Sums>,
        ledger: &mut Ledger,
    ) -> Got<()> {
        if self.ceremony.ssv().is_none() {
            return Ok(());
        }
        ledger.check(Code::Sealed, || {
            let (ceremony, sums) = (&self.ceremony, have(sums)?);
            match self.shape.round_of_encrypted_shares() {
                Round::Final => checks::shares_encrypted(ceremony, sums, have(&bodies.finals)?)?,
                _ => checks::shares_encrypted(ceremony, sums, &have(commits)?.signed)?,
            };
            Ok(((), details::sealed(&self.shape)))
        })
    }

    /// The lock of an Obol cluster, if one is made.
    fn locking(
        &self,
        bodies: &Bodies,
        sums: &Got<Sums>,
        signatures: &Got<Signatures>,
        outputs: &Got<Digest>,
        ledger: &mut Ledger,
    ) -> Got<Option<ClusterLock>> {
        if self.ceremony.obol().is_none() {
            return Ok(None);
        }
        ledger.check(Code::Cluster, || {
            have(outputs)?;
            let (sums, Signatures { messages, combined }) = (have(sums)?, have(signatures)?);
            let validators = ValidatorOutcome::all(sums, &messages.roots, combined);
            let finals = have(&bodies.finals)?;
            let lock = UnsignedLock::new(&self.ceremony, &validators).map(|lock| lock.seal(finals));
            Ok((lock.transpose()?, details::lock(&self.shape, &self.ceremony)))
        })
    }

    /// V14.
    fn agreeing(
        &self,
        bodies: &Bodies,
        commits: &Got<Commits>,
        sums: &Got<Sums>,
        signatures: &Got<Signatures>,
        ledger: &mut Ledger,
    ) -> Got<Digest> {
        ledger.check(Code::V14, || {
            checks::commits_follow_prepares(have(&self.prepares)?, &have(commits)?.signed)?;
            let finals = have(&bodies.finals)?;
            let (sums, Signatures { messages, combined }) = (have(sums)?, have(signatures)?);
            let outputs = outputs_digest(sums.digest(), &messages.roots, combined);
            checks::outputs_agreed(&outputs, have(&self.commits)?, finals)?;
            Ok((outputs, details::agreed(outputs, finals)))
        })
    }
}
