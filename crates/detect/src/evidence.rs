//! SQL that shows what a finding rests on, for the tables of the lake.

use wardline_domain::{Finding, Slice, Timestamp, column, sql_literal};

/// Condition on model, version, slice and time, with as much time before the onset as after it.
fn condition(finding: &Finding) -> String {
    let length = finding.time.since(finding.onset).max(10 * Timestamp::MINUTE);
    let from = finding.onset.plus(-length.min(7 * Timestamp::DAY));
    let mut conditions = vec![format!("time >= TIMESTAMP '{from}'"), format!("time <= TIMESTAMP '{}'", finding.time)];
    if let Some(version) = &finding.version {
        conditions.push(format!("version = {}", sql_literal(version)));
    }
    for (dimension, value) in finding.slice.conditions() {
        conditions.push(format!("{} = {}", column_of(dimension), sql_literal(value)));
    }
    conditions.join(" AND ")
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn column_of(dimension: &str) -> String {
    match dimension {
        "channel" | "instance" | "tenant" | "version" | "role" | "service" | "api_key" | "client_ip" | "session" => {
            dimension.to_owned()
        }
        "user" => identifier(dimension),
        group if group.starts_with(column::GROUP_PREFIX) || group.starts_with(column::FEATURE_PREFIX) => {
            identifier(group)
        }
        attribute => identifier(&format!("{}{attribute}", column::ATTRIBUTE_PREFIX)),
    }
}

fn table(finding: &Finding) -> String {
    identifier(&format!("model.{}", finding.model))
}

/// The responsible slices' dimensions, to group by.
fn dimensions(finding: &Finding) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for carrier in &finding.responsible {
        if let Some((dimension, _)) = carrier.name.split_once('=') {
            let column = column_of(dimension);
            if !names.contains(&column) && names.len() < 2 {
                names.push(column);
            }
        }
    }
    names
}

fn bin_of(finding: &Finding) -> &'static str {
    match finding.time.since(finding.onset) {
        length if length <= 2 * Timestamp::HOUR => "1 minute",
        length if length <= 2 * Timestamp::DAY => "1 hour",
        _ => "1 day",
    }
}

fn by_time(finding: &Finding, what: &str) -> String {
    let mut keys = vec![format!("date_bin(INTERVAL '{}', time) AS bin", bin_of(finding)), "version".to_owned()];
    keys.extend(dimensions(finding));
    let positions: Vec<String> = (1..=keys.len()).map(|position| position.to_string()).collect();
    format!(
        "SELECT {}, {what} FROM {} WHERE {} GROUP BY {} ORDER BY 1",
        keys.join(", "),
        table(finding),
        condition(finding),
        positions.join(", ")
    )
}

/// Failures over time.
pub(crate) fn errors(finding: &Finding) -> String {
    by_time(finding, "count(*) AS n, count(*) FILTER (WHERE status = 'error') AS failed")
}

/// Latency over time.
pub(crate) fn latency(finding: &Finding) -> String {
    by_time(
        finding,
        "count(latency_ms) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50, percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95, percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99",
    )
}

/// Volume over time.
pub(crate) fn traffic(finding: &Finding) -> String {
    by_time(finding, "count(*) AS n")
}

/// What outcomes say over time: `what` over the predictions `p` and their outcomes `o`.
pub(crate) fn outcomes(finding: &Finding, what: &str) -> String {
    let mut keys = vec![format!("date_bin(INTERVAL '1 day', p.time) AS bin"), "p.version".to_owned()];
    keys.extend(dimensions(finding).into_iter().filter(|name| name != "version").map(|name| format!("p.{name}")));
    let positions: Vec<String> = (1..=keys.len()).map(|position| position.to_string()).collect();
    format!(
        "SELECT {}, count(*) AS n, {what} FROM (SELECT * FROM {} WHERE {}) AS p JOIN outcome AS o ON o.id = p.id GROUP BY {} ORDER BY 1",
        keys.join(", "),
        table(finding),
        condition(finding),
        positions.join(", ")
    )
}

/// The predictions of a slice, the latest first, with what is shown of them.
pub(crate) fn predictions(finding: &Finding) -> String {
    format!("SELECT * FROM {} WHERE {} ORDER BY time DESC LIMIT 200", table(finding), condition(finding))
}

/// Tokens, inputs and addresses of clients over time.
pub(crate) fn usage(finding: &Finding) -> String {
    by_time(
        finding,
        "count(*) AS n, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, max(input_tokens) AS longest, count(DISTINCT client_ip) AS addresses",
    )
}

/// The texts of predictions by id; without ids, all of the time.
pub(crate) fn texts(finding: &Finding, ids: &[&str]) -> String {
    if ids.is_empty() {
        return predictions(finding);
    }
    let ids: Vec<String> = ids.iter().map(|id| sql_literal(id)).collect();
    format!(
        "SELECT time, id, \"user\", api_key, channel, session, prompt, output FROM {} WHERE {} AND id IN ({}) ORDER BY time DESC",
        table(finding),
        condition(finding),
        ids.join(", ")
    )
}

