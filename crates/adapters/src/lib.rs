//! Everything that speaks to another system: sources, decoders and actuators.
//!
//! **Invariant:** what leaves a decoder obeys the event schema; whatever does not is a dead letter with its
//! reason, and never a panic.

mod columnar;
mod columns;
mod decoded;
mod fields;
mod json;
mod left_over;
mod model_columns;
mod names;
mod own_values;
mod read;
mod record;
mod registry;
mod table;

pub mod actuators;
pub mod files;
pub mod ndjson;

pub use decoded::{Arrival, Decoded};
pub use registry::{FeatureType, ModelColumns, SchemaRegistry};
