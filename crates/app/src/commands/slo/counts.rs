//! Counts of objectives, from the tables: each event for one, at its own time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_detect::slo::SloStatus;
use wardline_domain::{Indicator, Slo, Span, Timestamp, sql_literal};

use super::super::answer::Tables;

/// An alert of a budget that burnt too fast.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Fired {
    pub(super) time: String,
    pub(super) severity: String,
    pub(super) status: String,
    pub(super) title: String,
}

fn list(models: &[String]) -> String {
    models.iter().map(|model| sql_literal(model)).collect::<Vec<_>>().join(", ")
}

/// How an objective stands.
pub(super) async fn status(tables: &Tables, slo: &Slo, at: Timestamp) -> anyhow::Result<SloStatus> {
    let mut spans: Vec<Span> = slo.burn_rules().iter().flat_map(|rule| [rule.long, rule.short]).collect();
    spans.push(slo.window());
    spans.sort_unstable();
    spans.dedup();
    let rows = tables.rows(&sql(slo, at, &spans)).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    let number = |name: &str| row.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let counts: BTreeMap<Span, (u64, u64)> = spans
        .iter()
        .enumerate()
        .map(|(place, &span)| (span, (number(&format!("n{place}")), number(&format!("bad{place}")))))
        .collect();
    let since = row.get("since").and_then(serde_json::Value::as_i64).map(Timestamp::from_micros);
    Ok(SloStatus::new(slo, since, at, &|span| counts.get(&span).copied().unwrap_or_default()))
}

fn sql(slo: &Slo, at: Timestamp, spans: &[Span]) -> String {
    let (bad, counted) = match slo.indicator {
        Indicator::Success => ("status = 'error'".to_owned(), ""),
        Indicator::Latency { within_ms } => (format!("latency_ms > {within_ms:?}"), " AND latency_ms IS NOT NULL"),
    };
    let columns: Vec<String> = spans
        .iter()
        .enumerate()
        .map(|(place, &span)| {
            let since = at.plus(-span);
            format!(
                "count(*) FILTER (WHERE time > TIMESTAMP '{since}') AS n{place}, count(*) FILTER (WHERE time > TIMESTAMP '{since}' AND {bad}) AS bad{place}"
            )
        })
        .collect();
    let longest = at.plus(-spans.iter().copied().max().unwrap_or_default());
    format!(
        "SELECT CAST(min(time) AS BIGINT) AS since, {} FROM inference WHERE model IN ({}) AND time > TIMESTAMP '{longest}' AND time <= TIMESTAMP '{at}'{counted}",
        columns.join(", "),
        list(&slo.models),
    )
}

/// Alerts of the objectives' windows, the newest first.
pub(super) async fn fired(tables: &Tables, slos: &[Slo], at: Timestamp) -> anyhow::Result<Vec<Fired>> {
    let longest = slos.iter().map(Slo::window).max().unwrap_or_default();
    let mut models: Vec<String> = slos.iter().flat_map(|slo| slo.models.iter().cloned()).collect();
    models.sort_unstable();
    models.dedup();
    let sql = format!(
        "SELECT CAST(time AS VARCHAR) AS time, severity, status, title FROM alert WHERE kind = 'slo_burn' AND model IN ({}) AND time > TIMESTAMP '{}' AND time <= TIMESTAMP '{at}' ORDER BY time DESC LIMIT 20",
        list(&models),
        at.plus(-longest),
    );
    let rows = tables.rows(&sql).await?;
    Ok(rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_literal() {
        assert_eq!(sql_literal("x' OR 1=1 --"), "'x'' OR 1=1 --'");
    }
}
