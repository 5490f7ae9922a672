//! What telemetry has, and what was found in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wardline_domain::{Timestamp, atlas::traces, column};

use super::Asker;
use crate::hunts::{self, presence_sql};

/// The most tables of models that are looked at for features.
const MOST_MODELS: usize = 200;

/// Findings of one model that name the same techniques.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) techniques: Vec<String>,
    pub(super) model: String,
    pub(super) count: u64,
    /// When the last was raised.
    pub(super) last: String,
}

fn condition((from, to): (Timestamp, Timestamp)) -> String {
    format!("time >= TIMESTAMP '{from}' AND time < TIMESTAMP '{to}'")
}

/// Fields that some row in a time has, as `table.column`, of all that any technique needs.
pub(super) async fn fields(asker: &Asker<'_>, range: (Timestamp, Timestamp)) -> anyhow::Result<BTreeSet<String>> {
    let mut present = BTreeSet::new();
    for (table, wanted) in wanted() {
        if matches!(table.as_str(), "model" | "training") {
            if has_features(asker, &table).await? {
                present.insert(format!("{table}.feature_*"));
            }
            continue;
        }
        let (columns, _) = asker.ask(format!("SELECT * FROM {table} LIMIT 0")).await?;
        let is_wanted = |name: &&String| {
            wanted.iter().any(|wanted| match wanted.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => wanted == *name,
            })
        };
        let columns: Vec<String> = columns.iter().filter(is_wanted).cloned().collect();
        let (counted, rows) = asker.ask(presence_sql(&table, &columns, &condition(range))).await?;
        let count = |place: usize| rows.first()?.get(counted.get(place)?)?.as_u64();
        for (name, place) in columns.iter().zip((1..).step_by(2)) {
            // What is stored as a hash is not there for anybody who reads.
            if count(place + 1).unwrap_or(0) > 0 {
                let any = wanted
                    .iter()
                    .find(|wanted| wanted.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix)));
                present.insert(format!("{table}.{}", any.unwrap_or(name)));
            }
        }
    }
    Ok(present)
}

/// Columns that techniques need, by table.
fn wanted() -> BTreeMap<String, BTreeSet<String>> {
    let of_hunts = hunts::all().iter().flat_map(|hunt| {
        let heading = &hunt.heading;
        heading.fields.iter().map(|field| heading.field_by_default(field))
    });
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for field in traces().iter().flat_map(|trace| trace.fields.clone()).chain(of_hunts) {
        if let Some((table, column)) = field.split_once('.') {
            wanted.entry(table.to_owned()).or_default().insert(column.to_owned());
        }
    }
    wanted
}

async fn has_features(asker: &Asker<'_>, family: &str) -> anyhow::Result<bool> {
    let names = asker.pipeline.engine().table_names();
    let prefix = format!("{family}_");
    let of_models = names.iter().filter(|name| name.starts_with(&prefix) && !name.starts_with("training_row"));
    for name in of_models.take(MOST_MODELS) {
        let (columns, _) = asker.ask(format!("SELECT * FROM {} LIMIT 0", hunts::identifier(name))).await?;
        if columns.iter().any(|name| column::feature_of(name).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What was found in a time.
pub(super) async fn findings(asker: &Asker<'_>, range: (Timestamp, Timestamp)) -> anyhow::Result<Vec<Found>> {
    let sql = format!(
        "SELECT atlas, model, count(*) AS n, max(time) AS last FROM finding WHERE {} AND atlas <> '[]' GROUP BY atlas, model",
        condition(range)
    );
    let (_, rows) = asker.ask(sql).await?;
    Ok(rows.iter().filter_map(found).collect())
}

fn found(row: &Value) -> Option<Found> {
    Some(Found {
        techniques: serde_json::from_str(row.get("atlas")?.as_str()?).ok()?,
        model: row.get("model")?.as_str()?.to_owned(),
        count: row.get("n")?.as_u64()?,
        last: row.get("last")?.as_str()?.to_owned(),
    })
}