/// Requests and decisions of clients over time.
pub(crate) fn queries(finding: &Finding) -> String {
    by_time(finding, "count(*) AS n, count(DISTINCT decision) AS decisions, count(DISTINCT api_key) AS api_keys")
}

/// A column's distribution over time.
pub(crate) fn distribution(finding: &Finding, measure: &str, is_numeric: bool) -> String {
    let column = identifier(measure);
    if measure.starts_with("embedding[") {
        return by_time(finding, "count(embedding) AS n");
    }
    if measure == "prompt_length" {
        return by_time(finding, "count(prompt) AS n, avg(length(prompt)) AS mean");
    }
    if is_numeric {
        return by_time(
            finding,
            &format!(
                "count({column}) AS n, avg(CAST({column} AS DOUBLE)) AS mean, stddev(CAST({column} AS DOUBLE)) AS sd"
            ),
        );
    }
    format!(
        "SELECT date_bin(INTERVAL '{}', time) AS bin, {column}, count(*) AS n FROM {} WHERE {} GROUP BY 1, 2 ORDER BY 1, 3 DESC",
        bin_of(finding),
        table(finding),
        condition(finding)
    )
}

/// Missing values over time.
pub(crate) fn missing(finding: &Finding, measure: &str) -> String {
    let column = identifier(measure);
    by_time(finding, &format!("count(*) AS n, count(*) - count({column}) AS missing"))
}

/// Samples of a metric over time.
pub(crate) fn metric(service: &str, name: &str, from: Timestamp, until: Timestamp) -> String {
    format!(
        "SELECT date_bin(INTERVAL '1 minute', time) AS bin, instance, avg(value) AS mean, max(value) AS most FROM metric \
         WHERE service = {} AND name = {} AND time >= TIMESTAMP '{from}' AND time <= TIMESTAMP '{until}' GROUP BY 1, 2 ORDER BY 1",
        sql_literal(service),
        sql_literal(name)
    )
}

/// A figure of a service by the hour.
pub(crate) fn figure(service: &str, name: &str, from: Timestamp, until: Timestamp) -> String {
    format!(
        "SELECT date_bin(INTERVAL '1 hour', time) AS bin, instance, count(*) AS n, avg(value) AS mean FROM metric \
         WHERE service = {} AND name = {} AND time >= TIMESTAMP '{from}' AND time <= TIMESTAMP '{until}' GROUP BY 1, 2 ORDER BY 1",
        sql_literal(service),
        sql_literal(name)
    )
}

/// Training rows by channel and day.
pub(crate) fn training_rows(finding: &Finding, versions: &[String]) -> String {
    let from = finding.onset.plus(-7 * Timestamp::DAY);
    let mut conditions = vec![format!("time >= TIMESTAMP '{from}'"), format!("time <= TIMESTAMP '{}'", finding.time)];
    if !versions.is_empty() {
        let versions: Vec<String> = versions.iter().map(|version| sql_literal(version)).collect();
        conditions.push(format!("dataset_version IN ({})", versions.join(", ")));
    }
    format!(
        "SELECT date_bin(INTERVAL '1 day', time) AS bin, dataset_version, channel, label, count(*) AS n, count(DISTINCT \"user\") AS users FROM {} WHERE {} GROUP BY 1, 2, 3, 4 ORDER BY 1, n DESC",
        identifier(&format!("training.{}", finding.model)),
        conditions.join(" AND ")
    )
}

/// How many of each group got a decision, by version.
pub(crate) fn selection(finding: &Finding, decision: &str) -> String {
    let columns: Vec<String> = finding.slice.conditions().iter().map(|(dimension, _)| column_of(dimension)).collect();
    let keys: Vec<String> = std::iter::once("version".to_owned()).chain(columns).collect();
    let positions: Vec<String> = (1..=keys.len()).map(|position| position.to_string()).collect();
    format!(
        "SELECT {}, count(*) AS n, count(*) FILTER (WHERE decision = {decision}) AS decided, avg(CASE WHEN decision = {decision} THEN 1.0 ELSE 0.0 END) AS rate FROM {} WHERE decision IS NOT NULL AND time <= TIMESTAMP '{}' GROUP BY {} ORDER BY {}",
        keys.join(", "),
        table(finding),
        finding.time,
        positions.join(", "),
        positions.join(", "),
        decision = sql_literal(decision),
    )
}

/// ` in channel=web`; nothing for the whole traffic.
pub(crate) fn in_slice(slice: &Slice) -> String {
    if slice.is_whole() { String::new() } else { format!(" in {slice}") }
}
