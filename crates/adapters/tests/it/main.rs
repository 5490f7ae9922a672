//! The public API of the sources: files in, batches out.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on panics.

#[path = "../../../../fuzz/checks/mod.rs"]
mod checks;
mod corpus;
mod csv_files;
mod line_files;
mod parquet_files;
mod samples;
