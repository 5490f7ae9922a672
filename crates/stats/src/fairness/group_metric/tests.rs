use proptest::prelude::*;

use super::*;

const METRICS: [GroupMetric; 5] = [
    GroupMetric::SelectionRate,
    GroupMetric::TruePositiveRate,
    GroupMetric::FalsePositiveRate,
    GroupMetric::Precision,
    GroupMetric::Accuracy,
];

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

/// Goal: shares that may all be zero may have any ratio, and clear ones have a narrow one.
#[test]
fn the_ratio_has_its_interval() {
    let table = |selected: u64, n: u64| Confusion {
        false_positive: selected,
        true_negative: n - selected,
        ..Confusion::default()
    };
    let of = |tables: [Confusion; 2]| {
        GroupCounts::try_from(tables.to_vec()).unwrap().gap(GroupMetric::SelectionRate, 0.95).unwrap()
    };
    let none = of([table(0, 10), table(0, 10)]);
    assert_eq!(none.ratio_interval, Interval { low: 0.0, high: 1.0 });
    let clear = of([table(20_000, 100_000), table(50_000, 100_000)]);
    assert!(clear.ratio_interval.contains(0.4) && 0.39 < clear.ratio_interval.low && clear.ratio_interval.high < 0.41);
}

fn tables() -> impl Strategy<Value = Vec<Confusion>> {
    let table = [0..40_u64, 0..40_u64, 0..40_u64, 0..40_u64].prop_map(|[a, b, c, d]| Confusion {
        true_positive: a,
        false_positive: b,
        true_negative: c,
        false_negative: d,
    });
    prop::collection::vec(table, 1..8)
}

proptest! {
    #[test]
    fn a_gap_lies_in_its_interval(tables in tables(), confidence in 0.5..0.999_f64) {
        let counts = GroupCounts::try_from(tables).unwrap();
        let gaps = METRICS.iter().filter_map(|metric| counts.gap(*metric, confidence));
        for gap in gaps.chain(counts.equalized_odds(confidence)) {
            prop_assert!(gap.difference_interval.contains(gap.difference));
            prop_assert!(gap.ratio.is_none_or(|ratio| gap.ratio_interval.contains(ratio)));
            prop_assert!(0.0 <= gap.ratio_interval.low && gap.ratio_interval.high <= 1.0);
        }
    }

    #[test]
    fn the_order_of_groups_does_not_matter(tables in tables(), turn in 0..8_usize) {
        let counts = GroupCounts::try_from(tables.clone()).unwrap();
        let mut turned = tables;
        let middle = turn % turned.len();
        turned.rotate_left(middle);
        turned.push(Confusion::default());
        let relabelled = GroupCounts::try_from(turned).unwrap();
        for metric in METRICS {
            prop_assert_eq!(counts.gap(metric, 0.9), relabelled.gap(metric, 0.9));
            let mut values = counts.by_group(metric, 0.9);
            values.rotate_left(middle);
            values.push(None);
            prop_assert_eq!(values, relabelled.by_group(metric, 0.9));
        }
        prop_assert_eq!(counts.equalized_odds(0.9), relabelled.equalized_odds(0.9));
    }

    #[test]
    fn parts_merge_to_the_whole(rows in prop::collection::vec((0..5_u32, any::<bool>(), any::<bool>()), 0..200), at in 0..200_usize) {
        let counted = |rows: &[(u32, bool, bool)]| {
            let groups: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let decisions: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.2).collect();
            GroupCounts::from_rows(&groups, &decisions, &labels, 5).unwrap()
        };
        let (first, second) = rows.split_at(at.min(rows.len()));
        let mut merged = counted(first);
        prop_assert!(merged.merge(&counted(second)));
        prop_assert_eq!(merged, counted(&rows));
    }
}
