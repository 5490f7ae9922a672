//! Scenarios: telemetry of AI models in service, made from a seed, with the truth about what was put in.
//!
//! A [`Scenario`] is a fleet of models, their rhythm, and what goes wrong with them. The same scenario,
//! seed and options give the same lines on every machine, sorted by time, in event schema version 1.
//! [`Load`] makes many plain predictions fast, for benches.
//!
//! **Invariant:** nothing here reads a clock, waits, or does I/O.

mod configuration;
mod decision;
mod effect;
mod feature;
mod fleet;
mod json_line;
mod load;
mod model;
mod prediction;
mod random;
mod replica;
mod rhythm;
mod scenario;
mod scenarios;
mod stream;
mod traffic;
mod truth;

pub use effect::{Effect, Scope};
pub use load::{Load, LoadOptions};
pub use scenario::{Options, Scenario};
pub use scenarios::SCENARIOS;
pub use stream::{Events, Record};
pub use truth::{Harmless, Injection, Truth};
