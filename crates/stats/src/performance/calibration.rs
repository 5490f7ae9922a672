//! Do scores mean what they say?

use serde::{Deserialize, Serialize};

/// Scores of one range against what came true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// How many predictions.
    pub n: u64,
    /// The mean of their scores.
    pub mean_score: f64,
    /// The share of them that came true.
    pub share_true: f64,
}

/// Scores against outcomes in equal ranges of `0..=1`, empty ones left out, in `O(n)`.
///
/// `None` if the lengths differ, there are no pairs, a score is not in `0..=1` or `bins` is zero.
#[must_use]
pub fn reliability(scores: &[f64], labels: &[bool], bins: usize) -> Option<Vec<ReliabilityBin>> {
    if !valid(scores, labels) || bins == 0 {
        return None;
    }
    let mut sums = vec![(0_u64, 0.0, 0_u64); bins];
    for (score, label) in scores.iter().zip(labels) {
        let bin = ((score * bins as f64) as usize).min(bins - 1);
        sums[bin].0 += 1;
        sums[bin].1 += score;
        sums[bin].2 += u64::from(*label);
    }
    let filled = sums.into_iter().filter(|(n, _, _)| *n > 0);
    Some(
        filled
            .map(|(n, score, labels)| ReliabilityBin {
                n,
                mean_score: score / n as f64,
                share_true: labels as f64 / n as f64,
            })
            .collect(),
    )
}

/// The mean distance of score and outcome over equal ranges, weighted by their counts.
///
/// Biased upwards for few labels a bin: a perfect model of 1,000 labels in 10 bins shows some 0.02.
/// `None` as for [`reliability`]. Reference: Naeini et al., AAAI (2015).
#[must_use]
pub fn expected_calibration_error(scores: &[f64], labels: &[bool], bins: usize) -> Option<f64> {
    let total = scores.len() as f64;
    reliability(scores, labels, bins)
        .map(|bins| bins.iter().map(|bin| (bin.mean_score - bin.share_true).abs() * bin.n as f64 / total).sum())
}

/// The mean squared distance of score and label. `None` as for [`reliability`].
#[must_use]
pub fn brier_score(scores: &[f64], labels: &[bool]) -> Option<f64> {
    valid(scores, labels).then(|| {
        let squares = scores.iter().zip(labels).map(|(score, label)| {
            let label = f64::from(u8::from(*label));
            (score - label) * (score - label)
        });
        squares.sum::<f64>() / scores.len() as f64
    })
}

/// The mean of `-ln` of the score of what came true, scores kept within `1e-15` of the ends.
///
/// `None` as for [`reliability`].
#[must_use]
pub fn log_loss(scores: &[f64], labels: &[bool]) -> Option<f64> {
    valid(scores, labels).then(|| {
        let losses = scores.iter().zip(labels).map(|(score, label)| {
            let score = score.clamp(1e-15, 1.0 - 1e-15);
            if *label { -score.ln() } else { -(-score).ln_1p() }
        });
        losses.sum::<f64>() / scores.len() as f64
    })
}

pub(super) fn valid(scores: &[f64], labels: &[bool]) -> bool {
    !scores.is_empty() && scores.len() == labels.len() && scores.iter().all(|score| (0.0..=1.0).contains(score))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::golden::{close, numbers};
    use crate::sequential::tests_stream::Lcg;

    /// The reference scores and labels of the golden values.
    pub(in crate::performance) fn golden_reference() -> (Vec<f64>, Vec<bool>) {
        let scores: Vec<f64> = (0..200).map(|i| (f64::from((i * 67) % 200) + 0.5) / 200.0).collect();
        let mut stream = Lcg::exactly(7);
        let labels = scores.iter().map(|score| stream.next() < score.powf(1.5)).collect();
        (scores, labels)
    }

    /// scikit-learn 1.9.1: `brier_score_loss`, `log_loss`; numpy 2.4.6 for the binned error.
    #[test]
    fn agrees_with_scikit_learn() {
        let (scores, labels) = golden_reference();
        close(brier_score(&scores, &labels), numbers("/calibration/brier")[0], 1e-9);
        close(log_loss(&scores, &labels), numbers("/calibration/log_loss")[0], 1e-9);
        let error = expected_calibration_error(&scores, &labels, 10);
        close(error, numbers("/calibration/ece_10")[0], 1e-9);
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(brier_score(&[], &[]), None);
        assert_eq!(log_loss(&[1.5], &[true]), None);
        assert_eq!(expected_calibration_error(&[0.5], &[true], 0), None);
        assert_eq!(reliability(&[0.5], &[], 10), None);
    }
}
