//! The two sides of a comparison that runs side by side.

use serde::{Deserialize, Serialize};

/// Which of two versions answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Arm {
    /// The version that is known.
    Baseline,
    /// The version under test.
    Canary,
}
