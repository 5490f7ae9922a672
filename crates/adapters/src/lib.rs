//! Everything that speaks to another system: sources, decoders, actuators, notifiers and forms of other systems.
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
mod remote;
mod table;

pub mod actuators;
pub mod exports;
pub mod files;
pub mod ndjson;
pub mod notifiers;

pub use decoded::{Arrival, Decoded};
pub use registry::{FeatureType, ModelColumns, SchemaRegistry};
