//! The memory of statements: each has a limit of its own, and all together have one.

use std::{fmt, sync::Arc};

use arrow::array::{Array as _, RecordBatch};
use datafusion::{
    error::Result,
    execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation},
};

/// A statement's share of the engine's memory, divided fairly among its steps.
#[derive(Debug)]
pub(super) struct StatementPool {
    own: FairSpillPool,
    engine: Arc<dyn MemoryPool>,
}

impl StatementPool {
    /// A statement that may use this many bytes, as far as the engine has them left.
    pub(super) fn new(engine: Arc<dyn MemoryPool>, bytes: usize) -> Self {
        Self { own: FairSpillPool::new(bytes), engine }
    }
}

impl MemoryPool for StatementPool {
    fn name(&self) -> &str {
        "statement"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
        self.engine.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.engine.unregister(consumer);
        self.own.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.engine.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.engine.shrink(reservation, shrink);
        self.own.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        // A step that is refused here goes to disk, as where the statement's own share is used up.
        self.engine.try_grow(reservation, additional).inspect_err(|_| self.own.shrink(reservation, additional))
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

impl fmt::Display for StatementPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, of {}", self.own, self.engine)
    }
}

/// Bytes of a batch's rows. Buffers that it shares with other batches count as far as it uses them.
pub(super) fn answer_bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(column.get_array_memory_size())).sum()
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    /// Goal: no two statements have more than the engine has, and what is refused is not counted.
    #[test]
    fn statements_share_the_engines_memory() {
        let engine: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100));
        let statement = || -> Arc<dyn MemoryPool> { Arc::new(StatementPool::new(Arc::clone(&engine), 80)) };
        let (first, second) = (statement(), statement());
        let one = MemoryConsumer::new("one").register(&first);
        let two = MemoryConsumer::new("two").with_can_spill(true).register(&second);
        assert!(one.try_grow(81).is_err(), "its own limit");
        one.try_grow(80).unwrap();
        assert!(two.try_grow(21).is_err(), "what the other left");
        assert_eq!((second.reserved(), engine.reserved()), (0, 80));
        two.try_grow(20).unwrap();
        drop(one);
        two.try_grow(60).unwrap();
        drop(two);
        assert_eq!((first.reserved(), second.reserved(), engine.reserved()), (0, 0, 0));
    }

    #[test]
    fn a_slice_counts_what_it_uses() {
        let column: arrow::array::ArrayRef = Arc::new(arrow::array::Int64Array::from_iter_values(0..1_000));
        let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
        assert_eq!(answer_bytes(&batch.slice(0, 10)), 80);
    }
}
