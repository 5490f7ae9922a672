//! `GET /v1/atlas`, `GET /v1/atlas/{technique}` and `POST /v1/atlas`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use wardline_domain::{Timestamp, atlas::Atlas};

use super::{Shared, error::ApiError};
use crate::{
    atlas::{self, AtlasReport, TechniqueReport, View},
    pipeline::now,
};

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AtlasQuery {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Of a layer.
    #[serde(default)]
    view: View,
    #[serde(default)]
    form: Form,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Report,
    Layer,
}

async fn asked(shared: &Shared, query: &AtlasQuery) -> Result<AtlasReport, ApiError> {
    let to = query.to.unwrap_or_else(now);
    let from = query.from.unwrap_or_else(|| to.plus(-7 * Timestamp::DAY));
    let report = atlas::report(&shared.pipeline, &shared.settings, (from, to)).await;
    report.map_err(|error| ApiError::internal(&format!("{error:#}")))
}

/// Every technique, or a layer for the navigator.
pub(super) async fn report(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<AtlasQuery>,
) -> Result<Response, ApiError> {
    let report = asked(&shared, &query).await?;
    if query.form == Form::Report {
        return Ok(Json(report).into_response());
    }
    let catalogue = atlas::catalogue(&shared.pipeline).await.map_err(|error| ApiError::internal(&error))?;
    Ok(Json(report.layer(&catalogue, query.view)).into_response())
}

/// One technique.
pub(super) async fn technique(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<AtlasQuery>,
) -> Result<Json<TechniqueReport>, ApiError> {
    let report = asked(&shared, &query).await?;
    let found = report.techniques.into_iter().find(|technique| technique.id.eq_ignore_ascii_case(&id));
    let message = format!("ATLAS {} has no technique `{id}`: GET /v1/atlas lists them", report.version);
    found.map(Json).ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "no_such_technique", message))
}

/// Takes a release into use.
pub(super) async fn import(State(shared): State<Arc<Shared>>, file: Bytes) -> Result<Json<Value>, ApiError> {
    let refused = |error: wardline_domain::atlas::AtlasError| {
        ApiError::new(StatusCode::BAD_REQUEST, "no_atlas_release", error.to_string())
    };
    let release = Atlas::read(&file).map_err(refused)?;
    atlas::keep(&shared.pipeline, &release).await.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
    Ok(Json(json!({ "version": release.version, "summary": atlas::summary(&release) })))
}
