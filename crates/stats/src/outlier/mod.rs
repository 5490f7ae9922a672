//! Rows that are unlike the others: outliers within a sample, novelty against a reference.
//!
//! A model is fitted to rows that are mostly usual and scores others, larger for more unusual. Scores have no
//! false-alarm rate of their own; a calibration turns them into p-values, so that a threshold means one.
//!
//! | type | a row is unusual that |
//! | --- | --- |
//! | [`IsolationForest`] | few random splits cut off |
//! | [`ExtendedForest`] | few random planes cut off: combinations of features too |
//! | [`OnlineForest`] | lies where few of the stream's last rows lie |
//! | [`Calibration`], [`SlidingCalibration`] | scores as few usual rows do: a p-value |

mod conformal;
mod extended_forest;
mod isolation_forest;
mod online_forest;
mod path_length;
mod typical;

pub use conformal::{Calibration, SlidingCalibration};
pub use extended_forest::ExtendedForest;
pub use isolation_forest::{ForestSettings, IsolationForest, Part};
pub use online_forest::{OnlineForest, OnlineForestSettings};
