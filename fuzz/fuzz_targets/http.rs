//! Answers of key managers and of Web3Signer: in whatever pieces they arrive, they are read as the
//! same.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../cli/src/keymanager/http.rs"]
mod http;

/// As far as the reader has a use for it: the program is no library.
#[derive(Debug, PartialEq, Eq)]
pub enum PushError {
    Answer(&'static str),
}

/// Whether the answer is whole by its own word, and what it is.
type Read = Result<(bool, (u16, Vec<u8>)), PushError>;

fn read(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> Read {
    let mut answer = http::Answer::default();
    for piece in pieces {
        let before = answer.len();
        let whole = answer.take(piece.as_ref())?;
        assert_eq!(answer.len(), before + piece.as_ref().len());
        if whole {
            return answer.finish().map(|read| (true, read));
        }
    }
    answer.finish().map(|read| (false, read))
}

fuzz_target!(|bytes: &[u8]| {
    let (whole, slow) = (read([bytes].into_iter()), read(bytes.chunks(1)));
    assert_eq!(whole, slow);
    if let Ok((_, (_, body))) = whole {
        assert!(body.len() < bytes.len());
    }
});
