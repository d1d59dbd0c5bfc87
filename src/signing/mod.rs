//! Signatures with the shares of a finished ceremony: voluntary exits, further deposits to the same
//! withdrawal credentials, builder registrations, key shares for SSV and locks of Obol clusters, of
//! one validator or of many at once. A request names the ceremony's certificate; every operator
//! answers it with a partial signature for each validator; any `t` of those are combined. Answers
//! travel in files or over channels between the operators ([`live`]). Whether shares that came out
//! of a backup are the newest ones, the operators answer each other too ([`newest`]).
//!
//! Pure: bytes in, bytes out. That the operator's log remembers a signature before it leaves is the
//! driver's duty ([`ledger`]).

pub mod beacon;

pub mod combine;

mod items;

pub mod key_shares;

pub mod ledger;

pub mod live;

pub mod lock;

pub mod newest;

pub mod parent;

pub mod partial;

pub mod request;

pub mod request_file;

pub use parent::{Cleared, Parent, RequestError, Target};
pub use request::{Delivery, Item, Items, ItemsError, Kind, Purpose, Request, Requester, Terms};
