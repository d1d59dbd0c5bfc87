//! The one file that a command writes.

use std::path::PathBuf;

use super::{
    Command, Deposit, Exits, KeyShares, Obol, Registrations, Repair, Reshare, RestoredArgs, Spec,
};

impl Command {
    /// The one file that the command writes, where a person names it.
    pub(crate) fn output(&self) -> Option<&PathBuf> {
        match self {
            Self::Spec(Spec::New(args)) => Some(&args.output),
            Self::Spec(Spec::Next(args)) => Some(&args.output),
            Self::Reshare(Reshare::New(args)) => Some(&args.output),
            Self::Repair(Repair::New(args)) => Some(&args.output),
            Self::Spec(Spec::Pack(args)) => args.output.as_ref(),
            Self::Exit(Exits::Request(args)) => Some(&args.common.output),
            Self::Exit(Exits::Sign(args)) => args.output.as_ref(),
            Self::Exit(Exits::Run(args)) => args.output.as_ref(),
            Self::Exit(Exits::Combine(args)) => args.output.as_ref(),
            Self::Deposit(Deposit::Request(args)) => Some(&args.common.output),
            Self::Deposit(Deposit::Sign(args)) => args.output.as_ref(),
            Self::Deposit(Deposit::Run(args)) => args.output.as_ref(),
            Self::Deposit(Deposit::Combine(args)) => args.output.as_ref(),
            Self::Registration(Registrations::Request(args)) => Some(&args.common.output),
            Self::Registration(Registrations::Sign(args)) => args.output.as_ref(),
            Self::Registration(Registrations::Run(args)) => args.output.as_ref(),
            Self::Registration(Registrations::Combine(args)) => args.output.as_ref(),
            Self::Ssv(KeyShares::Request(args)) => Some(&args.common.output),
            Self::Ssv(KeyShares::Sign(args)) => args.sign.output.as_ref(),
            Self::Restored(RestoredArgs::Ask(args)) => Some(&args.output),
            Self::Restored(RestoredArgs::Answer(args)) => args.output.as_ref(),
            Self::Obol(Obol::Request(args)) => Some(&args.common.output),
            Self::Obol(Obol::Sign(args)) => args.sign.output.as_ref(),
            Self::Obol(Obol::Run(args)) => args.live.output.as_ref(),
            Self::Obol(Obol::Combine(args)) => args.output.as_ref(),
            Self::Audit(args) => args.html.as_ref(),
            _ => None,
        }
    }
}
