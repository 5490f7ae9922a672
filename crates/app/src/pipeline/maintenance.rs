//! Housekeeping of the tables: compaction, retention, and deleting what neither needs any more.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use wardline_store::lake::Lake;

/// How often the tables are looked through; there is nothing to do most of the time.
const EVERY: Duration = Duration::from_secs(60);

/// Starts housekeeping.
pub(super) fn start(lake: Arc<Lake>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let report = lake.maintain(super::now()).await;
            tracing::debug!(?report, "tables maintained");
        }
    })
}
