//! Stores events, then times hunt-like queries over them, in processor seconds.
//!
//! `cargo run --release --example query_speed -- FOLDER [ROWS]`; with an existing folder only the queries
//! run. Other engines can be timed on the same files: they are Delta tables below `FOLDER/inference`.

use std::{sync::Arc, time::Instant};

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
    util::pretty::pretty_format_batches,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use wardline_domain::{EventBatch, RecordKind, Timestamp};
use wardline_store::{Engine, EngineSettings, Lake, LakeSettings, Limits};

const MODELS: [&str; 5] = ["fraud", "churn", "ranker", "triage", "credit"];
const CHANNELS: [&str; 6] = ["web", "app", "partner", "branch", "phone", "batch"];
const BATCH_ROWS: usize = 8_192;

/// The eight queries, by what they look for.
const QUERIES: [(&str, &str); 8] = [
    (
        "count, mean and errors by model",
        "SELECT model, count(*), avg(latency_ms), sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) FROM inference GROUP BY model",
    ),
    (
        "hourly p50/p99 by version, one model",
        "SELECT date_trunc('hour', time), version, percentile(latency_ms, 0.5), percentile(latency_ms, 0.99) FROM inference WHERE model = 'fraud' GROUP BY 1, 2",
    ),
    (
        "p50/p95/p99 by model and version",
        "SELECT model, version, percentile(latency_ms, 0.5), percentile(latency_ms, 0.95), percentile(latency_ms, 0.99) FROM inference GROUP BY 1, 2",
    ),
    (
        "20 busiest of 200,000 users",
        "SELECT \"user\", count(*) AS n FROM inference GROUP BY 1 ORDER BY n DESC LIMIT 20",
    ),
    (
        "distinct users and ids by channel",
        "SELECT channel, approx_distinct(\"user\"), approx_distinct(id) FROM inference GROUP BY 1",
    ),
    (
        "one user in one channel",
        "SELECT count(*), max(score) FROM inference WHERE \"user\" = 'u0012345' AND channel = 'web'",
    ),
    (
        "hourly good and bad by model",
        "SELECT date_trunc('hour', time), model, sum(CASE WHEN latency_ms < 100 THEN 1 ELSE 0 END), sum(CASE WHEN latency_ms >= 100 THEN 1 ELSE 0 END) FROM inference GROUP BY 1, 2",
    ),
    ("exact median by model", "SELECT model, median(latency_ms) FROM inference GROUP BY 1"),
];

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder")?;
    let rows: usize = arguments.next().map_or(Ok(20_000_000), |rows| rows.parse())?;
    let is_new = !std::path::Path::new(&folder).join("inference").exists();
    let lake = Arc::new(Lake::open(LakeSettings::at(folder)).await?);
    if is_new {
        store(&lake, rows).await?;
    }
    let engine = Engine::new(lake, None, &EngineSettings::default())?;
    for (name, sql) in QUERIES {
        for run in ["first", "again"] {
            let (cpu, wall) = (cpu_seconds()?, Instant::now());
            let (batches, _) =
                engine.query(sql, Limits { memory_bytes: 2 << 30, ..Limits::default() }).await?.collect().await?;
            let (cpu, wall) = (cpu_seconds()? - cpu, wall.elapsed().as_secs_f64());
            println!("{cpu:7.2} CPU s {wall:7.2} s  {run}  {name}");
            if std::env::var_os("SHOW_ANSWERS").is_some() && run == "first" {
                let shown: Vec<RecordBatch> =
                    batches.iter().map(|batch| batch.slice(0, batch.num_rows().min(5))).collect();
                println!("{}", pretty_format_batches(&shown)?);
            }
        }
    }
    Ok(())
}

