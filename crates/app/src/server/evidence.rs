//! `/v1/evidence`: packs that others can check without this server.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use wardline_respond::incident::{Actor, FrozenPack};

use super::{Shared, auth::Sender, error::ApiError};

/// The key that signs.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyAnswer {
    pub(crate) fingerprint: String,
}

/// Freezes what is known of an incident, and says which pack holds it.
pub(super) async fn freeze(
    State(shared): State<Arc<Shared>>,
    Extension(sender): Extension<Sender>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<FrozenPack>), ApiError> {
    if shared.pipeline.incidents().view(&id).is_none() {
        let message = format!("there is no incident `{id}`: GET /v1/incidents lists them");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_incident", message));
    }
    let by = Actor::Person(sender.0.to_string());
    let pack = shared.pipeline.evidence().freeze(&id, "asked for", &by).await;
    pack.map(|pack| (StatusCode::CREATED, Json(pack))).map_err(|error| ApiError::internal(&format!("{error:#}")))
}

/// A pack by its name.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let bytes = shared.pipeline.evidence().read(&name).await;
    let bytes = bytes.map_err(|error| ApiError::new(StatusCode::NOT_FOUND, "no_such_pack", format!("{error:#}")))?;
    Ok(([(header::CONTENT_TYPE, "application/zip")], bytes))
}

/// Which key signs: what others compare.
pub(super) async fn key(State(shared): State<Arc<Shared>>) -> Json<KeyAnswer> {
    Json(KeyAnswer { fingerprint: shared.pipeline.evidence().fingerprint() })
}
