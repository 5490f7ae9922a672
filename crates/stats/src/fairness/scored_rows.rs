//! Scores and labels of people in groups.

use super::group_counts::MOST_GROUPS;
use crate::performance::ScoreHistogram;

/// Rows of a group, a score in `0..=1` and a label, checked once; see [`Self::calibration`] and [`Self::sweep`].
#[derive(Clone, Copy, Debug)]
pub struct ScoredRows<'a> {
    pub(super) groups: &'a [u32],
    pub(super) scores: &'a [f64],
    pub(super) labels: &'a [bool],
    pub(super) n_groups: usize,
}

impl<'a> ScoredRows<'a> {
    /// Row `i` is at place `i` of each, in `O(n)`.
    ///
    /// `None` if there are no rows, the lengths differ, a group is not below `n_groups`, a score is not in
    /// `0..=1`, or unless `1 <= n_groups <= 1_048_576`.
    #[must_use]
    pub fn new(groups: &'a [u32], scores: &'a [f64], labels: &'a [bool], n_groups: usize) -> Option<Self> {
        let same = groups.len() == scores.len() && groups.len() == labels.len();
        let known = groups.iter().all(|group| (*group as usize) < n_groups);
        let valid = scores.iter().all(|score| (0.0..=1.0).contains(score));
        let some = !groups.is_empty() && (1..=MOST_GROUPS).contains(&n_groups);
        (same && known && valid && some).then_some(Self { groups, scores, labels, n_groups })
    }

    /// A histogram of scores for each group, which merge and go into [`super::ScoreSweep::from_histograms`].
    ///
    /// `None` unless `bins >= 1` and `bins * n_groups <= 16,777,216`.
    #[must_use]
    pub fn histograms(&self, bins: usize) -> Option<Vec<ScoreHistogram>> {
        if bins.checked_mul(self.n_groups)? > 1 << 24 {
            return None;
        }
        let mut all = vec![ScoreHistogram::new(bins)?; self.n_groups];
        for ((group, score), label) in self.groups.iter().zip(self.scores).zip(self.labels) {
            all[*group as usize].observe(*score, *label);
        }
        Some(all)
    }

    /// The scores and labels of each group, in the order of the rows.
    pub(super) fn by_group(&self) -> Vec<(Vec<f64>, Vec<bool>)> {
        let mut all = vec![(Vec::new(), Vec::new()); self.n_groups];
        for ((group, score), label) in self.groups.iter().zip(self.scores).zip(self.labels) {
            let own = &mut all[*group as usize];
            own.0.push(*score);
            own.1.push(*label);
        }
        all
    }
}
