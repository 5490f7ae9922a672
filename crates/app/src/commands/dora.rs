//! `wardline dora`: how often versions go out, how long changes take, how many fail, and how fast that is mended.

use std::io::Write as _;

use anyhow::bail;
use serde::{Deserialize, de::DeserializeOwned};
use wardline_domain::Timestamp;
use wardline_respond::dora::{
    DataSnapshot, DeploymentRecord, DoraInputs, DoraReport, Exposure, Fate, Spread, Trouble, dora, models,
};

use super::{Outcome, answer::Tables};
use crate::{cli::DoraArguments, pipeline::now, screen, settings::Settings};

const USUAL_RANGE: wardline_domain::Span = 30 * Timestamp::DAY;

pub(super) async fn run(arguments: &DoraArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let to = arguments.to.as_deref().map(Timestamp::parse).transpose()?.unwrap_or_else(now);
    let from = arguments.from.as_deref().map(Timestamp::parse).transpose()?.unwrap_or_else(|| to.plus(-USUAL_RANGE));
    if to <= from {
        bail!("--from is {from}, and --to is {to}, which is not later");
    }
    let tables = Tables::open(&arguments.remote, arguments.local, settings).await?;
    let inputs = inputs(&tables, from, to).await;
    tables.close().await?;
    let inputs = inputs?;
    let names = arguments.model.clone().map_or_else(|| models(&inputs), |model| vec![model]);
    let reports: Vec<DoraReport> = names.iter().filter_map(|name| dora(name, &inputs, from, to)).collect();
    if reports.is_empty() {
        let whose = arguments.model.as_ref().map_or_else(|| "any model".to_owned(), |model| format!("`{model}`"));
        bail!("no deployment of {whose} is stored before {to}: send records of the kind `deployment`");
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&reports)?)?;
    } else {
        for report in &reports {
            write!(out, "{}", described(report))?;
        }
    }
    Ok(Outcome::Good)
}

#[derive(Deserialize)]
struct DeploymentRow {
    time: i64,
    model: Option<String>,
    version: Option<String>,
    action: Option<String>,
    weight: Option<f64>,
    commit: Option<String>,
    committed_at: Option<i64>,
    by: Option<String>,
    dataset_version: Option<String>,
    attributes: Option<String>,
}

#[derive(Deserialize)]
struct SnapshotRow {
    model: String,
    dataset_version: String,
    time: i64,
}

#[derive(Deserialize)]
struct AlertRow {
    model: String,
    version: Option<String>,
    onset: i64,
    time: i64,
    updated: i64,
    status: String,
}

#[derive(Deserialize)]
struct ExposureRow {
    model: String,
    version: String,
    predictions: u64,
}

async fn read<Row: DeserializeOwned>(tables: &Tables, sql: &str) -> anyhow::Result<Vec<Row>> {
    let rows = tables.rows(sql).await?;
    Ok(rows.into_iter().map(serde_json::from_value).collect::<Result<Vec<_>, _>>()?)
}

async fn inputs(tables: &Tables, from: Timestamp, to: Timestamp) -> anyhow::Result<DoraInputs> {
    let deployments: Vec<DeploymentRow> = read(
        tables,
        &format!(
            "SELECT CAST(time AS BIGINT) AS time, model, version, action, weight, \"commit\", CAST(committed_at AS BIGINT) AS committed_at, \"by\", dataset_version, attributes FROM deployment WHERE time <= TIMESTAMP '{to}' ORDER BY time"
        ),
    )
    .await?;
    let snapshots: Vec<SnapshotRow> = read(
        tables,
        "SELECT model, dataset_version, CAST(max(time) AS BIGINT) AS time FROM training_row WHERE model IS NOT NULL AND dataset_version IS NOT NULL GROUP BY model, dataset_version",
    )
    .await?;
    let alerts: Vec<AlertRow> = read(
        tables,
        &format!(
            "SELECT model, version, CAST(onset AS BIGINT) AS onset, CAST(time AS BIGINT) AS time, CAST(updated AS BIGINT) AS updated, status FROM alert WHERE (kind = 'slo_burn' OR severity = 'page') AND severity <> 'info' AND kind IN ('slo_burn', 'errors', 'latency', 'performance') AND onset >= TIMESTAMP '{from}' AND onset <= TIMESTAMP '{to}'"
        ),
    )
    .await?;
    let exposures: Vec<ExposureRow> = read(
        tables,
        &format!(
            "SELECT model, version, count(*) AS predictions FROM inference WHERE time >= TIMESTAMP '{from}' AND time <= TIMESTAMP '{to}' AND model IS NOT NULL AND version IS NOT NULL GROUP BY model, version"
        ),
    )
    .await?;
    Ok(DoraInputs {
        deployments: deployments.into_iter().filter_map(deployment).collect(),
        alias_moves: Vec::new(),
        snapshots: snapshots
            .into_iter()
            .map(|row| DataSnapshot {
                model: row.model,
                dataset_version: row.dataset_version,
                time: Timestamp::from_micros(row.time),
            })
            .collect(),
        troubles: alerts.into_iter().map(trouble).collect(),
        exposures: exposures
            .into_iter()
            .map(|row| Exposure { model: row.model, version: row.version, predictions: row.predictions })
            .collect(),
    })
}

