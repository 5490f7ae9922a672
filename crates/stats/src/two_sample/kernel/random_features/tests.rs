use super::*;
use crate::random::SplitMix;
use crate::two_sample::{kernel_discrepancy, median_squared_distance};

const WIDTH: usize = 5;

fn rows(seed: u64, n: usize, shift: f64) -> Vec<f64> {
    let mut random = SplitMix::new(seed);
    (0..n * WIDTH).map(|at| random.normal() + if at % WIDTH == 0 { shift } else { 0.0 }).collect()
}

fn drift(reference: &[f64], current: &[f64]) -> Option<KernelDrift> {
    let reference = KernelReference::new(Rows::new(reference, WIDTH)?, &KernelSettings::default())?;
    let mut window = reference.window();
    assert!(window.insert(Rows::new(current, WIDTH)?));
    reference.compare(&window)
}

/// Goal: the discrepancy is that of the kernel, within what 64 frequencies leave.
#[test]
fn approaches_the_exact_discrepancy() {
    let (a, b) = (rows(1, 600, 0.0), rows(2, 600, 1.0));
    let (reference, current) = (Rows::new(&a, WIDTH).unwrap(), Rows::new(&b, WIDTH).unwrap());
    let width = median_squared_distance(reference, reference).unwrap();
    let exact = kernel_discrepancy(reference, current, width, 1, 1).unwrap().statistic;
    let found = drift(&a, &b).unwrap().squared_discrepancy;
    assert!((found / exact - 1.0).abs() < 0.25, "{found} for {exact}");
}

/// Goal: unchanged rows alarm at the stated rate, for small and uneven sizes too.
/// Method: 400 pairs each; at 5 % at most 20 are expected, 33 are three errors more.
#[test]
fn unchanged_rows_keep_the_rate() {
    for (n, m) in [(1_000, 40), (300, 300)] {
        let found = (0..400).filter(|seed| {
            let (a, b) = (rows(2 * seed + 100, n, 0.0), rows(2 * seed + 101, m, 0.0));
            drift(&a, &b).unwrap().p_value < 0.05
        });
        let alarms = found.count();
        assert!((2..=33).contains(&alarms), "{alarms} of 400 at {n} against {m}");
    }
}

/// Goal: no less power than the exact test with permutations, at equal sizes.
/// Method: 40 pairs of 200 against 200 rows, one of five columns moved by 0.35.
#[test]
fn sees_what_the_exact_test_sees() {
    let (mut exact, mut random) = (0, 0);
    for seed in 0..40 {
        let (a, b) = (rows(2 * seed + 7, 200, 0.0), rows(2 * seed + 8, 200, 0.35));
        let (reference, current) = (Rows::new(&a, WIDTH).unwrap(), Rows::new(&b, WIDTH).unwrap());
        let width = median_squared_distance(reference, current).unwrap();
        exact += usize::from(kernel_discrepancy(reference, current, width, 99, seed).unwrap().p_value <= 0.05);
        random += usize::from(drift(&a, &b).unwrap().p_value <= 0.05);
    }
    assert!(random + 5 >= exact && random >= 20, "{random} of 40, and {exact} exactly");
}

#[test]
fn sees_a_change_of_spread_and_of_dependence() {
    let a = rows(1, 3_000, 0.0);
    let wide: Vec<f64> = rows(2, 3_000, 0.0).iter().map(|value| value * 1.15).collect();
    assert!(drift(&a, &wide).unwrap().p_value < 1e-4);
    let mut together = rows(3, 3_000, 0.0);
    together.chunks_exact_mut(WIDTH).for_each(|row| row[1] = 0.6 * row[0] + 0.8 * row[1]);
    assert!(drift(&a, &together).unwrap().p_value < 1e-4);
}

#[test]
fn halves_merge_into_the_whole_exactly() {
    let a = rows(1, 100, 0.0);
    let reference = KernelReference::new(Rows::new(&a, WIDTH).unwrap(), &KernelSettings::default()).unwrap();
    let filled = |values: &[f64]| {
        let mut window = reference.window();
        window.insert(Rows::new(values, WIDTH).unwrap());
        window
    };
    let b = rows(2, 53, 0.0);
    let (left, right) = b.split_at(17 * WIDTH);
    let mut merged = filled(right);
    assert!(merged.merge(&filled(left)));
    assert!(merged == filled(&b));
}

/// Goal: one wild row moves the p-value of 2,000 rows by little, and nothing is NaN.
#[test]
fn wild_and_constant_rows() {
    let (a, b) = (rows(1, 2_000, 0.0), rows(2, 2_000, 0.3));
    let mut wild = b.clone();
    wild[0] = 1e300;
    wild[6] = -1e300;
    let (plain, found) = (drift(&a, &b).unwrap(), drift(&a, &wild).unwrap());
    assert!((found.squared_discrepancy / plain.squared_discrepancy - 1.0).abs() < 0.05);
    let mut wild_reference = a.clone();
    wild_reference[3] = f64::MAX;
    assert!(drift(&wild_reference, &b).unwrap().p_value < 1e-3);
    assert_eq!(drift(&[1.0; 50 * WIDTH], &b), None);
    assert_eq!(drift(&a[..10 * WIDTH], &b), None);
    assert_eq!(drift(&a, &b[..10 * WIDTH]), None);
}

#[test]
fn survives_storage() {
    let a: Vec<f64> = (0..200_u32).map(|at| f64::from(at * at % 37)).collect();
    let reference = KernelReference::new(Rows::new(&a, WIDTH).unwrap(), &KernelSettings::default()).unwrap();
    let text = serde_json::to_string(&reference).unwrap();
    let back = serde_json::from_str::<KernelReference>(&text).unwrap();
    assert!(back.sums == reference.sums && back.kernel == reference.kernel);
    assert!(
        serde_json::from_str::<KernelReference>(&text.replacen("\"dimensions\":5", "\"dimensions\":4", 1)).is_err()
    );
}

/// scipy 1.17.1 `chi2.sf`: equal weights are a chi-square law; and two weights, by simulation.
#[test]
fn the_null_law_matches_known_ones() {
    let found = weighted_chi_square_sf(0.5 * 21.665_994, [0.5 * 9.0, 0.25 * 9.0, 0.125 * 9.0]);
    assert!((found - 0.01).abs() < 1e-6, "{found}");
    let mut random = SplitMix::new(3);
    let above = (0..200_000).filter(|_| random.normal().powi(2) + 0.3 * random.normal().powi(2) > 6.0).count();
    let found = weighted_chi_square_sf(6.0, [1.3, 1.09, 1.027]);
    assert!((found / (above as f64 / 200_000.0) - 1.0).abs() < 0.08, "{found} {above}");
}
