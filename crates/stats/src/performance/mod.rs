//! How good a model is: calibration, and its performance before labels arrive.

mod calibration;
mod estimate;
mod isotonic;

pub use calibration::{ReliabilityBin, brier_score, expected_calibration_error, log_loss, reliability};
pub use estimate::{ExpectedConfusion, estimated_area_under_roc};
pub use isotonic::Isotonic;
