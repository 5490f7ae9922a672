//! The journal, the lake, SQL and metadata.
//!
//! **Invariant:** what was acknowledged is on the disk, is in the lake once, and is seen by every later
//! query. This is the only crate that knows the query engine and the table format.

pub mod dead_letters;
pub mod dedupe;
pub mod journal;
pub mod lake;
pub mod metadata;
pub mod sql;

pub use lake::{Lake, LakeError, LakeSettings};
pub use metadata::{Metadata, MetadataError};
pub use sql::{Engine, EngineSettings, Limits, QueryError, QueryStream};