fn deployment(row: DeploymentRow) -> Option<DeploymentRecord> {
    let attributes: serde_json::Value =
        row.attributes.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let is_unplanned = attributes.get("unplanned").is_some_and(|flag| flag == true || flag == "true");
    Some(DeploymentRecord {
        time: Timestamp::from_micros(row.time),
        model: row.model?,
        version: row.version?,
        action: row.action?,
        weight: row.weight,
        commit: row.commit,
        committed_at: row.committed_at.map(Timestamp::from_micros),
        by: row.by,
        dataset_version: row.dataset_version,
        site: attributes.get("site").and_then(serde_json::Value::as_str).map(ToOwned::to_owned),
        is_unplanned,
    })
}

/// An alert that nothing new has joined for long is over, since the last of its findings.
fn trouble(row: AlertRow) -> Trouble {
    Trouble {
        model: row.model,
        version: row.version,
        began: Timestamp::from_micros(row.onset),
        detected: Timestamp::from_micros(row.time),
        restored: (row.status == "closed").then(|| Timestamp::from_micros(row.updated)),
    }
}

fn described(report: &DoraReport) -> String {
    let (frequency, failure, rework) = (report.deployment_frequency, report.change_failure, report.rework);
    let lead = report.lead_time;
    let recovery = report.recovery;
    let rows = vec![
        vec![
            "deployment frequency".to_owned(),
            format!("{:.2} changes a day", frequency.changes_a_day),
            format!("{} changes, {} retrainings on a schedule apart", frequency.changes, frequency.retrainings),
        ],
        vec![
            "lead time for changes".to_owned(),
            median(lead.from_both.as_ref()),
            format!(
                "from the commit {}, from the data {}, of it rollout {}",
                median(lead.from_commit.as_ref()),
                median(lead.from_data.as_ref()),
                median(lead.rollout.as_ref())
            ),
        ],
        vec![
            "change fail rate".to_owned(),
            share(failure.share),
            format!(
                "{} contained as canary ({} predictions), {} escaped, of {}",
                failure.contained, failure.predictions_of_contained, failure.escaped, failure.releases
            ),
        ],
        vec![
            "recovery time".to_owned(),
            median(recovery.whole.as_ref()),
            format!(
                "noticed in {}, mended in {}; {} go on",
                median(recovery.detection.as_ref()),
                median(recovery.action.as_ref()),
                recovery.unrestored
            ),
        ],
        vec![
            "rework rate".to_owned(),
            share(rework.share),
            format!("{} unplanned of {}", rework.unplanned, rework.all),
        ],
    ];
    format!(
        "{} between {} and {}\n{}{}\n",
        screen::plain(&report.model),
        report.from,
        report.to,
        screen::table(&["metric", "median or rate", "made of"], rows),
        releases(report),
    )
}

/// Every release, and what became of it.
fn releases(report: &DoraReport) -> String {
    let rows = report.releases.iter().map(|release| {
        vec![
            release.version.clone(),
            release.started.to_string(),
            release.full.map_or_else(|| "never".to_owned(), |full| full.to_string()),
            match release.fate {
                Fate::Good => "good",
                Fate::Contained => "contained",
                Fate::Escaped => "escaped",
                Fate::UnderWay => "under way",
            }
            .to_owned(),
            [(release.is_retraining, "retraining"), (release.is_unplanned, "unplanned")]
                .into_iter()
                .filter_map(|(holds, word)| holds.then_some(word))
                .collect::<Vec<_>>()
                .join(", "),
        ]
    });
    screen::table(&["version", "first traffic", "all traffic", "fate", "kind"], rows)
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "none".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

fn median(spread: Option<&Spread>) -> String {
    spread.map_or_else(|| "unknown".to_owned(), |spread| length(spread.median_seconds))
}

fn length(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 2.0 * 86_400.0 => format!("{:.1} d", seconds / 86_400.0),
        seconds if seconds >= 2.0 * 3_600.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds if seconds >= 120.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{seconds:.0} s"),
    }
}
