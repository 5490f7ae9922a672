//! How far each feature moved one output.

use serde::{Deserialize, Serialize};

use crate::interval::Estimate;

/// Shapley values of one row and one output; `base` and the values sum to `output`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The output where no feature of the row is known, in the unit of the output.
    pub base: f64,
    /// The output of the row.
    pub output: f64,
    /// How far each feature moved the output, with the error that sampling of coalitions left: zero
    /// where the values are exact. The error of a small background is not in it.
    pub values: Vec<Estimate>,
}
