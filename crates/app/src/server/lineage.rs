//! `/v1/lineage`: what flows into what.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_respond::lineage::{Lineage, Node, sources};

use super::{Shared, error::ApiError, incidents::RadiusAnswer};

/// What another system's bytes are.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// Run events of OpenLineage.
    #[default]
    Openlineage,
    /// A bill of materials of machine learning.
    Cyclonedx,
    /// Answers of an MLflow server.
    Mlflow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineageQuery {
    #[serde(default)]
    format: Format,
}

/// What was taken in.
#[derive(Serialize, Deserialize)]
pub(crate) struct TakenIn {
    pub(crate) nodes: usize,
    pub(crate) edges: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RadiusQuery {
    node: String,
    since: Timestamp,
}

/// Takes in what another system tells. OpenLineage's clients send here by themselves.
pub(super) async fn take_in(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<LineageQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<TakenIn>), ApiError> {
    let read = match query.format {
        Format::Openlineage => sources::openlineage(&body),
        Format::Cyclonedx => sources::cyclonedx(&body),
        Format::Mlflow => sources::mlflow(&body),
    };
    let refused =
        |error: &dyn std::fmt::Display| ApiError::new(StatusCode::BAD_REQUEST, "bad_lineage", error.to_string());
    let graph = read.map_err(|error| refused(&error))?;
    let taken = TakenIn { nodes: graph.nodes().len(), edges: graph.edges().len() };
    shared.pipeline.incidents().absorb(graph).map_err(|error| refused(&error))?;
    shared.pipeline.incidents().save().await.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
    Ok((StatusCode::CREATED, Json(taken)))
}

/// The whole graph.
pub(super) async fn graph(State(shared): State<Arc<Shared>>) -> Json<Lineage> {
    Json(shared.pipeline.incidents().lineage())
}

/// What a node has reached since a moment.
pub(super) async fn radius(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<RadiusQuery>,
) -> Result<Json<RadiusAnswer>, ApiError> {
    reached(&shared, &query.node, query.since).map(Json)
}

/// What a node has reached since a moment, by its name.
pub(super) fn reached(shared: &Shared, name: &str, since: Timestamp) -> Result<RadiusAnswer, ApiError> {
    let node: Node = name.parse().map_err(|error: wardline_respond::lineage::LineageError| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_node", error.to_string())
    })?;
    let radius = shared.pipeline.incidents().radius(&node, since).ok_or_else(|| {
        let message = format!("no node `{name}` is known: GET /v1/lineage lists them");
        ApiError::new(StatusCode::NOT_FOUND, "no_such_node", message)
    })?;
    Ok(RadiusAnswer { origin: name.to_owned(), since, radius })
}
