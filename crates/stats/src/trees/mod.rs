//! Tree ensembles that other libraries trained: one form of them in memory, and their exact predictions.
//!
//! Invariant: bytes from outside give an [`Ensemble`] or an error, never a panic or an endless loop.

mod ensemble;
mod lightgbm;
mod load_error;
mod tree;
mod xgboost;
mod xgboost_ubj;

pub use ensemble::{Aggregation, Ensemble, EnsembleParts, Link, Precision};
pub use lightgbm::lightgbm_text;
pub use load_error::LoadError;
pub use tree::{MAX_DEPTH, Missing, Node, Rule, Split, Tree, TreeParts, UnsoundTree};
pub use xgboost::{xgboost_json, xgboost_ubj};
