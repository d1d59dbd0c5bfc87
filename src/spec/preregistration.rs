//! That a ceremony signs a preregistration of each validator's withdrawal credentials: by which
//! state of the draft (EIP-8205).

use super::ceremony::Ceremony;
use super::file::PreregistrationEntry;
use super::version::Version;
use crate::ethereum::preregistration::Draft;

/// Why what a file or bytes say of preregistrations is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreregistrationError {
    /// A file names another state of the draft.
    #[error(
        "preregistration.draft: {0:?} is no state of the draft that this program knows; it knows \
         {newest:?}",
        newest = Draft::NEWEST.date()
    )]
    Date(String),
    /// Canonical bytes name another state of the draft.
    #[error("preregistration: state {0} of the draft is unknown to this program")]
    Number(u8),
    /// A ceremony of version 1.
    #[error("preregistration: a ceremony of version 1 signs none")]
    Version,
}

/// What a file says.
pub(super) fn of_file(
    entry: Option<&PreregistrationEntry>,
    version: Version,
) -> Result<Option<Draft>, PreregistrationError> {
    let Some(PreregistrationEntry { draft }) = entry else { return Ok(None) };
    if version == Version::One {
        return Err(PreregistrationError::Version);
    }
    let shown = || draft.chars().take(40).collect();
    Draft::from_date(draft).ok_or_else(|| PreregistrationError::Date(shown())).map(Some)
}

/// What canonical bytes say.
pub(super) fn of_number(number: u8) -> Result<Draft, PreregistrationError> {
    Draft::from_number(number).ok_or(PreregistrationError::Number(number))
}

impl Ceremony {
    /// Messages that are signed for validator `v` (position, from 0).
    pub fn item_count(&self, v: usize) -> usize {
        let validator = &self.validators()[v];
        validator.amounts.len()
            + usize::from(validator.registration.is_some())
            + usize::from(self.preregistration().is_some())
            + usize::from(self.ssv().is_some())
    }
}
