//! The command line.

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command as Process, ExitCode};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use throughline::backtest::{self, BacktestOptions};
use throughline::backup::{self, RestoreOptions};
use throughline::client::{self, ClientCommand, ClientError};
use throughline::clock::System;
use throughline::config::{LogFormat, ServeOptions};
use throughline::doctor::{self, DoctorOptions};
use throughline::evaluate::{EvaluateError, EvaluateOptions, TrainOptions};
use throughline::policy::{self, PolicyCommand};
use throughline::tokens::{self, TokenCommand};
use tracing_subscriber::EnvFilter;

/// For everything in the process: DuckDB allocates and frees in many threads at once, where the allocator of
/// the C library took an eighth of all processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How its options are set without unsafe code: before it starts.
const ALLOCATOR_DELAY: &str = "MIMALLOC_PURGE_DELAY";
/// What is freed goes back after so many milliseconds, not after a second: a quarter of all memory under load.
const DELAY_MS: &str = "10";

/// API sessions and bot detection for Envoy.
#[derive(Parser)]
#[command(name = "throughline", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receive records from filters, store them, and answer questions about sessions.
    ///
    /// `throughline token` makes the tokens that filters, readers and admins send. For the first
    /// start they may come by environment: `THROUGHLINE_INGEST_TOKEN`, `THROUGHLINE_READ_TOKEN`
    /// and `THROUGHLINE_ADMIN_TOKEN`.
    Serve(Box<ServeOptions>),
    /// Make, list and revoke the tokens that the service accepts.
    #[command(subcommand)]
    Token(TokenCommand),
    #[command(flatten)]
    Ask(ClientCommand),
    /// Run a statement, away from everything: what `POST /v1/sql` starts.
    #[command(hide = true)]
    SqlWorker,
    /// Make a data folder of a backup.
    Restore(RestoreOptions),
    /// Say what is wrong with a data folder or a running service, and what helps.
    #[command(
        after_help = "Exit code: 0, nothing is wrong; 1, something is off; 2, something does \
                            not work or is missing, or the service cannot be asked."
    )]
    Doctor(DoctorOptions),
    /// Judge stored records under another policy: who would newly be flagged, who no longer.
    Backtest(BacktestOptions),
    /// Check a policy, or describe what one looks like.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Score bot detection on labelled traffic, beside 'call everything a bot'.
    ///
    /// AUC, F1, recall at 95 % precision and true positives at 1 % false positives, each with a
    /// bootstrap interval, at the end of sessions and after their first 3, 5 and 10 requests. No
    /// service is needed, and no label is seen before detection has had its say.
    #[command(
        after_help = "Exit code: 0, the report is written; 1, there are no bots or no \
                            people to score, or the report cannot be written; 2, a flag or an \
                            input file is wrong (the message names file, line and remedy)."
    )]
    Evaluate(Box<EvaluateOptions>),
    /// Learn a model from labelled traffic, for `throughline evaluate --model`.
    Train(TrainOptions),
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
}

fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let allocator = set_up_allocator();
    log(options.log_format);
    if let Some(error) = allocator {
        tracing::warn!(%error, "freed memory goes back after a second: {ALLOCATOR_DELAY} cannot be set");
    }
    let tokens = options.check(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let served = runtime.block_on(throughline::serve::serve(options, tokens, Arc::new(System)));
    // Queries that nobody waits for any more must not hold the process back.
    runtime.shutdown_background();
    served
}

/// Begins again, as the same process, with the allocator's options set, unless they are.
fn set_up_allocator() -> Option<std::io::Error> {
    if std::env::var_os(ALLOCATOR_DELAY).is_some() {
        return None;
    }
    let again = std::env::current_exe().map(|program| {
        let mut arguments = std::env::args_os();
        let mut again = Process::new(program);
        again.env(ALLOCATOR_DELAY, DELAY_MS);
        again.arg0(arguments.next().unwrap_or_default());
        again.args(arguments).exec()
    });
    let (Ok(error) | Err(error)) = again;
    Some(error)
}

fn print(outcome: anyhow::Result<String>) -> ExitCode {
    let (text, code) = match outcome {
        Ok(text) => (Ok(text), ExitCode::SUCCESS),
        Err(error) => (Err(format!("{error:#}")), ExitCode::FAILURE),
    };
    let written = match text {
        Ok(text) => writeln!(std::io::stdout(), "{text}"),
        Err(text) => writeln!(std::io::stderr(), "{text}"),
    };
    // Whoever reads it may have gone.
    written.map_or(ExitCode::FAILURE, |()| code)
}

/// Runs a command that reads files and says what is wrong with them.
fn offline(name: &str, run: impl FnOnce() -> Result<(), EvaluateError>) -> ExitCode {
    log(LogFormat::Text);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not a log event: `RUST_LOG` must not hide it.
            drop(writeln!(std::io::stderr(), "throughline {name}: {error}"));
            error.exit_code()
        }
    }
}

/// Looks at a service or its files.
fn doctor(options: &DoctorOptions) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let looked = match runtime {
        Ok(runtime) => runtime.block_on(doctor::run(options)),
        Err(error) => Err(ClientError::Output(error)),
    };
    let (text, code) = looked.unwrap_or_else(|error| {
        drop(writeln!(std::io::stderr(), "throughline: {error}"));
        (String::new(), ExitCode::from(2))
    });
    // Whoever reads it may have gone.
    writeln!(std::io::stdout(), "{text}").map_or(ExitCode::FAILURE, |()| code)
}

/// Asks a running service.
fn ask(command: &ClientCommand) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let asked = match runtime {
        Ok(runtime) => runtime.block_on(client::run(command, &mut std::io::stdout().lock())),
        Err(error) => Err(ClientError::Output(error)),
    };
    match asked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "throughline: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    let outcome = match Line::parse().command {
        Command::Serve(options) => serve(*options),
        Command::Policy(command) => return print(policy::run(&command)),
        Command::Token(command) => return print(tokens::run(&command, &System)),
        Command::Ask(command) => return ask(&command),
        Command::SqlWorker => throughline::sql::work(std::io::stdin(), std::io::stdout()),
        Command::Restore(options) => {
            return print(backup::run(&options).map_err(Into::into));
        }
        Command::Doctor(options) => return doctor(&options),
        Command::Backtest(options) => return print(backtest::run(&options)),
        Command::Evaluate(options) => {
            return offline("evaluate", || throughline::evaluate::run(&options));
        }
        Command::Train(options) => {
            return offline("train", || throughline::evaluate::train(&options));
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
