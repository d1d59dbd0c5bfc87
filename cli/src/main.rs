//! The `quorate` command: parses the arguments, runs the command, and reports the result.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

mod args;

mod card_file;

mod cheat;

mod command;

mod hygiene;

mod import_keys;

mod input;

mod keymanager;

mod keystores;

mod live;

mod log_file;

mod meeting;

mod messages;

mod node_key;

mod pack;

mod packet;

mod parent;

mod policy;

mod progress;

mod prompt;

mod protection;

mod reach;

mod recognise;

mod removal;

mod report;

mod restored;

mod screen;

mod secret_file;

mod silence;

mod ssv_key;

mod stop;

mod strength;

mod terminal;

mod verdict;

mod without;

use args::{Cli, Command};
use log_file::Level;
use report::{CliError, Exit, Output};

/// What a build says of itself whose curve is a toy (`--cfg quorate_toy_curve`).
const TOY: &str = "TOY CURVE: no security";

/// The version, and what makes this build unfit for anything but simulations.
const VERSION: &str = if cfg!(quorate_toy_curve) {
    concat!(env!("CARGO_PKG_VERSION"), " (TOY CURVE: no security)")
} else {
    env!("CARGO_PKG_VERSION")
};

/// Runs the program on the arguments of this process.
fn main() -> ExitCode {
    hygiene::settle();
    let exit = match Cli::try_parse() {
        Ok(Cli { json, dir, passphrase_file, log, verbose, command }) => {
            let out = Output { json, verbose, dir, passphrase_file };
            report::set_verbose(verbose);
            let exit = log
                .map_or(Ok(()), |path| log_file::open(&path))
                .and_then(|()| fit(&command))
                .and_then(|()| one_on_stdout(&command, json))
                .and_then(|()| {
                    log_file::add(Level::Info, &format!("quorate {VERSION} begins"));
                    run(&command, &out)
                })
                .unwrap_or_else(|error| out.error(&error));
            let end = format!("ends with exit code {} ({})", exit as u8, exit.status());
            log_file::add(Level::Info, &end);
            exit
        }
        Err(error) => misused(&error),
    };
    ExitCode::from(exit as u8)
}

/// Whether this build may run `command`: one with the toy curve does nothing but simulate, and says
/// so first.
fn fit(command: &Command) -> Result<(), CliError> {
    match command {
        _ if !cfg!(quorate_toy_curve) => Ok(()),
        #[cfg(feature = "simulation")]
        Command::Simulate(_) => {
            report::talk(TOY);
            Ok(())
        }
        _ => Err(messages::toy_curve(TOY)),
    }
}

/// Refuses to write a file (`-o -`) and a JSON object to stdout, where nothing tells them apart.
fn one_on_stdout(command: &Command, json: bool) -> Result<(), CliError> {
    match command.output() {
        Some(path) if json && input::is_stdout(path) => Err(messages::two_on_stdout()),
        _ => Ok(()),
    }
}

fn run(command: &Command, out: &Output) -> Result<Exit, CliError> {
    match command {
        Command::Identity(args) => command::identity::run(args, out),
        Command::Card(args) => command::card::run(args, out),
        Command::Spec(args) => command::spec::run(args, out),
        Command::Reshare(args) => command::reshare::run(args, out),
        Command::Import(args) => command::import::run(args, out),
        Command::Repair(args) => command::repair::run(args, out),
        Command::Run(args) => command::run::run(args, out),
        Command::Join(args) => command::join::run(args, out),
        Command::Rehearse(args) => command::rehearse::run(args, out),
        Command::Doctor(args) => command::doctor::run(args, out),
        Command::Step(args) => command::step::run(args, out),
        Command::Abandon(args) => command::abandon::run(args, out),
        Command::Evidence(args) => command::evidence::run(args, out),
        Command::Status { check } => command::status::run(*check, out),
        Command::Audit(args) => command::audit::run(args, out),
        Command::Export(args) => command::export::run(args, out),
        Command::Dossier(args) => command::dossier::run(args, out),
        Command::Keymanager(args) => command::keymanager::run(args, out),
        Command::Backup(args) => command::backup::run(args, out),
        Command::Restored(args) => command::restored::run(args, out),
        Command::Forget(args) => command::forget::run(args, out),
        Command::Recover(args) => command::recover::run(args, out),
        Command::Exit(args) => command::signing::exit(args, out),
        Command::Deposit(args) => command::signing::deposit(args, out),
        Command::Registration(args) => command::signing::registration(args, out),
        Command::Ssv(args) => command::signing::key_shares(args, out),
        Command::Obol(args) => command::signing::lock(args, out),
        Command::Verify(args) => command::verify::run(args, out),
        Command::Demo(args) => command::demo::run(args, out),
        #[cfg(feature = "simulation")]
        Command::Simulate(args) => command::simulate::run(args, out),
        Command::DemoCheat(args) => command::run::cheat(args, out),
        Command::Completions { shell } => command::completions::run(*shell, out),
        Command::Man { command } => command::man::run(command, out),
    }
}

/// What clap has to say: help and version on stdout, or what is wrong with the arguments.
fn misused(error: &clap::Error) -> Exit {
    // Nothing was parsed, so whether JSON is wanted is looked up by hand.
    let json = std::env::args_os().any(|arg| arg == "--json");
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print_help(io::stdout(), error);
            Exit::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !json => {
            print_help(io::stderr(), error);
            Exit::Usage
        }
        _ => Output { json, verbose: false, dir: Default::default(), passphrase_file: None }
            .error(&messages::arguments(error)),
    }
}

/// A page of help, which clap has laid out but for its usage.
fn print_help<S: AsFd + IsTerminal + Write>(mut stream: S, page: &clap::Error) {
    let text = screen::fit(&page.render().to_string(), &stream);
    // A reader that has gone away is not an error.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}
