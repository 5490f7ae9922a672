use proptest::prelude::*;

use super::super::GroupMetric;
use super::*;

type Row = (u32, f64, bool);

fn columns(rows: &[Row]) -> (Vec<u32>, Vec<f64>, Vec<bool>) {
    let groups = rows.iter().map(|row| row.0).collect();
    (groups, rows.iter().map(|row| row.1).collect(), rows.iter().map(|row| row.2).collect())
}

/// Every cut-off counted anew from all rows.
fn check(sweep: &ScoreSweep, rows: &[Row], n_groups: usize, least_count: u64) {
    let (groups, scores, labels) = columns(rows);
    for cutoff in sweep.cutoffs() {
        let decisions: Vec<bool> = scores.iter().map(|score| *score >= cutoff.score).collect();
        let counts = GroupCounts::from_rows(&groups, &decisions, &labels, n_groups).unwrap();
        assert_eq!(sweep.counts_at(cutoff.score), Some(counts.clone()));
        let range = |metric| {
            let values = counts.by_group(metric, 0.95);
            let large: Vec<f64> =
                values.iter().flatten().filter(|group| group.count >= least_count).map(|group| group.value).collect();
            let (low, high) = (large.iter().copied().fold(1.0, f64::min), large.iter().copied().fold(0.0, f64::max));
            (large.len() >= 2).then_some((low, high))
        };
        let gap = |metric| range(metric).map(|(low, high)| high - low);
        let (low, high) = range(GroupMetric::SelectionRate).unwrap();
        assert_eq!(cutoff.impact_ratio, (high > 0.0).then(|| low / high));
        assert_eq!(cutoff.selection_gap, high - low);
        assert_eq!(cutoff.true_positive_gap, gap(GroupMetric::TruePositiveRate));
        assert_eq!(cutoff.false_positive_gap, gap(GroupMetric::FalsePositiveRate));
        let right = decisions.iter().zip(&labels).filter(|(decision, label)| decision == label).count();
        assert!((cutoff.accuracy - right as f64 / rows.len() as f64).abs() < 1e-12);
    }
}

fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(
        (0..4_u32, (0..16_u8).prop_map(|sixteenth| f64::from(sixteenth) / 16.0), any::<bool>()),
        1..60,
    )
}

proptest! {
    #[test]
    fn agrees_with_counting_anew(rows in some_rows(), least_count in 0..6_u64) {
        let (groups, scores, labels) = columns(&rows);
        let scored = ScoredRows::new(&groups, &scores, &labels, 4).unwrap();
        let size = |group| groups.iter().filter(|other| **other == group).count() as u64;
        let large = (0..4).filter(|group| size(*group) >= least_count.max(1)).count();
        let found = scored.sweep(least_count);
        prop_assert_eq!(found.is_some(), large >= 2);
        let Some(sweep) = found else { return Ok(()) };
        check(&sweep, &rows, 4, least_count.max(1));
        prop_assert!(sweep.cutoffs().windows(2).all(|pair| pair[0].score > pair[1].score));
        // Sixteen bins hold one score each.
        let of_bins = ScoreSweep::from_histograms(&scored.histograms(16).unwrap(), least_count).unwrap();
        prop_assert_eq!(of_bins.cutoffs(), sweep.cutoffs());
    }

    #[test]
    fn what_meets_a_floor_does_so_at_the_least_loss(rows in some_rows(), floor in 0.1..1.0_f64) {
        let (groups, scores, labels) = columns(&rows);
        let Some(sweep) = ScoredRows::new(&groups, &scores, &labels, 4).unwrap().sweep(1) else { return Ok(()) };
        let found = sweep.meeting(floor, usize::MAX);
        prop_assert!(found.iter().all(|one| one.cutoff.impact_ratio >= Some(floor) && one.accuracy_loss >= 0.0));
        prop_assert!(found.windows(2).all(|pair| pair[0].accuracy_loss <= pair[1].accuracy_loss));
        let n_meeting = sweep.cutoffs().iter().filter(|cutoff| cutoff.impact_ratio >= Some(floor)).count();
        prop_assert_eq!(found.len(), n_meeting);
        prop_assert_eq!(sweep.meeting(floor, 1).len(), n_meeting.min(1));
    }
}

#[test]
fn ends_of_the_range() {
    let (groups, scores, labels) = ([0, 1, 0, 1], [1.0, 0.0, -0.0, 0.5], [true, false, false, true]);
    let sweep = ScoredRows::new(&groups, &scores, &labels, 2).unwrap().sweep(0).unwrap();
    assert_eq!(sweep.cutoffs().iter().map(|cutoff| cutoff.score).collect::<Vec<_>>(), [1.0, 0.5, 0.0]);
    assert_eq!(sweep.most_accurate().score, 0.5);
    assert_eq!(sweep.cutoffs()[2].impact_ratio, Some(1.0));
    assert_eq!(sweep.counts_at(f64::NAN), None);
    let none = sweep.counts_at(2.0).unwrap();
    assert_eq!(none.gap(GroupMetric::SelectionRate, 0.95).unwrap().ratio, None);
    assert!(ScoreSweep::from_histograms(&[], 0).is_none());
    let sizes = [4, 8].map(|bins| ScoreHistogram::new(bins).unwrap());
    assert!(ScoreSweep::from_histograms(&sizes, 0).is_none());
    let huge = vec![[u64::MAX, 0]; 2];
    let huge = ScoreHistogram::try_from(huge).unwrap();
    assert!(ScoreSweep::from_histograms(&[huge.clone(), huge], 0).is_none());
}
