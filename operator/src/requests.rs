//! Requests and answers on a board: what the shares of a finished ceremony sign afterwards.

use std::collections::BTreeSet;

use quorate::primitives::hash::Digest;
use quorate::signing::newest::{ASK_BYTES, Ask};
use quorate::signing::{Request, partial, request_file};
use quorate::spec::Index;

use crate::carrier::board::{Board, BoardError, Budget, Name, Place, Reading, Rejected, Verdict};

/// Files that are looked at in one go, and bytes.
const BUDGET: Budget = Budget { files: 1 << 14, bytes: 256 << 20 };

/// Puts these bytes where they belong, if they are not there to the byte. Whether they were not.
pub(crate) fn put(board: &impl Board, place: &Place, bytes: &[u8]) -> Result<bool, BoardError> {
    let mut none = Rejected::none();
    let first = BTreeSet::from([Name::of(bytes)]);
    let mut reading = Reading::new(board, BUDGET, &mut none, first);
    let take = |_: &Place, _: &[u8]| Ok::<_, BoardError>(Verdict::Known);
    let len = bytes.len() as u64;
    reading.read(core::slice::from_ref(place), |_, found| found == len, take)?;
    if reading.has(place, bytes) {
        return Ok(false);
    }
    board.publish(place, bytes).map(|()| true)
}

/// Puts a request on a board, unless it is there. Whether it was not.
pub fn put_request(board: &impl Board, request: &Request) -> Result<bool, BoardError> {
    put(board, &Place::of_request(request.id()), &request.to_json())
}

/// Puts an operator's answer to the request with this id on a board, unless it is there. Whether it
/// was not.
pub fn put_answer(
    board: &impl Board,
    request: Digest,
    operator: Index,
    answer: &[u8],
) -> Result<bool, BoardError> {
    put(board, &Place::of_answer(request, operator), answer)
}

/// The request with this id, if a board has it: no other has it.
pub fn find_request(board: &impl Board, id: Digest) -> Result<Option<Request>, BoardError> {
    let (mut none, mut found) = (Rejected::none(), None);
    let mut reading = Reading::new(board, BUDGET, &mut none, BTreeSet::new());
    let take = |_: &Place, bytes: &[u8]| -> Result<Verdict, BoardError> {
        let Some(request) = Request::from_json(bytes).ok().filter(|read| read.id() == id) else {
            return Ok(Verdict::Junk);
        };
        // One that an operator stands by says more.
        let better = |known: &Request| known.requester.is_none() && request.requester.is_some();
        if found.as_ref().is_none_or(better) {
            found = Some(request);
        }
        Ok(Verdict::Known)
    };
    let most = request_file::LARGEST as u64;
    reading.read(&[Place::of_request(id)], |_, len| len <= most, take)?;
    Ok(found)
}

/// Puts a restored operator's question on a board, unless it is there. Whether it was not.
pub fn put_ask(board: &impl Board, ask: &Ask) -> Result<bool, BoardError> {
    put(board, &Place::of_request(ask.id()), &ask.encode())
}

/// The question with this id, if a board has it: no other has it.
pub fn find_ask(board: &impl Board, id: Digest) -> Result<Option<Ask>, BoardError> {
    let (mut none, mut found) = (Rejected::none(), None);
    let mut reading = Reading::new(board, BUDGET, &mut none, BTreeSet::new());
    let take = |_: &Place, bytes: &[u8]| -> Result<Verdict, BoardError> {
        let Some(ask) = Ask::decode(bytes).ok().filter(|read| read.id() == id) else {
            return Ok(Verdict::Junk);
        };
        found = Some(ask);
        Ok(Verdict::Known)
    };
    reading.read(&[Place::of_request(id)], |_, len| len == ASK_BYTES as u64, take)?;
    Ok(found)
}

/// Gives every file that may be an answer of one of these operators to the request with this id.
/// `take` tells what it is. How many were nothing.
pub fn answers<E: From<BoardError>>(
    board: &impl Board,
    id: Digest,
    operators: &[Index],
    mut take: impl FnMut(Index, &[u8]) -> Result<Verdict, E>,
) -> Result<usize, E> {
    let mut none = Rejected::none();
    let mut reading = Reading::new(board, BUDGET, &mut none, BTreeSet::new());
    let places: Vec<Place> = operators.iter().map(|who| Place::of_answer(id, *who)).collect();
    let taken = |place: &Place, bytes: &[u8]| {
        let who = places.iter().position(|known| known == place);
        who.map_or(Ok(Verdict::Junk), |at| take(operators[at], bytes))
    };
    let most = partial::LARGEST as u64;
    reading.read(&places, |_, len| len <= most, taken)?;
    Ok(reading.junk())
}
