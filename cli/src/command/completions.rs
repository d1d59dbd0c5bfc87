//! `quorate completions`: shell completions, generated from the definitions of the arguments.

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use serde_json::json;

use crate::args::Cli;
use crate::report::{CliError, Exit, Output};

/// Runs the command.
pub(crate) fn run(shell: Shell, out: &Output) -> Result<Exit, CliError> {
    // Not straight to stdout: the generator panics when its reader goes away.
    let mut bytes = Vec::new();
    generate(shell, &mut Cli::command(), "quorate", &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    out.finish_whole(Exit::Done, json!({ "shell": shell.to_string(), "text": text }), &text)
}
