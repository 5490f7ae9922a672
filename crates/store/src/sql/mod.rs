//! SQL over the lake and the alerts, read-only and within limits.
//!
//! **Invariant:** a statement changes nothing, reads nothing but the tables listed here, and ends by its
//! deadline; each of its tables is one picture of files and newest rows, taken when it was planned.

mod alert_table;
mod by_model;
mod catalog;
mod date_trunc;
mod engine;
mod error;
mod export;
mod filter_order;
mod guard;
mod labelled;
mod lake_table;
mod memory;
mod numbers;
mod percentile;
mod prune;
mod query_stream;
mod scan;
mod sketch;

pub use engine::{Engine, EngineSettings, Limits};
pub use error::QueryError;
pub use export::write_parquet;
pub use query_stream::QueryStream;
pub use sketch::Sketch;

pub(crate) use scan::{in_sequence, merge_files};
