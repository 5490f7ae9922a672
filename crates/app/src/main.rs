//! `wardline`: watches AI models in service, and responds when they fail.

mod accounts;
mod atlas;
mod cli;
mod commands;
mod evidence;
mod hunts;
mod incidents;
mod notifications;
mod pipeline;
mod playbooks;
mod report;
mod rollouts;
mod rule_files;
mod screen;
mod server;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

/// DataFusion and the decoders allocate from many threads; this allocator keeps memory flat under that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    if arguments.is_server() {
        return_memory_at_once();
    }
    start_log(&arguments);
    match commands::run(arguments) {
        Ok(outcome) => outcome.into(),
        // A reader that went away, as `| head` does, is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Starts this process once more, under the same number, with an allocator that gives freed memory back at
/// once: a server's memory then follows its load. The allocator reads the setting before `main`, hence this way.
fn return_memory_at_once() {
    use std::os::unix::process::CommandExt as _;
    const SETTING: &str = "MIMALLOC_PURGE_DELAY";
    if std::env::var_os(SETTING).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(SETTING, "0").exec();
        // Without it the server does the same with some more memory.
        eprintln!("warning: the allocator keeps its default: {error}");
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The log goes to stderr; `WARDLINE_LOG` sets its level, as JSON lines where stderr is no terminal.
fn start_log(arguments: &cli::Arguments) {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_from_env("WARDLINE_LOG").unwrap_or_else(|_| {
        let level = if arguments.is_server() { "info" } else { "warn" };
        tracing_subscriber::EnvFilter::new(format!(
            "{level},datafusion=warn,deltalake=warn,delta_kernel=warn,buoyant_kernel=warn"
        ))
    });
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { subscriber.compact().init() } else { subscriber.json().init() }
}
