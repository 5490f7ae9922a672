//! Decoders that requests share, so that their buffers are kept from one request to the next.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::Semaphore;
use wardline_adapters::{Arrival, Decoded, SchemaRegistry, ndjson};
use wardline_domain::Timestamp;

/// As many decoders as there are cores: more would only wait for each other.
pub(super) struct Decoders {
    registry: Arc<SchemaRegistry>,
    limits: ndjson::Limits,
    idle: Arc<Mutex<Vec<ndjson::Decoder>>>,
    turns: Arc<Semaphore>,
}

impl Decoders {
    pub(super) fn new(registry: Arc<SchemaRegistry>, max_line_bytes: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            registry,
            limits: ndjson::Limits { max_line_bytes },
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(cores)),
        }
    }

    pub(super) const fn registry(&self) -> &Arc<SchemaRegistry> {
        &self.registry
    }

    /// Decodes a body off the threads that answer requests.
    pub(super) async fn decode(&self, lines: Bytes, sender: &str, received: Timestamp) -> anyhow::Result<Decoded> {
        let _turn = self.turns.acquire().await?;
        let idle = Arc::clone(&self.idle);
        let decoder = lock(&idle).pop();
        let mut decoder =
            decoder.unwrap_or_else(|| ndjson::Decoder::with_limits(Arc::clone(&self.registry), self.limits));
        let sender = sender.to_owned();
        let decoded = tokio::task::spawn_blocking(move || {
            let arrival = Arrival { received, sender: &sender, source: &sender, offset: 0 };
            let decoded = decoder.decode(&lines, &arrival);
            lock(&idle).push(decoder);
            decoded
        });
        Ok(decoded.await?)
    }
}

/// A decoder holds no promise that a panic could break, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
