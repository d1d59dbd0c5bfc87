//! Round R2 (prepare). An operator opens its boxes, checks its shares, stores them, reads them
//! back, and proves possession of them from the copy that it read.

use crate::message::body::{Deal, Prepare};
use crate::message::complaint::{Claim, Complaint, Shown};
use crate::message::envelope::{Kind, Round, Statement, view_root};
use crate::message::inbox::digests;
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address, ShareBoxError};
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::Digest;
use crate::primitives::secret::{SecretBytes, wiping_all};
use crate::primitives::x25519::DhSecret;
use crate::spec::threshold::Index;

use super::checks::{
    DealsFollowHellos, DistinctConstants, DistinctHellos, KnownConstants, Opened, Prepared,
    SharesProven, Signed, decode, possession_in, prepared, shares_proven,
};
use super::dealt::dealt;
use super::evidence::{Fault, Rule};
use super::outcome::{Sums, fold_shares};
use super::record::{Record, RecordKind, ReplayError};
use super::ssv::own_key;
use super::stage::Stage;
use super::step::{Ask, Step};
use super::stop::certified;
use super::world::{Advance, Failed, Made, Stop, World};

/// The deals, with a receipt for each check on them.
pub(super) struct Checked {
    pub(super) session: Digest,
    pub(super) distinct_hellos: DistinctHellos,
    pub(super) deals_follow_hellos: DealsFollowHellos,
    pub(super) opened: Opened,
    pub(super) distinct_constants: DistinctConstants,
    pub(super) known_constants: KnownConstants,
    pub(super) sums: Sums,
}

/// The shares are handed to storage; waiting for them to be read back.
pub(super) struct AwaitReread {
    checked: Checked,
}

/// Waiting for every operator's prepare.
pub(super) struct AwaitPrepares {
    checked: Checked,
    failed: Failed,
}

/// Checks the shares and hands them to storage, unless they are there already.
pub(super) fn store_shares(
    world: &mut World,
    checked: Checked,
    deals: &[Signed<Deal>],
    step: &mut Step,
) -> Result<Stage, Stop> {
    if !receives(world) {
        // Who gets no shares has none to store, and signs what it has seen.
        world.own(Round::Prepare, step, |world| Ok((Vec::new(), seen(world, &checked))))?;
        erase_dealing_secrets(world, step);
        return Ok(Stage::Prepares(Box::new(AwaitPrepares { checked, failed: Failed::default() })));
    }
    if world.recall(Round::Prepare) {
        if world.has_complained() {
            return Err(complained(world, step));
        }
        let shares =
            world.vault.shares.as_ref().ok_or(ReplayError::Incomplete { missing: "shares" })?;
        if !wiping_all(|| checked.sums.shares_match(own_point(world), shares)) {
            return Err(ReplayError::SharesDamaged.into());
        }
        erase_dealing_secrets(world, step);
        return Ok(Stage::Prepares(Box::new(AwaitPrepares { checked, failed: Failed::default() })));
    }
    if world.vault.shares.is_none() {
        match wiping_all(|| receive(world, &checked, deals))? {
            Ok(shares) => step.persist.push(Record::shares(RecordKind::Shares, &shares)),
            Err((deal, claim)) => {
                let session = checked.session;
                world.own(Round::Prepare, step, |world| complain(world, session, deal, claim))?;
                return Err(complained(world, step));
            }
        }
    }
    world.vault.shares = None;
    step.asks.push(Ask::Reread(RecordKind::Shares));
    Ok(Stage::Reread(Box::new(AwaitReread { checked })))
}

fn receives(world: &World) -> bool {
    world.shape.parts.receivers.contains(world.seat.me)
}

fn own_point(world: &World) -> u64 {
    world.seat.ceremony.roster().get(world.seat.me).expect("our own seat").point
}

fn erase_dealing_secrets(world: &mut World, step: &mut Step) {
    world.vault.one_time_keys = None;
    world.vault.own_shares = None;
    world.received.clear();
    step.erase.extend([RecordKind::OneTimeKeys, RecordKind::OwnShares, RecordKind::ReceivedBox]);
}

/// The box of a deal's sender, with the key that opens it and what its deal lists.
struct Received<'a> {
    address: Address,
    key: &'a DhSecret,
    sealed: &'a [u8],
    list: Option<&'a Digest>,
}

impl<'a> Received<'a> {
    fn of(world: &'a World, session: Digest, deal: &'a Signed<Deal>) -> Result<Self, ReplayError> {
        let (me, dealer) = (world.seat.me, deal.sender());
        let keys = world.vault.one_time_keys.as_ref();
        let place = world.shape.place_of_key(me, dealer);
        let key = keys.zip(place).and_then(|(keys, place)| keys.get(place));
        let sealed = world.received.get(&dealer);
        let place = world.shape.place_of_box(dealer, me);
        let root = dealt(&world.seat.ceremony, deal).merkle_root();
        Ok(Self {
            address: Address { session, dealer, recipient: me, root },
            key: key.ok_or(ReplayError::Incomplete { missing: "one-time keys" })?,
            sealed: sealed.ok_or(ReplayError::Incomplete { missing: "share boxes" })?,
            list: place.and_then(|place| deal.body.share_lists.get(place)),
        })
    }

