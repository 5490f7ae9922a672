//! Every two-sample function answers a number or "too little data", never NaN, and never panics.

use wardline_stats::learn::Features;
use wardline_stats::two_sample::*;

/// Samples that go wrong somewhere: empty, one value, constants, NaN, infinities, the largest numbers,
/// the smallest, unsorted, equal but for the sign of zero.
fn samples() -> Vec<Vec<f64>> {
    vec![
        vec![],
        vec![1.0],
        vec![2.0; 60],
        vec![f64::NAN; 10],
        vec![1.0, f64::NAN, 3.0],
        vec![f64::NEG_INFINITY, 0.0, f64::INFINITY],
        vec![f64::MIN, -1.0, 0.0, 1.0, f64::MAX],
        vec![f64::MAX; 30],
        vec![5e-324, 1e-310, f64::MIN_POSITIVE, 1.0],
        vec![3.0, 2.0, 1.0],
        vec![-0.0, 0.0, -0.0, 0.0, 0.0, 1.0],
        (0..50).map(f64::from).collect(),
        (0..50).map(|i| f64::from(i) * 1e300).collect(),
    ]
}

/// Counts that go wrong somewhere.
fn tables() -> Vec<Vec<u64>> {
    vec![
        vec![],
        vec![0],
        vec![5],
        vec![0, 0, 0],
        vec![1, 2, 3],
        vec![0, 7, 0],
        vec![u64::MAX, u64::MAX, 1],
        vec![u64::MAX / 2, 1, 0],
        vec![1_000_000_000_000; 3],
        vec![1; 100],
    ]
}

#[track_caller]
fn sane(found: impl std::fmt::Debug, input: impl std::fmt::Debug) {
    let text = format!("{found:?}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text:.300} from {input:?}");
}

#[test]
fn samples_of_numbers() {
    for a in samples() {
        for b in samples() {
            let input = (&a, &b);
            // A sample of NaN is told by `Debug` as NaN: only the answers are looked at.
            sane(kolmogorov_smirnov(&a, &b).map(|test| (test.statistic, test.p_value)), input);
            sane(cramer_von_mises(&a, &b), input);
            sane(anderson_darling(&a, &b), input);
            sane(mann_whitney(&a, &b), input);
            sane(epps_singleton(&a, &b), input);
            sane(welch_t(&a, &b), input);
            sane(student_t(&a, &b), input);
            sane(wasserstein(&a, &b), input);
            sane(wasserstein_normalised(&a, &b), input);
            sane(energy_distance(&a, &b), input);
            sane(energy_test(&a, &b, 19, 1), input);
        }
    }
}

#[test]
fn tables_of_counts() {
    for a in tables() {
        for b in tables() {
            let input = (&a, &b);
            sane(chi_square(&a, &b, 5.0), input);
            sane(chi_square(&a, &b, f64::NAN), input);
            sane(g_test(&a, &b, 0.0), input);
            sane(population_stability(&a, &b, 1e-4), input);
            sane(kullback_leibler(&a, &b, 1e-4), input);
            sane(jensen_shannon(&a, &b), input);
            sane(hellinger(&a, &b), input);
            sane(l_infinity(&a, &b), input);
            sane(total_variation(&a, &b), input);
            sane(kolmogorov_smirnov_counts(&a, &b), input);
            sane(mann_whitney_counts(&a, &b), input);
            for distance in [Distance::PopulationStability, Distance::JensenShannon, Distance::LInfinity] {
                sane(noise_floor(distance, &a, &b, 0.01), input);
            }
            let four = [a.first(), a.get(1), b.first(), b.get(1)].map(|cell| cell.copied().unwrap_or(0));
            sane(two_proportions((four[0], four[1]), (four[2], four[3])), input);
            if four.iter().all(|cell| *cell < 1_000_000) {
                sane(fisher_exact([[four[0], four[1]], [four[2], four[3]]]), input);
            }
        }
    }
}

#[test]
fn rows_of_numbers() {
    for a in samples() {
        for b in samples() {
            for width in [0, 1, 2] {
                let (Some(reference), Some(current)) = (Rows::new(&a, width), Rows::new(&b, width)) else { continue };
                let input = (&a, &b);
                sane(median_squared_distance(reference, current), input);
                sane(kernel_discrepancy(reference, current, 1.0, 19, 1), input);
                sane(kernel_discrepancy(reference, current, f64::NAN, 19, 1), input);
                sane(aggregated_discrepancy(reference, current, 19, 1), input);
                sane(density_difference(reference, current, 19, 1), input);
                for scaling in [Scaling::EachColumn, Scaling::Together] {
                    let settings = KernelSettings { frequencies: 8, scaling, seed: 1 };
                    let Some(kept) = KernelReference::new(reference, &settings) else { continue };
                    let mut window = kept.window();
                    window.insert(current);
                    sane(kept.compare(&window), input);
                }
            }
        }
    }
}

#[test]
fn columns_for_a_classifier() {
    for a in samples() {
        for b in samples() {
            let (Some(reference), Some(current)) = (Features::new(vec![&a]), Features::new(vec![&b])) else { continue };
            sane(classifier_test(&reference, &current, &ClassifierSettings::default()), (&a, &b));
        }
    }
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let features = Features::new(vec![&values[..]]).unwrap();
    for settings in [
        ClassifierSettings { training_share: f64::NAN, ..ClassifierSettings::default() },
        ClassifierSettings { training_share: 1.0, ..ClassifierSettings::default() },
        ClassifierSettings { most_training_rows: 0, ..ClassifierSettings::default() },
    ] {
        assert_eq!(classifier_test(&features, &features, &settings), None);
    }
}
