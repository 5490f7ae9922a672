//! `wardline bench`: what this machine does with telemetry, measured so that anyone can do it again.
//!
//! Every figure comes from the product itself: a real server over HTTP, a real hunt as a process of its own,
//! the real lake on the disk. Peers do the same work on the same bytes in the same run.

mod answers;
mod body;
mod event_files;
mod figure;
mod files;
mod freshness;
mod hunts;
mod intake;
mod latencies;
mod offer;
mod peers;
mod process;
mod query;
mod served;
mod stream;

use std::path::PathBuf;

use anyhow::Context as _;

use self::{figure::Figures, peers::Peers};
use super::Outcome;
use crate::cli::{BenchArguments, BenchPart};

/// What every part of the bench is told.
struct Bench<'a> {
    arguments: &'a BenchArguments,
    folder: PathBuf,
    peers: Option<Peers>,
}

pub(super) fn run(arguments: &BenchArguments) -> anyhow::Result<Outcome> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let peers = arguments.python.as_deref().map(Peers::check).transpose()?;
    let bench = Bench { arguments, folder, peers };
    eprintln!("{}", process::machine());
    if cfg!(debug_assertions) {
        eprintln!("this is a build for development: figures count only from `cargo build --release --workspace`");
    }

    let mut figures = Figures::default();
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    if wanted(BenchPart::Intake) {
        intake::measure(&bench, &mut figures).context("intake")?;
    }
    if wanted(BenchPart::Freshness) {
        freshness::measure(&bench, &mut figures).context("freshness")?;
    }
    if wanted(BenchPart::Files) {
        files::measure(&bench, &mut figures).context("files")?;
    }
    if wanted(BenchPart::Query) && arguments.million_stored > 0 {
        query::measure(&bench, &mut figures).context("query")?;
    }
    println!("{}", figures.table());
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&figures.report(process::machine()))?;
        std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(Outcome::Good)
}

/// A runtime for one part. One thread is enough for a client, and leaves the other cores to what is measured.
fn client_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
