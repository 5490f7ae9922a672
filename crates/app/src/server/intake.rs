//! `POST /v1/events`: NDJSON in, plain, gzip or zstd; answered once it is on disk.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Shared, auth::Sender, body::Encoding, error::ApiError};

/// Takes in a body of NDJSON.
///
/// 200 with counts once every good record is durable; 400 where no record was good; 413 and 415 for a
/// body too large or of an unknown encoding; 503 with `Retry-After` where it cannot be stored now.
pub(super) async fn post_events(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("identity");
    let encoding = Encoding::of(encoding)?;
    let held = shared.bodies.read(body, encoding).await?;
    // The work goes on when the caller hangs up: what is in the journal must also reach the lake.
    let taken = tokio::spawn(async move {
        let (lines, _room) = held.split();
        shared.pipeline.take_in(lines, &sender.0).await.map_err(ApiError::from)
    })
    .await
    .map_err(|error| ApiError::internal(&error))??;
    let status = if taken.accepted + taken.duplicates == 0 && taken.rejected > 0 {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    Ok((status, Json(taken)).into_response())
}
