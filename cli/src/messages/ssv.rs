//! Messages about SSV clusters.

use std::path::Path;

use super::{shown, usage};
use crate::report::CliError;
use quorate::ethereum::ssv::OperatorsInfoError;

pub(crate) fn ssv_pairs(operators: usize, ids: usize) -> CliError {
    usage(
        format!("--operator was given {operators} times, but --ssv-id {ids} times"),
        "give one --ssv-id for each --operator, in the same order: its number in SSV's contract",
    )
}

pub(crate) fn operators_info(path: &Path, error: &OperatorsInfoError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "use the operators_info.json that SSV's web application exports for these operators",
    )
}

pub(crate) fn no_ssv_operator(path: &Path, id: u64) -> CliError {
    usage(
        format!("{}: there is no operator {id}", shown(path)),
        "use the operators_info.json that lists the operators of this cluster",
    )
}

pub(crate) fn not_for_ssv(transcript: &Path) -> CliError {
    usage(
        format!("{}: the ceremony is not for SSV", shown(transcript)),
        "use the transcript of a ceremony whose file has an [ssv] section",
    )
}
