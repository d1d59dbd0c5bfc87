//! Arguments of `quorate evidence`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Show what a file of evidence proves and what it does not. Needs only the file.
    #[command(after_help = "Example:\n  quorate evidence check \
                      evidence/fault-0123456789abcdef.quorate \\\n    --expect \
                      ceremony.toml\n\nPROVEN with --expect; without it PROVEN, NOT \
                      COMPARED: anybody can make such a file about a ceremony of their own. Both \
                      have exit code 0; with --json, \"verdict\" and \"as_expected\" tell them \
                      apart. Exit code 4 if nothing is proven, or if the file is not evidence or \
                      holds more than one operator can.")]
    Check {
        /// The evidence: fault-*.quorate or stopped-*.quorate.
        file: PathBuf,
        /// The ceremony file that you agreed to: the evidence must be about it.
        #[arg(long, value_name = "FILE")]
        expect: Option<PathBuf>,
    },
}
