//! Expected areas from sums by score: merged, with a bound of what bins hide.

use serde::{Deserialize, Serialize};

use crate::interval::Estimate;
use crate::performance::BoundedEstimate;

/// Sums of calibrated probabilities by equal bins of the score: for the expected area of streams and of
/// windows that add up, where keeping all scores would cost too much.
///
/// Cost `O(1)` a row, 24 bytes a bin. The area is off by at most half the share of expected pairs that fall
/// into one bin, as for [`crate::performance::ScoreHistogram`]. Sums merge up to rounding.
/// Reference: as [`super::ExpectedConfusion`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectedHistogram {
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bin {
    positives: f64,
    negatives: f64,
    /// `sum p (1 - p)`.
    variance: f64,
}

impl ExpectedHistogram {
    /// An empty histogram; `None` unless `1 <= bins <= 1,048,576`.
    #[must_use]
    pub fn new(bins: usize) -> Option<Self> {
        (1..=1 << 20).contains(&bins).then(|| Self { bins: vec![Bin::default(); bins] })
    }

    /// Takes in a score and its calibrated probability; `false` unless both are in `0..=1`.
    pub fn observe(&mut self, score: f64, probability: f64) -> bool {
        let valid = (0.0..=1.0).contains(&score) && (0.0..=1.0).contains(&probability);
        let at = ((score * self.bins.len() as f64) as usize).min(self.bins.len().saturating_sub(1));
        if let Some(bin) = self.bins.get_mut(at).filter(|_| valid) {
            bin.positives += probability;
            bin.negatives += 1.0 - probability;
            bin.variance += probability * (1.0 - probability);
        }
        valid
    }

    /// Adds the sums of another; `false`, and nothing is added, if the bins differ.
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.bins.len() == other.bins.len();
        if same {
            for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
                bin.positives += more.positives;
                bin.negatives += more.negatives;
                bin.variance += more.variance;
            }
        }
        same
    }

    /// The expected area under the ROC curve, with the standard deviation of the one that labels will show
    /// and the bound of what bins hide. `None` if one class has no weight. `O(bins)`.
    #[must_use]
    pub fn area_under_roc(&self) -> Option<BoundedEstimate> {
        let positives: f64 = self.bins.iter().map(|bin| bin.positives).sum();
        let negatives: f64 = self.bins.iter().map(|bin| bin.negatives).sum();
        if !(positives > 0.0 && negatives > 0.0 && positives.is_finite() && negatives.is_finite()) {
            return None;
        }
        let placed = || {
            self.bins.iter().scan([0.0, 0.0], |below, bin| {
                let wins = (below[0] + 0.5 * bin.negatives) / negatives;
                let losses = 1.0 - (below[1] + 0.5 * bin.positives) / positives;
                *below = [below[0] + bin.negatives, below[1] + bin.positives];
                Some((bin, wins, losses))
            })
        };
        let area: f64 = placed().map(|(bin, wins, _)| bin.positives / positives * wins).sum();
        let tied: f64 = self.bins.iter().map(|bin| bin.positives / positives * (bin.negatives / negatives)).sum();
        let variance = placed().map(|(bin, wins, losses)| {
            let slope = (wins - area) / positives - (losses - area) / negatives;
            bin.variance * slope * slope
        });
        Some(BoundedEstimate { estimate: Estimate::new(area, variance.sum::<f64>().sqrt())?, error_bound: 0.5 * tied })
    }
}
