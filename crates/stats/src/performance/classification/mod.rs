//! Decisions and scores of classifiers against their labels.

mod area;
mod average_precision;
mod confusion;
mod metric;
mod multiclass;
mod score_histogram;
pub(super) mod slope;

pub use area::{AreaDifference, area_under_roc, area_under_roc_difference, one_vs_rest_area, weighted_area_under_roc};
pub use average_precision::{area_under_precision_recall, average_precision};
pub use confusion::Confusion;
pub use metric::BinaryMetric;
pub use multiclass::{Average, MulticlassConfusion};
pub use score_histogram::{BoundedEstimate, ScoreHistogram};

pub(super) use area::{area_and_slopes, rising};
pub(super) use average_precision::precision_and_slopes;
pub(super) use metric::{FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE};

#[cfg(test)]
mod tests;
