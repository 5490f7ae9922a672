//! `GET /v1/export/alerts`: alerts in the forms of other systems.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use wardline_adapters::exports::{Context, ExportedIncident, Format, export};
use wardline_domain::{Alert, Timestamp};
use wardline_store::metadata::AlertFilter;

use super::{Shared, error::ApiError};

/// The most alerts of one answer.
const MOST_ALERTS: u32 = 10_000;

/// Which alerts, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    format: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    model: Option<String>,
    /// Only those of this incident.
    incident: Option<String>,
    #[serde(default = "default_limit")]
    limit: u32,
}

const fn default_limit() -> u32 {
    1_000
}

/// Writes alerts, the oldest first.
pub(super) async fn alerts(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ExportQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let Some(format) = Format::ALL.into_iter().find(|format| format.name() == query.format) else {
        let names = Format::ALL.map(Format::name).join(", ");
        let message = format!("`{}` is no form: use one of {names}", query.format);
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "no_such_format", message));
    };
    let (alerts, title) = chosen(&shared, &query).await?;
    let atlas = crate::atlas::catalogue(&shared.pipeline).await;
    let atlas = atlas.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
    let incident = query.incident.as_deref().zip(title.as_deref()).map(|(id, title)| ExportedIncident { id, title });
    let context = Context { atlas: &atlas, product_version: env!("CARGO_PKG_VERSION"), incident };
    Ok(([(header::CONTENT_TYPE, format.content_type())], export(format, &alerts, &context)))
}

/// The alerts, and the title of the incident that they are of.
async fn chosen(shared: &Shared, query: &ExportQuery) -> Result<(Vec<Alert>, Option<String>), ApiError> {
    let metadata = shared.pipeline.metadata();
    let Some(id) = &query.incident else {
        let filter = AlertFilter {
            since: query.since,
            until: query.until,
            model: query.model.clone(),
            limit: Some(query.limit.min(MOST_ALERTS)),
            ..AlertFilter::default()
        };
        let mut alerts = metadata.alerts(&filter).await.map_err(|error| ApiError::internal(&error))?;
        alerts.reverse();
        return Ok((alerts, None));
    };
    let missing = || {
        let message = format!("there is no incident `{id}`: GET /v1/incidents lists them");
        ApiError::new(StatusCode::NOT_FOUND, "no_such_incident", message)
    };
    let (title, ids) = shared.pipeline.incidents().alerts_of(id).ok_or_else(missing)?;
    let mut alerts = Vec::with_capacity(ids.len());
    for alert in ids {
        alerts.extend(metadata.alert(&alert).await.map_err(|error| ApiError::internal(&error))?);
    }
    let is_asked = |alert: &Alert| {
        query.model.as_ref().is_none_or(|model| *model == alert.model)
            && query.since.is_none_or(|since| since <= alert.time)
            && query.until.is_none_or(|until| alert.time < until)
    };
    alerts.retain(is_asked);
    alerts.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    Ok((alerts, Some(title)))
}
