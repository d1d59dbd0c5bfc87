//! One operator of a ceremony on a machine, for whoever embeds it: its files, its channels to the
//! other operators, and the loop between them. No terminal, and no words for people.

pub mod backup;
pub mod carrier;
mod child;

mod drive;
mod error;
pub mod forget;
pub mod keystores;
pub mod machine;
mod outputs;
pub mod random;
mod regained;
mod replay;
pub mod requests;
pub mod store;
mod visit;

pub use child::{Superseding, check_not_superseded, generation, newer, superseding};
pub use drive::{Followed, Observer, drive, follow};
pub use error::MachineError;
pub use machine::Machine;
pub use regained::repairs_of;
pub use visit::{
    Visit, VisitError, Visited, has_begun, longest_posting, put_statement, rejected, shown_of,
};
