//! What goes into a pack.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::json;
use wardline_domain::{Alert, Span, Timestamp, sql_literal};
use wardline_respond::evidence::{FileRole, PackFile};
use wardline_store::{metadata::LogLine, sql::write_parquet};

use super::EvidenceRoom;
use crate::{
    incidents::IncidentView,
    server::{QueryRequest, answer},
};

/// Rows of each table before the onset.
const BEFORE: Span = Timestamp::HOUR;
/// Most rows of a table: a pack is sent around.
const MOST_ROWS: usize = 200_000;
/// Most questions that are asked again.
const MOST_QUERIES: usize = 40;
/// Longest time for one of them, in seconds.
const LONGEST_QUERY: f64 = 30.0;
/// Tables that hold events of models.
const OF_MODELS: [&str; 2] = ["outcome", "deployment"];
/// Tables that hold events of services.
const OF_SERVICES: [&str; 2] = ["metric", "log"];

/// What is known of an incident.
pub(super) struct Content<'a> {
    room: &'a EvidenceRoom,
    view: IncidentView,
    log: String,
    files: Vec<PackFile>,
}

impl<'a> Content<'a> {
    pub(super) const fn new(room: &'a EvidenceRoom, view: IncidentView, log: String) -> Self {
        Self { room, view, log, files: Vec::new() }
    }

    /// Every file of the pack.
    pub(super) async fn files(mut self) -> anyhow::Result<Vec<PackFile>> {
        // What is in memory as well goes to the tables first, so that their versions say what was seen.
        self.room.lake.flush().await.context("the newest rows cannot be written to the tables")?;
        let log = std::mem::take(&mut self.log).into_bytes();
        self.add(
            "incident/log.ndjson",
            FileRole::Log,
            "what happened to the incident, each record with the hash of the one before",
            log,
        );
        let view = serde_json::to_vec_pretty(&self.view)?;
        self.add("incident/incident.json", FileRole::Other, "what the log amounts to", view);
        let alerts = self.alerts().await?;
        let bytes = serde_json::to_vec_pretty(&alerts)?;
        self.add("alerts.json", FileRole::Result, "the alerts with their findings", bytes);
        self.add_queries(&alerts).await;
        self.add_data(&alerts).await?;
        self.add_decisions().await?;
        self.add_logs("audit", "audit", |_| true).await?;
        let incident = self.view.incident.id.clone();
        self.add_logs("playbook", "playbooks", |lines| lines.first().is_some_and(|line| line.line.contains(&incident)))
            .await?;
        self.add_versions()?;
        Ok(self.files)
    }

    fn add(&mut self, path: &str, role: FileRole, description: &str, bytes: Vec<u8>) {
        self.files.push(PackFile { path: path.to_owned(), role, description: description.to_owned(), bytes });
    }

    async fn alerts(&self) -> anyhow::Result<Vec<Alert>> {
        let mut alerts = Vec::new();
        for id in self.view.incident.alerts.keys() {
            alerts.extend(self.room.metadata.alert(id).await?);
        }
        Ok(alerts)
    }

    /// The evidence query of each finding, and what it answers now.
    async fn add_queries(&mut self, alerts: &[Alert]) {
        let findings = alerts.iter().flat_map(|alert| &alert.findings);
        let asked: BTreeSet<&str> = findings.map(|finding| finding.evidence.as_str()).collect();
        let changes: Vec<String> = self.view.incident.changes.iter().map(|change| change.sql.clone()).collect();
        let all = asked.into_iter().chain(changes.iter().map(String::as_str)).filter(|sql| !sql.trim().is_empty());
        let questions: Vec<String> = all.take(MOST_QUERIES).map(str::to_owned).collect();
        for (number, sql) in questions.into_iter().enumerate() {
            let request =
                QueryRequest { sql: sql.clone(), max_rows: Some(10_000), timeout_seconds: Some(LONGEST_QUERY) };
            let path = |ending: &str| format!("queries/{:02}.{ending}", number + 1);
            let (description, result) = match answer(&self.room.engine, &request, &self.room.limits).await {
                Ok((_, batches, truncated)) => {
                    let cut = if truncated { ", the first rows only" } else { "" };
                    (format!("what {} answered{cut}", path("sql")), rows_of(&batches))
                }
                Err(error) => (format!("why {} was not answered", path("sql")), error.to_string().into_bytes()),
            };
            self.add(&path("sql"), FileRole::Query, "a question that shows what was found", sql.into_bytes());
            self.add(&path("result.ndjson"), FileRole::Result, &description, result);
        }
    }

    /// Rows of the models and services that the alerts are about, around the time of the incident.
    async fn add_data(&mut self, alerts: &[Alert]) -> anyhow::Result<()> {
        let clocks = self.view.clocks;
        let Some(start) = clocks.impact_start.or(clocks.detected) else { return Ok(()) };
        let end = alerts.iter().map(|alert| alert.updated).max().unwrap_or(self.view.incident.updated);
        let (from, to) = (start.plus(-BEFORE), end.plus(BEFORE));
        let models: Vec<String> = self.view.models.iter().map(|model| sql_literal(model)).collect();
        if models.is_empty() {
            return Ok(());
        }
        let within = format!("time between timestamp '{from}' and timestamp '{to}'");
        let of_models = format!("model in ({}) and {within}", models.join(", "));
        let of_services = format!("service in ({}) and {within}", self.services().join(", "));
        for table in self.room.engine.table_names() {
            let is_wide = table.starts_with("model_") || table.starts_with("training_");
            let condition = match table.as_str() {
                name if is_wide || OF_MODELS.contains(&name) => &of_models,
                name if OF_SERVICES.contains(&name) && !self.services().is_empty() => &of_services,
                _ => continue,
            };
            self.add_table(&table, condition).await?;
        }
        Ok(())
    }

