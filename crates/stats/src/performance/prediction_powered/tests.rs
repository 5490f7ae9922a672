use proptest::prelude::*;

use super::*;
use crate::golden::close;
use crate::random::SplitMix;
use crate::sequential::tests_stream::Lcg;

fn numbers(n: usize, state: u64) -> Vec<f64> {
    let mut stream = Lcg::exactly(state);
    (0..n).map(|_| stream.next()).collect()
}

fn mixed(outcomes: &[f64], guesses: &[f64], unlabelled: &[f64]) -> PredictionPowered {
    let mut mixed = PredictionPowered::new();
    outcomes.iter().zip(guesses).for_each(|(outcome, guess)| assert!(mixed.observe_labelled(*outcome, *guess)));
    unlabelled.iter().for_each(|guess| assert!(mixed.observe_unlabelled(*guess)));
    mixed
}

/// ppi-python 0.2.3: `ppi_mean_pointestimate(Y, Yhat, Yhat_unlabeled)` and `ppi_mean_ci(alpha=0.05)`, the
/// part tuned. Its standard error divides by `n`, ours by `n - 2`.
#[test]
fn agrees_with_the_authors() {
    let guesses = numbers(60, 101);
    let outcomes: Vec<f64> = numbers(60, 107).iter().zip(&guesses).map(|(u, p)| f64::from(u8::from(u < p))).collect();
    let unlabelled = numbers(1_000, 113);
    for (guesses, part, value, low) in GOLDEN_ROWS {
        let found = mixed(&outcomes, &numbers(60, guesses), &unlabelled);
        let estimate = found.estimate().unwrap();
        close(Some(estimate.value), value, 1e-9);
        close(found.part(), part, 1e-8);
        let of_unlabelled = part * part * found.unlabelled.variance().unwrap() / 1_000.0;
        let of_labelled = (estimate.standard_error.powi(2) - of_unlabelled) * 58.0 / 60.0;
        let error = (of_labelled + of_unlabelled * 999.0 / 1_000.0).sqrt();
        close(Some(value - 1.959_963_984_540_054 * error), low, 1e-9);
    }
}

/// The state that the guesses start from, the part, the mean, and the lower end.
const GOLDEN_ROWS: [(u64, f64, f64, f64); 4] = [
    (101, 1.0, 0.477_685_840_554_535_45, 0.383_979_974_426_798_3),
    (109, 0.330_460_968_143_088_45, 0.466_233_627_875_276_6, 0.341_791_076_646_761_67),
    (103, 0.148_446_149_115_093_9, 0.482_021_286_364_201_3, 0.355_998_022_928_928_24),
    (139, 0.422_664_464_347_194_35, 0.497_586_696_172_412_7, 0.374_327_664_128_973_9),
];

/// Goal: the interval covers as often as stated, and is narrower than that of the labels alone, whatever the
/// guesses are worth; useless guesses cost next to nothing.
/// Method: 600 runs of 80 labels and 2,000 unlabelled rows; outcomes right with nine in ten.
#[test]
fn covers_and_is_narrow() {
    let mut random = SplitMix::new(3);
    for (trust, narrower) in [(1.0, 0.97), (0.0, 1.04)] {
        let (mut covered, mut width, mut width_alone) = (0, 0.0, 0.0);
        for _ in 0..600 {
            let (mut both, mut alone) = (PredictionPowered::new(), PredictionPowered::new());
            for row in 0..2_080 {
                let p = 0.8 + 0.2 * random.unit();
                let p = if random.unit() < 0.1 { 0.3 } else { p };
                let guess = trust * p + (1.0 - trust) * random.unit();
                let outcome = f64::from(u8::from(random.unit() < p));
                if row < 80 {
                    both.observe_labelled(outcome, guess);
                    alone.observe_labelled(outcome, guess);
                } else {
                    both.observe_unlabelled(guess);
                }
            }
            // 0.9 * 0.9 + 0.1 * 0.3 of all rows are right.
            let interval = both.share_interval(0.95).unwrap();
            covered += u32::from(interval.contains(0.84));
            width += interval.high - interval.low;
            width_alone += alone.share_interval(0.95).map(|interval| interval.high - interval.low).unwrap();
        }
        assert!(covered >= 566, "{covered} of 600 at {trust}");
        assert!(width / width_alone < narrower, "{}", width / width_alone);
    }
}

