//! Shares that this operator has regained: its log of the repair takes the place of its lost log of
//! the ceremony that made them.

use quorate::identity::OperatorPublic;
use quorate::primitives::hash::Digest;
use quorate::spec::Ceremony;

use crate::MachineError;
use crate::child::kept;
use crate::store::{CeremonyView, StateDir};

/// The repairs in which the operator with this key regains its share of the ceremony with this
/// certificate, as far as they are begun here: those with outputs first.
pub fn repairs_of(
    state: &StateDir,
    key: &OperatorPublic,
    parent: &Digest,
) -> Result<Vec<(CeremonyView, Ceremony)>, MachineError> {
    let (mut written, mut begun) = (Vec::new(), Vec::new());
    for view in state.ceremonies()? {
        if !view.has_log()? {
            continue;
        }
        let Some(ceremony) = kept(&view)?.filter(Ceremony::is_repair) else { continue };
        let named = ceremony
            .reshare()
            .and_then(|spec| spec.origin.parent())
            .map(|parent| parent.certificate);
        let me = ceremony.roster().find(key);
        let regains = me.is_some_and(|me| ceremony.parts().receivers.contains(me));
        if named != Some(*parent) || !regains {
            continue;
        }
        let all = if view.is_written()? { &mut written } else { &mut begun };
        all.push((view, ceremony));
    }
    written.extend(begun);
    Ok(written)
}
