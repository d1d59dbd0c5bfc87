//! The auditor: any bytes get a report, both ways of asking agree, and only the seed's own ceremony
//! passes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::audit::expectation::Expectations;
use quorate::audit::{audit, first_failure, render};

fuzz_target!(|bytes: &[u8]| {
    let report = audit(bytes, &Expectations::default());
    assert_eq!(report.is_clean(), first_failure(bytes).is_none());
    let _ = (
        render::to_text(&report),
        render::to_json(&report),
        render::to_html(&report, render::Author::Auditor),
    );
});
