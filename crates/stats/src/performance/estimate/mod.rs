//! What the performance must be if the probabilities are right: no labels needed.

mod area;
mod cbpe;
mod confusion;
mod histogram;
mod multiclass;

pub use area::{estimated_area, estimated_area_under_roc, estimated_average_precision};
pub use cbpe::{CalibratedScores, Cbpe};
pub use confusion::{BusinessValue, ExpectedConfusion};
pub use histogram::ExpectedHistogram;
pub use multiclass::{MulticlassCbpe, MulticlassEstimate};

pub(super) use cbpe::sorted_keys;

#[cfg(test)]
mod tests;
