//! `/v1/audit`: who changed what, and whether the log of it is as it was written.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderName, header},
};
use serde::{Deserialize, Serialize};

use super::{Shared, error::ApiError};
use crate::accounts::{Listed, Verification};

/// Most records of one answer.
const MOST_RECORDS: usize = 10_000;

/// Which records are asked for: from a place on, or the last ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    from: Option<u64>,
    #[serde(default = "default_limit")]
    limit: usize,
}

const fn default_limit() -> usize {
    100
}

/// Records in their order.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub(crate) struct AuditList {
    /// How many there are in all.
    pub(crate) length: u64,
    /// Those that were asked for.
    pub(crate) records: Vec<Listed>,
}

fn failed(error: anyhow::Error) -> ApiError {
    ApiError::internal(&format!("{error:#}"))
}

/// Lists records.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditList>, ApiError> {
    let limit = query.limit.min(MOST_RECORDS);
    let length = shared.accounts.length().await.map_err(failed)?;
    let from = query.from.unwrap_or_else(|| length.saturating_sub(limit as u64));
    let records = shared.accounts.records(from, limit).await.map_err(failed)?;
    Ok(Json(AuditList { length, records }))
}

/// Checks every record.
pub(super) async fn verify(State(shared): State<Arc<Shared>>) -> Result<Json<Verification>, ApiError> {
    shared.accounts.verify().await.map(Json).map_err(failed)
}

/// The lines of the chain, as they were hashed.
pub(super) async fn chain(
    State(shared): State<Arc<Shared>>,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let lines = shared.accounts.lines().await.map_err(failed)?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines))
}
