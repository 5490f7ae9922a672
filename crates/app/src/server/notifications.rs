//! `/v1/notifications`: what was told whom, what did not arrive, and trying again.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use wardline_store::metadata::{MessageFilter, MessageStatus};

use super::{Shared, error::ApiError};
use crate::notifications::{MessageView, TestError};

/// Which messages are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessagesQuery {
    status: Option<MessageStatus>,
    receiver: Option<String>,
    #[serde(default = "default_limit")]
    limit: u32,
}

const fn default_limit() -> u32 {
    100
}

/// Messages, the newest first.
#[derive(Serialize, Deserialize)]
pub(crate) struct NotificationList {
    pub(crate) notifications: Vec<MessageView>,
}

/// Which notifier is tried.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestBody {
    receiver: String,
}

/// Lists messages.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<NotificationList>, ApiError> {
    let filter = MessageFilter { status: query.status, receiver: query.receiver, limit: query.limit.min(10_000) };
    let notifications = shared.pipeline.notifications().views(&filter).await;
    Ok(Json(NotificationList { notifications: notifications.map_err(|error| ApiError::internal(&error))? }))
}

/// Tries a message again.
pub(super) async fn retry(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<MessageView>, ApiError> {
    let message = shared.pipeline.notifications().retry(&id).await.map_err(|error| ApiError::internal(&error))?;
    let missing = || {
        let message = format!("there is no notification `{id}`: GET /v1/notifications lists them");
        ApiError::new(StatusCode::NOT_FOUND, "no_such_notification", message)
    };
    message.map(Json).ok_or_else(missing)
}

/// Sends a test to one notifier, and says whether it took it.
pub(super) async fn test(
    State(shared): State<Arc<Shared>>,
    Json(body): Json<TestBody>,
) -> Result<StatusCode, ApiError> {
    match shared.pipeline.notifications().test(&body.receiver).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ TestError::NoSuchNotifier { .. }) => {
            Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_notifier", error.to_string()))
        }
        Err(error @ TestError::NotSent(_)) => {
            Err(ApiError::new(StatusCode::BAD_GATEWAY, "not_sent", error.to_string()))
        }
    }
}
