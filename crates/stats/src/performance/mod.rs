//! How good a model is: with labels, before they arrive, and with the few that did.

mod calibration;
mod classification;
mod delayed;
mod estimate;
mod isotonic;
mod platt;
mod prediction_powered;
mod probability_loss;
mod ranking;
mod regression;
mod reliability_diagram;
mod shift;

pub use calibration::{
    ReliabilityBin, brier_score, expected_calibration_error, log_loss, reliability, reliability_by_rank,
};
pub use classification::{
    AreaDifference, Average, BinaryMetric, BoundedEstimate, Confusion, MulticlassConfusion, ScoreHistogram,
    area_under_precision_recall, area_under_roc, area_under_roc_difference, average_precision, one_vs_rest_area,
    weighted_area_under_roc,
};
pub use delayed::{DelayError, DelayedShare, MaturityCurve, RecentPrediction};
pub use estimate::{
    BusinessValue, CalibratedScores, Cbpe, ExpectedConfusion, ExpectedHistogram, MulticlassCbpe, MulticlassEstimate,
    estimated_area, estimated_area_under_roc, estimated_average_precision,
};
pub use isotonic::Isotonic;
pub use platt::Platt;
pub use prediction_powered::{PredictionPowered, PredictionPoweredConfusion};
pub use probability_loss::{brier_estimate, log_loss_estimate, multiclass_brier, multiclass_log_loss};
pub use ranking::{RankedList, RankingMetric, RankingQuality};
pub use regression::{RegressionErrors, RegressionMetric, quantile_loss, r_squared};
pub use reliability_diagram::ReliabilityDiagram;
pub use shift::{DirectLoss, DirectLossEstimate, ShiftError, ShiftEstimate, ShiftReference};
