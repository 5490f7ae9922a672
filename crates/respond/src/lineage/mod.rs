//! What flows into what: datasets, channels, features, jobs, models, endpoints and the systems behind them.
//!
//! An edge points the way data flow, and knows when it was used. What is reached from a node is therefore a question
//! of time: see [`Lineage::blast_radius`].

mod edge;
mod error;
mod feed;
mod graph;
mod mentions;
mod node;
mod radius;
pub mod sources;

#[cfg(test)]
mod tests;

pub use edge::{Edge, EdgeKind, Lag, Uses};
pub use error::LineageError;
pub use feed::{Flow, LineageFeed};
pub use graph::{Lineage, NodeIndex};
pub use mentions::Mentions;
pub use node::{Node, NodeFacts, NodeKind};
pub use radius::{BlastRadius, Reached};
