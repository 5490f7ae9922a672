use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;

fn period() -> impl Strategy<Value = Vec<(u32, f64, f64)>> {
    prop::collection::vec((0_u32..6, -3.0..9.0, 0.5..4.0), 1..60)
}

fn columns(rows: &[(u32, f64, f64)]) -> (Vec<u32>, Vec<f64>, Vec<f64>) {
    (
        rows.iter().map(|row| row.0).collect(),
        rows.iter().map(|row| row.1).collect(),
        rows.iter().map(|row| row.2).collect(),
    )
}

proptest! {
    #[test]
    fn parts_add_up_to_the_change(reference in period(), current in period(), is_ratio in any::<bool>()) {
        let (reference, current) = (columns(&reference), columns(&current));
        fn rows(of: &(Vec<u32>, Vec<f64>, Vec<f64>), is_ratio: bool) -> MetricRows<'_> {
            MetricRows { groups: &of.0, numerators: &of.1, denominators: is_ratio.then_some(&of.2[..]) }
        }
        let found = decompose_change(rows(&reference, is_ratio), rows(&current, is_ratio)).unwrap();
        let sum: f64 = found.groups.iter().map(|group| group.mix.amount + group.rate.amount).sum();
        prop_assert!((sum - (found.now - found.before)).abs() < 1e-9);
        prop_assert!((found.mix.amount + found.rate.amount - sum).abs() < 1e-9);
        let back = decompose_change(rows(&current, is_ratio), rows(&reference, is_ratio)).unwrap();
        prop_assert!((back.mix.amount + found.mix.amount).abs() < 1e-9);
    }
}

/// By hand: weights 0.5 to 0.25 and metrics 0.5 to 1.0 in group 0.
#[test]
fn a_small_table_by_hand() {
    let rows = |groups, numerators| MetricRows { groups, numerators, denominators: None };
    let found =
        decompose_change(rows(&[0, 0, 1, 1], &[0.0, 1.0, 0.0, 0.0]), rows(&[0, 1, 1, 1], &[1.0, 0.0, 0.0, 0.0]))
            .unwrap();
    assert_eq!((found.before, found.now), (0.25, 0.25));
    assert!((found.groups[0].mix.amount + 0.25 * (0.75 - 0.25)).abs() < 1e-15);
    assert!((found.groups[0].rate.amount - 0.375 * 0.5).abs() < 1e-15);
}

#[test]
fn a_new_group_is_mix() {
    let rows = |groups, numerators| MetricRows { groups, numerators, denominators: None };
    let found = decompose_change(rows(&[0, 0], &[0.0, 0.0]), rows(&[0, 1], &[0.0, 1.0])).unwrap();
    assert_eq!((found.mix.amount, found.rate.amount), (0.5, 0.0));
}

/// Goal: 95 % intervals of mix and rate hold the truth in 95 % of 400 runs (here: 90 to 99 %).
#[test]
fn intervals_hold_the_truth() {
    let draw = |random: &mut SplitMix, share: f64, rates: [f64; 2]| {
        let groups: Vec<u32> = (0..400).map(|_| u32::from(random.unit() < share)).collect();
        let y: Vec<f64> =
            groups.iter().map(|group| f64::from(u8::from(random.unit() < rates[*group as usize]))).collect();
        (groups, y)
    };
    let (mut random, mut mix, mut rate, mut one) = (SplitMix::new(5), 0, 0, 0);
    for _ in 0..400 {
        let (before, now) = (draw(&mut random, 0.3, [0.1, 0.5]), draw(&mut random, 0.5, [0.1, 0.6]));
        let rows = |of| -> MetricRows<'_> {
            let (groups, y): &(Vec<u32>, Vec<f64>) = of;
            MetricRows { groups, numerators: y, denominators: None }
        };
        let found = decompose_change(rows(&before), rows(&now)).unwrap();
        let holds = |part: &ChangePart, truth: f64| {
            part.interval(0.95).is_some_and(|(low, high)| low <= truth && truth <= high)
        };
        mix += usize::from(holds(&found.mix, 0.2 * 0.45));
        rate += usize::from(holds(&found.rate, 0.4 * 0.1));
        // Group 1 alone: the middle of the two means is (0.22 + 0.35) / 2.
        one += usize::from(holds(&found.groups[1].mix, 0.2 * (0.55 - 0.285)));
    }
    for kept in [mix, rate, one] {
        assert!((360..=397).contains(&kept), "{mix} {rate} {one}");
    }
}

#[test]
fn bad_rows_are_refused() {
    let good = MetricRows { groups: &[0], numerators: &[1.0], denominators: None };
    let of = |rows| decompose_change(good, rows);
    assert!(of(good).is_some());
    assert_eq!(of(MetricRows { groups: &[], ..good }), None);
    assert_eq!(of(MetricRows { numerators: &[f64::NAN], ..good }), None);
    assert_eq!(of(MetricRows { denominators: Some(&[-1.0]), ..good }), None);
    assert_eq!(of(MetricRows { denominators: Some(&[0.0]), ..good }), None);
}
