//! From batches of records to what the judge sees.

use arrow::array::{Array, Float64Array};
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Timestamp, column, is_refusal};

use super::{
    event::{JudgedEvent, JudgedOutcome, MOST_SEGMENTS, Role},
    key::Key,
    settings::JudgeSettings,
};

/// The two versions of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The model.
    pub model: String,
    /// The version that serves.
    pub standing: String,
    /// The version on trial.
    pub canary: String,
}

/// What a deployment record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployed {
    /// When.
    pub time: Timestamp,
    /// The version.
    pub version: String,
    /// `deploy`, `canary_start`, `canary_step`, `promote`, `rollback` or `retire`.
    pub action: String,
    /// Per cent of the traffic.
    pub weight: Option<f64>,
    /// The code's commit.
    pub commit: String,
    /// The data it was trained on.
    pub dataset_version: String,
    /// Who.
    pub by: String,
}

/// The predictions of a trial in a batch, with their ids.
pub(crate) fn events(
    batch: &EventBatch,
    versions: &Versions,
    settings: &JudgeSettings,
    mut take: impl FnMut(JudgedEvent, &str),
) {
    let (Ok(times), Some(version)) = (batch.times(), batch.text(column::VERSION)) else { return };
    let columns = Columns::of(batch, settings);
    for row in 0..batch.len() {
        let Some(version) = version.get(row) else { continue };
        let is_shadow = columns.role.and_then(|role| role.get(row)) == Some("shadow");
        let role = match () {
            () if version == versions.canary && is_shadow => Role::Shadow,
            () if version == versions.canary => Role::Canary,
            () if version == versions.standing && !is_shadow => Role::Standing,
            () => continue,
        };
        let event = columns.event(row, Timestamp::from_micros(times.value(row)), role);
        take(event, columns.id.and_then(|id| id.get(row)).unwrap_or_default());
    }
}

/// The columns that the judge reads.
struct Columns<'a> {
    id: Text<'a>,
    request: Text<'a>,
    trace: Text<'a>,
    role: Text<'a>,
    session: Text<'a>,
    user: Text<'a>,
    instance: Text<'a>,
    status: Text<'a>,
    output: Text<'a>,
    decision: Text<'a>,
    latency: Option<&'a Float64Array>,
    score: Option<&'a Float64Array>,
    segments: Vec<(&'a str, Text<'a>)>,
}

type Text<'a> = Option<wardline_domain::TextColumn<'a>>;

impl<'a> Columns<'a> {
    fn of(batch: &'a EventBatch, settings: &'a JudgeSettings) -> Self {
        let segment = |name: &'a String| {
            let column = [format!("group_{name}"), format!("attribute_{name}"), name.clone()]
                .iter()
                .find_map(|column| batch.text(column));
            (name.as_str(), column)
        };
        Self {
            id: batch.text(column::ID),
            request: batch.text("attribute_request_id"),
            trace: batch.text("trace_id"),
            role: batch.text("role"),
            session: batch.text("session"),
            user: batch.text("user"),
            instance: batch.text("instance"),
            status: batch.text("status"),
            output: batch.text("output"),
            decision: batch.text("decision"),
            latency: batch.number("latency_ms"),
            score: batch.number("score"),
            segments: settings.segments.iter().take(MOST_SEGMENTS).map(segment).collect(),
        }
    }

    fn event(&self, row: usize, time: Timestamp, role: Role) -> JudgedEvent {
        let text = |column: Text<'a>| column.and_then(|column| column.get(row)).filter(|text| !text.is_empty());
        let key = |column: Text<'a>| text(column).map_or(Key::NONE, Key::of);
        let number = |column: Option<&Float64Array>| {
            column.filter(|column| column.is_valid(row)).map_or(f64::NAN, |column| column.value(row))
        };
        let mut segments = [Key::NONE; MOST_SEGMENTS];
        for (place, (name, column)) in segments.iter_mut().zip(&self.segments) {
            *place = text(*column).map_or(Key::NONE, |value| Key::of_segment(name, value));
        }
        let id = key(self.id);
        // A mirrored request has its own id; what both answers share is the request's id or the trace. A trace
        // may hold many requests to one model, so it does not say that one is a retry.
        let request = match (key(self.request), role) {
            (request, _) if !request.is_none() => request,
            (_, Role::Shadow) if self.trace.is_some() => key(self.trace),
            _ => id,
        };
        JudgedEvent {
            time,
            role,
            id,
            request,
            twin: if key(self.request).is_none() && !key(self.trace).is_none() { key(self.trace) } else { request },
            session: if text(self.session).is_some() { key(self.session) } else { key(self.user) },
            instance: key(self.instance),
            is_error: text(self.status) == Some("error"),
            is_refusal: text(self.output).map(is_refusal),
            latency_ms: number(self.latency),
            score: number(self.score),
            decision: text(self.decision).map_or(Key::NONE, Key::of_class),
            segments,
        }
    }
}

/// The outcomes in a batch, with their ids.
pub(crate) fn outcomes(batch: &EventBatch, mut take: impl FnMut(JudgedOutcome, &str)) {
    let (Ok(times), Some(ids)) = (batch.times(), batch.text(column::ID)) else { return };
    let (labels, feedback) = (batch.text("label"), batch.number("feedback"));
    for row in 0..batch.len() {
        let Some(id) = ids.get(row) else { continue };
        let outcome = JudgedOutcome {
            time: Timestamp::from_micros(times.value(row)),
            id: Key::of(id),
            label: labels.and_then(|labels| labels.get(row)).map_or(Key::NONE, Key::of_class),
            feedback: feedback
                .filter(|feedback| feedback.is_valid(row))
                .map_or(f64::NAN, |feedback| feedback.value(row)),
        };
        take(outcome, id);
    }
}

/// The deployments of a model in a batch.
pub(crate) fn deployments(batch: &EventBatch, model: &str, mut take: impl FnMut(Deployed)) {
    let (Ok(times), Some(models)) = (batch.times(), batch.text(column::MODEL)) else { return };
    let weights = batch.number("weight");
    for row in (0..batch.len()).filter(|row| models.get(*row) == Some(model)) {
        let text = |name: &str| batch.text(name).and_then(|column| column.get(row)).unwrap_or_default().to_owned();
        take(Deployed {
            time: Timestamp::from_micros(times.value(row)),
            version: text(column::VERSION),
            action: text("action"),
            weight: weights.filter(|weights| weights.is_valid(row)).map(|weights| weights.value(row)),
            commit: text("commit"),
            dataset_version: text("dataset_version"),
            by: text("by"),
        });
    }
}

/// Names of the decisions and segments in a batch, for sentences.
pub(crate) fn names(batch: &EventBatch, settings: &JudgeSettings, mut take: impl FnMut(Key, &str)) {
    let columns = Columns::of(batch, settings);
    let mut each = |column: Text<'_>, key_of: &dyn Fn(&str) -> (Key, String)| {
        let Some(column) = column else { return };
        let dictionary = column.dictionary();
        let n = dictionary.map_or_else(|| batch.len(), Array::len);
        for at in 0..n {
            let text = match dictionary {
                Some(values) => values.is_valid(at).then(|| values.value(at)),
                None => column.get(at),
            };
            if let Some(text) = text {
                let (key, name) = key_of(text);
                take(key, &name);
            }
        }
    };
    each(columns.decision, &|text| (Key::of_class(text), text.to_owned()));
    for (name, column) in &columns.segments {
        each(*column, &|text| (Key::of_segment(name, text), format!("{name}={text}")));
    }
}
