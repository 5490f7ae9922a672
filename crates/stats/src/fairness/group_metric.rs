//! A metric by group, and how far the groups lie apart.

use serde::{Deserialize, Serialize};

use super::GroupCounts;
use crate::interval::{Interval, clopper_pearson, wilson};
use crate::performance::Confusion;

/// A share that can be compared over groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupMetric {
    /// Decided positive, of all: demographic parity.
    SelectionRate,
    /// Decided positive, of those that are: equal opportunity.
    TruePositiveRate,
    /// Decided positive, of those that are not.
    FalsePositiveRate,
    /// Positive, of those decided positive: predictive parity.
    Precision,
    /// Decided rightly, of all.
    Accuracy,
}

impl GroupMetric {
    /// What the share counts, and of how many.
    fn of(self, table: &Confusion) -> (u64, u64) {
        let Confusion { true_positive, false_positive, true_negative, false_negative } = *table;
        let sum = u64::saturating_add;
        match self {
            Self::SelectionRate => (sum(true_positive, false_positive), table.count()),
            Self::TruePositiveRate => (true_positive, sum(true_positive, false_negative)),
            Self::FalsePositiveRate => (false_positive, sum(false_positive, true_negative)),
            Self::Precision => (true_positive, sum(true_positive, false_positive)),
            Self::Accuracy => (sum(true_positive, true_negative), table.count()),
        }
    }
}

/// A metric of one group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupValue {
    /// The share.
    pub value: f64,
    /// Of how many.
    pub count: u64,
    /// Wilson's interval of this group alone.
    pub interval: Interval,
}

/// How far the groups lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The greatest value less the least.
    pub difference: f64,
    /// The least value by the greatest; `None` if the greatest is zero.
    pub ratio: Option<f64>,
    /// Where the difference of the true shares lies.
    ///
    /// From exact intervals that hold for all groups at once, so it covers at least as often as
    /// stated, whichever groups turn out greatest and least; it is wide for many or small groups.
    pub difference_interval: Interval,
}

impl GroupCounts {
    /// A metric of each group, in `O(groups)`; `None` for a group where it counts nobody.
    ///
    /// All are `None` unless `0 < confidence < 1`.
    #[must_use]
    pub fn by_group(&self, metric: GroupMetric, confidence: f64) -> Vec<Option<GroupValue>> {
        let value = |table| {
            let (k, count) = metric.of(table);
            let interval = wilson(k, count, confidence)?;
            Some(GroupValue { value: k as f64 / count as f64, count, interval })
        };
        self.groups().iter().map(value).collect()
    }

    /// How far the groups lie apart in a metric, in `O(groups)`: demographic parity for
    /// [`GroupMetric::SelectionRate`], equal opportunity for [`GroupMetric::TruePositiveRate`].
    ///
    /// A group where the metric counts nobody is left out; Fairlearn takes it as zero. The sample
    /// difference is never below zero and is biased upwards for small groups: read its interval.
    /// `None` if fewer than two groups are left or `confidence` is not between zero and one.
    #[must_use]
    pub fn gap(&self, metric: GroupMetric, confidence: f64) -> Option<Gap> {
        let shares: Vec<(u64, u64)> = self.groups().iter().map(|t| metric.of(t)).filter(|(_, n)| *n > 0).collect();
        if shares.len() < 2 || !(0.0 < confidence && confidence < 1.0) {
            return None;
        }
        let each = 1.0 - (1.0 - confidence) / shares.len() as f64;
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let values: Vec<f64> = shares.iter().map(|(k, n)| *k as f64 / *n as f64).collect();
        let exact: Option<Vec<Interval>> = shares.iter().map(|(k, n)| clopper_pearson(*k, *n, each)).collect();
        let (lows, highs): (Vec<f64>, Vec<f64>) = exact?.iter().map(|i| (i.low, i.high)).unzip();
        let (low, high) = (greatest(&lows) - least(&highs), greatest(&highs) - least(&lows));
        let most = greatest(&values);
        Some(Gap {
            difference: most - least(&values),
            ratio: (most > 0.0).then(|| least(&values) / most),
            difference_interval: Interval { low: low.max(0.0), high: high.min(1.0) },
        })
    }

    /// The gap of equalised odds: the worse of the true and the false positive rate.
    ///
    /// The interval covers the greater of both differences at least as often as stated.
    /// `None` where either gap has no value.
    #[must_use]
    pub fn equalized_odds(&self, confidence: f64) -> Option<Gap> {
        let each = 1.0 - 0.5 * (1.0 - confidence);
        let hits = self.gap(GroupMetric::TruePositiveRate, each)?;
        let alarms = self.gap(GroupMetric::FalsePositiveRate, each)?;
        let (a, b) = (hits.difference_interval, alarms.difference_interval);
        Some(Gap {
            difference: hits.difference.max(alarms.difference),
            ratio: hits.ratio.zip(alarms.ratio).map(|(a, b)| a.min(b)),
            difference_interval: Interval { low: a.low.max(b.low), high: a.high.max(b.high) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden-stats, fairlearn 0.15.0: rates and gaps of 100 rows from integer formulas.
    #[test]
    fn agrees_with_fairlearn() {
        let mut counts = GroupCounts::new(2).unwrap();
        for i in 0..100_usize {
            let (group, label) = (usize::from(i % 5 >= 3), (13 * i) % 10 < 5);
            let cut = (if label { 60 } else { 20 }) - 14 * group;
            counts.observe(group, (37 * i) % 101 < cut, label);
        }
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        for (metric, expected) in [
            (GroupMetric::SelectionRate, [0.45, 0.2]),
            (GroupMetric::TruePositiveRate, [0.6, 0.4]),
            (GroupMetric::FalsePositiveRate, [0.3, 0.0]),
        ] {
            let found = counts.by_group(metric, 0.95);
            found.iter().zip(expected).for_each(|(found, expected)| near(found.unwrap().value, expected));
        }
        let parity = counts.gap(GroupMetric::SelectionRate, 0.95).unwrap();
        near(parity.difference, 0.25);
        near(parity.ratio.unwrap(), 0.444_444_444_444_444_5);
        assert!(parity.difference_interval.contains(0.25));
        let odds = counts.equalized_odds(0.95).unwrap();
        near(odds.difference, 0.3);
        near(odds.ratio.unwrap(), 0.0);
    }

    #[test]
    fn too_little_gives_nothing() {
        let mut counts = GroupCounts::new(3).unwrap();
        assert_eq!(counts.gap(GroupMetric::Accuracy, 0.95), None);
        counts.observe(0, false, false);
        assert_eq!(counts.gap(GroupMetric::Accuracy, 0.95), None);
        counts.observe(1, false, false);
        assert_eq!(counts.gap(GroupMetric::SelectionRate, 0.95).unwrap().ratio, None);
        assert_eq!(counts.gap(GroupMetric::SelectionRate, 1.0), None);
        assert_eq!(counts.equalized_odds(f64::NAN), None);
    }
}
