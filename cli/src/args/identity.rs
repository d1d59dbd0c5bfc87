//! Arguments of `quorate identity`.

use clap::Subcommand;

use super::ObolKey;

#[derive(Subcommand)]
pub(crate) enum Identity {
    /// Create this operator's keys, sealed with a passphrase, and print the public operator card.
    #[command(
        after_help = "Example:\n  quorate identity new --name alice\n\nSend the card (quorate1...) \
                      to the coordinator."
    )]
    New {
        /// The name that the other operators will see: 1 to 32 printable ASCII characters. If not
        /// given, you are asked for it.
        #[arg(long)]
        name: Option<String>,
        /// Cost of guessing the passphrase, as a power of two.
        #[arg(long, hide = true, default_value_t = 17,
            value_parser = clap::value_parser!(u8).range(10..=20))]
        kdf_cost: u8,
    },
    /// Print the public operator card, and the short forms of its key and of the whole card. Needs
    /// the passphrase only where no card is kept beside the keys.
    #[command(after_help = "Example:\n  quorate identity show")]
    Show,
    /// Create, import or show the key of this operator's node in an Obol cluster
    /// (charon-enr-private-key).
    #[command(subcommand)]
    ObolKey(ObolKey),
}
