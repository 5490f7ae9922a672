//! The answer to a statement, batch by batch.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use futures::{Stream, StreamExt as _};
use tokio::{sync::mpsc, task::JoinHandle};

use super::QueryError;

/// Rows of an answer. Dropping it stops the statement.
#[derive(Debug)]
pub struct QueryStream {
    pub(super) schema: SchemaRef,
    pub(super) batches: mpsc::Receiver<Result<RecordBatch, QueryError>>,
    pub(super) truncated: Arc<AtomicBool>,
    pub(super) task: JoinHandle<()>,
}

impl QueryStream {
    /// Columns of the answer.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether rows were left out because of the row limit; known once the last batch has come.
    pub fn is_truncated(&self) -> bool {
        self.truncated.load(Ordering::Relaxed)
    }

    /// All rows, and whether some were left out.
    ///
    /// # Errors
    /// [`QueryError`] where the statement fails on the way, or its answer outgrows the limit of its memory.
    pub async fn collect(mut self) -> Result<(Vec<RecordBatch>, bool), QueryError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok((batches, self.is_truncated()))
    }
}

impl Stream for QueryStream {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_recv(context)
    }
}

impl Drop for QueryStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}
