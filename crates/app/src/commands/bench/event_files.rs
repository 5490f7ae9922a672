//! Events on the disk: as NDJSON, and as the lake stores them.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use wardline_adapters::{Arrival, SchemaRegistry, ndjson};
use wardline_simulate::{Load, LoadOptions};
use wardline_store::{Lake, LakeSettings};

use crate::pipeline;

/// Events that are made, decoded or written at once, as a sender's requests hold them.
const AT_ONCE: usize = 2_000;

/// Writes a load as NDJSON, unless a file of it is there; returns its bytes.
pub(super) fn write_ndjson(path: &Path, options: LoadOptions, events: u64) -> anyhow::Result<u64> {
    if !path.exists() {
        let partial = path.with_extension("partial");
        let mut file =
            BufWriter::new(File::create(&partial).with_context(|| format!("cannot write `{}`", partial.display()))?);
        let mut load = Load::new(options);
        let mut buffer = Vec::new();
        let mut left = events;
        while left > 0 {
            let now = left.min(AT_ONCE as u64);
            buffer.clear();
            load.fill(&mut buffer, now as usize);
            file.write_all(&buffer)?;
            left -= now;
        }
        file.into_inner()?.sync_all()?;
        // A file that bears its name is whole.
        fs::rename(&partial, path)?;
    }
    Ok(fs::metadata(path)?.len())
}

/// Puts NDJSON into a lake through decoder and lake as a server does, without its journal and detectors.
pub(super) async fn store_ndjson(path: &Path, lake: &Lake) -> anyhow::Result<()> {
    let mut store = Store::new(lake);
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    loop {
        let mut body = Vec::new();
        for _ in 0..AT_ONCE {
            if reader.read_until(b'\n', &mut body)? == 0 {
                break;
            }
        }
        if body.is_empty() {
            return Ok(());
        }
        store.body(&body).await?;
    }
}

/// Puts a load into a lake, committing all tables after each `per_commit` events.
pub(super) async fn store_load(options: LoadOptions, events: u64, per_commit: u64, lake: &Lake) -> anyhow::Result<()> {
    let mut store = Store::new(lake);
    let mut load = Load::new(options);
    let mut body = Vec::new();
    let mut done = 0;
    while done < events {
        let now = (events - done).min(AT_ONCE as u64);
        body.clear();
        load.fill(&mut body, now as usize);
        store.body(&body).await?;
        done += now;
        if done % per_commit < now {
            lake.flush().await?;
            eprintln!("{done} of {events} events stored");
        }
    }
    lake.flush().await?;
    Ok(())
}

/// Opens a lake in a folder, with the settings that a server has by default.
pub(super) async fn open_lake(folder: &Path) -> anyhow::Result<Arc<Lake>> {
    fs::create_dir_all(folder)?;
    Ok(Arc::new(Lake::open(LakeSettings::at(folder.display().to_string())).await?))
}

/// Opens a lake that commits only when it is told to, so that the bench decides how many files there are.
pub(super) async fn open_patient_lake(folder: &Path) -> anyhow::Result<Arc<Lake>> {
    fs::create_dir_all(folder)?;
    let settings = LakeSettings {
        flush_rows: usize::MAX,
        flush_bytes: usize::MAX,
        flush_age: Duration::from_secs(24 * 3_600),
        max_tail_bytes: 8 << 30,
        max_pinned_sequences: u64::MAX,
        ..LakeSettings::at(folder.display().to_string())
    };
    Ok(Arc::new(Lake::open(settings).await?))
}

/// Every Parquet file of a lake's inferences, sorted, and the bytes of all.
pub(super) fn parquet_files(lake: &Path) -> anyhow::Result<(Vec<PathBuf>, u64)> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for table in fs::read_dir(lake.join("inference"))? {
        for entry in fs::read_dir(table?.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "parquet") {
                bytes += fs::metadata(&path)?.len();
                files.push(path);
            }
        }
    }
    files.sort();
    Ok((files, bytes))
}

struct Store<'a> {
    lake: &'a Lake,
    decoder: ndjson::Decoder,
    sequence: u64,
}

impl<'a> Store<'a> {
    fn new(lake: &'a Lake) -> Self {
        Self { lake, decoder: ndjson::Decoder::new(Arc::new(SchemaRegistry::new())), sequence: 0 }
    }

    async fn body(&mut self, body: &[u8]) -> anyhow::Result<()> {
        let arrival = Arrival { received: pipeline::now(), sender: "bench", source: "bench", offset: 0 };
        let decoded = self.decoder.decode(body, &arrival);
        if let Some(letter) = decoded.dead_letters.first() {
            anyhow::bail!("an event of the load was refused: {}", letter.reason);
        }
        self.sequence += 1;
        self.lake.observe(self.sequence, &decoded.batches).await?;
        Ok(())
    }
}
