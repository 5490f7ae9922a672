//! The public API: files in, batches out; and actions in other systems, against the real programs.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on panics.

#[path = "../../../../fuzz/checks/mod.rs"]
mod checks;

mod actuators;
mod corpus;
mod csv_files;
mod exports;
mod line_files;
mod notifiers;
mod parquet_files;
mod samples;
