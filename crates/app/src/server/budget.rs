//! `GET /v1/budget`, `GET /v1/entities` and `POST /v1/alerts/{id}/acknowledgement`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use wardline_detect::{BudgetCounts, BudgetLine, EntityRisk, FalseAlerts};
use wardline_domain::Alert;
use wardline_store::metadata::{Acknowledgement, Verdict};

use super::{Shared, error::ApiError};

/// What was promised, and what came of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct BudgetAnswer {
    /// False alerts in 30 days that are accepted.
    pub(crate) promised: FalseAlerts,
    /// Each model's part now.
    pub(crate) models: BTreeMap<String, FalseAlerts>,
    /// By month, model and detector.
    pub(crate) lines: Vec<Line>,
}

/// One month, model and detector.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) month: String,
    pub(crate) model: String,
    pub(crate) detector: String,
    pub(crate) pages: u64,
    pub(crate) tickets: u64,
    pub(crate) held_back: u64,
    pub(crate) lowered: u64,
    pub(crate) set: u64,
    /// What people said about the alerts that it leads.
    pub(crate) said: Said,
}

/// Alerts by what people said they turned out to be.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) r#false: u64,
    pub(crate) r#true: u64,
    pub(crate) known: u64,
}

/// Promised against observed.
pub(super) async fn budget(State(shared): State<Arc<Shared>>) -> Result<Json<BudgetAnswer>, ApiError> {
    let report = shared.pipeline.budget();
    let metadata = shared.pipeline.metadata();
    let said = metadata.acknowledgements().await.map_err(|error| ApiError::internal(&error))?;
    let mut lines: BTreeMap<(String, String, String), (BudgetCounts, Said)> = BTreeMap::new();
    for BudgetLine { month, model, detector, counts } in report.lines {
        lines.insert((month, model, detector), (counts, Said::default()));
    }
    for acknowledgement in said {
        let alert = metadata.alert(&acknowledgement.alert).await.map_err(|error| ApiError::internal(&error))?;
        let Some(key) = alert.as_ref().and_then(key) else { continue };
        let said = &mut lines.entry(key).or_default().1;
        match acknowledgement.verdict {
            Verdict::False => said.r#false += 1,
            Verdict::True => said.r#true += 1,
            Verdict::Known => said.known += 1,
        }
    }
    let line = |((month, model, detector), (counts, said)): ((String, String, String), (BudgetCounts, Said))| Line {
        month,
        model,
        detector,
        pages: counts.pages,
        tickets: counts.tickets,
        held_back: counts.held_back,
        lowered: counts.lowered,
        set: counts.set,
        said,
    };
    let lines = lines.into_iter().map(line).collect();
    Ok(Json(BudgetAnswer { promised: report.promised, models: report.models, lines }))
}

/// The line of the account that an alert belongs to.
fn key(alert: &Alert) -> Option<(String, String, String)> {
    let month = alert.time.to_string().get(..7)?.to_owned();
    Some((month, alert.model.clone(), BudgetLine::name_of(alert.findings.first()?).to_owned()))
}

/// How many entities are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntitiesQuery {
    #[serde(default = "default_limit")]
    limit: usize,
}

const fn default_limit() -> usize {
    50
}

/// The riskiest first.
#[derive(Serialize, Deserialize)]
pub(crate) struct EntitiesAnswer {
    pub(crate) entities: Vec<EntityRisk>,
}

/// Lists users, keys, channels and the like that findings name.
pub(super) async fn entities(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<EntitiesQuery>,
) -> Json<EntitiesAnswer> {
    let mut entities = shared.pipeline.entities();
    entities.truncate(query.limit);
    Json(EntitiesAnswer { entities })
}

/// What somebody says about an alert.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saying {
    verdict: Verdict,
    #[serde(default)]
    note: String,
}

/// The longest note, in bytes.
const MOST_NOTE_BYTES: usize = 4_096;

/// Takes down what an alert turned out to be.
pub(super) async fn acknowledge(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    saying: Result<Json<Saying>, JsonRejection>,
) -> Result<Json<Acknowledgement>, ApiError> {
    let unreadable = |rejected: JsonRejection| {
        let message =
            format!("{}: send JSON such as {{\"verdict\": \"false\", \"note\": \"…\"}}", rejected.body_text());
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
    };
    let Json(Saying { verdict, note }) = saying.map_err(unreadable)?;
    if note.len() > MOST_NOTE_BYTES {
        let message = format!("the note has {} bytes, and may have {MOST_NOTE_BYTES}", note.len());
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "note_too_long", message));
    }
    super::alerts::find(&shared, &id).await?;
    let said = Acknowledgement { alert: id, time: crate::pipeline::now(), verdict, note };
    shared.pipeline.metadata().acknowledge(&said).await.map_err(|error| ApiError::internal(&error))?;
    Ok(Json(said))
}
