//! A reliability diagram of a stream: counted, not kept.

use serde::{Deserialize, Serialize};

use super::ReliabilityBin;

/// Scores against outcomes in equal ranges of `0..=1`, taken in one after the other. Diagrams add up.
///
/// Cost `O(1)` a row, 24 bytes a bin. The same numbers as [`super::reliability`] and
/// [`super::expected_calibration_error`] of all rows, up to rounding.
/// Reference: Murphy, Winkler, Applied Statistics 26 (1977).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityDiagram {
    bins: Vec<Sums>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    n: u64,
    scores: f64,
    positives: u64,
}

impl ReliabilityDiagram {
    /// An empty diagram; `None` unless `1 <= bins <= 65,536`.
    #[must_use]
    pub fn new(bins: usize) -> Option<Self> {
        (1..=1 << 16).contains(&bins).then(|| Self { bins: vec![Sums::default(); bins] })
    }

    /// Takes in a score with its label; `false` unless the score is in `0..=1`.
    pub fn observe(&mut self, score: f64, label: bool) -> bool {
        let valid = (0.0..=1.0).contains(&score);
        let at = ((score * self.bins.len() as f64) as usize).min(self.bins.len().saturating_sub(1));
        if let Some(bin) = self.bins.get_mut(at).filter(|_| valid) {
            bin.n += 1;
            bin.scores += score;
            bin.positives += u64::from(label);
        }
        valid
    }

    /// Adds the rows of another; `false`, and nothing is added, if the bins differ.
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.bins.len() == other.bins.len();
        if same {
            for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
                bin.n = bin.n.saturating_add(more.n);
                bin.scores += more.scores;
                bin.positives = bin.positives.saturating_add(more.positives);
            }
        }
        same
    }

    /// The bins, empty ones left out; [`ReliabilityBin::interval`] says how sure each is.
    #[must_use]
    pub fn bins(&self) -> Vec<ReliabilityBin> {
        let filled = self.bins.iter().filter(|bin| bin.n > 0);
        let bin = |bin: &Sums| ReliabilityBin {
            n: bin.n,
            mean_score: bin.scores / bin.n as f64,
            share_true: bin.positives as f64 / bin.n as f64,
        };
        filled.map(bin).collect()
    }

    /// The mean distance of score and outcome over the bins, weighted by their counts; `None` before the
    /// first row. See [`super::expected_calibration_error`] for its bias.
    #[must_use]
    pub fn expected_calibration_error(&self) -> Option<f64> {
        let bins = self.bins();
        let total: f64 = bins.iter().map(|bin| bin.n as f64).sum();
        let distance = |bin: &ReliabilityBin| (bin.mean_score - bin.share_true).abs() * bin.n as f64 / total;
        (total > 0.0).then(|| bins.iter().map(distance).sum())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::performance::{expected_calibration_error, reliability};

    #[test]
    fn bad_input_is_refused() {
        assert_eq!(ReliabilityDiagram::new(0), None);
        assert_eq!(ReliabilityDiagram::new(usize::MAX), None);
        let mut diagram = ReliabilityDiagram::new(4).unwrap();
        assert!(!diagram.observe(f64::NAN, true) && !diagram.observe(-0.1, true) && !diagram.observe(1.1, true));
        assert!(diagram.bins().is_empty() && diagram.expected_calibration_error().is_none());
        assert!(!diagram.merge(&ReliabilityDiagram::new(5).unwrap()));
    }

    proptest! {
        #[test]
        fn halves_make_the_whole(rows in proptest::collection::vec((0.0..=1.0_f64, any::<bool>()), 1..100), cut in 0..100_usize) {
            let cut = cut % rows.len();
            let diagram = |rows: &[(f64, bool)]| {
                let mut diagram = ReliabilityDiagram::new(10).unwrap();
                assert!(rows.iter().all(|(score, label)| diagram.observe(*score, *label)));
                diagram
            };
            let mut merged = diagram(&rows[..cut]);
            prop_assert!(merged.merge(&diagram(&rows[cut..])));
            let (scores, labels): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
            let whole = reliability(&scores, &labels, 10).unwrap();
            for (a, b) in merged.bins().iter().zip(&whole) {
                prop_assert!(a.n == b.n && (a.mean_score - b.mean_score).abs() < 1e-12 && a.share_true == b.share_true);
            }
            let error = expected_calibration_error(&scores, &labels, 10).unwrap();
            prop_assert!((merged.expected_calibration_error().unwrap() - error).abs() < 1e-12);
        }
    }
}