    fn shares(&self, shape: &Shape) -> Result<Vec<SecretScalar>, ShareBoxError> {
        match self.list {
            None => share_box::open(&self.address, self.key, self.sealed, shape),
            Some(list) => {
                share_box::open_listed(&self.address, self.key, self.sealed, shape, list)?.shares()
            }
        }
    }

    /// What makes a claim about it public, and no more than the claim needs.
    fn show(&self, shape: &Shape, claim: Claim) -> Option<Shown> {
        match (claim, self.list) {
            (Claim::NotAScalar { validator } | Claim::Mismatch { validator }, Some(list)) => {
                let opened =
                    share_box::open_listed(&self.address, self.key, self.sealed, shape, list);
                opened.ok()?.show(&self.address, validator).map(Shown::Share)
            }
            _ => Some(Shown::Box { opened: *self.key.expose(), sealed: self.sealed.to_vec() }),
        }
    }
}

/// Shows the bad box, or of a reshare the one bad share, so that strangers can judge it.
fn complain(world: &mut World, session: Digest, deal: &Signed<Deal>, claim: Claim) -> Made {
    let received = Received::of(world, session, deal)?;
    let shown = received.show(&world.shape, claim);
    let shown = shown.ok_or(ReplayError::Incomplete { missing: "share boxes" })?;
    Ok((Vec::new(), sign_complaint(world, session, deal.sender(), claim, shown)))
}

pub(super) fn sign_complaint(
    world: &World,
    session: Digest,
    dealer: Index,
    claim: Claim,
    shown: Shown,
) -> Statement {
    let view = view_of_deals(world);
    let root_of_view = view_root(&view);
    let body = Complaint { view, dealer, claim, shown };
    let (key, me) = (world.seat.operator.key(), world.seat.me);
    let body = body.encode();
    Statement::sign_kind(Kind::Complaint, key, me, Round::Prepare, session, root_of_view, &body)
}

/// What this operator's own complaint proves.
pub(super) fn complained(world: &mut World, step: &mut Step) -> Stop {
    erase_dealing_secrets(world, step);
    let own = world
        .inbox
        .get(Round::Prepare, world.seat.me)
        .and_then(|complaint| world.verdict(complaint));
    own.unwrap_or_else(|| Fault::new(Rule::Degenerate, [])).into()
}

/// Shares, or whose box is bad and in what.
type Verdict<'a> = Result<Vec<SecretScalar>, (&'a Signed<Deal>, Claim)>;

/// Opens all boxes, adds up the shares and checks the sums; looks for the culprit only if they are
/// wrong.
fn receive<'a>(
    world: &World,
    checked: &Checked,
    deals: &'a [Signed<Deal>],
) -> Result<Verdict<'a>, Stop> {
    let (me, shape) = (world.seat.me, &world.shape);
    let own = match (shape.parts.dealers.contains(me), world.vault.own_shares.as_ref()) {
        (true, None) => return Err(ReplayError::Incomplete { missing: "own shares" }.into()),
        (_, own) => own.map(|own| (me, own)),
    };
    let mut dealt: Vec<(&Signed<Deal>, Vec<SecretScalar>)> = Vec::new();
    let dealers = shape.dealers_to(me);
    for deal in deals.iter().filter(|deal| dealers.contains(deal.sender())) {
        match Received::of(world, checked.session, deal)?.shares(shape) {
            Ok(shares) => dealt.push((deal, shares)),
            Err(error) => return Ok(Err((deal, error.into()))),
        }
    }
    let mut sums: Vec<SecretScalar> = (0..shape.v).map(|_| SecretScalar::zero()).collect();
    let parent = world.seat.ceremony.parent_shares().filter(|_| !shape.masks());
    for (dealer, shares) in dealt.iter().map(|(deal, shares)| (deal.sender(), shares)).chain(own) {
        // In a reshare the share of the parent's share, weighed.
        let weight = parent.and_then(|parent| parent.weight(dealer));
        sums.iter_mut().zip(shares).for_each(|(sum, share)| match weight {
            None => sum.add_assign(share),
            Some(weight) => sum.add_assign(&share.scaled(weight)),
        });
    }
    if sums.iter().any(SecretScalar::is_zero) {
        // Whoever dealt a share that is not its polynomial's is named first; a sum of honest shares
        // is zero with probability 2^-255.
        return match localise(world, checked, &dealt) {
            Some(bad) => Ok(Err(bad)),
            None => Err(Fault::new(Rule::Degenerate, []).into()),
        };
    }
    if checked.sums.shares_match(own_point(world), &sums) {
        return Ok(Ok(sums));
    }
    match localise(world, checked, &dealt) {
        Some(bad) => Ok(Err(bad)),
        // The other dealers' shares all match, so our own do not: our own log is at fault.
        None => Err(ReplayError::SharesDamaged.into()),
    }
}

