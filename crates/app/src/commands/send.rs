//! `wardline send`: telemetry from a file to a server, at a steady rate, each batch until it is acknowledged.

use std::{
    io::{BufRead, BufReader, IsTerminal as _, Read},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

use super::{Outcome, client::Api};
use crate::cli::SendArguments;

/// What became of all that was sent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Sent {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
}

pub(super) async fn run(arguments: &SendArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    let progress = progress(arguments.no_progress);
    let mut lines = open(&arguments.file)?;
    let mut total = Sent::default();
    let started = Instant::now();
    let mut n_sent = 0u64;
    loop {
        let (body, count) = next_batch(lines.as_mut(), batch_size(arguments))?;
        if count == 0 {
            break;
        }
        if let Some(rate) = arguments.rate.filter(|rate| *rate > 0.0) {
            let due = started + Duration::from_secs_f64(n_sent as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
        }
        let sent = deliver(&api, body).await?;
        n_sent += count;
        total.accepted += sent.accepted;
        total.duplicates += sent.duplicates;
        total.rejected += sent.rejected;
        progress.inc(count);
    }
    progress.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64().max(1e-9);
    println!(
        "{} accepted, {} duplicate, {} rejected in {seconds:.1} s ({:.0} events/s)",
        total.accepted,
        total.duplicates,
        total.rejected,
        n_sent as f64 / seconds
    );
    if total.rejected > 0 {
        eprintln!("`wardline dead-letters` says what was rejected and why");
        return Ok(Outcome::Wrong);
    }
    Ok(Outcome::Good)
}

/// At a slow rate a batch holds no more than a tenth of a second, so that events come steadily.
fn batch_size(arguments: &SendArguments) -> usize {
    let steady = arguments.rate.map_or(usize::MAX, |rate| (rate / 10.0) as usize);
    arguments.batch.min(steady).max(1)
}

/// Sends a batch until the server has it. A busy server is asked again, later each time; nothing is skipped.
pub(super) async fn deliver(api: &Api, body: Vec<u8>) -> anyhow::Result<Sent> {
    const MOST_TRIES: u32 = 10;
    let mut wait = Duration::from_millis(100);
    let mut last = String::new();
    for _ in 0..MOST_TRIES {
        match api.send_events(body.clone(), None).await {
            Ok(response) if response.status().is_success() || response.status() == 400 => {
                return Ok(response.json().await?);
            }
            Ok(response) if response.status() == 503 || response.status() == 429 => {
                last = response.text().await.unwrap_or_default();
            }
            Ok(response) => bail!(
                "the server refused the events with {}: {}",
                response.status(),
                response.text().await.unwrap_or_default()
            ),
            Err(error) => last = format!("{:#}", anyhow::Error::from(error)),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
    bail!("the server did not take the events after {MOST_TRIES} tries: {last}")
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let reader: Box<dyn Read> = match file.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(opened)),
        Some("zst") => Box::new(zstd::stream::read::Decoder::new(opened)?),
        _ => Box::new(opened),
    };
    Ok(Box::new(BufReader::with_capacity(1 << 20, reader)))
}

/// The next lines, and how many they are.
fn next_batch(lines: &mut dyn BufRead, most: usize) -> anyhow::Result<(Vec<u8>, u64)> {
    let mut body = Vec::new();
    let mut count = 0;
    while count < most as u64 && lines.read_until(b'\n', &mut body)? > 0 {
        count += 1;
    }
    Ok((body, count))
}

fn progress(off: bool) -> ProgressBar {
    if off || std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} events sent, {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style)
}
