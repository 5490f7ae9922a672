//! `GET /v1/alerts` and `GET /v1/alerts/{id}`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, AlertStatus};
use wardline_store::metadata::AlertFilter;

use super::{Shared, error::ApiError};

/// Which alerts are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsQuery {
    model: Option<String>,
    status: Option<AlertStatus>,
    #[serde(default = "default_limit")]
    limit: u32,
}

const fn default_limit() -> u32 {
    100
}

/// The alerts, newest first.
#[derive(Serialize)]
pub(super) struct Alerts {
    alerts: Vec<Alert>,
}

/// Lists alerts.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<AlertsQuery>,
) -> Result<Json<Alerts>, ApiError> {
    let filter = AlertFilter {
        model: query.model,
        status: query.status,
        limit: Some(query.limit.min(10_000)),
        ..AlertFilter::default()
    };
    let alerts = shared.pipeline.metadata().alerts(&filter).await.map_err(|error| ApiError::internal(&error))?;
    Ok(Json(Alerts { alerts }))
}

/// One alert with its findings.
pub(super) async fn one(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<Alert>, ApiError> {
    find(&shared, &id).await.map(Json)
}

/// An alert, or the answer that there is none.
pub(super) async fn find(shared: &Shared, id: &str) -> Result<Alert, ApiError> {
    let found = shared.pipeline.metadata().alert(id).await.map_err(|error| ApiError::internal(&error))?;
    let missing = || {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "no_such_alert",
            format!("there is no alert `{id}`: GET /v1/alerts lists them"),
        )
    };
    found.ok_or_else(missing)
}
