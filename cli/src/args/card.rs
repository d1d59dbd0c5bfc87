//! Arguments of `quorate card`.

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Card {
    /// Show a card: the operator's name, and the short forms of its key and of the whole card, as
    /// spec show, run and audits show them.
    #[command(
        after_help = "Example:\n  quorate card show bob.card\n\nBob's own program shows the same \
                      short forms: quorate identity show"
    )]
    Show {
        /// The card, quorate1..., or the file that holds it. Write @FILE for a file whose name
        /// begins like a card.
        card: String,
    },
}
