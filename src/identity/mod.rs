//! Operators: their keys, and the public card that identifies them.

pub mod card;

pub mod key;

pub mod name;

pub mod operator;

mod short;

pub use card::{InstallMark, OperatorCard, OperatorName};
pub use key::{ForeignKey, OperatorKey, OperatorPublic};
pub use operator::Operator;
pub use short::ShortForm;
