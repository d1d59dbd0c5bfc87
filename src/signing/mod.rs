//! Signatures with the shares of a finished ceremony: voluntary exits, and further deposits to the
//! same withdrawal credentials. A request names the ceremony's certificate; every operator answers
//! it with one partial signature; any `t` of those are combined. Answers travel in files or over
//! channels between the operators ([`live`]).
//!
//! Pure: bytes in, bytes out. That the operator's log remembers a signature before it leaves is the
//! driver's duty ([`ledger`]).

pub mod beacon;

pub mod combine;

pub mod ledger;

pub mod live;

pub mod parent;

pub mod partial;

pub mod request;

pub mod request_file;

pub use parent::{Cleared, Parent, RequestError};
pub use request::{Delivery, Purpose, Request, Requester};
