//! What of a state directory goes into a backup: ceremonies that are over for this operator, and
//! nothing of those that are under way.

use std::sync::Arc;

use quorate::export::obol::NODE_KEY_FILE;
use quorate::identity::Operator;
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;

use super::format::lasts;
use super::{Backup, End, Kept, Name};
use crate::MachineError;
use crate::forget::ended;
use crate::store::{Child, Lock, Log, SIGNING_FILE};

/// Why a ceremony is not in a backup.
#[derive(Debug)]
pub enum Unsettled {
    /// It is neither finished nor abandoned.
    UnderWay,
    /// Its log cannot be read, or says too little.
    Unknown(Box<MachineError>),
}

/// What a backup keeps of a ceremony. `seat` has what a reshare takes from its parent; `file` is
/// the ceremony file, as it was kept.
///
/// `None` of one that is finished and whose shares were erased on request: nothing is left to
/// keep.
///
/// # Errors
/// It is not over, as far as its log tells.
pub fn settled(lock: &Lock, seat: &OwnSeat, file: &[u8]) -> Result<Option<Kept>, Unsettled> {
    match kept(lock, seat, file) {
        Ok(Some(kept)) => Ok(Some(kept)),
        Ok(None) => Err(Unsettled::UnderWay),
        Err(MachineError::Forgotten(_)) => Ok(None),
        Err(error) => Err(Unsettled::Unknown(Box::new(error))),
    }
}

fn kept(lock: &Lock, seat: &OwnSeat, file: &[u8]) -> Result<Option<Kept>, MachineError> {
    let Some((end, _)) = ended(lock, seat)? else { return Ok(None) };
    let (ceremony, storage) = (&seat.ceremony, seat.operator.storage_key());
    let digest = ceremony.digest();
    let dir = lock.ceremony(&digest)?;
    let mut records = Log::read(dir.view(), storage, digest.as_bytes())?;
    records.retain(|record| lasts(record.kind));
    let mut history: Vec<Vec<u8>> =
        dir.view().history()?.into_iter().map(|(_, bytes)| bytes).collect();
    history.sort();
    history.dedup();
    let (ceremony, file) = (ceremony.clone(), file.to_vec());
    Ok(Some(Kept { ceremony, file, end, history, records }))
}

impl Backup {
    /// A backup of these ceremonies, and of everything else that the state directory holds.
    pub fn of(
        lock: &Lock,
        operator: Arc<Operator>,
        (mut ceremonies, mut left_out): (Vec<Kept>, Vec<Name>),
        made: u64,
    ) -> Result<Self, MachineError> {
        let state = lock.state();
        ceremonies.sort_by_key(|kept| kept.ceremony.digest());
        left_out.sort();
        let mut children = state.children()?;
        children.sort_by_key(Child::encode);
        let finished = ceremonies.iter().filter(|kept| kept.end == End::Finished);
        let named = finished.map(|kept| kept.ceremony.digest());
        let mut restored = Vec::new();
        for ceremony in [Digest::ZERO].into_iter().chain(named) {
            restored.extend(state.restored(&ceremony)?);
        }
        Ok(Self {
            made,
            operator,
            ceremonies,
            ledgers: state.ledgers()?,
            children,
            node_key: state.read_private(NODE_KEY_FILE)?.map(SecretBytes::new),
            signing: state.read_own(SIGNING_FILE)?,
            left_out,
            restored,
        })
    }

    /// Whether it has something of the ceremony with this name.
    pub fn has(&self, name: &Name) -> bool {
        self.ceremonies.iter().any(|kept| kept.name() == *name)
    }
}
