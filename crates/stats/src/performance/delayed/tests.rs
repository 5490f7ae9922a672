use super::*;
use crate::random::SplitMix;

/// Delays of "right" are 30 days on average, of "wrong" 5; four in five are labelled at all.
fn delay(random: &mut SplitMix, right: bool) -> f64 {
    -random.unit().ln() * if right { 30.0 } else { 5.0 }
}

fn curve(random: &mut SplitMix, share: f64) -> MaturityCurve {
    let (mut delays, mut outcomes) = (Vec::new(), Vec::new());
    for _ in 0..4_000 {
        let right = random.unit() < share;
        if random.unit() < 0.8 {
            delays.push(delay(random, right));
            outcomes.push(right);
        }
    }
    MaturityCurve::fit(&delays, &outcomes, 4_000).unwrap()
}

fn recent(random: &mut SplitMix, share: f64, n: usize) -> Vec<RecentPrediction> {
    let one = |_| {
        let age = 20.0 * random.unit();
        let right = random.unit() < share;
        let arrived = random.unit() < 0.8 && delay(random, right) <= age;
        RecentPrediction { age, right: arrived.then_some(right) }
    };
    (0..n).map(one).collect()
}

/// Goal: labels alone say 88 % where 95 % are right; the estimate is right, and its interval covers.
/// Method: 300 runs, each with a curve of its own, of a model as good as before and of one that is worse.
#[test]
fn undoes_the_preference_of_early_labels() {
    let mut random = SplitMix::new(4);
    for share in [0.95, 0.8] {
        let (mut covered, mut total, mut naive, mut off) = (0, 0.0, 0.0, 0.0_f64);
        for _ in 0..300 {
            let curve = curve(&mut random, 0.95);
            let found = curve.share(&recent(&mut random, share, 1_500)).unwrap();
            covered += u32::from(found.share.share_interval(0.95).unwrap().contains(share));
            total += found.share.value;
            naive += found.as_labelled;
            off = off.max((found.labels as f64 / found.expected_labels - 1.0).abs());
        }
        assert!((total / 300.0 - share).abs() < 0.006, "{}", total / 300.0);
        assert!(naive / 300.0 < share - 0.06, "{}", naive / 300.0);
        assert!(covered >= 280, "{covered} of 300");
        assert!(off < 0.35, "{off}");
    }
}

/// Goal: no delay by outcome, and nothing changes: the share of the labels, with their error.
#[test]
fn without_preference_it_is_the_share_of_the_labels() {
    let delays: Vec<f64> = (0..2_000).map(|i| f64::from(i / 2 % 100)).collect();
    let right: Vec<bool> = (0..2_000).map(|i| i % 2 == 0).collect();
    let curve = MaturityCurve::fit(&delays, &right, 2_000).unwrap();
    let recent: Vec<RecentPrediction> =
        (0..1_000).map(|i| RecentPrediction { age: 200.0, right: Some(i % 4 != 0) }).collect();
    let found = curve.share(&recent).unwrap();
    assert!((found.share.value - 0.75).abs() < 1e-3 && (found.as_labelled - 0.75).abs() < 1e-12);
    assert!((found.share.standard_error - (0.75 * 0.25 / 1_000.0_f64).sqrt()).abs() < 1e-4);
    assert!((found.expected_labels - 1_000.0).abs() < 1e-9);
}

/// Goal: a broken feed of labels shows as labels that are missing.
#[test]
fn says_that_labels_are_missing() {
    let mut random = SplitMix::new(6);
    let curve = curve(&mut random, 0.9);
    let mut recent = recent(&mut random, 0.9, 4_000);
    recent.iter_mut().step_by(2).for_each(|prediction| prediction.right = None);
    let found = curve.share(&recent).unwrap();
    assert!((found.labels as f64) < 0.65 * found.expected_labels, "{found:?}");
}

#[test]
fn too_little_or_bad_is_said() {
    let none = MaturityCurve::fit(&[], &[], 0).unwrap_err();
    assert_eq!(none, DelayError::TooFewMatureLabels { right: 0, wrong: 0 });
    assert_eq!(MaturityCurve::fit(&[1.0], &[], 9), Err(DelayError::Invalid));
    assert_eq!(MaturityCurve::fit(&[f64::NAN], &[true], 9), Err(DelayError::Invalid));
    assert_eq!(MaturityCurve::fit(&[-1.0], &[true], 9), Err(DelayError::Invalid));
    assert_eq!(MaturityCurve::fit(&[1.0], &[true], 0), Err(DelayError::Invalid));
    let mut random = SplitMix::new(1);
    let curve = curve(&mut random, 0.9);
    assert_eq!(curve.share(&[]), Err(DelayError::TooFewLabels { usable: 0 }));
    let bad = RecentPrediction { age: f64::NAN, right: None };
    assert_eq!(curve.share(&[bad]), Err(DelayError::Invalid));
    // Labels of predictions so young that next to nothing had arrived do not count.
    let young = [RecentPrediction { age: 1e-4, right: Some(false) }; 100];
    assert_eq!(curve.share(&young), Err(DelayError::TooFewLabels { usable: 0 }));
    let message = DelayError::TooFewLabels { usable: 3 }.to_string();
    assert_eq!(message, "3 labels of predictions that are old enough, and 20 are needed");
    // All labels agree: a finite answer below one.
    let right = [RecentPrediction { age: 100.0, right: Some(true) }; 40];
    let found = curve.share(&right).unwrap().share;
    assert!(0.95 < found.value && found.value < 1.0 && found.standard_error > 0.005, "{found:?}");
}
