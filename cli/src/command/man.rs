//! `quorate man`: manual pages, generated from the definitions of the arguments.

use clap::CommandFactory;
use clap_mangen::Man;
use serde_json::json;

use crate::args::Cli;
use crate::messages;
use crate::report::{CliError, Exit, Output};

/// Runs the command.
pub(crate) fn run(words: &[String], out: &Output) -> Result<Exit, CliError> {
    let mut root = Cli::command();
    // Gives every command its whole name and the flags that all have.
    root.build();
    let mut found = &root;
    for word in words {
        found = found
            .find_subcommand(word)
            .ok_or_else(|| messages::no_such_command(&words.join(" ")))?;
    }
    let page =
        Man::new(found.clone()).source(format!("quorate {}", crate::VERSION)).manual("Quorate");
    let mut bytes = Vec::new();
    page.render(&mut bytes).map_err(|error| messages::internal(&error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    out.finish_whole(Exit::Done, json!({ "file": page.get_filename(), "text": text }), &text)
}
