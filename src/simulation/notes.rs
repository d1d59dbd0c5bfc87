//! The notes of one operator's directory about reshares to which it has committed, with what its
//! logs say: a value that several simulated ceremonies of one operator share. The rule is that of
//! real directories.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::protocol::child::{Child, Known, Standing};
use crate::protocol::participant::OwnSeat;

/// A log of one reshare: whose, and its synced statements.
struct Log {
    seat: OwnSeat,
    statements: Vec<Arc<[u8]>>,
}

/// What one operator's directory holds.
#[derive(Default)]
struct Directory {
    children: Vec<Child>,
    logs: BTreeMap<Digest, Log>,
}

/// The directory of one operator, as each of its ceremonies sees it.
#[derive(Clone, Default)]
pub struct Notes(Rc<RefCell<Directory>>);

impl Notes {
    /// What the log of a reshare holds now.
    pub fn log(&self, seat: &OwnSeat, statements: Vec<Arc<[u8]>>) {
        let log = Log { seat: seat.clone(), statements };
        self.0.borrow_mut().logs.insert(seat.ceremony.digest(), log);
    }

    /// Whether this reshare is refused beside another one.
    pub fn refuses(&self, own: &Child) -> bool {
        let directory = self.0.borrow();
        let noted = directory.children.iter().map(|child| (Known::Noted, child.clone()));
        let logged = directory.logs.values().filter_map(|log| Child::of(&log.seat.ceremony));
        let logged = logged.map(|child| (Known::Logged, child));
        noted.chain(logged).any(|(known, other)| {
            own.excludes(&other) && known.is_in_the_way(directory.standing(&other.reshare))
        })
    }

    /// Notes, for ever, that this operator commits to a reshare.
    pub fn write(&self, child: Child) {
        let children = &mut self.0.borrow_mut().children;
        if !children.contains(&child) {
            children.push(child);
        }
    }
}

impl Directory {
    fn standing(&self, reshare: &Digest) -> Standing {
        let Some(log) = self.logs.get(reshare) else { return Standing::Unknown };
        let bodies = log.statements.iter().map(|body| &**body);
        Standing::of(&log.seat.ceremony, log.seat.me, bodies)
    }
}
