//! The command line: parses it, runs the subcommand, and turns its failure into a sentence and an exit code.

#[cfg(feature = "failpoints")]
mod failpoints;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use platewatch::commands::{
    backup, config, demo, doctor, export, failure, forget, help, import_checkpoints, import_model, mirror_check,
    plate_key, prove, replay, restore, serve, shard, ship, simulate, token, train, user, verify_audit,
};
use platewatch::plain;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::Writer;

/// Real-time expressway monitoring and cloned-plate (套牌车) early warning in one binary
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 the check found differences, 2 bad usage or configuration, 3 failure while running.
Logs go to standard error; RUST_LOG sets their level (default info for serve and demo, else warn).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process with simulated traffic: API and web page at http://127.0.0.1:5000
    Demo(demo::DemoArgs),
    /// Run the appliance that a configuration file describes
    Serve(serve::ServeArgs),
    /// Take captured logs through the whole pipeline offline and write alerts, rejects and a summary
    Replay(replay::ReplayArgs),
    /// Write every passage of a data directory as CSV, in the order of arrival
    Export(export::ExportArgs),
    /// Merge real tracks of recorded traffic in pairs, and print how many of them the detection finds
    Prove(prove::ProveArgs),
    /// Make realistic traffic with planted clones
    Simulate(simulate::SimulateArgs),
    /// Send a growing log into a Kafka topic, keyed by HPHM, across rotation and restarts
    Ship(ship::ShipArgs),
    /// Learn a flow model from a table of hourly counts or a data directory, and test it
    Train(train::TrainArgs),
    /// Make a flow model of a pipeline that Spark saved
    ImportModel(import_model::ImportModelArgs),
    /// Load a CSV of checkpoints into a data directory and, where MySQL is configured, into its table kkmc_info
    ImportCheckpoints(import_checkpoints::ImportArgs),
    /// Compare a data directory with MySQL by hour and checkpoint; exit code 1 if they differ
    VerifyMirror(mirror_check::MirrorArgs),
    /// Send again to MySQL what differs, and compare once more
    RepairMirror(mirror_check::MirrorArgs),
    /// Print the shard of each key, as MyCat's murmur rule places it
    Shard {
        /// Keys, such as KKMC values
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// How many shards there are
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
        shards: u8,
    },
    /// Who may log in: add, list, change and disable users
    User(user::UserArgs),
    /// Tokens with which programs log in: make, list and revoke them
    Token(token::TokenArgs),
    /// The key of the pseudonyms of plates: make one, or show which it is
    PlateKey(plate_key::PlateKeyArgs),
    /// Verify the chain of hashes of the audit log; exit code 1 if it is not as it was written
    VerifyAudit(verify_audit::VerifyAuditArgs),
    /// Remove everything of one plate from a data directory, which no appliance may have open
    Forget(forget::ForgetArgs),
    /// Copy a whole data directory as of one moment, also beside the appliance that has it open
    Backup(backup::BackupArgs),
    /// Check a backup and make a data directory of it, in an empty folder
    Restore(restore::RestoreArgs),
    /// Check a configuration file and print what it amounts to
    CheckConfig {
        /// The configuration
        file: PathBuf,
        /// Also connect to what it names, and say what is in the way; changes nothing there
        #[arg(long)]
        connect: bool,
    },
    /// Look at machine, limits, configuration, port, clock, disk, data directory and servers, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Print all settings with their defaults and docs
    PrintConfig {
        /// As a Markdown reference instead of TOML
        #[arg(long)]
        markdown: bool,
    },
    /// Print what completes the command line in a shell
    Completions {
        /// The shell
        shell: help::CompletionShell,
    },
    /// Print the man page
    Man,
}

fn main() -> ExitCode {
    // Before any file is made: plates are nobody else's business.
    storage::set_private_umask();
    storage::limit_arenas();
    let arguments = Arguments::parse();
    #[cfg(feature = "failpoints")]
    if let Err(error) = failpoints::begin() {
        eprintln!("platewatch: {error}");
        return ExitCode::from(2);
    }
    start_log(matches!(arguments.command, Command::Demo(_) | Command::Serve(_)));
    match run(&arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(usage) = error.downcast_ref::<clap::Error>() {
                let _ = usage.print();
            } else if !is_broken_pipe(&error) {
                eprintln!("platewatch: {}", plain::lines(&format!("{error:#}")));
            } else {
                return ExitCode::SUCCESS;
            }
            ExitCode::from(failure::exit_code(&error))
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Export(args) => export::run(args, &mut out),
        Command::Prove(args) => prove::run(args, &mut out),
        Command::Simulate(args) => {
            drop(out);
            simulate::run(args)
        }
        Command::Ship(args) => {
            drop(out);
            ship::run(args)
        }
        Command::Train(args) => train::run(args, &mut out),
        Command::ImportModel(args) => import_model::run(args, &mut out),
        Command::ImportCheckpoints(args) => import_checkpoints::run(args, &mut out),
        Command::VerifyMirror(args) => mirror_check::verify(args, &mut out),
        Command::RepairMirror(args) => mirror_check::repair(args, &mut out),
        Command::User(args) => user::run(args, &mut out),
        Command::VerifyAudit(args) => verify_audit::run(args, &mut out),
        Command::PlateKey(args) => plate_key::run(args, &mut out),
        Command::Forget(args) => forget::run(args, &mut out),
        Command::Token(args) => token::run(args, &mut out),
        Command::Shard { keys, shards } => shard::run(keys, usize::from(*shards), &mut out),
        Command::CheckConfig { file, connect } => config::check_config(file, *connect, &mut out),
        Command::Doctor(args) => doctor::run(args, &mut out),
        Command::Backup(args) => backup::run(args, &mut out),
        Command::Restore(args) => restore::run(args, &mut out),
        Command::Completions { shell } => Ok(help::completions(Arguments::command(), *shell, &mut out)?),
        Command::Man => Ok(help::man(Arguments::command(), &mut out)?),
        Command::PrintConfig { markdown } => Ok(config::print_config(*markdown, &mut out)?),
    }
}

/// A reader that has enough, such as `head`, is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe))
}

/// A field as `name=value`, and the message as it is: what comes from outside cannot forge a line or move the cursor.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug) -> std::fmt::Result {
    let value = format!("{value:?}");
    match field.name() {
        "message" => write!(writer, "{}", plain::line(&value)),
        name => write!(writer, "{}={}", name.trim_start_matches("r#"), plain::line(&value)),
    }
}

fn start_log(verbose: bool) {
    let default = if verbose { "info" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(tracing_subscriber::fmt::format::debug_fn(write_field).delimited(" "))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // Whoever read our log may be gone: telling that on the same closed pipe would panic in the thread that logs.
        .log_internal_errors(false)
        .init();
}
