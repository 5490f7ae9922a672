//! Metrics by group and their gaps of Fairlearn 0.15.0, over twelve crossed groups.

use wardline_stats::fairness::{Gap, GroupCounts, GroupMetric, crossed};
use wardline_stats::performance::Confusion;

use crate::inputs::lcg;
use crate::values::{Golden, close, fairness};

const SIZES: [usize; 12] = [400, 300, 200, 150, 100, 80, 60, 40, 25, 12, 3, 1];
const METRICS: [(&str, GroupMetric); 5] = [
    ("selection_rate", GroupMetric::SelectionRate),
    ("true_positive_rate", GroupMetric::TruePositiveRate),
    ("false_positive_rate", GroupMetric::FalsePositiveRate),
    ("precision", GroupMetric::Precision),
    ("accuracy", GroupMetric::Accuracy),
];

/// As the rows of `testdata/golden_fairness.py`.
fn counts() -> GroupCounts {
    let groups: Vec<usize> = (0..12).flat_map(|group| std::iter::repeat_n(group, SIZES[group])).collect();
    let (draws, others) = (lcg(groups.len(), 5), lcg(groups.len(), 29));
    let numbered: Vec<u32> =
        groups.iter().map(|g| crossed(&[(g / 6, 2), (g / 2 % 3, 3), (g % 2, 2)]).unwrap() as u32).collect();
    let label = |(group, draw): (&usize, &f64)| match group {
        8 => false,
        10 => true,
        _ => *draw < 0.35 + 0.02 * (group % 5) as f64,
    };
    let labels: Vec<bool> = groups.iter().zip(&draws).map(label).collect();
    let decision = |((group, other), label): ((&usize, &f64), &bool)| match group {
        7 => true,
        9 => false,
        _ => *other < 0.2 + 0.45 * f64::from(u8::from(*label)) - 0.03 * (group % 4) as f64,
    };
    let decisions: Vec<bool> = groups.iter().zip(&others).zip(&labels).map(decision).collect();
    GroupCounts::from_rows(&numbered, &decisions, &labels, 12).unwrap()
}

fn agrees(gap: Gap, golden: &Golden, name: &str) {
    close(name, gap.difference, golden.number(&format!("/{name}_difference")), 1e-12);
    close(name, gap.ratio, golden.number(&format!("/{name}_ratio")), 1e-12);
}

#[test]
fn golden_metrics_by_group() {
    let golden = fairness();
    golden.is_from("fairlearn", "0.15.0");
    let counts = counts();
    let mut without_value = 0;
    for (name, metric) in METRICS {
        let expected = golden.flat(&format!("/by_group/{name}"));
        for (group, expected) in counts.by_group(metric, 0.95).iter().zip(expected) {
            match group {
                Some(group) => close(name, group.value, expected, 1e-12),
                // Fairlearn's rates are zero where they count nobody, scikit-learn's precision as it is told.
                None => {
                    assert!(expected == 0.0 || expected.is_nan(), "{name}");
                    without_value += 1;
                }
            }
        }
    }
    assert!(without_value >= 3);
}

#[test]
fn golden_gaps() {
    let (golden, counts) = (fairness(), counts());
    let two_sided: Vec<Confusion> = counts.groups()[..7].to_vec();
    let (two_sided, expected) = (GroupCounts::try_from(two_sided).unwrap(), golden.at("/two_sided"));
    agrees(two_sided.gap(GroupMetric::SelectionRate, 0.95).unwrap(), &expected, "demographic_parity");
    agrees(two_sided.gap(GroupMetric::TruePositiveRate, 0.95).unwrap(), &expected, "equal_opportunity");
    agrees(two_sided.equalized_odds(0.95).unwrap(), &expected, "equalized_odds");
    agrees(counts.gap(GroupMetric::SelectionRate, 0.95).unwrap(), &golden.at("/all"), "demographic_parity");
}

/// Goal: a group without positives does not count as a true positive rate of zero, as it does in Fairlearn.
/// Method: eight two-sided groups and one without a positive label.
#[test]
fn golden_one_sided_group_is_left_out() {
    let golden = fairness();
    let groups = |n: usize| GroupCounts::try_from(counts().groups()[..n].to_vec()).unwrap();
    let gap = |n| groups(n).gap(GroupMetric::TruePositiveRate, 0.95).unwrap();
    assert_eq!(gap(9).difference, gap(8).difference);
    assert!(gap(9).ratio.unwrap() > 0.5);
    assert_eq!(golden.number("/nine/equal_opportunity_ratio"), 0.0);
    assert_eq!(golden.number("/nine/equal_opportunity_difference"), 1.0);
}
