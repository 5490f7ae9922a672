//! What a caller is told when something goes wrong: a stable code, a message, what to do.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::pipeline::IntakeError;

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_seconds: Option<u32>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'a str,
    message: &'a str,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_seconds: None }
    }

    /// What it is called, whatever its words.
    #[cfg(test)]
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }

    /// The request was fine and this server cannot serve it now.
    pub(super) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self { retry_after_seconds: Some(2), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message) }
    }

    /// Something inside failed; the details are in the log.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %error, "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log has the details")
    }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::NotNow { code, message } => Self::unavailable(code, message),
            IntakeError::Refused { code, message } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, message),
            IntakeError::Failed(error) => Self::internal(&format!("{error:#}")),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body { error: Detail { code: self.code, message: &self.message } };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"wardline\"");
            response.headers_mut().insert(HeaderName::from_static("www-authenticate"), challenge);
        }
        response
    }
}

/// A path that nothing serves.
pub(super) async fn not_found(uri: Uri) -> ApiError {
    let paths =
        "/v1/events, /v1/query, /v1/alerts, /v1/dead-letters, /v1/models, /v1/atlas, /metrics, /healthz, /readyz";
    ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("nothing is at `{}`; there are {paths}", uri.path()))
}
