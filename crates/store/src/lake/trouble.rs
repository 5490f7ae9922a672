//! Which tables cannot be written, and why.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{LakeError, TableName};

/// The tables whose last commit failed.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    by_table: Mutex<BTreeMap<TableName, Trouble>>,
}

#[derive(Debug)]
struct Trouble {
    /// Commits that failed since the last one that did not.
    failures: u32,
    /// The last error.
    error: String,
}

impl Troubles {
    /// Notes how a table's commit went.
    pub(super) fn note(&self, table: &TableName, flushed: &Result<(), LakeError>) {
        let mut by_table = self.by_table();
        match flushed {
            Ok(()) => drop(by_table.remove(table)),
            Err(error) => {
                let failures = by_table.get(table).map_or(0, |trouble| trouble.failures);
                let trouble = Trouble { failures: failures.saturating_add(1), error: error.to_string() };
                by_table.insert(table.clone(), trouble);
            }
        }
    }

    /// Commits of a table that failed since the last one that did not.
    pub(super) fn failures(&self, table: &TableName) -> u32 {
        self.by_table().get(table).map_or(0, |trouble| trouble.failures)
    }

    /// The first table in trouble, and its last error.
    pub(super) fn first(&self) -> Option<String> {
        let by_table = self.by_table();
        let (table, trouble) = by_table.iter().next()?;
        Some(format!("table `{table}` cannot be written: {}", trouble.error))
    }

    fn by_table(&self) -> MutexGuard<'_, BTreeMap<TableName, Trouble>> {
        self.by_table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
