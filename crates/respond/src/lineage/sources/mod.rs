//! Readers of what other systems, and our own events, tell of lineage: functions over bytes.

mod cyclonedx;
mod events;
mod mlflow;
mod openlineage;
mod text;

#[cfg(test)]
mod tests;

pub use cyclonedx::cyclonedx;
pub use events::events;
pub use mlflow::mlflow;
pub use openlineage::openlineage;
