//! Requests for signatures after a ceremony, the answers to them as files and as frames, what the
//! log holds of them, and what a beacon node says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::signing::Request;
use quorate::signing::beacon::Records;
use quorate::signing::ledger::Entry;
use quorate::signing::live::frame::Frame;
use quorate::signing::newest::{Answer, Ask};
use quorate::signing::partial::{Extent, Form, PartialFile};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = Request::from_json(bytes) {
        let again = Request::from_json(&request.to_json()).expect("what is written is read");
        assert_eq!(again, request);
        assert_eq!(again.canonical(), request.canonical());
    }
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode().expose(), bytes);
    }
    if let Ok(ask) = Ask::decode(bytes) {
        assert_eq!(ask.encode(), bytes);
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(answer.encode(), bytes);
    }
    for validators in [1, 2, 3] {
        for form in [Form::Plain, Form::Consents, Form::KeyShares, Form::Lock] {
            if let Ok(frame) = Frame::decode(bytes, 4, Extent { validators, form }) {
                assert_eq!(frame.encode(), bytes);
            }
        }
    }
    let _ = PartialFile::from_json(bytes);
    let _ = Records::from_json(bytes);
});
