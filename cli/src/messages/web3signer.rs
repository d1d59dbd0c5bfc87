//! Messages of signatures by a Web3Signer.

use super::{local, usage};
use crate::keymanager::PushError;
use crate::keymanager::web3signer::SignerError;
use crate::progress::seat_name;
use crate::report::{CliError, Exit};
use quorate::spec::{Ceremony, Index};

/// What a Web3Signer is not asked for.
pub(crate) fn web3signer_kind(kind: &str) -> CliError {
    usage(
        format!("--web3signer: no {kind} is signed by a Web3Signer, only exits and registrations"),
        "answer it with the log of the ceremony, or with --keystores",
    )
}

pub(crate) fn web3signer(url: &str, error: &SignerError) -> CliError {
    let what = format!("{url}: {error}");
    match error {
        SignerError::Way(PushError::Url(_)) => usage(what, "write it as in http://127.0.0.1:9000"),
        SignerError::Way(PushError::Https | PushError::NotLoopback(_)) => usage(
            what,
            "forward its port: ssh -L 9000:127.0.0.1:9000 HOST, then use http://127.0.0.1:9000",
        ),
        SignerError::Foreign(_) => CliError::new(
            Exit::Finding,
            what,
            "nothing was sent; check which keys this Web3Signer has, and that it runs on the \
             ceremony's network",
        ),
        _ => local(
            what,
            "nothing was sent; check that Web3Signer runs at this address, and on the ceremony's \
             network, then run it again",
        ),
    }
}

pub(crate) fn web3signer_has_none(
    url: &str,
    whose: Option<Index>,
    me: Index,
    ceremony: &Ceremony,
) -> CliError {
    let what = match whose {
        Some(index) => format!(
            "{url}: it lists shares of {}, but the operator keys here are those of {}",
            seat_name(ceremony, index),
            seat_name(ceremony, me),
        ),
        None => format!("{url}: it lists no share of the ceremony {:?}", ceremony.name()),
    };
    CliError::new(
        Exit::Finding,
        what,
        "nothing was signed; give your own Web3Signer, and the transcript of its shares",
    )
}
