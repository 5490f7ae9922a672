//! Do scores mean what they say?

use serde::{Deserialize, Serialize};

use super::estimate::sorted_keys;
use crate::interval::{Interval, clopper_pearson};

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

impl ReliabilityBin {
    /// The exact interval of the share that comes true: the bin is off if the mean score lies outside.
    ///
    /// Of many bins some are off by chance: correct the confidence for their number.
    /// `None` unless `0 < confidence < 1`. Reference: [`clopper_pearson`].
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        clopper_pearson((self.share_true * self.n as f64).round() as u64, self.n, confidence)
    }
}

/// Scores against outcomes in ranges of about equal counts, in `O(n log n)`; equal scores stay together.
///
/// Steadier than [`reliability`] where scores crowd, and never a bin of few. `None` as there.
/// Reference: Nixon et al., CVPR Workshops (2019).
#[must_use]
pub fn reliability_by_rank(scores: &[f64], labels: &[bool], bins: usize) -> Option<Vec<ReliabilityBin>> {
    if bins == 0 {
        return None;
    }
    let keys = sorted_keys(scores, labels)?;
    let bins = bins.min(keys.len());
    let (mut found, mut first) = (Vec::with_capacity(bins), 0);
    for bin in 1..=bins {
        let least = (bin as f64 / bins as f64 * keys.len() as f64).round() as usize;
        let Some(score) = least.checked_sub(1).and_then(|at| keys.get(at)).map(|key| key >> 1) else { continue };
        let last = keys.partition_point(|key| key >> 1 <= score);
        if last <= first {
            continue;
        }
        let own = &keys[first..last];
        let n = own.len() as f64;
        found.push(ReliabilityBin {
            n: own.len() as u64,
            mean_score: own.iter().map(|key| f64::from_bits(key >> 1)).sum::<f64>() / n,
            share_true: own.iter().filter(|key| **key & 1 == 1).count() as f64 / n,
        });
        first = last;
    }
    Some(found)
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

    /// Goal: probabilities that are right pass, and the same labels against bent ones do not.
    /// Method: ten bins of 2,000 rows, each at 99.9 %.
    #[test]
    fn bins_tell_right_from_bent() {
        let mut stream = Lcg::new(8);
        let scores: Vec<f64> = (0..20_000).map(|_| stream.next()).collect();
        let labels: Vec<bool> = scores.iter().map(|score| stream.next() < *score).collect();
        let off = |scores: &[f64]| {
            let bins = reliability_by_rank(scores, &labels, 10).unwrap();
            assert!(bins.len() == 10 && bins.iter().all(|bin| bin.n == 2_000));
            bins.iter().filter(|bin| !bin.interval(0.999).unwrap().contains(bin.mean_score)).count()
        };
        assert_eq!(off(&scores), 0);
        let bent: Vec<f64> = scores.iter().map(|score| score * score).collect();
        assert!(off(&bent) >= 8);
    }

    #[test]
    fn equal_scores_share_a_bin() {
        let bins = reliability_by_rank(&[0.5; 10], &[true; 10], 4).unwrap();
        assert_eq!(bins, [ReliabilityBin { n: 10, mean_score: 0.5, share_true: 1.0 }]);
        assert_eq!(reliability_by_rank(&[], &[], 4), None);
        assert_eq!(reliability_by_rank(&[f64::NAN], &[true], 4), None);
        assert_eq!(reliability_by_rank(&[0.5], &[true], 0), None);
        assert_eq!(reliability_by_rank(&[0.2, 0.4], &[true, false], usize::MAX).unwrap().len(), 2);
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(brier_score(&[], &[]), None);
        assert_eq!(log_loss(&[1.5], &[true]), None);
        assert_eq!(expected_calibration_error(&[0.5], &[true], 0), None);
        assert_eq!(reliability(&[0.5], &[], 10), None);
    }
}
