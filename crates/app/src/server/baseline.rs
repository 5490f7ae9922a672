//! `GET /v1/models` and `GET /v1/models/{model}/baseline`: what is normal.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use wardline_detect::Baseline;

use super::{Shared, error::ApiError};

/// The models that were seen.
#[derive(Serialize)]
pub(super) struct Models {
    models: Vec<String>,
}

/// Lists the models.
pub(super) async fn models(State(shared): State<Arc<Shared>>) -> Json<Models> {
    Json(Models { models: shared.pipeline.models() })
}

/// The learned profile of a model, as JSON, or as text for a terminal where `Accept` asks for `text/plain`.
pub(super) async fn baseline(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let wants_text = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/plain"));
    let baseline = shared.pipeline.baseline(&model);
    let answer = |baseline: Baseline| {
        if wants_text { baseline.to_text().into_response() } else { Json(baseline).into_response() }
    };
    baseline.map(answer).ok_or_else(|| {
        let known = shared.pipeline.models();
        let hint = if known.is_empty() {
            "no model was seen yet".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        ApiError::new(StatusCode::NOT_FOUND, "no_such_model", format!("no event of model `{model}` was seen: {hint}"))
    })
}
