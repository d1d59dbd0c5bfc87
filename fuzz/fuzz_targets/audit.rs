//! The auditor: any bytes get a report, both ways of asking agree, and only the seed's own ceremony
//! passes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Verdict;
use quorate::audit::{audit, first_failure, render};

fuzz_target!(|bytes: &[u8]| {
    let report = audit(bytes, &Expectations::default());
    // Of a reshare or repair alone nothing fails, and it is not clean.
    let sound = report.is_clean() || report.verdict() == Verdict::Unlinked;
    assert_eq!(sound, first_failure(bytes).is_none());
    let _ = (
        render::to_text(&report),
        render::to_json(&report),
        render::to_html(&report, render::Author::Auditor),
    );
});
