//! What a cut-off of scores does to each group, for every cut-off.

use serde::Serialize;

use super::extremes::Extremes;
use super::{GroupCounts, ScoredRows};
use crate::performance::{Confusion, ScoreHistogram};

const MOST_CELLS: usize = 1 << 24;
const MOST_PEOPLE: u64 = 1 << 60;

/// One cut-off: a score of at least so much is decided positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cutoff {
    /// The least score that is decided positive.
    pub score: f64,
    /// The least selection rate of a group by the greatest; `None` if nobody is selected.
    pub impact_ratio: Option<f64>,
    /// The greatest selection rate less the least: demographic parity.
    pub selection_gap: f64,
    /// The same of the true positive rate: equal opportunity; `None` unless two groups have enough positives.
    pub true_positive_gap: Option<f64>,
    /// The same of the false positive rate; `None` unless two groups have enough negatives.
    pub false_positive_gap: Option<f64>,
    /// Decided rightly, of all people, those of small groups too.
    pub accuracy: f64,
}

/// A cut-off that meets a floor, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeetingCutoff {
    /// The cut-off.
    pub cutoff: Cutoff,
    /// The accuracy of the most accurate cut-off less this one's.
    pub accuracy_loss: f64,
}

/// All cut-offs of a score, the greatest first.
///
/// Rates are of this sample. A cut-off that was chosen for its rates looks better than it is, and the ratio of the
/// least to the greatest rate is biased downwards for small groups: see what [`Self::counts_at`] says about it with
/// intervals, on people who had no part in the choice.
///
/// ```
/// use wardline_stats::fairness::{ScoreSweep, ScoredRows};
///
/// // Two groups: the second is scored lower by 0.2.
/// let groups: Vec<u32> = (0..200).map(|row| row % 2).collect();
/// let scores: Vec<f64> = (0..200).map(|row| f64::from(row) / 250.0 + if row % 2 == 0 { 0.2 } else { 0.0 }).collect();
/// let labels: Vec<bool> = (0..200).map(|row| row >= 100).collect();
/// let rows = ScoredRows::new(&groups, &scores, &labels, 2).unwrap();
/// let sweep = rows.sweep(30).unwrap();
/// let best = sweep.most_accurate();
/// let fair = sweep.meeting(0.8, 1)[0];
/// assert!(best.impact_ratio < Some(0.8) && fair.cutoff.impact_ratio >= Some(0.8));
/// assert!(fair.accuracy_loss > 0.0);
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct ScoreSweep {
    cutoffs: Vec<Cutoff>,
    groups: Vec<Curve>,
}

/// A group's people, those with great scores first.
#[derive(Clone, Debug, Default, Serialize)]
struct Curve {
    steps: Vec<Step>,
}

/// How many negatives and positives have at least a score.
#[derive(Clone, Copy, Debug, Serialize)]
struct Step {
    score: f64,
    selected: [u64; 2],
}

/// People of one group with one score.
#[derive(Clone, Copy)]
struct People {
    score: f64,
    group: usize,
    counts: [u64; 2],
}

impl ScoredRows<'_> {
    /// Every distinct score as a cut-off, in `O(n log n)` and some 130 bytes a row.
    ///
    /// Ratios and gaps are over the groups in which at least `least_count` people count for the rate, and at least
    /// one. `None` unless two groups have so many people.
    #[must_use]
    pub fn sweep(&self, least_count: u64) -> Option<ScoreSweep> {
        let rows = self.groups.iter().zip(self.scores).zip(self.labels);
        let mut people: Vec<People> = rows
            .map(|((group, score), label)| People {
                // Adding zero makes a zero of a negative zero.
                score: score + 0.0,
                group: *group as usize,
                counts: [u64::from(!label), u64::from(*label)],
            })
            .collect();
        people.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        sweep(&people, self.n_groups, least_count)
    }
}

impl ScoreSweep {
    /// The lower edges of the bins as cut-offs, in `O(bins * groups * log groups)`: one histogram for each group.
    ///
    /// `least_count` as for [`ScoredRows::sweep`]. Edges are at whole multiples of `1 / bins`; those with nobody
    /// between are one. `None` unless two groups have so many people, if the histograms differ in bins, hold more than
    /// `2^60` people in a bin, or have more than 16,777,216 bins in all.
    #[must_use]
    pub fn from_histograms(histograms: &[ScoreHistogram], least_count: u64) -> Option<Self> {
        let n_bins = histograms.first()?.cells().len();
        if histograms.iter().any(|own| own.cells().len() != n_bins)
            || n_bins.checked_mul(histograms.len())? > MOST_CELLS
        {
            return None;
        }
        let mut people = Vec::new();
        for bin in (0..n_bins).rev() {
            for (group, own) in histograms.iter().enumerate() {
                let counts = own.cells()[bin];
                if counts.iter().any(|count| *count > MOST_PEOPLE) {
                    return None;
                }
                if counts != [0; 2] {
                    people.push(People { score: bin as f64 / n_bins as f64, group, counts });
                }
            }
        }
        sweep(&people, histograms.len(), least_count)
    }

