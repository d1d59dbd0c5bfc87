//! Model of `protocol/judge.rs` without cryptography: whom a set of statements proves guilty.

use crate::rules::{Bug, Scope};
use crate::statement::{Book, Flaw, HELLO, Id, JUNK, Kind, Statement};

/// Who is guilty by this complaint: its dealer, or its sender. `None` if it is no complaint, or not
/// all that it names is held.
pub(crate) fn complaint(book: &Book, held: &dyn Fn(Id) -> bool, id: Id) -> Option<usize> {
    let Statement { sender, kind: Kind::Complaint(dealer), session, view, .. } = *book.get(id)
    else {
        return None;
    };
    let deal =
        Some(view[dealer]).filter(|deal| *deal < JUNK && held(*deal)).map(|deal| book.get(deal))?;
    let linked = deal.sender == dealer && deal.session == session && held(deal.view[sender]);
    if !linked {
        return None;
    }
    let bad = matches!(deal.flaw, Flaw::Boxes(seats) if seats & 1 << sender != 0);
    Some(if bad && dealer != sender { dealer } else { sender })
}

/// Bit by seat: who is proven guilty by statements that are all here (of any session of this
/// ceremony).
pub(crate) fn judge(scope: &Scope, book: &Book, statements: &[Id]) -> u8 {
    let mut guilty = 0;
    let held = |id: Id| statements.contains(&id);
    for (at, id) in statements.iter().enumerate() {
        let one = book.get(*id);
        // E1.
        let same = |other: &Statement| {
            (one.sender, one.round, one.session) == (other.sender, other.round, other.session)
        };
        if statements[..at].iter().any(|other| same(book.get(*other))) {
            guilty |= 1 << one.sender;
        }
        // E3 or E4.
        guilty |= complaint(book, &held, *id).map_or(0, |culprit| 1 << culprit);
        // E2, E5, E6: what a statement is proven wrong by, it names.
        if one.flaw == Flaw::Public
            && one.view.into_iter().all(|named| one.round == HELLO || held(named))
        {
            guilty |= 1 << one.sender;
        }
        // Never proof, only suspicion: the author of a differing statement may be the one at fault.
        if scope.has(Bug::ViewIsProof) && one.round != HELLO {
            let differs = |other: &Statement| same_round(one, other) && one.view != other.view;
            let others = statements.iter().map(|other| book.get(*other));
            guilty |=
                others.filter(|other| differs(other)).fold(0, |all, other| all | 1 << other.sender);
        }
    }
    guilty
}

fn same_round(one: &Statement, other: &Statement) -> bool {
    (one.round, one.session) == (other.round, other.session)
        && one.is_ordinary()
        && other.is_ordinary()
}
