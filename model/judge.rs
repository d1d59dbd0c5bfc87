//! Model of `protocol/judge.rs` without cryptography: whom a set of statements proves guilty.

use crate::rules::{Bug, Scope};
use crate::statement::{Book, Flaw, HELLO, Id, JUNK, Kind, NONE, Seats, Statement, contains};

/// Who is guilty by this complaint: its dealer, or its sender. `None` if it is no complaint, or not
/// all that it names is held.
pub(crate) fn complaint(book: &Book, held: &dyn Fn(Id) -> bool, id: Id) -> Option<usize> {
    let Statement { sender, kind: Kind::Complaint(dealer), session, view, .. } = *book.get(id)
    else {
        return None;
    };
    let deal =
        Some(view[dealer]).filter(|deal| *deal < JUNK && held(*deal)).map(|deal| book.get(deal))?;
    // The hello of the complaint's sender and the one of the dealer.
    let hellos = [deal.view[sender], deal.view[dealer]];
    let linked = deal.sender == dealer && deal.session == session && hellos.into_iter().all(held);
    if !linked {
        return None;
    }
    let bad = matches!(deal.flaw, Flaw::Boxes(seats) if contains(seats, sender));
    Some(if bad && dealer != sender { dealer } else { sender })
}

/// Bit by seat: who is proven guilty by statements that are all here (of any session of this
/// ceremony).
pub(crate) fn judge(scope: &Scope, book: &Book, statements: &[Id]) -> Seats {
    let mut guilty = 0;
    let held = |id: Id| statements.contains(&id);
    for (at, id) in statements.iter().enumerate() {
        let one = book.get(*id);
        // E1: what is in no slot is no second one.
        let minima = |other: &Statement| {
            let both = (one.kind, other.kind);
            scope.has(Bug::MinimaInSlot) && matches!(both, (Kind::Minima(_), Kind::Minima(_)))
        };
        let same = |other: &Statement| {
            (one.sender, one.round, one.session) == (other.sender, other.round, other.session)
                && (one.in_slot() && other.in_slot() || minima(other))
        };
        if statements[..at].iter().any(|other| same(book.get(*other))) {
            guilty |= 1 << one.sender;
        }
        // E3 or E4.
        guilty |= complaint(book, &held, *id).map_or(0, |culprit| 1 << culprit);
        // E2, E5, E6: what a statement is proven wrong by, it names.
        let named = one.view.into_iter().filter(|named| *named != NONE);
        let alone = one.round == HELLO || matches!(one.kind, Kind::Minima(_));
        if one.flaw == Flaw::Public && (alone || { named }.all(held)) {
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
