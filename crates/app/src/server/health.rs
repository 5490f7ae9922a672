//! Whether the server lives, whether it can take in events, and its own metrics.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use wardline_detect::slo::SloCount;

use super::Shared;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> Json<serde_json::Value> {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /readyz`: the journal takes events, and the tables answer. 503 with the reason otherwise.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match shared.pipeline.readiness().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(reason) => {
            let body = Json(json!({ "status": "not ready", "reason": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], body).into_response()
        }
    }
}

/// `GET /metrics`: in the OpenMetrics text format, for Prometheus.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut counts: Vec<SloCount> = shared
        .settings
        .slos(&[])
        .into_iter()
        .map(|slo| SloCount { service: slo.service, slo: slo.name, events: 0, bad: 0 })
        .collect();
    // What was counted takes the place of the zeros.
    counts.extend(shared.pipeline.slo_counts());
    shared.pipeline.metrics().count_slos(&counts);
    ([(header::CONTENT_TYPE, content_type)], shared.pipeline.metrics().encode()).into_response()
}
