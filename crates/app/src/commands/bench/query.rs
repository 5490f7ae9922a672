//! Queries as hunters ask them, over stored events, beside DuckDB on the same files.

use std::path::Path;

use anyhow::{Context as _, bail};
use tokio::runtime::Runtime;
use wardline_domain::Timestamp;
use wardline_simulate::LoadOptions;
use wardline_store::{Engine, EngineSettings};

use super::{
    Bench,
    answers::{Asked, answer, ask, texts},
    event_files,
    figure::{Figures, Goal},
};

const PART: &str = "query";
const MILLION: u64 = 1_000_000;
/// Models of the stored events, and days that they span.
const MODELS: usize = 8;
const DAYS: f64 = 20.0;
/// Events of all models that are committed at once: every commit makes one file a model.
const PER_COMMIT: u64 = MILLION;
/// Times that a query is asked once it is warm.
const RUNS: usize = 3;
/// A query is to cost at most this much of the peer's processor time.
const MOST_OF_PEER: f64 = 1.2;

/// A query, in our words and in DuckDB's where they differ.
struct Query {
    name: &'static str,
    ours: &'static str,
    duckdb: &'static str,
}

/// `{user}` and `{channel}` stand for one that exists. Quantiles are sketched on both sides where the name
/// does not say that they are exact.
const QUERIES: [Query; 8] = [
    Query {
        name: "count, mean latency and errors by model",
        ours: "SELECT model, count(*) AS n, avg(latency_ms) AS mean, count(*) FILTER (WHERE status = 'error') AS errors FROM inference GROUP BY model",
        duckdb: "SELECT model, count(*) AS n, avg(latency_ms) AS mean, count(*) FILTER (WHERE status = 'error') AS errors FROM inference GROUP BY model",
    },
    Query {
        name: "p50 and p99 by hour and version of one model",
        ours: "SELECT date_trunc('hour', time) AS hour, version, percentile(latency_ms, 0.5) AS p50, percentile(latency_ms, 0.99) AS p99 FROM inference WHERE model = 'card-fraud-03' GROUP BY 1, 2",
        duckdb: "SELECT time_bucket(INTERVAL '1 hour', time) AS hour, version, approx_quantile(latency_ms, [0.5, 0.99]) AS q FROM inference WHERE model = 'card-fraud-03' GROUP BY 1, 2",
    },
    Query {
        name: "p50, p95 and p99 by model and version",
        ours: "SELECT model, version, percentile(latency_ms, 0.5) AS p50, percentile(latency_ms, 0.95) AS p95, percentile(latency_ms, 0.99) AS p99 FROM inference GROUP BY 1, 2",
        duckdb: "SELECT model, version, approx_quantile(latency_ms, [0.5, 0.95, 0.99]) AS q FROM inference GROUP BY 1, 2",
    },
    Query {
        name: "the 20 busiest users",
        ours: "SELECT \"user\", count(*) AS n FROM inference GROUP BY 1 ORDER BY n DESC, 1 LIMIT 20",
        duckdb: "SELECT \"user\", count(*) AS n FROM inference GROUP BY 1 ORDER BY n DESC, 1 LIMIT 20",
    },
    Query {
        name: "distinct users and sessions by channel",
        ours: "SELECT channel, approx_distinct(\"user\") AS users, approx_distinct(session) AS sessions FROM inference GROUP BY channel",
        duckdb: "SELECT channel, approx_count_distinct(\"user\") AS users, approx_count_distinct(session) AS sessions FROM inference GROUP BY channel",
    },
    Query {
        name: "one user in one channel",
        ours: "SELECT time, model, version, latency_ms, score, decision FROM inference WHERE \"user\" = '{user}' AND channel = '{channel}' ORDER BY time",
        duckdb: "SELECT time, model, version, latency_ms, score, decision FROM inference WHERE \"user\" = '{user}' AND channel = '{channel}' ORDER BY time",
    },
    Query {
        name: "good and bad by hour and model",
        ours: "SELECT model, date_trunc('hour', time) AS hour, count(*) FILTER (WHERE status = 'ok') AS good, count(*) FILTER (WHERE status = 'error') AS bad FROM inference GROUP BY 1, 2",
        duckdb: "SELECT model, time_bucket(INTERVAL '1 hour', time) AS hour, count(*) FILTER (WHERE status = 'ok') AS good, count(*) FILTER (WHERE status = 'error') AS bad FROM inference GROUP BY 1, 2",
    },
    Query {
        name: "exact median by model",
        ours: "SELECT model, quantile_exact(latency_ms, 0.5) AS median FROM inference GROUP BY model",
        duckdb: "SELECT model, median(latency_ms) AS median FROM inference GROUP BY model",
    },
];

