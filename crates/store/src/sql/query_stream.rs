//! The answer to a statement, batch by batch.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use futures::{Stream, StreamExt as _};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
};

use super::QueryError;

/// Rows of an answer. Dropping it stops the statement.
#[derive(Debug)]
pub struct QueryStream {
    pub(super) schema: SchemaRef,
    pub(super) batches: mpsc::Receiver<Result<RecordBatch, QueryError>>,
    pub(super) truncated: Arc<AtomicBool>,
    pub(super) task: JoinHandle<()>,
    /// Whether the task is known to have ended.
    pub(super) is_over: bool,
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
        if let Some(next) = ready!(self.batches.poll_recv(context)) {
            return Poll::Ready(Some(next));
        }
        if self.is_over {
            return Poll::Ready(None);
        }
        // Without this, the rows of a statement that broke off would pass for the whole answer.
        let end = ready!(Pin::new(&mut self.task).poll(context));
        self.is_over = true;
        Poll::Ready(end.err().map(|error| Err(broken_off(error))))
    }
}

/// Why a statement ended without saying so.
fn broken_off(error: JoinError) -> QueryError {
    let Ok(panic) = error.try_into_panic() else { return QueryError::Stopped };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("it did not say why");
    QueryError::Failed { message: format!("a step of it gave up ({text}): ask for less at once, with shorter texts") }
}

impl Drop for QueryStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;

    use super::*;

    fn answer(run: impl Future<Output = ()> + Send + 'static) -> QueryStream {
        let (sender, batches) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let _sender = sender;
            run.await;
        });
        let schema = Arc::new(Schema::empty());
        QueryStream { schema, batches, truncated: Arc::default(), task, is_over: false }
    }

    /// Goal: what broke off is an error, never a shorter answer.
    #[tokio::test]
    async fn a_statement_that_breaks_off_is_an_error() {
        assert_eq!(answer(async {}).collect().await.unwrap(), (vec![], false));
        let error = answer(async { panic!("offset overflow") }).collect().await.unwrap_err();
        insta::assert_snapshot!(error, @"the statement failed: a step of it gave up (offset overflow): ask for less at once, with shorter texts");
        let stopped = answer(std::future::pending());
        stopped.task.abort();
        assert!(matches!(stopped.collect().await, Err(QueryError::Stopped)));
    }
}