/// Goal: labels that prefer positive decisions do no harm, as long as they are random within them.
#[test]
fn metrics_cover_with_a_quarter_of_the_labels() {
    let mut random = SplitMix::new(8);
    let mut covered = [0; 3];
    let metrics = [BinaryMetric::Precision, BinaryMetric::Recall, BinaryMetric::F1];
    for _ in 0..300 {
        let (mut mixed, mut cells) = (PredictionPoweredConfusion::new(), [0.0; 4]);
        for _ in 0..3_000 {
            let p = random.unit();
            let decision = p > 0.6;
            // Probabilities are off: the truth is less extreme.
            let label = random.unit() < 0.2 + 0.6 * p;
            cells[match (decision, label) {
                (true, true) => TRUE_POSITIVE,
                (true, false) => FALSE_POSITIVE,
                (false, false) => TRUE_NEGATIVE,
                (false, true) => FALSE_NEGATIVE,
            }] += 1.0;
            let known = random.unit() < if decision { 0.3 } else { 0.1 };
            assert!(mixed.observe(p, decision, known.then_some(label)));
        }
        for (covered, metric) in covered.iter_mut().zip(metrics) {
            let interval = mixed.metric(metric).unwrap().share_interval(0.95).unwrap();
            *covered += u32::from(interval.contains(metric.at(cells).unwrap().value));
        }
    }
    assert!(covered.iter().all(|covered| *covered >= 280), "{covered:?} of 300");
}

#[test]
fn too_little_or_bad_gives_nothing() {
    let mut few = mixed(&[1.0; 19], &[0.5; 19], &[0.5; 100]);
    assert_eq!((few.estimate(), few.part()), (None, None));
    assert!(!few.observe_labelled(f64::NAN, 0.5) && !few.observe_labelled(1.0, f64::INFINITY));
    assert!(!few.observe_unlabelled(f64::NAN));
    // Twenty labels that all agree: no spread, hence no interval of a mean, and a wide one of a share.
    few.observe_labelled(1.0, 0.5);
    assert_eq!(few.interval(0.95), None);
    let share = few.share_interval(0.95).unwrap();
    assert!(share.low < 0.9 && share.high == 1.0, "{share:?}");
    assert_eq!(mixed(&[2.0; 30], &[0.5; 30], &[]).share_interval(0.95), None);
    assert_eq!(PredictionPoweredConfusion::new().metric(BinaryMetric::Precision), None);
    assert!(!PredictionPoweredConfusion::new().observe(1.5, true, None));
}

proptest! {
    #[test]
    fn halves_make_the_whole(
        labelled in proptest::collection::vec((-10.0..10.0_f64, -1.0..1.0_f64), 40..80),
        unlabelled in proptest::collection::vec(-1.0..1.0_f64, 2..80),
        cut in 0..40_usize,
    ) {
        let (outcomes, guesses): (Vec<f64>, Vec<f64>) = labelled.into_iter().unzip();
        let whole = mixed(&outcomes, &guesses, &unlabelled);
        let mut merged = mixed(&outcomes[..cut], &guesses[..cut], &unlabelled[..1]);
        merged.merge(&mixed(&outcomes[cut..], &guesses[cut..], &unlabelled[1..]));
        let (a, b) = (whole.estimate().unwrap(), merged.estimate().unwrap());
        prop_assert!((a.value - b.value).abs() < 1e-9 && (a.standard_error - b.standard_error).abs() < 1e-9);
        // Never less sure than the labels alone, but for the two rows that tuning costs.
        let alone = mixed(&outcomes, &guesses, &[]).estimate().unwrap();
        prop_assert!(a.standard_error <= alone.standard_error * 1.35);
    }
}