pub(super) fn measure(bench: &Bench<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let events = bench.arguments.million_stored * MILLION;
    let folder = bench.folder.join(format!("stored-{}m", bench.arguments.million_stored));
    let options =
        LoadOptions { models: MODELS, events_per_second: events as f64 / (DAYS * 86_400.0), ..LoadOptions::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let engine = engine_over(&runtime, &folder, options, events)?;
    let (files, bytes) = event_files::parquet_files(&folder)?;
    figures.note(PART, "stored events", events as f64, "events");
    figures.note(PART, "files", files.len() as f64, "files");
    figures.note(PART, "one event in them", bytes as f64 / events as f64, "bytes");

    let needle = Needle::choose(&runtime, &engine)?;
    let asked = QUERIES
        .iter()
        .map(|query| ask(&runtime, &engine, &needle.put(query.ours), RUNS))
        .collect::<Result<Vec<_>, _>>()?;
    let theirs = match &bench.peers {
        Some(peers) => {
            let queries: Vec<String> = QUERIES.iter().map(|query| needle.put(query.duckdb)).collect();
            Some((peers.query_engine(), peers.ask(&files, &queries, RUNS)?))
        }
        None => None,
    };
    for (index, (query, ours)) in QUERIES.iter().zip(&asked).enumerate() {
        figures.note(PART, query.name, ours.processor, "processor s");
        figures.note(PART, format!("{}: wall", query.name), ours.wall, "s");
        let Some((name, theirs)) = theirs.as_ref().and_then(|(name, all)| Some((name, all.get(index)?))) else {
            continue;
        };
        if theirs.rows != ours.rows {
            bail!("{}: {} rows, and {name} has {}", query.name, ours.rows, theirs.rows);
        }
        figures.note(PART, format!("{}: {name}, wall", query.name), theirs.wall_seconds, "s");
        let ratio = ours.processor / theirs.processor_seconds;
        figures.judge(PART, format!("{}: against {name}", query.name), ratio, "times", Goal::AtMost(MOST_OF_PEER));
    }
    let day = model_day(&runtime, &engine, options.from)?;
    figures.judge(
        PART,
        "p50, p95 and p99 of one model-day by hour and version, wall",
        day.wall * 1e3,
        "ms",
        Goal::AtMost(150.0),
    );
    changed(&asked, &day, figures);
    Ok(())
}

/// Percentiles must not change from run to run; means may, in the last digit, with the order of threads.
fn changed(asked: &[Asked], day: &Asked, figures: &mut Figures) {
    let named = QUERIES.iter().map(|query| (query.name, query.ours)).zip(asked);
    let mut percentiles = usize::from(!day.is_repeatable);
    for ((name, sql), _) in named.filter(|(_, asked)| !asked.is_repeatable) {
        eprintln!("{PART}: {name}: digits changed from run to run");
        percentiles += usize::from(sql.contains("percentile(") || sql.contains("quantile_exact("));
    }
    let name = "queries of percentiles whose digits changed from run to run";
    figures.judge(PART, name, percentiles as f64, "of 4", Goal::AtMost(0.0));
}

/// Opens the lake of the stored events, which it writes where they are not all there.
fn engine_over(runtime: &Runtime, folder: &Path, options: LoadOptions, events: u64) -> anyhow::Result<Engine> {
    let lake = runtime.block_on(event_files::open_patient_lake(folder))?;
    let engine = Engine::new(std::sync::Arc::clone(&lake), None, &EngineSettings::default())?;
    let stored = count(runtime, &engine)?;
    if stored == 0 {
        runtime.block_on(event_files::store_load(options, events, PER_COMMIT, &lake))?;
    } else if stored != events {
        bail!("`{}` holds {stored} events of a bench that broke off: delete it", folder.display());
    }
    Ok(engine)
}

fn count(runtime: &Runtime, engine: &Engine) -> anyhow::Result<u64> {
    let rows = texts(&answer(runtime, engine, "SELECT count(*) FROM inference")?)?;
    Ok(rows.first().context("no count")?.parse()?)
}

/// One user and one channel that this user came through.
struct Needle {
    user: String,
    channel: String,
}

impl Needle {
    fn choose(runtime: &Runtime, engine: &Engine) -> anyhow::Result<Self> {
        let sql = "SELECT \"user\", channel FROM inference ORDER BY time, id LIMIT 1";
        let rows = texts(&answer(runtime, engine, sql)?)?;
        let (user, channel) = rows.first().and_then(|row| row.split_once('|')).context("no user is stored")?;
        Ok(Self { user: user.to_owned(), channel: channel.to_owned() })
    }

    fn put(&self, sql: &str) -> String {
        sql.replace("{user}", &self.user).replace("{channel}", &self.channel)
    }
}

/// One day of one model, as a screen asks for it.
fn model_day(runtime: &Runtime, engine: &Engine, from: Timestamp) -> anyhow::Result<Asked> {
    let start = from.floor(Timestamp::DAY).plus(10 * Timestamp::DAY);
    let end = start.plus(Timestamp::DAY);
    let sql = format!(
        "SELECT date_trunc('hour', time) AS hour, version, percentile(latency_ms, 0.5) AS p50, percentile(latency_ms, 0.95) AS p95, \
         percentile(latency_ms, 0.99) AS p99 FROM inference \
         WHERE model = 'card-fraud-05' AND time >= TIMESTAMP '{start}' AND time < TIMESTAMP '{end}' GROUP BY 1, 2"
    );
    ask(runtime, engine, &sql, RUNS)
}
