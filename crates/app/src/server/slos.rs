//! `GET /v1/slos`: the objectives that the server watches.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use wardline_domain::Slo;

use super::Shared;

/// The objectives of every model and service.
#[derive(Serialize, Deserialize)]
pub(crate) struct SlosAnswer {
    pub(crate) slos: Vec<Slo>,
}

/// Lists them.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<SlosAnswer> {
    Json(SlosAnswer { slos: shared.settings.slos(&shared.pipeline.models()) })
}
