//! A decision computed again from the events, to see whether it was right.

use serde::Serialize;
use wardline_domain::EventBatch;

use super::{judging::Judge, record::DecisionRecord, settings::SettingError};

/// How far apart two computations of the same evidence may be.
const LOG_TOLERANCE: f64 = 1e-6;

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replayed {
    /// The record that the events give.
    pub found: Option<DecisionRecord>,
    /// Where it says something else, in sentences; empty where both agree.
    pub differences: Vec<String>,
}

impl Replayed {
    /// Whether the events give the same decision at the same event.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Computes a decision again. `pieces` are the model's events in their order of arrival, at least from the
/// beginning of the trial on, cut anyhow.
///
/// # Errors
/// [`SettingError`] where the record's settings cannot be.
pub fn replay(
    record: &DecisionRecord,
    pieces: impl IntoIterator<Item = Vec<EventBatch>>,
) -> Result<Replayed, SettingError> {
    let mut judge = Judge::of_record(record)?;
    let is_decided =
        |judge: &Judge| judge.decision().is_some_and(|found| found.state == record.state || found.state.is_final());
    for batches in pieces {
        judge.observe(&batches);
        if is_decided(&judge) {
            break;
        }
    }
    if !is_decided(&judge) {
        judge.finish();
    }
    let found = judge.record();
    let differences = found.as_ref().map_or_else(
        || vec![format!("there are no events of the trial, which began at {}", record.started)],
        |found| differences(record, found),
    );
    Ok(Replayed { found, differences })
}

fn differences(record: &DecisionRecord, found: &DecisionRecord) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, recorded: String, found: String| {
        if recorded != found {
            differences.push(format!("{what}: the record says {recorded}, the events say {found}"));
        }
    };
    // A person may have decided while the evidence was still open.
    if record.by == "wardline" && record.state.is_decision() {
        differ("decision", record.state.to_string(), found.state.to_string());
        let time = |time: &Option<wardline_domain::Timestamp>| time.map_or_else(String::new, |time| time.to_string());
        differ("time", time(&record.time), time(&found.time));
        differ("requests", record.canary_requests.to_string(), found.canary_requests.to_string());
        if (record.e.ln() - found.e.ln()).abs() > LOG_TOLERANCE {
            differ("evidence", record.e.to_string(), found.e.to_string());
        }
    }
    let listed = |record: &DecisionRecord| record.bad_events.first().map(|event| event.id.clone()).unwrap_or_default();
    differ("first bad event", listed(record), listed(found));
    differences
}
