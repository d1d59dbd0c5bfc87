//! What is said about clusters of SSV.

use std::path::Path;

use super::{shown, usage};
use crate::report::CliError;
use quorate::ethereum::ssv::OperatorsInfoError;

pub(crate) fn ssv_pairs(operators: usize, ids: usize) -> CliError {
    usage(
        format!("{operators} times --operator, but {ids} times --ssv-id"),
        "give each operator's number in SSV's contract, in the order of --operator",
    )
}

pub(crate) fn operators_info(path: &Path, error: &OperatorsInfoError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "take the operators_info.json that SSV's web application exports for these operators",
    )
}

pub(crate) fn no_ssv_operator(path: &Path, id: u64) -> CliError {
    usage(
        format!("{}: there is no operator {id}", shown(path)),
        "take the operators_info.json of the operators of this cluster",
    )
}

pub(crate) fn not_for_ssv(transcript: &Path) -> CliError {
    usage(
        format!("{}: the ceremony is not for SSV", shown(transcript)),
        "take the transcript of a ceremony whose file has [ssv]",
    )
}
