//! Findings as rows of their table.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use wardline_domain::{Finding, Timestamp, schema as event_schema};

/// The columns of the `finding` table. Lists are JSON text, as in `alert`.
pub(super) fn schema() -> SchemaRef {
    let time = |name: &str| Field::new(name, event_schema::timestamp(), true);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![
        time("time"),
        text("id"),
        text("kind"),
        text("detector"),
        text("measure"),
        text("severity"),
        text("model"),
        text("version"),
        text("slice"),
        time("onset"),
        time("onset_earliest"),
        time("onset_latest"),
        number("observed"),
        number("expected"),
        text("unit"),
        count("n_observed"),
        count("n_expected"),
        number("effect"),
        text("effect_name"),
        number("p_value"),
        text("title"),
        text("evidence"),
        text("atlas"),
        text("responsible"),
        text("features"),
        text("held_back"),
    ]))
}

/// Rows for findings.
pub(super) fn record_batch(findings: &[Finding]) -> Result<RecordBatch, ArrowError> {
    let time = |of: fn(&Finding) -> Timestamp| -> ArrayRef {
        let micros: TimestampMicrosecondArray = findings.iter().map(|finding| Some(of(finding).micros())).collect();
        Arc::new(micros.with_timezone("UTC"))
    };
    let text =
        |of: fn(&Finding) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(findings.iter().map(of))) };
    let number =
        |of: fn(&Finding) -> Option<f64>| -> ArrayRef { Arc::new(findings.iter().map(of).collect::<Float64Array>()) };
    let count = |of: fn(&Finding) -> u64| -> ArrayRef {
        Arc::new(findings.iter().map(|finding| i64::try_from(of(finding)).ok()).collect::<Int64Array>())
    };
    let json = |of: fn(&Finding) -> serde_json::Result<String>| -> Result<ArrayRef, ArrowError> {
        let texts = findings.iter().map(of).collect::<Result<Vec<_>, _>>();
        let texts = texts.map_err(|error| ArrowError::JsonError(error.to_string()))?;
        Ok(Arc::new(StringArray::from_iter_values(texts)))
    };
    let columns: Vec<ArrayRef> = vec![
        time(|finding| finding.time),
        text(|finding| &finding.id),
        text(|finding| finding.kind.name()),
        text(|finding| &finding.detector),
        text(|finding| &finding.measure),
        text(|finding| finding.severity.name()),
        text(|finding| &finding.model),
        Arc::new(findings.iter().map(|finding| finding.version.as_deref()).collect::<StringArray>()),
        json(|finding| Ok(finding.slice.to_string()))?,
        time(|finding| finding.onset),
        time(|finding| finding.onset_interval.0),
        time(|finding| finding.onset_interval.1),
        number(|finding| Some(finding.observed)),
        number(|finding| Some(finding.expected)),
        text(|finding| &finding.unit),
        count(|finding| finding.n_observed),
        count(|finding| finding.n_expected),
        number(|finding| Some(finding.effect)),
        text(|finding| &finding.effect_name),
        number(|finding| finding.p_value),
        text(|finding| &finding.title),
        text(|finding| &finding.evidence),
        json(|finding| serde_json::to_string(&finding.atlas))?,
        json(|finding| serde_json::to_string(&finding.responsible))?,
        json(|finding| serde_json::to_string(&finding.features))?,
        Arc::new(
            findings.iter().map(|finding| finding.held_back.as_ref().map(ToString::to_string)).collect::<StringArray>(),
        ),
    ];
    RecordBatch::try_new(schema(), columns)
}
