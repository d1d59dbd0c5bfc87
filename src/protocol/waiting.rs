//! Whom a participant waits for, and for what.

use std::collections::BTreeSet;

use crate::message::envelope::Round;
use crate::spec::threshold::Index;

use super::participant::Participant;
use super::stage::Stage;

/// Whom a participant waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The round whose statements are awaited; `None` when nothing is.
    pub round: Option<Round>,
    /// Whose statement is missing.
    pub statements: Vec<Index>,
    /// Whose share box is missing.
    pub boxes: Vec<Index>,
    /// Which dealers of a reshare have not said what their keys have signed last.
    pub minima: Vec<Index>,
    /// Who has signed its final, and not that it finishes without those that this operator finishes
    /// without.
    pub agreement: Vec<Index>,
    /// Whether this operator's own person is awaited, to stop the keys that it has dealt.
    pub stop: bool,
    /// Who says that it holds a statement of this operator which its log lacks, and is asked for
    /// it. Nothing is signed until it has had time to show it. It withholds nothing that is owed.
    pub to_show: Vec<Index>,
}

impl Waiting {
    /// Everybody of whom something is missing that it owes, by index.
    pub fn everybody(&self) -> Vec<Index> {
        let all = self.statements.iter().chain(&self.boxes).chain(&self.minima);
        let all = all.chain(&self.agreement);
        let all: BTreeSet<Index> = all.copied().collect();
        all.into_iter().collect()
    }
}

impl Participant {
    /// Whom this participant waits for.
    pub fn waiting(&self) -> Waiting {
        let stage = self.stage().filter(|_| self.put_back().is_none());
        let round = stage.and_then(Stage::awaited);
        let statements = match (stage, round) {
            (Some(Stage::Stop(stage)), _) => stage.missing(&self.world),
            (Some(Stage::Finals(_)), _) => self.missing_at_the_end(),
            (_, Some(round)) => self.world.inbox.missing(round),
            (_, None) => Vec::new(),
        };
        let minima = match stage {
            Some(Stage::Commits(_)) => self.world.without_minima(),
            _ => Vec::new(),
        };
        let stop = stage.is_some() && self.awaits_stop();
        let boxes = match round {
            Some(Round::Deal) => {
                let dealers = self.world.shape.dealers_to(self.world.seat.me).iter();
                dealers.filter(|dealer| !self.has_box(*dealer)).collect()
            }
            _ => Vec::new(),
        };
        let to_show = match self.put_back() {
            None => self.world.seat.others().filter(|peer| self.is_to_show(*peer)).collect(),
            Some(_) => Vec::new(),
        };
        let agreement = match stage {
            Some(Stage::Finals(_)) => self.missing_agreement(),
            _ => Vec::new(),
        };
        Waiting { round, statements, boxes, minima, agreement, stop, to_show }
    }
}
