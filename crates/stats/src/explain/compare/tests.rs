use super::*;
use crate::random::SplitMix;

fn normals(random: &mut SplitMix, rows: usize, mean: f64) -> Vec<f64> {
    (0..rows).map(|_| mean + random.normal()).collect()
}

/// Goal: where nothing changes, a family of ten features has a false finding in 5 % of the comparisons.
/// Method: 200 comparisons; 20 or more findings have a chance below 0.002 at 5 %.
#[test]
fn unchanged_features_are_seldom_called_changed() {
    let settings = CompareSettings { resamples: 40, ..CompareSettings::default() };
    let mut false_alarms = 0;
    for seed in 0..200 {
        let mut random = SplitMix::new(seed);
        let sides: Vec<Vec<f64>> = (0..20).map(|_| normals(&mut random, 60, 0.2)).collect();
        let columns: Vec<&[f64]> = sides.iter().map(Vec::as_slice).collect();
        let found = compare_features(&columns[..10], &columns[10..], settings).unwrap();
        let alarm = |change: &Change| change.adjusted_p_value < 0.05;
        false_alarms += u32::from(found.iter().any(|found| alarm(&found.shift) || alarm(&found.weight)));
    }
    assert!(false_alarms < 20, "{false_alarms} of 200");
}

/// Goal: a shift is found, its interval holds it, and the shifts sum to the change of the whole.
#[test]
fn a_moved_feature_is_found_and_shifts_add_up() {
    let mut random = SplitMix::new(3);
    let before: Vec<Vec<f64>> = (0..4).map(|_| normals(&mut random, 400, 0.0)).collect();
    let mut after: Vec<Vec<f64>> =
        before.iter().map(|column| column.iter().map(|x| x + 0.1 * random.normal()).collect()).collect();
    after[2].iter_mut().for_each(|value| *value += 0.1);
    after[3].iter_mut().for_each(|value| *value *= 1.3);
    let total = |side: &[Vec<f64>]| side.iter().flatten().sum::<f64>();
    let (sum_before, sum_after) = (total(&before), total(&after));
    let reference: Vec<&[f64]> = before.iter().map(Vec::as_slice).collect();
    let current: Vec<&[f64]> = after.iter().map(Vec::as_slice).collect();
    let found = compare_features(&reference, &current, CompareSettings::default()).unwrap();
    assert!(found[2].shift.adjusted_p_value < 1e-6 && (found[2].shift.mean.estimate.value - 0.1).abs() < 0.025);
    assert!(found[3].weight.adjusted_p_value < 1e-6 && found[3].weight.mean.interval.low > 0.1);
    assert!(found[0].shift.adjusted_p_value > 0.05 && found[1].weight.adjusted_p_value > 0.05);
    let shifts: f64 = found.iter().map(|found| found.shift.mean.estimate.value).sum();
    assert!((shifts - (sum_after - sum_before) / 400.0).abs() < 1e-9);
    // Half a normal's mean distance: 0.1 sqrt(2 / pi).
    assert!((found[0].distance.estimate.value - 0.0798).abs() < 0.01);
}

/// Goal: the slice that got worse is named, small slices get no verdict, and shares sum to one.
#[test]
fn the_worse_slice_is_named() {
    let mut random = SplitMix::new(8);
    let rows = 500;
    let slices: Vec<usize> = (0..rows).map(|row| if row < 10 { 3 } else { row % 3 }).collect();
    let reference = vec![0.2; rows];
    let current: Vec<f64> =
        slices.iter().map(|slice| if *slice == 1 { 0.5 } else { 0.2 } + 0.05 * random.unit()).collect();
    let targets: Vec<f64> = (0..rows).map(|_| f64::from(u8::from(random.unit() < 0.2))).collect();
    let paired =
        PairedPredictions { reference: &reference, current: &current, targets: &targets, loss: PointLoss::Log };
    let found = loss_by_slice(paired, &slices, CompareSettings::default()).unwrap();
    assert!(found[1].adjusted_p_value.unwrap() < 0.01 && found[1].change.unwrap().value > 0.05);
    assert!(found[0].adjusted_p_value.unwrap() > 0.01 && found[2].adjusted_p_value.unwrap() > 0.01);
    assert_eq!((found[3].rows, found[3].adjusted_p_value), (10, None));
    assert!(found[3].interval.is_some());
    assert!((found.iter().map(|slice| slice.share.unwrap()).sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn bad_input_gives_nothing() {
    let settings = CompareSettings::default();
    assert_eq!(compare_features(&[], &[], settings), None);
    assert_eq!(compare_features(&[&[1.0, 2.0]], &[&[1.0]], settings), None);
    assert_eq!(compare_features(&[&[1.0, f64::NAN]], &[&[1.0, 2.0]], settings), None);
    let never = CompareSettings { resamples: 2, ..settings };
    assert_eq!(compare_features(&[&[1.0, 2.0]], &[&[1.0, 2.0]], never), None);
    let paired = PairedPredictions { reference: &[0.1], current: &[0.2], targets: &[0.0], loss: PointLoss::Squared };
    assert_eq!(loss_by_slice(paired, &[], settings), None);
    assert_eq!(loss_by_slice(paired, &[usize::MAX], settings), None);
    let one = loss_by_slice(paired, &[2], settings).unwrap();
    assert_eq!((one.len(), one[2].rows, one[2].change), (3, 1, None));
}
