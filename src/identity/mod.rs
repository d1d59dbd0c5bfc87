//! Operators: their keys, and the public card that identifies them.

pub mod card;

pub mod key;

pub mod name;

pub mod operator;

pub use card::{InstallMark, OperatorCard, OperatorName};
pub use key::{OperatorKey, OperatorPublic};
pub use operator::Operator;
