//! Freshness: from an event to the query that sees it, and to the alert that it decides.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::bail;
use serde::Deserialize;
use wardline_domain::{Alert, FindingKind, Span, Timestamp};
use wardline_simulate::LoadOptions;

use super::{
    Bench, client_runtime,
    figure::{Figures, Goal},
    latencies::Latencies,
    served::Served,
    stream::Stream,
};
use crate::{commands::client::Api, pipeline, server::QueryRequest};

const PART: &str = "freshness";
/// Models, each of which breaks once.
const MODELS: usize = 200;
/// Events a second of all of them.
const RATE: f64 = 2_000.0;
/// What the server learns from, and how long it has to.
const HISTORY: Span = 15 * Timestamp::MINUTE;
const SETTINGS: &str = "[learning]\nspan = \"10m\"\nleast_events = 1000\n";
/// Events whose way to a query is measured.
const TRIES: usize = 200;
/// Time between the breaks of two models.
const BETWEEN_BREAKS: Span = Timestamp::SECOND / 5;
/// How long the alert of the last break is waited for.
const LONGEST: Duration = Duration::from_secs(20);
/// Time between two looks at the alerts; it is part of what is measured.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

pub(super) fn measure(bench: &Bench<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let data = tempfile::tempdir_in(&bench.folder)?;
    let settings = data.path().join("settings.toml");
    std::fs::write(&settings, SETTINGS)?;
    let served = Served::start(&data.path().join("data"), Some(&settings))?;
    client_runtime()?.block_on(async {
        let from = pipeline::now().plus(-HISTORY);
        let stream = Stream::new(LoadOptions {
            from,
            events_per_second: RATE,
            models: MODELS,
            versions: 1,
            channels: 1,
            seed: 1,
        });
        let measured = async {
            stream.live().await;
            served.caught_up().await?;
            let to_query = to_query(&served.api).await?;
            let to_alert = to_alert(&served.api, &stream).await?;
            stream.end();
            anyhow::Ok((to_query, to_alert))
        };
        let (played, measured) = tokio::join!(stream.play(&served.api), measured);
        played?;
        let (to_query, to_alert) = measured?;
        figures.note(PART, "event to query, median", to_query.quantile_ms(0.5), "ms");
        figures.judge(PART, "event to query, 99 %", to_query.quantile_ms(0.99), "ms", Goal::AtMost(1_000.0));
        figures.judge(
            PART,
            "models that broke and were alerted",
            to_alert.count() as f64,
            "of 200",
            Goal::AtLeast(MODELS as f64),
        );
        figures.note(PART, "event to alert, median", to_alert.quantile_ms(0.5), "ms");
        figures.judge(PART, "event to alert, 99 %", to_alert.quantile_ms(0.99), "ms", Goal::AtMost(2_000.0));
        anyhow::Ok(())
    })?;
    served.stop()?;
    Ok(())
}

#[derive(Deserialize)]
struct Answer {
    rows: Vec<CountRow>,
}

#[derive(Deserialize)]
struct CountRow {
    n: u64,
}

/// From the moment an event is sent to the moment a query has answered with it.
async fn to_query(api: &Api) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::default();
    for number in 0..TRIES {
        let time = pipeline::now();
        let id = format!("probe-{}-{number}", time.micros());
        let event = format!(
            "{{\"id\":\"{id}\",\"time\":\"{time}\",\"model\":\"probe\",\"version\":\"1\",\"status\":\"ok\"}}\n"
        );
        let since = time.plus(-Timestamp::MINUTE);
        let sql = format!("SELECT count(*) AS n FROM inference WHERE id = '{id}' AND time >= TIMESTAMP '{since}'");
        let request = QueryRequest { sql, max_rows: None, timeout_seconds: None };
        let started = Instant::now();
        let sent = api.send_events(event.into_bytes(), None).await?;
        if !sent.status().is_success() {
            bail!("the server did not take an event: {}", sent.status());
        }
        while api
            .ask("/v1/query", &request, "application/json")
            .await?
            .json::<Answer>()
            .await?
            .rows
            .iter()
            .all(|row| row.n == 0)
        {
            if started.elapsed() > LONGEST {
                bail!("an event was not to be seen after {} s", LONGEST.as_secs());
            }
        }
        latencies.note(started.elapsed().as_secs_f64());
    }
    Ok(latencies)
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

/// From the moment the deciding event is sent to the moment the alert can be read.
///
/// Detectors decide when a second of the stream ends, so that the deciding event lies somewhere in that
/// second. It is taken to be the first one, which makes the figure too large by half a second on average.
async fn to_alert(api: &Api, stream: &Stream) -> anyhow::Result<Latencies> {
    let first = pipeline::now().plus(2 * Timestamp::SECOND);
    let mut waiting = BTreeSet::new();
    let mut broken_at = BTreeMap::new();
    for number in 0..MODELS {
        let model = format!("card-fraud-{number:02}");
        let time = first.plus(number as i64 * BETWEEN_BREAKS);
        stream.break_at(&model, time);
        broken_at.insert(model.clone(), time);
        waiting.insert(model);
    }
    let last = Duration::from_micros((MODELS as i64 * BETWEEN_BREAKS).unsigned_abs());
    let until = Instant::now() + last + LONGEST;
    let mut latencies = Latencies::default();
    while !waiting.is_empty() && Instant::now() < until {
        let Alerts { alerts } = api.get("/v1/alerts", &[("limit", "100".to_owned())]).await?;
        let seen = Instant::now();
        for alert in alerts {
            let broken = broken_at.get(&alert.model).copied().filter(|_| waiting.contains(&alert.model));
            let decided = broken.and_then(|broken| decided_at(&alert, broken));
            if let Some(sent) = decided.and_then(|second| stream.sent_at(&alert.model, second)) {
                latencies.note(seen.duration_since(sent).as_secs_f64());
                waiting.remove(&alert.model);
            }
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    if !waiting.is_empty() {
        eprintln!("{PART}: no alert for {}", waiting.into_iter().collect::<Vec<_>>().join(", "));
    }
    Ok(latencies)
}

/// The second whose events decided that predictions fail, where an alert says so and since the break.
fn decided_at(alert: &Alert, broken: Timestamp) -> Option<Timestamp> {
    let of_failures = |kind: FindingKind| matches!(kind, FindingKind::Errors | FindingKind::SloBurn);
    let since = broken.floor(Timestamp::SECOND);
    alert
        .findings
        .iter()
        .filter(|finding| of_failures(finding.kind) && since <= finding.time)
        .map(|finding| finding.time)
        .min()
}
