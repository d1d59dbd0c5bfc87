//! What wallets have signed: a file from the members of a cluster.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::dossier::Attestations;
use quorate::spec::pack::Pack;
use quorate_fuzz::CEREMONY;

fuzz_target!(|bytes: &[u8]| {
    let packs = [Pack::built_in("lido-dvt-cluster").expect("built in")];
    if let Ok(signed) = Attestations::read(bytes, &CEREMONY, &packs) {
        assert!(signed.members.len() <= CEREMONY.n());
    }
});
