//! What members say to whom: statements, boxes, and what they claim to hold.

use crate::message::envelope::{Round, Statement};
use crate::message::sync::{Frame, Have};
use crate::primitives::hash::Digest;
use crate::simulation::adversary::Adversary;
use crate::spec::threshold::Index;

use super::{Coalition, Letter};

impl Coalition {
    /// What members have to say that they have not said, or that was lost.
    pub fn speak(&mut self) -> Vec<Letter> {
        let honest = self.honest();
        let mut letters = Vec::new();
        for at in 0..self.members.len() {
            for peer in &honest {
                let (member, peer) = (&self.members[at], *peer);
                let left_out = self.second.contains(&peer);
                if member.kind == Adversary::SpeaksToSome && left_out {
                    continue;
                }
                let face = &member.faces[self.face_for(member, peer)];
                let silent = member.kind.silent_from();
                let mut told = Vec::new();
                let spoilt = member.kind.junk_in().filter(|_| left_out);
                let right = face.said.iter().filter(|(round, _)| Some(**round) != spoilt);
                let wrong = face.junk.iter().filter(|_| spoilt.is_some());
                for statement in right.map(|(_, statement)| statement).chain(wrong) {
                    let (round, digest) = (statement.envelope.round, statement.digest());
                    if silent.is_some_and(|from| round >= from)
                        || member.told.contains(&(peer, digest))
                    {
                        continue;
                    }
                    told.push((peer, digest));
                    letters.push((
                        member.seat.me,
                        peer,
                        Frame::Statement(statement.bytes().to_vec()).encode(),
                    ));
                    let withheld =
                        round != Round::Deal || (member.kind.withholds_boxes() && left_out);
                    if let Some(sealed) = face.boxes.get(&peer).filter(|_| !withheld) {
                        let mut sealed = sealed.clone();
                        if member.kind == Adversary::UnsignedBox {
                            sealed[0] ^= 1;
                        }
                        letters.push((
                            member.seat.me,
                            peer,
                            Frame::ShareBox { dealer: member.seat.me, recipient: peer, sealed }
                                .encode(),
                        ));
                    }
                }
                self.members[at].told.extend(told);
            }
        }
        letters
    }

    /// What members say when time passes: what they hold, so that they hear again what was lost;
    /// and what some add to it.
    pub fn tick(&mut self) -> Vec<Letter> {
        let mut letters = Vec::new();
        for at in 0..self.members.len() {
            let (me, kind) = (self.members[at].seat.me, self.members[at].kind);
            if kind == Adversary::Silent {
                continue;
            }
            for peer in self.honest() {
                let have = self.have(at, kind == Adversary::LiesAboutHaving);
                letters.push((me, peer, Frame::Have(have).encode()));
                match kind {
                    Adversary::Babbles => {
                        let noise = self.chance.bytes();
                        let length = self.chance.position(33);
                        letters.push((
                            me,
                            peer,
                            [&[u8::try_from(length % 4).expect("below 4")], &noise[..length]]
                                .concat(),
                        ));
                    }
                    Adversary::AbandonsAndGoesOn => {
                        let statement = self.members[at].faces[0].forger.abandon();
                        letters.push((
                            me,
                            peer,
                            Frame::Statement(statement.bytes().to_vec()).encode(),
                        ));
                    }
                    Adversary::ReplaysForeign => {
                        let statement = self.chance.pick(&self.cast.foreign);
                        letters.push((
                            me,
                            peer,
                            Frame::Statement(statement.bytes().to_vec()).encode(),
                        ));
                    }
                    _ => (),
                }
            }
        }
        letters
    }

    fn have(&mut self, at: usize, lies: bool) -> Have {
        let me = self.members[at].seat.me;
        let indices: Vec<Index> = self.cast.ceremony.indices().collect();
        let held = |round: Round, index: Index| match self
            .members
            .iter()
            .find(|member| member.seat.me == index)
        {
            Some(member) => member.faces[0].said.get(&round).map(Statement::digest),
            None => {
                self.heard.get(&(round, index)).and_then(|all| all.first()).map(Statement::digest)
            }
        };
        let mut slots: Vec<Option<Digest>> =
            self.shape.slots().map(|(round, index)| held(round, index)).collect();
        let dealers = self.shape.parts.dealers.iter();
        let boxes =
            dealers.map(|dealer| dealer == me || self.boxes.contains_key(&(dealer, me))).collect();
        if lies {
            slots.iter_mut().for_each(|slot| *slot = Some(Digest(self.chance.bytes())));
        }
        let (confirmed, minima) = (vec![lies; indices.len()], Vec::new());
        Have { help: true, slots, boxes, confirmed, minima }
    }
}
