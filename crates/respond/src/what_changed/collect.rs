//! Finds changes in our own events.

use std::collections::BTreeSet;

use wardline_domain::{BatchError, EventBatch, Finding, FindingKind, RecordKind, TextColumn, Timestamp, sql_literal};

use super::{Change, ChangeKind};

/// Most changes that one batch gives: the first ones.
const MAX_CHANGES: usize = 10_000;

/// Changes that a batch of events tells of.
///
/// Deployments; the first training row of each version of a dataset and of each channel of it; loads of models
/// (`model_load_ms`); and log lines whose attributes say `"change": "configuration"` or `"infrastructure"`. What is
/// first in a batch may not be the first of all: the caller passes the stretch before the onset in one batch.
///
/// # Errors
/// [`BatchError`] where the batch breaks the event schema.
pub fn changes(batch: &EventBatch) -> Result<Vec<Change>, BatchError> {
    let times = batch.times()?;
    let columns = Columns::of(batch);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for row in 0..batch.len() {
        if MAX_CHANGES <= found.len() {
            break;
        }
        let time = Timestamp::from_micros(times.value(row));
        let change = match batch.kind {
            RecordKind::Deployment => columns.deployment(row, time),
            RecordKind::TrainingRow => columns.training(row, time, &mut seen),
            RecordKind::Metric => columns.load(row, time),
            RecordKind::Log => columns.log(row, time),
            RecordKind::Inference | RecordKind::Outcome => None,
        };
        found.extend(change);
    }
    Ok(found)
}

/// Traffic that is not as usual is a change for everything else.
pub fn traffic_change(finding: &Finding) -> Option<Change> {
    if finding.kind != FindingKind::Traffic {
        return None;
    }
    Some(Change {
        time: finding.onset,
        kind: ChangeKind::Traffic,
        node: format!("model={}", finding.model),
        entities: finding.slice.conditions().iter().map(|(key, value)| format!("{key}={value}")).collect(),
        what: finding.title.clone(),
        sql: format!(
            "select date_trunc('minute', time) as minute, count(*) as predictions from inference where model = {} \
             and {} group by 1 order by 1",
            sql_literal(&finding.model),
            around(finding.onset)
        ),
    })
}

struct Columns<'a> {
    one_model: Option<&'a str>,
    text: Vec<(&'static str, Option<TextColumn<'a>>)>,
}

const NAMES: [&str; 12] = [
    "model",
    "version",
    "action",
    "commit",
    "by",
    "dataset",
    "dataset_version",
    "channel",
    "service",
    "instance",
    "name",
    "attributes",
];

impl<'a> Columns<'a> {
    fn of(batch: &'a EventBatch) -> Self {
        let text = NAMES.into_iter().chain(["body"]).map(|name| (name, batch.text(name))).collect();
        Self { one_model: batch.model.as_deref(), text }
    }

    fn get(&self, name: &str, row: usize) -> Option<&'a str> {
        let column = self.text.iter().find(|(known, _)| *known == name)?.1?;
        column.get(row).filter(|text| !text.is_empty())
    }

    fn model(&self, row: usize) -> Option<&'a str> {
        self.get("model", row).or(self.one_model)
    }

    fn deployment(&self, row: usize, time: Timestamp) -> Option<Change> {
        let model = self.model(row)?;
        let version = self.get("version", row).unwrap_or("?");
        let action = self.get("action", row).unwrap_or("deploy");
        let by = self.get("by", row).map(|by| format!(" by {by}")).unwrap_or_default();
        let mut entities = BTreeSet::from([format!("version={model}@{version}")]);
        entities.extend(self.get("commit", row).map(|commit| format!("commit={commit}")));
        entities.extend(self.get("dataset_version", row).map(|version| format!("dataset={model}@{version}")));
        Some(Change {
            time,
            kind: ChangeKind::Deployment,
            node: format!("model={model}"),
            entities,
            what: format!("{action} of version {version} of {model}{by}"),
            sql: format!(
                "select time, version, action, weight, commit, \"by\", dataset_version from deployment \
                 where model = {} and {} order by time",
                sql_literal(model),
                around(time)
            ),
        })
    }

    fn training(&self, row: usize, time: Timestamp, seen: &mut BTreeSet<(String, String)>) -> Option<Change> {
        let model = self.model(row)?;
        let dataset = self.get("dataset", row).unwrap_or(model);
        let version = self.get("dataset_version", row).map(|version| format!("version {version}"));
        let channel = self.get("channel", row);
        let content = version.clone().unwrap_or_default() + channel.unwrap_or("");
        if !seen.insert((dataset.to_owned(), content)) {
            return None;
        }
        let through = channel.map(|channel| format!(" through {channel}")).unwrap_or_default();
        Some(Change {
            time,
            kind: ChangeKind::Data,
            node: format!("dataset={dataset}"),
            entities: channel.iter().map(|channel| format!("channel={channel}")).collect(),
            what: format!("rows of {} of {dataset} came in{through}", version.as_deref().unwrap_or("a version")),
            sql: format!(
                "select dataset_version, channel, min(time) as first, count(*) as n_rows from training_row \
                 where model = {} and {} group by 1, 2 order by first",
                sql_literal(model),
                around(time)
            ),
        })
    }

    fn load(&self, row: usize, time: Timestamp) -> Option<Change> {
        if self.get("name", row)? != "model_load_ms" {
            return None;
        }
        let service = self.get("service", row)?;
        let instance = self.get("instance", row).unwrap_or("an instance");
        Some(Change {
            time,
            kind: ChangeKind::Infrastructure,
            node: format!("endpoint={service}"),
            entities: BTreeSet::from([format!("instance={instance}")]),
            what: format!("{instance} of {service} loaded a model"),
            sql: format!(
                "select time, instance, name, value from metric where service = {} and name = 'model_load_ms' \
                 and {} order by time",
                sql_literal(service),
                around(time)
            ),
        })
    }

    fn log(&self, row: usize, time: Timestamp) -> Option<Change> {
        let attributes = self.get("attributes", row)?;
        let attributes: serde_json::Value = serde_json::from_str(attributes).ok()?;
        let kind = match attributes.get("change")?.as_str()? {
            "configuration" => ChangeKind::Configuration,
            "infrastructure" => ChangeKind::Infrastructure,
            _ => return None,
        };
        let service = self.get("service", row)?;
        let body = self.get("body", row).unwrap_or("a change");
        let model = attributes.get("model").and_then(serde_json::Value::as_str);
        Some(Change {
            time,
            kind,
            node: model.map_or_else(|| format!("endpoint={service}"), |model| format!("model={model}")),
            entities: self.get("instance", row).iter().map(|instance| format!("instance={instance}")).collect(),
            what: body.chars().take(300).collect(),
            sql: format!(
                "select time, instance, severity, body from log where service = {} and {} order by time",
                sql_literal(service),
                around(time)
            ),
        })
    }
}

/// An hour on each side.
fn around(time: Timestamp) -> String {
    format!("time between timestamp '{}' and timestamp '{}'", time.plus(-Timestamp::HOUR), time.plus(Timestamp::HOUR))
}