/// Finds a dealer whose shares do not match its commitments, and the first validator for which they
/// do not.
fn localise<'a>(
    world: &World,
    checked: &Checked,
    received: &[(&'a Signed<Deal>, Vec<SecretScalar>)],
) -> Option<(&'a Signed<Deal>, Claim)> {
    let (point, weights) = (own_point(world), checked.sums.weights());
    for (deal, shares) in received {
        let promised = dealt(&world.seat.ceremony, deal);
        if fold_shares(weights, shares).base_mult() == promised.folded(weights, point) {
            continue;
        }
        let wrong =
            |(v, share): (usize, &SecretScalar)| share.base_mult() != promised.share(v, point);
        if let Some(validator) = shares.iter().enumerate().position(wrong) {
            return Some((*deal, Claim::Mismatch { validator }));
        }
    }
    None
}

impl AwaitReread {
    /// Proves possession from the shares as they were read back.
    pub(super) fn reread(
        self: Box<Self>,
        world: &mut World,
        bodies: &[SecretBytes],
        step: &mut Step,
    ) -> Result<Stage, (Box<Self>, Option<ReplayError>)> {
        let matching = |body| {
            let shares = share_box::decode_shares(body, world.shape.v).ok();
            shares.filter(|shares| self.checked.sums.shares_match(own_point(world), shares))
        };
        let read = match bodies {
            [body] => wiping_all(|| matching(body)),
            _ => None,
        };
        let Some(shares) = read else {
            return Err((self, Some(ReplayError::SharesDamaged)));
        };
        let made = world.own(Round::Prepare, step, |world| make(world, &self.checked, &shares));
        if let Err(error) = made {
            return Err((self, Some(error)));
        }
        world.vault.shares = Some(shares);
        erase_dealing_secrets(world, step);
        Ok(Stage::Prepares(Box::new(AwaitPrepares {
            checked: self.checked,
            failed: Failed::default(),
        })))
    }
}

fn make(world: &mut World, checked: &Checked, shares: &[SecretScalar]) -> Made {
    let view = view_of_deals(world);
    let message = possession_in(&world.seat.ceremony, checked.sums.digest(), world.seat.me);
    let possession = checked
        .sums
        .confirmation_secret(shares)
        .sign(&message)
        .expect("the confirmation key is not infinity: it was compared");
    let root_of_view = view_root(&view);
    let body = Prepare::of(view, checked.sums.root(), possession);
    Ok((Vec::new(), world.seat.sign(Round::Prepare, checked.session, root_of_view, &body.encode())))
}

fn view_of_deals(world: &World) -> Vec<Digest> {
    digests(&world.inbox.complete(Round::Deal).expect("all deals were checked"))
}

/// The prepare of a seat that gets no shares.
fn seen(world: &World, checked: &Checked) -> Statement {
    let view = view_of_deals(world);
    let root_of_view = view_root(&view);
    let body = Prepare { view, stored: None };
    world.seat.sign(Round::Prepare, checked.session, root_of_view, &body.encode())
}

impl AwaitPrepares {
    pub(super) fn advance(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Advance, Stop> {
        let mut this = self;
        for statements in this.failed.untried(world.inbox.candidates(Round::Prepare, world.seat.me))
        {
            match this.certify(world, &statements) {
                Ok((certificate, proven)) => {
                    world.inbox.prefer(&statements);
                    if !world.recall(Round::Commit) && own_key(&world.seat).is_err() {
                        // Without the key nothing is signed; all else that is asked of a log can be
                        // answered.
                        return Ok(Advance::wait(Stage::Prepares(this), None));
                    }
                    let checked = this.checked;
                    let next = certified(world, checked, certificate, proven, statements, step);
                    return next.map(Advance::Next);
                }
                Err(broken) => this.failed.note(&statements, broken),
            }
        }
        let fault = this.failed.first();
        Ok(Advance::wait(Stage::Prepares(this), fault))
    }

    /// Certificate 1, if these statements are one.
    fn certify(
        &self,
        world: &World,
        statements: &[Statement],
    ) -> Result<(Prepared, SharesProven), Box<Fault>> {
        let deals = world.inbox.complete(Round::Deal).expect("all deals were checked");
        let prepares =
            decode(statements, |bytes, from| Prepare::decode(bytes, &world.shape, from))?;
        let certificate = prepared(&deals, &self.checked.sums, &prepares)?;
        Ok((certificate, shares_proven(&world.seat.ceremony, &self.checked.sums, &prepares)?))
    }
}
