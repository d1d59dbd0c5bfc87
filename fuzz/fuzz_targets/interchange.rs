//! Slashing protection data: what is read from a file says the same when it is written again, but
//! for a target below its source, which is raised; and joining it with itself changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::interchange::{Interchange, InterchangeError, Vote};

fuzz_target!(|bytes: &[u8]| {
    // Whichever network the file names, so that its keys are looked at.
    let root = match Interchange::parse(bytes, &[0; 32]) {
        Err(InterchangeError::Root { found, .. }) => found,
        _ => [0; 32],
    };
    let Ok((read, _)) = Interchange::parse(bytes, &root) else { return };
    let (again, remarks) = Interchange::parse(&read.to_json(), &root).expect("our own writing");
    assert!(remarks.is_empty() && again.keys().len() == read.keys().len());
    assert_eq!(again.check_not_below(&read), Ok(()));
    for (key, signed) in read.keys() {
        let raised = signed.vote.map(|vote| Vote { target: vote.target.max(vote.source), ..vote });
        let found = again.signed(key).expect("every key is written");
        assert_eq!((found.slot, found.vote), (signed.slot, raised));
    }
    assert_eq!(read.clone().join(&read), Ok(read));
});
