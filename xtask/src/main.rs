//! Tasks of the repository: `cargo xtask tidy` checks how it is built, `cargo xtask pages` writes its
//! reference pages, `cargo xtask cases` runs the product over folders of test cases.

mod cases;
mod pages;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Tasks of the repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check crate edges, file and function length, names, docs, and each detector's page and tests
    Tidy,
    /// Write the reference pages that are made from the code
    Pages,
    /// Run `wardline hunt` over every case folder, and write what was found
    Cases {
        /// Folder of case folders, each with events.ndjson.gz and config.json
        folder: PathBuf,
        /// Where the alerts are written: `{"case": [alert, ...], ...}`
        #[arg(long, default_value = "found.json")]
        out: PathBuf,
        /// The `wardline` to run; the one beside this program or in the target folder by default
        #[arg(long)]
        binary: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Tidy => tidy::run(),
        Task::Pages => pages::run(),
        Task::Cases { folder, out, binary } => cases::run(&folder, &out, binary.as_deref()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}
