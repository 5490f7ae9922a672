//! `GET /v1/dead-letters` and `POST /v1/dead-letters/replay`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use wardline_domain::DeadLetter;
use wardline_store::dead_letters::DeadLetterFilter;

use super::{Shared, error::ApiError};
use crate::pipeline::Taken;

/// Which records are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LettersQuery {
    reason: Option<String>,
    source: Option<String>,
    #[serde(default = "default_limit")]
    limit: usize,
}

const fn default_limit() -> usize {
    100
}

impl LettersQuery {
    fn into_parts(self) -> (DeadLetterFilter, usize) {
        let filter = DeadLetterFilter { reason: self.reason, source: self.source, ..DeadLetterFilter::default() };
        (filter, self.limit.min(10_000))
    }
}

/// A refused record.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ListedLetter {
    /// Its number.
    pub(crate) id: u64,
    /// What was refused, and why.
    #[serde(flatten)]
    pub(crate) letter: DeadLetter,
}

/// Refused records, newest first.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Letters {
    /// The records.
    pub(crate) dead_letters: Vec<ListedLetter>,
}

/// Lists refused records.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<LettersQuery>,
) -> Result<Json<Letters>, ApiError> {
    let (filter, limit) = query.into_parts();
    let stored = shared.pipeline.dead_letters(filter, limit).await.map_err(ApiError::from)?;
    let dead_letters = stored.into_iter().map(|stored| ListedLetter { id: stored.id, letter: stored.letter }).collect();
    Ok(Json(Letters { dead_letters }))
}

/// Puts refused records through again, once what was wrong is mended.
pub(super) async fn replay(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<LettersQuery>,
) -> Result<Json<Taken>, ApiError> {
    let (filter, limit) = query.into_parts();
    Ok(Json(shared.pipeline.replay_dead_letters(filter, limit).await?))
}
