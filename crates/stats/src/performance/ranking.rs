//! Lists that a model puts in order, against what was worth showing.

use serde::{Deserialize, Serialize};

use super::regression::mean;
use crate::interval::Estimate;
use crate::sketch::Moments;

/// What makes a list a good one; all lie in `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankingMetric {
    /// Gains discounted by place, `sum gain_i / log2(i + 1)` over the first `k`, against the best order.
    NormalizedGain,
    /// The mean precision at the places of the relevant items, of all ranks (its mean over lists is MAP).
    AveragePrecision,
    /// One over the place of the first relevant item (its mean over lists is MRR).
    ReciprocalRank,
    /// Whether one of the first `k` is relevant.
    HitRate,
    /// The share of the first `k` that is relevant; a list that is shorter counts as filled up.
    Precision,
    /// The share of relevant items that is among the first `k`.
    Recall,
}

/// One list, best first: what each item is worth.
///
/// ```
/// use wardline_stats::performance::{RankedList, RankingMetric};
///
/// let list = RankedList::new(vec![0.0, 1.0, 1.0, 0.0], 1.0).unwrap();
/// assert_eq!(list.metric(RankingMetric::ReciprocalRank, 3), Some(0.5));
/// assert_eq!(list.metric(RankingMetric::Recall, 2), Some(0.5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RankedList {
    gains: Vec<f64>,
    relevant_from: f64,
}

impl RankedList {
    /// Gains in the order shown; an item is relevant from a gain of `relevant_from` on.
    ///
    /// `None` for an empty list, or a gain that is negative or not finite, or unless `relevant_from` is
    /// positive.
    #[must_use]
    pub fn new(gains: Vec<f64>, relevant_from: f64) -> Option<Self> {
        let valid = gains.iter().all(|gain| 0.0 <= *gain && *gain < 1e100) && relevant_from > 0.0;
        (valid && !gains.is_empty()).then_some(Self { gains, relevant_from })
    }

    /// Puts gains in the order of falling scores; equal scores share their gains evenly, which is the
    /// mean over all orders (for [`RankingMetric::NormalizedGain`]; for the others the first given is
    /// first).
    ///
    /// `None` if the lengths differ or a score is NaN, and as for [`Self::new`].
    #[must_use]
    pub fn by_score(scores: &[f64], gains: &[f64], relevant_from: f64) -> Option<Self> {
        if scores.len() != gains.len() || scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        Self::new(order.into_iter().map(|at| gains[at]).collect(), relevant_from)
    }

    /// A metric of the first `k` items, in `O(n log n)`.
    ///
    /// `None` if `k` is zero, or if nothing is worth showing, where no order is good or bad: such lists
    /// are left out of means. (scikit-learn counts them as zero.)
    #[must_use]
    pub fn metric(&self, metric: RankingMetric, k: usize) -> Option<f64> {
        let relevant = |gain: &&f64| **gain >= self.relevant_from;
        let all = self.gains.iter().filter(relevant).count();
        if k == 0 || (all == 0 && metric != RankingMetric::NormalizedGain) {
            return None;
        }
        let first = &self.gains[..k.min(self.gains.len())];
        let hits = first.iter().filter(relevant).count() as f64;
        match metric {
            RankingMetric::NormalizedGain => self.normalized_gain(k),
            RankingMetric::AveragePrecision => Some(self.average_precision() / all as f64),
            RankingMetric::ReciprocalRank => {
                let place = first.iter().position(|gain| *gain >= self.relevant_from);
                Some(place.map_or(0.0, |place| 1.0 / (place as f64 + 1.0)))
            }
            RankingMetric::HitRate => Some(hits.min(1.0)),
            RankingMetric::Precision => Some(hits / k as f64),
            RankingMetric::Recall => Some(hits / all as f64),
        }
    }

    fn normalized_gain(&self, k: usize) -> Option<f64> {
        let discounted = |gains: &[f64]| -> f64 {
            gains.iter().take(k).enumerate().map(|(place, gain)| gain / (place as f64 + 2.0).log2()).sum()
        };
        let mut best = self.gains.clone();
        best.sort_unstable_by(|a, b| b.total_cmp(a));
        let greatest = discounted(&best);
        (greatest > 0.0).then(|| discounted(&self.gains) / greatest)
    }

    fn average_precision(&self) -> f64 {
        let (mut hits, mut sum) = (0.0, 0.0);
        for (place, gain) in self.gains.iter().enumerate() {
            if *gain >= self.relevant_from {
                hits += 1.0;
                sum += hits / (place as f64 + 1.0);
            }
        }
        sum
    }
}

