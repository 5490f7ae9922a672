//! Files: how small events are stored, what that costs beside the peers, and how fast a hunt reads them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use wardline_simulate::LoadOptions;

use super::{
    Bench, event_files,
    figure::{Figures, Goal},
    hunts::hunt,
    process,
};

const PART: &str = "files";
const MILLION: u64 = 1_000_000;
const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn measure(bench: &Bench<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let events = bench.arguments.million_in_files.max(1) * MILLION;
    let ndjson = bench.folder.join(format!("events-{}m.ndjson", events / MILLION));
    let ndjson_bytes = event_files::write_ndjson(&ndjson, LoadOptions::default(), events)?;
    figures.note(PART, "NDJSON of one event", ndjson_bytes as f64 / events as f64, "bytes");

    let folder = tempfile::tempdir_in(&bench.folder)?;
    let lake = folder.path().join("lake");
    let stored = store(&ndjson, &lake)?;
    let (_, parquet_bytes) = event_files::parquet_files(&lake)?;
    let ours = Written {
        per_processor_second: events as f64 / stored.processor,
        per_second: events as f64 / stored.wall,
        bytes: parquet_bytes,
    };
    figures.judge(
        PART,
        "lake: times smaller than NDJSON",
        ndjson_bytes as f64 / parquet_bytes as f64,
        "times",
        Goal::AtLeast(8.0),
    );
    figures.note(PART, "lake: one event", parquet_bytes as f64 / events as f64, "bytes");
    figures.note(PART, "lake: NDJSON to Parquet, per processor second", ours.per_processor_second, "events/s");

    for (name, path, goal) in
        [("NDJSON", &ndjson, None), ("Parquet", &lake.join("inference"), Some(Goal::AtLeast(1e6)))]
    {
        let hunted = hunt(path)?;
        let rate = events as f64 / hunted.wall;
        match goal {
            Some(goal) => figures.judge(PART, format!("hunt over {name}"), rate, "events/s", goal),
            None => figures.note(PART, format!("hunt over {name}"), rate, "events/s"),
        }
        figures.note(
            PART,
            format!("hunt over {name}, per processor second"),
            events as f64 / hunted.processor,
            "events/s",
        );
    }
    peers(bench, &ndjson, events, &ours, figures)
}

/// What writing the events came to.
struct Written {
    per_processor_second: f64,
    per_second: f64,
    bytes: u64,
}

struct Cost {
    wall: f64,
    processor: f64,
}

/// Puts the events into a lake and merges its files, then deletes those that were merged.
fn store(ndjson: &Path, folder: &Path) -> anyhow::Result<Cost> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let started = Instant::now();
    let before = process::own_processor_time()?.own;
    runtime.block_on(async {
        let lake = event_files::open_lake(folder).await?;
        event_files::store_ndjson(ndjson, &lake).await?;
        lake.flush().await?;
        lake.compact().await?;
        lake.vacuum(Duration::ZERO).await?;
        anyhow::Ok(lake.close().await?)
    })?;
    Ok(Cost { wall: started.elapsed().as_secs_f64(), processor: process::own_processor_time()?.own - before })
}

/// The same file into Parquet with the peers.
fn peers(bench: &Bench<'_>, ndjson: &Path, events: u64, ours: &Written, figures: &mut Figures) -> anyhow::Result<()> {
    let Some(peers) = &bench.peers else { return Ok(()) };
    let folder = tempfile::tempdir_in(&bench.folder)?;
    for peer in peers.convert(ndjson, folder.path())? {
        let per_processor_second = events as f64 / peer.processor_seconds;
        let name = format!("{} {}", peer.name, peer.version);
        figures.note(
            PART,
            format!("{name}: NDJSON to Parquet, per processor second"),
            per_processor_second,
            "events/s",
        );
        figures.note(PART, format!("{name}: Parquet"), peer.bytes as f64 / MIB, "MiB");
        figures.note(
            PART,
            format!("lake against {name}: events per processor second"),
            ours.per_processor_second / per_processor_second,
            "times",
        );
        figures.note(
            PART,
            format!("lake against {name}: events per second"),
            ours.per_second * peer.wall_seconds / events as f64,
            "times",
        );
        figures.note(PART, format!("lake against {name}: bytes"), ours.bytes as f64 / peer.bytes as f64, "times");
    }
    Ok(())
}
