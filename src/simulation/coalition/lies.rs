//! What members put into their statements in place of what is right.

use crate::message::body::{Deal, Hello};
use crate::message::envelope::{Round, Statement, view_root};
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G1, G1Sum};
use crate::primitives::hash::Digest;
use crate::simulation::adversary::Adversary;
use crate::simulation::forger::Forger;
use crate::spec::threshold::Index;

use super::Coalition;

impl Coalition {
    pub(super) fn complain(
        &self,
        kind: Adversary,
        forger: &Forger,
        session: Digest,
        deals: &[Statement],
        boxes: &[(Index, Vec<u8>)],
    ) -> Statement {
        let honest = self.honest();
        let of = |dealer: &Index| boxes.iter().find(|(from, _)| from == dealer);
        let (dealer, sealed) = honest.iter().find_map(of).expect("a box of every other operator");
        let other = boxes
            .iter()
            .map(|(from, _)| *from)
            .find(|from| from != dealer)
            .expect("at least three operators");
        let opened = if kind == Adversary::ComplainsWithOtherKey { other } else { *dealer };
        let edit: fn(&mut Vec<u8>) = match kind {
            // The claim comes after the view and the dealer.
            Adversary::ComplainsMalformed => |body| {
                let at = body.len() - 1;
                body.iter_mut().take(at).skip(2).for_each(|byte| *byte = 0xff);
            },
            _ => |_| (),
        };
        forger.complain(session, deals, (*dealer, opened), sealed, edit)
    }

    pub(super) fn edit_hello(&self, kind: Adversary, hello: Statement) -> Option<Statement> {
        if kind != Adversary::HelloCopied {
            return Some(hello);
        }
        let other = self.heard.iter().find(|((round, _), _)| *round == Round::Hello)?.1.first()?;
        let (mut body, other) = (
            Hello::decode(hello.body(), &self.shape, hello.envelope.sender).ok()?,
            Hello::decode(other.body(), &self.shape, other.envelope.sender).ok()?,
        );
        body.nonce = other.nonce;
        let seat = &self.cast.seats[hello.envelope.sender.position()];
        let envelope = hello.envelope;
        Some(Statement::sign(
            seat.operator.key(),
            seat.me,
            Round::Hello,
            envelope.session,
            envelope.view_root,
            &body.encode(),
        ))
    }

    /// Puts other commitments into a deal, in knowledge of the others'.
    pub(super) fn edit_deal(&self, at: usize, deal: Statement, others: &[Deal]) -> Statement {
        let member = &self.members[at];
        let chosen = |points: &mut Vec<G1>| -> Option<()> {
            let theirs: Vec<G1> =
                others.iter().filter_map(|other| other.commitments.constants().next()).collect();
            match member.kind {
                Adversary::DealCopiedConstant => points[0] = *theirs.first()?,
                Adversary::DealSwitched => points.swap(0, 1),
                Adversary::DealRogueKey => {
                    let mut sum = G1Sum::zero();
                    theirs.iter().for_each(|point| sum.add(point));
                    let mut rogue = sum.negated();
                    rogue.add(&points[0]);
                    points[0] = rogue.finish()?;
                }
                _ => return None,
            }
            Some(())
        };
        let Ok(mut body) = Deal::decode(deal.body(), &self.shape, deal.envelope.sender) else {
            return deal;
        };
        let mut points: Vec<G1> = body.commitments.rows().flatten().copied().collect();
        if chosen(&mut points).is_none() {
            return deal;
        }
        body.commitments = Commitments::new(self.shape.t, points);
        let (seat, session) = (&member.seat, deal.envelope.session);
        Statement::sign(
            seat.operator.key(),
            seat.me,
            Round::Deal,
            session,
            view_root(&body.view),
            &body.encode(),
        )
    }
}
