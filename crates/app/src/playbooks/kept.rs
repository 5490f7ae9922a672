//! How runs are kept: their logs, the files that they were started from, and where they came from.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use wardline_respond::playbook::{Playbook, Run};
use wardline_store::metadata::{LogLine, Metadata, State, Together};

/// The log of runs in the metadata.
const LOG: &str = "playbook";

/// Where a run came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The name of the playbook when it was started.
    pub(super) name: String,
    /// The incident that it is for.
    pub(super) incident: Option<String>,
    /// The alert that it is for.
    pub(super) alert: Option<String>,
}

/// A run as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) run: Run,
    pub(super) origin: Origin,
}

fn file_state(sha256: &str) -> String {
    format!("playbook:{sha256}")
}

fn origin_state(run: &str) -> String {
    format!("playbook_run:{run}")
}

impl Kept {
    /// What is new of its log, after `from` records.
    pub(super) fn together(&self, from: usize) -> Together {
        let line = |link: &wardline_respond::chain::Link<wardline_respond::playbook::Record>| LogLine {
            log: LOG.to_owned(),
            subject: self.run.id().to_owned(),
            sequence: link.sequence,
            time: link.entry.time,
            line: link.line.clone(),
        };
        let lines = self.run.log().links().iter().skip(from).map(line).collect();
        Together { lines, ..Together::default() }
    }

    /// All of a new run: its log, the file of its playbook, and where it came from.
    pub(super) fn all_of_it(&self, file: &[u8]) -> anyhow::Result<Together> {
        let state = |body: Vec<u8>| State { sequence: None, body };
        Ok(Together {
            states: vec![
                (file_state(&self.run.playbook().sha256), state(file.to_vec())),
                (origin_state(self.run.id()), state(serde_json::to_vec(&self.origin)?)),
            ],
            ..self.together(0)
        })
    }
}

/// Lines of all logs, or of one run, by run.
pub(super) async fn logs(metadata: &Metadata, run: Option<&str>) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut logs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in metadata.log_lines(LOG, run).await? {
        logs.entry(line.subject).or_default().push(line.line);
    }
    Ok(logs)
}

/// A run from its log, with the playbook that it was started from.
///
/// # Errors
/// Where its log or its playbook is damaged or missing.
pub(super) async fn restore(metadata: &Metadata, run: &str, lines: &[String]) -> anyhow::Result<Kept> {
    let first = lines.first().context("its log is empty")?;
    let first: serde_json::Value = serde_json::from_str(first).context("the first record of its log is damaged")?;
    let sha256 = first.pointer("/entry/event/playbook_sha256").and_then(serde_json::Value::as_str);
    let sha256 = sha256.context("its log does not say which playbook it is of")?;
    let file = metadata.get_state(&file_state(sha256)).await?;
    let file = file.with_context(|| format!("the playbook with SHA-256 {sha256} is not in the metadata"))?;
    let playbook = Playbook::read(&file.body).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("its playbook cannot be read any more: {}", problems.join("; "))
    })?;
    let origin = metadata.get_state(&origin_state(run)).await?;
    let origin = origin.map(|state| serde_json::from_slice(&state.body)).transpose();
    let origin = origin.context("where it came from cannot be read")?.unwrap_or_default();
    let run = Run::resume(playbook, lines.join("\n").as_bytes(), None)?;
    Ok(Kept { run, origin })
}
