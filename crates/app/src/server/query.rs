//! `POST /v1/query`: SQL in, JSON or an Arrow IPC stream out.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef, ipc::writer::StreamWriter};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wardline_store::sql::{Engine, Limits, QueryError};

use super::{Shared, error::ApiError};
use crate::settings::QueryLimits;

/// A question.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryRequest {
    /// One SELECT statement.
    pub(crate) sql: String,
    /// Most rows; at most what the server allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_rows: Option<usize>,
    /// Longest time in seconds; at most what the server allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_seconds: Option<f64>,
}

/// Set where the answer has more rows than were asked for or are allowed.
pub(crate) const TRUNCATED_HEADER: &str = "x-wardline-truncated";

const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// Answers a question within the limits of the settings.
///
/// # Errors
/// What is wrong with the question, or which limit it ran into.
pub(crate) async fn answer(
    engine: &Engine,
    request: &QueryRequest,
    limits: &QueryLimits,
) -> Result<(SchemaRef, Vec<RecordBatch>, bool), QueryError> {
    let allowed = std::time::Duration::from_micros(limits.timeout.unsigned_abs());
    let asked = request
        .timeout_seconds
        .filter(|seconds| *seconds > 0.0 && *seconds < 1e9)
        .map(std::time::Duration::from_secs_f64);
    let limits = Limits {
        memory_bytes: limits.memory_bytes,
        timeout: asked.map_or(allowed, |asked| asked.min(allowed)),
        max_rows: request.max_rows.map_or(limits.max_rows, |rows| rows.min(limits.max_rows)),
    };
    let stream = engine.query(&request.sql, limits).await?;
    let schema = SchemaRef::clone(stream.schema());
    let (batches, truncated) = stream.collect().await?;
    Ok((schema, batches, truncated))
}

/// Answers in the form that `Accept` asks for; JSON by default.
pub(super) async fn post_query(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    request: Result<Json<QueryRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let unreadable = |rejected: JsonRejection| {
        let message = format!("{}: send JSON such as {{\"sql\": \"SELECT 1\"}}", rejected.body_text());
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
    };
    let Json(request) = request.map_err(unreadable)?;
    let (schema, batches, truncated) =
        answer(shared.pipeline.engine(), &request, &shared.settings.query).await.map_err(|error| refusal(&error))?;
    let wants_arrow = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains(ARROW_STREAM));
    let mut response = if wants_arrow { as_arrow(&schema, &batches) } else { as_json(&schema, &batches, truncated) }?;
    if truncated {
        response.headers_mut().insert(TRUNCATED_HEADER, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn refusal(error: &QueryError) -> ApiError {
    let status = match error {
        QueryError::TimedOut { .. } => StatusCode::REQUEST_TIMEOUT,
        QueryError::OutOfMemory { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        QueryError::Failed { .. } => return ApiError::internal(error),
        QueryError::Stopped => return ApiError::unavailable(error.code(), error.to_string()),
        _ => StatusCode::BAD_REQUEST,
    };
    ApiError::new(status, error.code(), error.to_string())
}

fn as_arrow(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Response, ApiError> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, schema).map_err(|error| ApiError::internal(&error))?;
    batches
        .iter()
        .try_for_each(|batch| writer.write(batch))
        .and_then(|()| writer.finish())
        .map_err(|error| ApiError::internal(&error))?;
    drop(writer);
    Ok(([(header::CONTENT_TYPE, ARROW_STREAM)], bytes).into_response())
}

/// `{"columns": [{name, type}], "rows": [{…}], "truncated": false}`
fn as_json(schema: &SchemaRef, batches: &[RecordBatch], truncated: bool) -> Result<Response, ApiError> {
    let mut rows = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(&mut rows);
    batches
        .iter()
        .try_for_each(|batch| writer.write(batch))
        .and_then(|()| writer.finish())
        .map_err(|error| ApiError::internal(&error))?;
    drop(writer);
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": field.data_type().to_string() }))
        .collect();
    // The rows are JSON already, so they are put in place as they are.
    let rows = if rows.is_empty() {
        "[]".to_owned()
    } else {
        String::from_utf8(rows).map_err(|error| ApiError::internal(&error))?
    };
    let columns = serde_json::to_string(&columns).map_err(|error| ApiError::internal(&error))?;
    let body = format!("{{\"columns\":{columns},\"rows\":{rows},\"truncated\":{truncated}}}");
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
