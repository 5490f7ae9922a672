//! `POST /v1/events`: NDJSON in, plain, gzip or zstd; answered once it is on disk.

use std::{io::Read, sync::Arc};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Shared, auth::Sender, error::ApiError};

/// Takes in a body of NDJSON.
///
/// 200 with counts once every good record is durable; 400 where no record was good; 413 and 415 for a
/// body too large or of an unknown encoding; 503 with `Retry-After` where it cannot be stored now.
pub(super) async fn post_events(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("identity");
    let encoding = Encoding::of(encoding)?;
    let most = shared.settings.intake.max_body_bytes;
    // The work goes on when the caller hangs up: what is in the journal must also reach the lake.
    let taken = tokio::spawn(async move {
        let lines = if encoding == Encoding::Identity { Ok(body) } else { decompress(encoding, body, most).await };
        match lines {
            Ok(lines) => shared.pipeline.take_in(lines, &sender.0).await.map_err(ApiError::from),
            Err(error) => Err(error),
        }
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

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    fn of(name: &str) -> Result<Self, ApiError> {
        match name {
            "identity" | "" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => {
                let message = format!("content encoding `{other}` is not known: send identity, gzip or zstd");
                Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_encoding", message))
            }
        }
    }
}

/// Unpacks a body, and gives up as soon as it exceeds the limit: a small body can hold a very large one.
async fn decompress(encoding: Encoding, body: Bytes, most: usize) -> Result<Bytes, ApiError> {
    let unpacked = tokio::task::spawn_blocking(move || -> std::io::Result<Vec<u8>> {
        let mut unpacked = Vec::with_capacity((body.len() * 4).min(most));
        let limit = most as u64 + 1;
        match encoding {
            Encoding::Identity => body.as_ref().read_to_end(&mut unpacked)?,
            Encoding::Gzip => {
                flate2::read::MultiGzDecoder::new(body.as_ref()).take(limit).read_to_end(&mut unpacked)?
            }
            Encoding::Zstd => {
                zstd::stream::read::Decoder::new(body.as_ref())?.take(limit).read_to_end(&mut unpacked)?
            }
        };
        Ok(unpacked)
    })
    .await
    .map_err(|error| ApiError::internal(&error))?
    .map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_encoding", format!("the body cannot be unpacked: {error}"))
    })?;
    if unpacked.len() > most {
        let message =
            format!("the body unpacks to more than {most} bytes: send smaller batches, or raise `intake.max_body_mib`");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message));
    }
    Ok(Bytes::from(unpacked))
}