async fn store(lake: &Lake, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mut random = StdRng::seed_from_u64(1);
    let users: Vec<String> = (0..200_000).map(|user| format!("u{user:07}")).collect();
    let begin = Timestamp::parse("2026-11-02T00:00:00Z")?;
    let step = 30 * Timestamp::DAY / i64::try_from(rows)?;
    let (cpu, wall) = (cpu_seconds()?, Instant::now());
    let mut making = 0.0;
    for (sequence, from) in (0..rows).step_by(BATCH_ROWS).enumerate() {
        let made = cpu_seconds()?;
        let model = MODELS[sequence % MODELS.len()];
        let first = begin.plus(step * i64::try_from(from)?);
        let batch = batch(model, first, step, BATCH_ROWS.min(rows - from), &users, &mut random)?;
        making += cpu_seconds()? - made;
        lake.observe(sequence as u64, &[batch]).await?;
    }
    lake.flush().await?;
    let (cpu, wall) = (cpu_seconds()? - cpu - making, wall.elapsed().as_secs_f64());
    println!("{rows} events stored in {cpu:.1} CPU s, {wall:.1} s ({:.0} events per CPU s)", rows as f64 / cpu);
    Ok(())
}

fn batch(
    model: &str,
    first: Timestamp,
    step: i64,
    rows: usize,
    users: &[String],
    random: &mut StdRng,
) -> Result<EventBatch, Box<dyn std::error::Error>> {
    let latency: Vec<f64> = (0..rows)
        .map(|_| (20.0 * (-2.0 * random.random::<f64>().max(1e-12).ln()).sqrt().exp() * 100.0).round() / 100.0)
        .collect();
    let picked: Vec<&str> =
        (0..rows).map(|_| users[(random.random::<f64>().powi(2) * users.len() as f64) as usize].as_str()).collect();
    let times = |delay: i64| -> ArrayRef {
        let times = (0..rows as i64).map(|row| first.micros() + row * step + delay);
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    };
    let mut repeated = |of: &mut dyn FnMut(&mut StdRng) -> &'static str| -> ArrayRef {
        Arc::new((0..rows).map(|_| Some(of(random))).collect::<DictionaryArray<Int32Type>>())
    };
    let version = repeated(&mut |random| if random.random_range(0..10) < 8 { "7" } else { "8" });
    let status = repeated(&mut |random| if random.random_range(0..200) == 0 { "error" } else { "ok" });
    let channel = repeated(&mut |random| CHANNELS[random.random_range(0..6)]);
    let sender = repeated(&mut |_| "bench");
    let ids = (0..rows).map(|_| format!("{:032x}", random.random::<u128>()));
    let records = RecordBatch::try_from_iter([
        ("time", times(0)),
        ("received", times(25_000)),
        ("sender", sender),
        ("id", Arc::new(StringArray::from_iter_values(ids)) as ArrayRef),
        ("model", Arc::new((0..rows).map(|_| Some(model)).collect::<DictionaryArray<Int32Type>>())),
        ("version", version),
        ("status", status),
        ("http_status", Arc::new(Int32Array::from(vec![200; rows]))),
        ("latency_ms", Arc::new(Float64Array::from(latency))),
        ("user", Arc::new(picked.into_iter().map(Some).collect::<DictionaryArray<Int32Type>>())),
        ("channel", channel),
        (
            "score",
            Arc::new((0..rows).map(|_| Some((random.random::<f64>() * 1e4).round() / 1e4)).collect::<Float64Array>()),
        ),
        (
            "feature_amount",
            Arc::new((0..rows).map(|_| Some((random.random::<f64>() * 1e5).round() / 100.0)).collect::<Float64Array>()),
        ),
    ])?;
    Ok(EventBatch { kind: RecordKind::Inference, model: Some(model.into()), records })
}

/// Processor time of this process, user and system.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields.get(11).zip(fields.get(12)).map_or(Ok(0.0), |(user, system)| {
        Ok::<_, std::num::ParseFloatError>(user.parse::<f64>()? + system.parse::<f64>()?)
    })?;
    Ok(ticks / 100.0)
}