    /// All cut-offs at which somebody's decision changes, the greatest first.
    #[must_use]
    pub fn cutoffs(&self) -> &[Cutoff] {
        &self.cutoffs
    }

    /// Decisions against labels by group at any cut-off, in `O(groups log n)`: rates with intervals, impacts.
    ///
    /// `None` if the cut-off is NaN.
    #[must_use]
    pub fn counts_at(&self, score: f64) -> Option<GroupCounts> {
        let table = |curve: &Curve| {
            let [negatives, positives] = curve.steps.last().map_or([0; 2], |last| last.selected);
            let n_above = curve.steps.partition_point(|step| score <= step.score);
            let above = n_above.checked_sub(1).and_then(|at| curve.steps.get(at));
            let [false_positive, true_positive] = above.map_or([0; 2], |step| step.selected);
            Confusion {
                true_positive,
                false_positive,
                true_negative: negatives - false_positive,
                false_negative: positives - true_positive,
            }
        };
        if score.is_nan() {
            return None;
        }
        GroupCounts::try_from(self.groups.iter().map(table).collect::<Vec<_>>()).ok()
    }

    /// The most accurate cut-off; of equals the greatest.
    #[must_use]
    pub fn most_accurate(&self) -> Cutoff {
        let better = |best: Cutoff, other: &Cutoff| if other.accuracy > best.accuracy { *other } else { best };
        self.cutoffs.iter().fold(self.cutoffs[0], better)
    }

    /// Cut-offs whose impact ratio is at least `floor`, with the least loss of accuracy first; at most `most`.
    ///
    /// One cut-off for everybody: cut-offs that differ by group would treat people by their group. Where the last
    /// cut-off, which selects all, is the only one that meets the floor, no cut-off of this score helps.
    #[must_use]
    pub fn meeting(&self, floor: f64, most: usize) -> Vec<MeetingCutoff> {
        let best = self.most_accurate().accuracy;
        let meets = |cutoff: &&Cutoff| cutoff.impact_ratio.is_some_and(|ratio| ratio >= floor);
        let mut found: Vec<MeetingCutoff> = self
            .cutoffs
            .iter()
            .filter(meets)
            .map(|cutoff| MeetingCutoff { cutoff: *cutoff, accuracy_loss: best - cutoff.accuracy })
            .collect();
        // Stable: of equals the greatest score stays first.
        found.sort_by(|a, b| a.accuracy_loss.total_cmp(&b.accuracy_loss));
        found.truncate(most);
        found
    }
}

/// People in falling order of their scores, one by one; rates are told after the last one with a score.
fn sweep(people: &[People], n_groups: usize, least_count: u64) -> Option<ScoreSweep> {
    let mut groups = vec![Curve::default(); n_groups];
    let mut total = [0_u64; 2];
    for one in people {
        let steps = &mut groups[one.group].steps;
        let [negative, positive] = steps.last().map_or([0; 2], |step| step.selected);
        let selected = [negative.checked_add(one.counts[0])?, positive.checked_add(one.counts[1])?];
        match steps.last_mut() {
            Some(step) if step.score == one.score => step.selected = selected,
            _ => steps.push(Step { score: one.score, selected }),
        }
        total = [total[0].checked_add(one.counts[0])?, total[1].checked_add(one.counts[1])?];
    }
    total[0].checked_add(total[1])?;
    let sizes: Vec<[u64; 2]> = groups.iter().map(|curve| curve.steps.last().map_or([0; 2], |s| s.selected)).collect();
    let over = |size: fn(&[u64; 2]) -> u64| {
        let chosen: Vec<u64> = sizes.iter().map(size).map(|n| if n >= least_count { n } else { 0 }).collect();
        Extremes::new(&chosen)
    };
    let (mut selection, mut hits, mut alarms) = (over(|n| n[0] + n[1])?, over(|n| n[1]), over(|n| n[0]));
    let (mut selected, mut cutoffs) = ([0_u64; 2], Vec::new());
    for (place, one) in people.iter().enumerate() {
        selection.add(one.group, one.counts[0] + one.counts[1]);
        hits.iter_mut().for_each(|rates| rates.add(one.group, one.counts[1]));
        alarms.iter_mut().for_each(|rates| rates.add(one.group, one.counts[0]));
        selected = [selected[0] + one.counts[0], selected[1] + one.counts[1]];
        if people.get(place + 1).is_some_and(|next| next.score == one.score) {
            continue;
        }
        let (least, greatest) = selection.range();
        let gap = |rates: &Extremes| rates.range().1 - rates.range().0;
        let right = selected[1] as f64 + (total[0] - selected[0]) as f64;
        cutoffs.push(Cutoff {
            score: one.score,
            impact_ratio: (greatest > 0.0).then(|| least / greatest),
            selection_gap: greatest - least,
            true_positive_gap: hits.as_ref().map(gap),
            false_positive_gap: alarms.as_ref().map(gap),
            accuracy: right / (total[0] + total[1]) as f64,
        });
    }
    Some(ScoreSweep { cutoffs, groups })
}

#[cfg(test)]
mod tests;
