//! The metrics of a two-by-two table, with their slopes.

use serde::{Deserialize, Serialize};

use super::slope::Sloped;

/// A metric of decisions against labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum BinaryMetric {
    /// The share of decisions that are right.
    Accuracy,
    /// The mean of recall and specificity.
    BalancedAccuracy,
    /// The share of positive decisions that are right.
    Precision,
    /// The share of negative decisions that are right.
    NegativePredictiveValue,
    /// The share of positives that are found.
    Recall,
    /// The share of negatives that are left alone.
    Specificity,
    /// The harmonic mean of precision and recall.
    F1,
    /// As F1, where recall counts `beta` times as much as precision; `beta` is positive.
    FBeta(f64),
    /// The correlation of decisions and labels (Matthews), in `-1..=1`.
    MatthewsCorrelation,
    /// The agreement beyond chance (Cohen's kappa), in `-1..=1`.
    Kappa,
}

/// The places of the counts in slopes.
pub(in crate::performance) const TRUE_POSITIVE: usize = 0;
pub(in crate::performance) const FALSE_POSITIVE: usize = 1;
pub(in crate::performance) const TRUE_NEGATIVE: usize = 2;
pub(in crate::performance) const FALSE_NEGATIVE: usize = 3;

impl BinaryMetric {
    /// Whether the metric lies in `0..=1`; the others lie in `-1..=1`.
    #[must_use]
    pub fn is_share(self) -> bool {
        !matches!(self, Self::MatthewsCorrelation | Self::Kappa)
    }

    /// The metric of counts in the order of the constants above, and its slopes; `None` where it has
    /// no value, as precision without positive decisions.
    pub(in crate::performance) fn at(self, counts: [f64; 4]) -> Option<Sloped> {
        let [tp, fp, tn, fn_] = std::array::from_fn(|at| Sloped::count(counts[at], at));
        let recall = || tp.share_of(tp + fn_);
        let specificity = || tn.share_of(tn + fp);
        match self {
            Self::Accuracy => (tp + tn).share_of(tp + fp + tn + fn_),
            Self::BalancedAccuracy => Some((recall()? + specificity()?) * Sloped::constant(0.5)),
            Self::Precision => tp.share_of(tp + fp),
            Self::NegativePredictiveValue => tn.share_of(tn + fn_),
            Self::Recall => recall(),
            Self::Specificity => specificity(),
            Self::F1 => f_beta(1.0, tp, fp, fn_),
            Self::FBeta(beta) => (beta > 0.0 && beta.is_finite()).then(|| f_beta(beta, tp, fp, fn_)).flatten(),
            Self::MatthewsCorrelation => {
                let sides = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
                (sides.value > 0.0).then(|| (tp * tn - fp * fn_) / sides.square_root())
            }
            Self::Kappa => {
                let two = Sloped::constant(2.0);
                (two * (tp * tn - fp * fn_)).share_of((tp + fp) * (fp + tn) + (tp + fn_) * (fn_ + tn))
            }
        }
    }
}

fn f_beta(beta: f64, tp: Sloped, fp: Sloped, fn_: Sloped) -> Option<Sloped> {
    let square = Sloped::constant(beta * beta);
    let hits = (Sloped::constant(1.0) + square) * tp;
    hits.share_of(hits + square * fn_ + fp)
}
