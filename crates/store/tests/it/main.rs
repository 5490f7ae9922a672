//! The public API of the store.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod journal;
mod journal_events;
mod journal_faults;
mod journal_faulty_storage;
mod lake;
mod many_files;
mod metadata;
mod metadata_postgres;
mod postgres;
mod rows;
mod sql;
mod storage;
