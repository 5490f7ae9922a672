//! Which feature moved a prediction, by how much, and how sure that is.
//!
//! Shapley values of a game: the players are the features of one row, and a coalition is worth the mean
//! output where its features are taken from the row and all others from elsewhere. "Elsewhere" decides
//! what is asked, and each function says which it takes: rows of a background (*interventional*: what the
//! model does), or the training rows that fell into a tree's nodes (*path-dependent*: closer to what
//! the data does). Neither is a statement about causes in the world.
//!
//! | item | explains |
//! | --- | --- |
//! | [`LinearShap`] | a linear model, exactly, with independent or correlated features |
//! | [`kernel_shap`] | any model: exactly for few features, else by regression on sampled coalitions |
//! | [`permutation_shap`] | any model, by walks through permutations |
//! | [`TreeShap`] | sums of trees, exactly, with interactions, whatever their depth |
//! | [`permutation_importance`] | any model as a whole: what its loss gains when a column is shuffled |
//! | [`compare_features`] | which features carry the change from one model to the next, of the output or the loss |
//! | [`loss_by_slice`] | which rows carry the change of the loss |

mod attribution;
mod compare;
mod game;
mod importance;
mod kernel;
mod linear;
mod loss;
mod permutation;
mod tree;

pub use attribution::Attribution;
pub use compare::{
    Change, CompareSettings, FeatureChange, PairedPredictions, SliceChange, compare_features, loss_by_slice,
};
pub use importance::{ImportanceSettings, permutation_importance};
pub use kernel::{KernelSettings, kernel_shap};
pub use linear::LinearShap;
pub use loss::PointLoss;
pub use permutation::{PermutationSettings, permutation_shap};
pub use tree::{TreeInteractions, TreeModel, TreeNode, TreeShap, TreeValues};
