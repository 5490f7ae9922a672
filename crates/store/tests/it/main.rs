//! The public API of the store.

mod journal;
mod journal_events;
mod journal_faults;
mod journal_faulty_storage;
mod lake;
mod many_files;
mod metadata;
mod rows;
mod sql;
mod storage;