/// The mean of a metric over lists. Parts add up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankingQuality {
    metric: RankingMetric,
    k: usize,
    values: Moments,
    without_value: u64,
}

impl RankingQuality {
    /// No list seen; `k` items of each count.
    #[must_use]
    pub fn new(metric: RankingMetric, k: usize) -> Self {
        Self { metric, k, values: Moments::new(), without_value: 0 }
    }

    /// Takes in a list; `false` if nothing in it was worth showing, which leaves it out.
    pub fn observe(&mut self, list: &RankedList) -> bool {
        let taken = list.metric(self.metric, self.k).is_some_and(|value| self.values.insert(value));
        self.without_value += u64::from(!taken);
        taken
    }

    /// Adds the lists of another; `false`, and nothing is added, if the metric or `k` differs.
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.metric == other.metric && self.k == other.k;
        if same {
            self.values.merge(&other.values);
            self.without_value += other.without_value;
        }
        same
    }

    /// How many lists count, and how many were left out.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.values.count(), self.without_value)
    }

    /// The mean over lists with its standard error, lists drawn independently; `None` for fewer than
    /// two.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        mean(&self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: [RankingMetric; 6] = [
        RankingMetric::NormalizedGain,
        RankingMetric::AveragePrecision,
        RankingMetric::ReciprocalRank,
        RankingMetric::HitRate,
        RankingMetric::Precision,
        RankingMetric::Recall,
    ];

    #[test]
    fn the_best_order_is_perfect_and_the_worst_is_not() {
        let best = RankedList::new(vec![3.0, 2.0, 0.0, 0.0], 1.0).unwrap();
        let worst = RankedList::new(vec![0.0, 0.0, 2.0, 3.0], 1.0).unwrap();
        for metric in METRICS {
            assert_eq!(best.metric(metric, 2), Some(1.0), "{metric:?}");
            assert!(worst.metric(metric, 2).unwrap() < 0.5, "{metric:?}");
        }
        assert_eq!(worst.metric(RankingMetric::ReciprocalRank, 4), Some(1.0 / 3.0));
        // A list of two, where five are asked for, is filled up with nothing.
        let short = RankedList::new(vec![1.0, 1.0], 1.0).unwrap();
        assert_eq!(short.metric(RankingMetric::Precision, 5), Some(0.4));
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(RankedList::new(vec![], 1.0), None);
        assert_eq!(RankedList::new(vec![f64::NAN], 1.0), None);
        assert_eq!(RankedList::new(vec![-1.0], 1.0), None);
        assert_eq!(RankedList::new(vec![1.0], 0.0), None);
        assert_eq!(RankedList::by_score(&[1.0], &[], 1.0), None);
        assert_eq!(RankedList::by_score(&[f64::NAN], &[1.0], 1.0), None);
        let nothing = RankedList::new(vec![0.0, 0.0], 1.0).unwrap();
        assert!(METRICS.iter().all(|metric| nothing.metric(*metric, 2).is_none()));
        let one = RankedList::new(vec![1.0], 1.0).unwrap();
        assert!(METRICS.iter().all(|metric| one.metric(*metric, 0).is_none()));
        assert!(METRICS.iter().all(|metric| one.metric(*metric, usize::MAX).is_some()));
    }

    #[test]
    fn means_merge_and_leave_empty_lists_out() {
        let lists: Vec<RankedList> = [vec![1.0, 0.0], vec![0.0, 1.0], vec![0.0], vec![0.0, 0.0, 1.0]]
            .map(|gains| RankedList::new(gains, 1.0).unwrap())
            .into();
        let quality = |lists: &[RankedList]| {
            let mut quality = RankingQuality::new(RankingMetric::ReciprocalRank, 10);
            lists.iter().for_each(|list| {
                quality.observe(list);
            });
            quality
        };
        let mut merged = quality(&lists[..2]);
        assert!(merged.merge(&quality(&lists[2..])));
        assert_eq!(merged.counts(), (3, 1));
        let (a, b) = (merged.estimate().unwrap(), quality(&lists).estimate().unwrap());
        assert!((a.value - b.value).abs() < 1e-12 && (a.value - (1.0 + 0.5 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
        assert!(!merged.merge(&RankingQuality::new(RankingMetric::HitRate, 10)));
        assert_eq!(RankingQuality::new(RankingMetric::HitRate, 3).estimate(), None);
    }
}
