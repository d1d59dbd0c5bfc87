//! What a file on a board holds: one signed statement and, behind a deal, its share boxes.
//!
//! A board is a place that operators visit one after the other: a shared folder, a stick
//! (`ceremony-specs/16-boards.md`). Nothing on it is believed for where it stands.

use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::body::Deal;
use super::envelope::{Kind, Reject, Round, Statement};
use super::shape::Shape;
use super::share_box;
use super::without::Without;
use crate::primitives::codec::DecodeError;

/// Every kind of statement; not every round has each.
const KINDS: [Kind; 5] =
    [Kind::Ordinary, Kind::Complaint, Kind::Abandon, Kind::Minima, Kind::Without];

/// A statement, and the boxes of a deal where its dealer shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The statement; its signature was verified.
    pub statement: Statement,
    /// With the deal of its dealer, its box for each recipient, by index; otherwise none. Of one
    /// that was read, each has the digest that the deal signs.
    boxes: Vec<Vec<u8>>,
}

/// Bytes that are no file of the place where they were found. Nobody is to blame for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPosting {
    /// No statement of this ceremony.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// A statement of another round or operator than its folder's.
    #[error("a statement of round {round} by operator {sender}, in another folder")]
    Misplaced {
        /// The statement's round, from 0.
        round: u8,
        /// Its sender.
        sender: Index,
    },
    /// Behind a deal, something else than the box that it signs.
    #[error("behind the deal of operator {dealer}, another box than it signs for {recipient}")]
    OtherBox {
        /// The deal's sender.
        dealer: Index,
        /// Whose box should be there.
        recipient: Index,
    },
    /// A word about seats that are lost which says nothing.
    #[error("a word that says nothing: {0}")]
    SaysNothing(DecodeError),
}

impl Posting {
    /// A statement alone.
    pub fn of(statement: Statement) -> Self {
        Self { statement, boxes: Vec::new() }
    }

    /// A deal with its boxes, by index of their recipients; alone unless there is one for each.
    pub fn with_boxes(statement: Statement, boxes: Vec<Vec<u8>>, shape: &Shape) -> Self {
        let dealer = statement.envelope.sender;
        let whole = boxes.len() == shape.recipients_of(dealer).len()
            && boxes.iter().all(|sealed| sealed.len() == shape.box_bytes());
        let deals = (statement.envelope.kind, statement.envelope.round);
        match whole && deals == (Kind::Ordinary, Round::Deal) {
            true => Self { statement, boxes },
            false => Self::of(statement),
        }
    }

    /// The lengths in bytes that a file may have in the folder of this round and seat: none or
    /// few, all given by the ceremony.
    pub fn lengths(shape: &Shape, round: Round, seat: Index) -> Vec<usize> {
        let here = KINDS.into_iter().filter(|kind| Kind::from_number(*kind as u8, round).is_some());
        let mut lengths: Vec<usize> =
            here.filter_map(|kind| shape.bytes_of(seat, kind, round)).collect();
        if round == Round::Deal
            && let Some(deal) = shape.statement_bytes(seat, round)
        {
            lengths.push(deal + boxes_bytes(shape, seat));
        }
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    /// Reads a file that was found in the folder of this round and seat. What it costs is bounded
    /// by [`Self::lengths`], which are asked first.
    ///
    /// # Errors
    /// It is no statement of this ceremony with its sender's signature, or belongs elsewhere; or
    /// what is behind a deal are not its boxes. Nothing that comes later changes that.
    pub fn parse(
        bytes: &[u8],
        ceremony: &Ceremony,
        shape: &Shape,
        round: Round,
        seat: Index,
    ) -> Result<Self, NoPosting> {
        let deal = shape.statement_bytes(seat, round).filter(|_| round == Round::Deal);
        let split = deal.filter(|deal| {
            boxes_bytes(shape, seat) > 0 && bytes.len() == deal + boxes_bytes(shape, seat)
        });
        let (front, boxes) = bytes.split_at(split.unwrap_or(bytes.len()));
        let statement = Statement::open(front, ceremony)?;
        let envelope = &statement.envelope;
        if (envelope.round, envelope.sender) != (round, seat) {
            let (round, sender) = (envelope.round.number(), envelope.sender);
            return Err(NoPosting::Misplaced { round, sender });
        }
        if envelope.kind == Kind::Without {
            Without::of(&statement, shape).map_err(NoPosting::SaysNothing)?;
        }
        let boxes: Vec<Vec<u8>> =
            boxes.chunks_exact(shape.box_bytes()).map(<[u8]>::to_vec).collect();
        for ((at, sealed), recipient) in
            boxes.iter().enumerate().zip(shape.recipients_of(seat).iter())
        {
            if Deal::signed_box_digest(&statement, shape, at) != Some(share_box::digest(sealed)) {
                return Err(NoPosting::OtherBox { dealer: seat, recipient });
            }
        }
        Ok(Self { statement, boxes })
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let boxes = self.boxes.iter().flatten().copied();
        self.statement.bytes().iter().copied().chain(boxes).collect()
    }

    /// The box for `recipient`, if the file has one.
    pub fn box_for(&self, shape: &Shape, recipient: Index) -> Option<&[u8]> {
        let place = shape.place_of_box(self.statement.envelope.sender, recipient)?;
        self.boxes.get(place).map(Vec::as_slice)
    }
}

/// Bytes of all boxes of a dealer.
fn boxes_bytes(shape: &Shape, dealer: Index) -> usize {
    shape.recipients_of(dealer).len() * shape.box_bytes()
}
