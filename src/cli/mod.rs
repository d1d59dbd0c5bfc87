//! The command line.
mod args;
mod command;
mod drive;
mod input;
mod machine;
mod messages;
mod progress;
mod prompt;
mod random;
mod report;
use clap::Parser;
/// Runs the program.
pub fn main() -> std::process::ExitCode {
    let cli = args::Cli::parse();
    let out = report::Output { json: cli.json, dir: cli.dir, passphrase_file: cli.passphrase_file };
    let r = match &cli.command {
        args::Command::Run(a) => command::run::run(a, &out),
        args::Command::Demo(a) => command::demo::run(a, &out),
        _ => Err(messages::internal("not yet")),
    };
    let code = match r {
        Ok(e) => e,
        Err(e) => {
            out.error(&e);
            e.exit
        }
    };
    std::process::ExitCode::from(code as u8)
}
