//! Obol's cluster definitions, locks and node records. What is read is written and read again as
//! the same; and what would be refused for its hashes alone gets the right ones, so that what comes
//! after them is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::ClusterDefinition;
use quorate::ethereum::obol::enr;
use quorate::ethereum::obol::lock::{ClusterLock, lock_hash};
use quorate::ethereum::obol::lock_check::check_lock;

fn hashed(mut definition: ClusterDefinition) -> ClusterDefinition {
    definition.config_hash = definition.compute_config_hash();
    definition.definition_hash = definition.compute_definition_hash();
    definition
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(definition) = ClusterDefinition::parse(bytes) {
        assert_eq!(ClusterDefinition::parse(&definition.to_json()).as_ref(), Ok(&definition));
        assert_eq!(
            ClusterDefinition::parse(&definition.to_compact_json()).as_ref(),
            Ok(&definition)
        );
        // Signatures of wallets count, and then, since every wallet is a contract, none does.
        let wallets = definition
            .operators
            .iter()
            .filter_map(|operator| operator.address)
            .chain(definition.creator.address);
        let definition = hashed(definition.clone());
        let _ = Cluster::check(definition.clone(), Default::default());
        let _ = Cluster::check(definition, wallets.collect());
    }
    if let Ok(mut lock) = ClusterLock::parse(bytes) {
        assert_eq!(ClusterLock::parse(&lock.to_json()).as_ref(), Ok(&lock));
        lock.definition = hashed(lock.definition);
        lock.lock_hash = lock_hash(&lock.definition, &lock.validators);
        let _ = check_lock(&lock, Default::default());
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = enr::parse(text);
    }
});
