//! Shapley values of trees.

mod curve;
mod descent;
mod duel;
mod engine;
mod grown;
mod model;
mod patterns;
mod quadrature;
mod shap;
mod sums;
mod table;

pub use model::{TreeModel, TreeNode};
pub use shap::{TreeInteractions, TreeShap, TreeValues};

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
