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
//! | [`NearestDistance`] | is far from its nearest neighbours |
//! | [`LocalOutlierFactor`] | lies in a thinner place than its neighbours do |
//! | [`OneClassSvm`], [`LinearOneClass`] | lies outside of a border around most rows |
//! | [`RobustDistance`] | is far from the middle, in the shape of most rows |
//! | [`PrincipalResidual`] | breaks how columns usually go together |
//! | [`HistogramScore`] | has rare values |
//! | [`TailScore`] | has values far out in the tails (ECOD, COPOD) |
//! | [`Calibration`], [`SlidingCalibration`] | scores as few usual rows do: a p-value |

mod conformal;
mod extended_forest;
mod histogram_score;
mod isolation_forest;
mod mahalanobis;
mod nearest;
mod neighbours;
mod one_class;
mod online_forest;
mod path_length;
mod principal;
mod reference_rows;
mod tails;
mod typical;

pub use conformal::{Calibration, SlidingCalibration};
pub use extended_forest::ExtendedForest;
pub use histogram_score::HistogramScore;
pub use isolation_forest::{ForestSettings, IsolationForest, Part};
pub use mahalanobis::RobustDistance;
pub use nearest::{LocalOutlierFactor, NearestDistance};
pub use one_class::{LinearOneClass, LinearOneClassSettings, OneClassSvm, scale_gamma};
pub use online_forest::{OnlineForest, OnlineForestSettings};
pub use principal::PrincipalResidual;
pub use tails::{TailRule, TailScore};
