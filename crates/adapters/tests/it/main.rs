//! The public API of the sources: files in, batches out.

#[path = "../../../../fuzz/checks/mod.rs"]
mod checks;
mod corpus;
mod csv_files;
mod line_files;
mod parquet_files;
mod samples;
