//! Transcripts that are given together: any bytes get a report or a reason why they are not
//! generations of the same keys, and what is clean together is in order by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::audit::expectation::Expectations;
use quorate::audit::family::Family;
use quorate::audit::report::Verdict;
use quorate::audit::{audit, audit_all, render};
use quorate_fuzz::several;

fuzz_target!(|bytes: &[u8]| {
    let files = several(bytes);
    let family = Family::of(&files);
    assert_eq!(family.len(), files.len());
    let Ok(report) = audit_all(&files, &Expectations::default()) else {
        assert!(family.newest().is_err());
        return;
    };
    if report.is_clean() {
        let newest = files[family.newest().expect("a report was made of one")];
        let alone = audit(newest, &Expectations::default());
        assert!(alone.is_clean() || alone.verdict() == Verdict::Unlinked);
    }
    let _ = (render::to_text(&report), render::to_json(&report));
});
