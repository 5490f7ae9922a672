//! `/v1/rollouts`: beginning, watching and deciding rollouts; and what Flagger and Argo Rollouts ask.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wardline_respond::rollout::{Course, RolloutPlan};

use super::{Shared, auth::Sender, error::ApiError};
use crate::rollouts::{RolloutView, StartError, argo_answer, flagger_says};

/// Which rollouts are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RolloutsQuery {
    model: Option<String>,
}

/// Rollouts, the newest first.
#[derive(Serialize)]
pub(super) struct RolloutList {
    rollouts: Vec<RolloutView>,
}

/// The rollout that was begun.
#[derive(Serialize)]
pub(super) struct Begun {
    rollout: String,
}

/// Why a person decides.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    #[serde(default)]
    reason: String,
}

async fn views(shared: &Shared, model: Option<&str>) -> Result<Vec<RolloutView>, ApiError> {
    let views = shared.pipeline.rollouts().views(model).await;
    views.map_err(|error| ApiError::internal(&format!("{error:#}")))
}

/// Lists rollouts with their logs.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<RolloutsQuery>,
) -> Result<Json<RolloutList>, ApiError> {
    Ok(Json(RolloutList { rollouts: views(&shared, query.model.as_deref()).await? }))
}

/// Begins a rollout from its file.
pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    body: String,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let refused = |error: &dyn std::fmt::Display| ApiError::new(StatusCode::BAD_REQUEST, "bad_plan", error.to_string());
    let plan = RolloutPlan::from_yaml(&body).map_err(|error| refused(&error))?;
    match shared.pipeline.rollouts().start(plan, &sender.0).await {
        Ok(rollout) => Ok((StatusCode::CREATED, Json(Begun { rollout }))),
        Err(StartError::Refused(error)) => Err(ApiError::new(StatusCode::CONFLICT, "busy", error.to_string())),
        Err(error @ StartError::NoSuchActuator { .. }) => Err(refused(&error)),
        Err(error @ StartError::NotWritten(_)) => Err(ApiError::internal(&error)),
    }
}

/// Takes a person's decision: `promote` or `abort`.
pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    Path((model, decision)): Path<(String, String)>,
    body: Option<Json<Decision>>,
) -> Result<StatusCode, ApiError> {
    let course = match decision.as_str() {
        "promote" => Course::Through,
        "abort" => Course::Back,
        other => {
            let message = format!("`{other}` is no decision: write promote or abort");
            return Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_decision", message));
        }
    };
    let said = body.map(|Json(body)| body.reason).unwrap_or_default();
    let reason = if said.is_empty() { format!("{decision} by {}", sender.0) } else { said };
    let decided = shared.pipeline.rollouts().decide(&model, course, &sender.0, &reason).await;
    if decided.map_err(|error| ApiError::internal(&format!("{error:#}")))? {
        return Ok(StatusCode::ACCEPTED);
    }
    let message = format!("no rollout of {model} is under way that this would change: GET /v1/rollouts lists them");
    Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_rollout", message))
}

/// A webhook of Flagger: the model is `metadata.model`, or the name of the `Canary`.
pub(super) async fn flagger(
    State(shared): State<Arc<Shared>>,
    Path(hook): Path<String>,
    Json(payload): Json<Value>,
) -> Result<StatusCode, ApiError> {
    let model = payload["metadata"]["model"].as_str().or_else(|| payload["name"].as_str()).unwrap_or_default();
    let views = views(&shared, Some(model)).await?;
    match flagger_says(&hook, views.first()) {
        Some(true) => Ok(StatusCode::OK),
        Some(false) => Ok(StatusCode::FORBIDDEN),
        None => {
            let message = format!("`{hook}` is no webhook that is served: use rollback, confirm-promotion or rollout");
            Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_hook", message))
        }
    }
}

/// A `web` metric of Argo Rollouts.
pub(super) async fn argo(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(argo_answer(views(&shared, Some(&model)).await?.first())))
}