    /// Services that the alerts or the origin name, as literals.
    fn services(&self) -> Vec<String> {
        let incident = &self.view.incident;
        let named = incident.alerts.values().flat_map(|attached| &attached.alert.entities);
        let origin = incident.origin.iter().map(|origin| &origin.node);
        let services = named.chain(origin).filter_map(|name| {
            name.strip_prefix("endpoint=").or_else(|| name.strip_prefix("service=")).map(sql_literal)
        });
        let models = self.view.models.iter().map(|model| sql_literal(model));
        services.chain(models).collect::<BTreeSet<String>>().into_iter().collect()
    }

    async fn add_table(&mut self, table: &str, condition: &str) -> anyhow::Result<()> {
        let sql = format!("select * from \"{table}\" where {condition} order by time");
        let request = QueryRequest { sql, max_rows: Some(MOST_ROWS), timeout_seconds: Some(LONGEST_QUERY) };
        let file = file_name(table);
        match answer(&self.room.engine, &request, &self.room.limits).await {
            Ok((schema, batches, truncated)) => {
                let n_rows: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
                if n_rows == 0 {
                    return Ok(());
                }
                let bytes = tokio::task::spawn_blocking(move || {
                    let scratch = tempfile::NamedTempFile::new()?;
                    write_parquet(scratch.path(), &schema, &batches)?;
                    std::fs::read(scratch.path())
                });
                let cut = if truncated { ", the first ones only" } else { "" };
                let description = format!("{n_rows} rows of {table}{cut}: {}", request.sql);
                self.add(&format!("data/{file}.parquet"), FileRole::Data, &description, bytes.await??);
            }
            Err(error) => {
                let said = format!("{}\n{error}\n", request.sql).into_bytes();
                self.add(&format!("data/{file}.missing.txt"), FileRole::Other, "why these rows are missing", said);
            }
        }
        Ok(())
    }

    /// What rollouts of the models decided, with the numbers that they rest on.
    async fn add_decisions(&mut self) -> anyhow::Result<()> {
        for model in self.view.models.clone() {
            let entries = self.room.metadata.rollout_entries(Some(&model)).await?;
            for log in entries.chunk_by(|one, other| one.rollout == other.rollout) {
                let lines = log.iter().flat_map(|entry| [entry.body.as_str(), "\n"]).collect::<String>();
                let path = format!("decisions/{}.ndjson", file_name(&log[0].rollout));
                self.add(&path, FileRole::Decision, "what a rollout saw, decided and did", lines.into_bytes());
            }
        }
        Ok(())
    }

    /// Chained logs of another kind.
    async fn add_logs(
        &mut self,
        log: &str,
        folder: &str,
        is_wanted: impl Fn(&[LogLine]) -> bool,
    ) -> anyhow::Result<()> {
        let lines = self.room.metadata.log_lines(log, None).await?;
        for lines in lines.chunk_by(|one, other| one.subject == other.subject).filter(|lines| is_wanted(lines)) {
            let text = lines.iter().flat_map(|line| [line.line.as_str(), "\n"]).collect::<String>();
            let path = format!("{folder}/{}.ndjson", file_name(&lines[0].subject));
            let is_whole = wardline_respond::chain::verify(text.as_bytes(), None).is_empty();
            let (role, description) = if is_whole {
                (FileRole::Log, "what was done, each record with the hash of the one before")
            } else {
                (FileRole::Other, "a log that was altered before this pack was made")
            };
            self.add(&path, role, description, text.into_bytes());
        }
        Ok(())
    }

    /// What was in use, and which version of each table was read.
    fn add_versions(&mut self) -> anyhow::Result<()> {
        let tables: Vec<_> = self
            .room
            .lake
            .table_versions()
            .into_iter()
            .map(|(table, version)| json!({ "table": table, "version": version }))
            .collect();
        let alerts = self.view.incident.alerts.values();
        let versions: BTreeSet<String> = alerts
            .filter_map(|attached| Some(format!("{}@{}", attached.alert.model, attached.alert.version.as_ref()?)))
            .collect();
        let bytes = serde_json::to_vec_pretty(&json!({
            "wardline": env!("CARGO_PKG_VERSION"),
            "model_versions": versions,
            "tables": tables,
            "incident_log": self.view.head,
        }))?;
        self.add("versions.json", FileRole::Versions, "versions of the program, of models and of tables", bytes);
        Ok(())
    }
}

fn rows_of(batches: &[arrow::array::RecordBatch]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut writer = arrow::json::LineDelimitedWriter::new(&mut lines);
    let written = batches.iter().try_for_each(|batch| writer.write(batch)).and_then(|()| writer.finish());
    match written {
        Ok(()) => lines,
        Err(error) => error.to_string().into_bytes(),
    }
}

/// A name that may be part of a path on every system; two names that differ stay two.
fn file_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|character| if character.is_ascii_lowercase() || character.is_ascii_digit() { character } else { '-' })
        .take(80)
        .collect();
    if plain == name { plain } else { format!("{plain}-{}", &blake3::hash(name.as_bytes()).to_hex()[..8]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_say_what_they_were_and_stay_two() {
        assert_eq!(file_name("outcome"), "outcome");
        assert!(file_name("Fraud 7").starts_with("-raud-7-"));
        assert_ne!(file_name("a/b"), file_name("a b"));
        assert_ne!(file_name("../x"), "../x");
    }
}
