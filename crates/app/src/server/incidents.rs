//! `/v1/incidents`: what belongs together, and what people do about it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_respond::{
    incident::{Actor, Command, Entry, Refused},
    lineage::BlastRadius,
};

use super::{Shared, auth::Sender, error::ApiError};
use crate::incidents::{IncidentError, IncidentView, timeline};

/// Which incidents are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentsQuery {
    model: Option<String>,
    /// Only those that are not over.
    #[serde(default)]
    active: bool,
    /// Only those to which something happened after this moment.
    updated_after: Option<Timestamp>,
    #[serde(default = "default_limit")]
    limit: usize,
}

const fn default_limit() -> usize {
    100
}

/// Incidents, the latest first.
#[derive(Serialize, Deserialize)]
pub(crate) struct IncidentList {
    pub(crate) incidents: Vec<IncidentView>,
}

/// The incident that was opened.
#[derive(Serialize, Deserialize)]
pub(crate) struct Declared {
    pub(crate) incident: String,
}

/// What an incident is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declaration {
    title: String,
}

/// What its origin has reached by now.
#[derive(Serialize, Deserialize)]
pub(crate) struct RadiusAnswer {
    pub(crate) origin: String,
    pub(crate) since: Timestamp,
    pub(crate) radius: BlastRadius,
}

impl From<IncidentError> for ApiError {
    fn from(error: IncidentError) -> Self {
        let (status, code) = match &error {
            IncidentError::NotWritten(_) => return Self::internal(&error),
            IncidentError::Refused(Refused::Unknown(_)) => (StatusCode::NOT_FOUND, "no_such_incident"),
            IncidentError::Refused(Refused::Empty(_) | Refused::TooLong { .. }) => {
                (StatusCode::BAD_REQUEST, "bad_command")
            }
            IncidentError::Refused(_) => (StatusCode::CONFLICT, "refused"),
        };
        Self::new(status, code, error.to_string())
    }
}

fn unknown(id: &str) -> ApiError {
    let message = format!("there is no incident `{id}`: GET /v1/incidents lists them");
    ApiError::new(StatusCode::NOT_FOUND, "no_such_incident", message)
}

fn person(sender: &Sender) -> Actor {
    Actor::Person(sender.0.to_string())
}

/// Lists incidents.
pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(query): Query<IncidentsQuery>) -> Json<IncidentList> {
    let mut incidents = shared.pipeline.incidents().views();
    incidents.retain(|view| {
        query.model.as_ref().is_none_or(|model| view.models.contains(model))
            && (!query.active || view.incident.status.is_active())
            && query.updated_after.is_none_or(|after| after < view.incident.updated)
    });
    incidents.truncate(query.limit.min(10_000));
    Json(IncidentList { incidents })
}

/// One incident with its timeline.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<IncidentView>, ApiError> {
    let mut view = shared.pipeline.incidents().view(&id).ok_or_else(|| unknown(&id))?;
    let log = shared.pipeline.incidents().log(&id).unwrap_or_default();
    let entries: Vec<Entry> =
        log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()).map(|line| line.entry).collect();
    let mut rollouts = Vec::new();
    for model in &view.models {
        let views = shared.pipeline.rollouts().views(Some(model)).await;
        rollouts.extend(views.map_err(|error| ApiError::internal(&format!("{error:#}")))?);
    }
    view.timeline = timeline(&view.incident, entries.iter(), rollouts.iter().flat_map(|rollout| &rollout.log));
    Ok(Json(view))
}

/// A record of an incident's log, as far as it is told here.
#[derive(Deserialize)]
struct Line {
    entry: Entry,
}

/// The log of an incident, as it is stored: one record a line, each with the hash of the one before.
pub(super) async fn log(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let log = shared.pipeline.incidents().log(&id).ok_or_else(|| unknown(&id))?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], log))
}

/// Opens an incident that somebody saw without an alert.
pub(super) async fn declare(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    Json(Declaration { title }): Json<Declaration>,
) -> Result<(StatusCode, Json<Declared>), ApiError> {
    let incident = shared.pipeline.incidents().declare(title, &person(&sender)).await?;
    Ok((StatusCode::CREATED, Json(Declared { incident })))
}

/// Carries out what a person asks for.
pub(super) async fn command(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    Path(id): Path<String>,
    Json(command): Json<Command>,
) -> Result<Json<IncidentView>, ApiError> {
    if command.is_internal() || matches!(command, Command::Open { .. }) {
        let message = "only the product itself states this: acknowledge, assign, note, link, tasks, severity, class, impact, mitigate, resolve, reopen, merge and split are for people";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_command", message));
    }
    shared.pipeline.incidents().execute(&id, command, &person(&sender)).await?;
    shared.pipeline.incidents().view(&id).map(Json).ok_or_else(|| unknown(&id))
}

/// What the origin of an incident has reached by now.
pub(super) async fn radius(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<RadiusAnswer>, ApiError> {
    let view = shared.pipeline.incidents().view(&id).ok_or_else(|| unknown(&id))?;
    let Some(origin) = &view.incident.origin else {
        let message = format!("nothing is known of where `{id}` began: name a node, GET /v1/lineage/radius?node=");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_origin", message));
    };
    let since = view.clocks.impact_start.map_or(origin.onset, |start| start.min(origin.onset));
    super::lineage::reached(&shared, &origin.node, since).map(Json)
}
