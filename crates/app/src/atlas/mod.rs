//! What this program says of MITRE ATLAS: which techniques are looked for, could be seen, and were found.

mod claims;
mod report;
mod seen;
mod view;

use anyhow::Context as _;
use arrow::array::RecordBatch;
use serde_json::Value;
use wardline_detect::rules::shipped;
use wardline_domain::{Timestamp, atlas::Atlas};
use wardline_store::metadata::State;

pub(crate) use self::{
    report::{AtlasReport, TechniqueReport},
    view::View,
};
use crate::{
    pipeline::Pipeline,
    rule_files,
    server::QueryRequest,
    settings::{QueryLimits, Settings},
};

/// Where an imported release is kept in the metadata.
const STATE: &str = "atlas";

/// The release in use: the one that was imported last, or the built-in one.
///
/// # Errors
/// Where the metadata store cannot be read.
pub(crate) async fn catalogue(pipeline: &Pipeline) -> anyhow::Result<Atlas> {
    let Some(state) = pipeline.metadata().get_state(STATE).await? else { return Ok(Atlas::built_in().clone()) };
    Ok(serde_json::from_slice(&state.body).unwrap_or_else(|error| {
        tracing::error!(error = %error, "the imported ATLAS release cannot be read; the built-in one is used");
        Atlas::built_in().clone()
    }))
}

/// Takes a release into use.
///
/// # Errors
/// Where the metadata store cannot be written.
pub(crate) async fn keep(pipeline: &Pipeline, atlas: &Atlas) -> anyhow::Result<()> {
    let body = serde_json::to_vec(atlas).context("the release cannot be written down")?;
    Ok(pipeline.metadata().put_state(STATE, &State { sequence: None, body }).await?)
}

/// What a release holds, in a sentence.
pub(crate) fn summary(atlas: &Atlas) -> String {
    let (tactics, techniques, mitigations) = (atlas.tactics.len(), atlas.techniques.len(), atlas.mitigations.len());
    let version = if atlas.version.is_empty() { "without a version" } else { &atlas.version };
    format!("ATLAS {version}: {tactics} tactics, {techniques} techniques and sub-techniques, {mitigations} mitigations")
}

/// All that is known of every technique: what looks for it, whether it could be seen, and what was found.
///
/// # Errors
/// Where the tables cannot be asked, or the folder of rules cannot be read.
pub(crate) async fn report(
    pipeline: &Pipeline,
    settings: &Settings,
    range: (Timestamp, Timestamp),
) -> anyhow::Result<AtlasReport> {
    let atlas = catalogue(pipeline).await?;
    let asker = Asker { pipeline, limits: &settings.query };
    let fields = seen::fields(&asker, range).await?;
    let findings = seen::findings(&asker, range).await?;
    let mut report = AtlasReport::new(&atlas, claims::with_rules(&rule_files::active(&settings.rules)?.set));
    report.from = Some(range.0);
    report.to = Some(range.1);
    report.add_visibility(&fields);
    report.add_findings(&findings);
    Ok(report)
}

/// What this program brings with it.
pub(crate) fn built_in() -> AtlasReport {
    AtlasReport::new(Atlas::built_in(), claims::with_rules(&shipped()))
}

/// Asks the tables of a data folder.
struct Asker<'a> {
    pipeline: &'a Pipeline,
    limits: &'a QueryLimits,
}

impl Asker<'_> {
    /// Columns and rows of an answer, a row a JSON object.
    async fn ask(&self, sql: String) -> anyhow::Result<(Vec<String>, Vec<Value>)> {
        let request = QueryRequest { sql, max_rows: None, timeout_seconds: None };
        let answer = crate::server::answer(self.pipeline.engine(), &request, self.limits).await;
        let (schema, batches, _) = answer.map_err(|error| anyhow::anyhow!("{error}"))?;
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok((columns, rows(&batches)?))
    }
}

fn rows(batches: &[RecordBatch]) -> anyhow::Result<Vec<Value>> {
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()?;
    let text = writer.into_inner();
    if text.is_empty() { Ok(Vec::new()) } else { Ok(serde_json::from_slice(&text)?) }
}
