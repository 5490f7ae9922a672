//! How large a distance is when nothing changed.

use serde::{Deserialize, Serialize};

use super::pooling::sizes;
use crate::distribution::{chi_square, normal};

/// A distance between vectors of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distance {
    /// [`super::population_stability`].
    PopulationStability,
    /// [`super::kullback_leibler`].
    KullbackLeibler,
    /// [`super::jensen_shannon`], in nats.
    JensenShannon,
    /// [`super::hellinger`].
    Hellinger,
    /// [`super::l_infinity`].
    LInfinity,
}

/// What chance alone gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// The mean of the distance under no change.
    pub expected: f64,
    /// What the distance exceeds with probability `alpha` under no change.
    pub threshold: f64,
}

/// The noise floor of a distance between these two samples, in `O(cells)`.
///
/// Under no change `sum (q - p)^2 / p` is about `(1/n + 1/m) chi2` with `cells - 1` degrees of
/// freedom, and near zero PSI is that sum, KL half of it, and the squares of the Jensen-Shannon and
/// Hellinger distances an eighth. L-infinity: the greatest of `cells` normal differences with
/// variances `s (1 - s)(1/n + 1/m)`, `s` the pooled shares.
///
/// The pooled counts give sizes and cells; cells empty on both sides do not count. Pool small cells
/// first ([`super::pool_small_cells`], 5 expected): with emptier ones PSI and KL hang on their floor
/// and the threshold is too low. `None` for fewer than two cells, an empty sample, or `alpha` not
/// between zero and one.
/// Source: second-order expansion; Yurdakul, "Statistical properties of PSI" (2018).
#[must_use]
pub fn noise_floor(distance: Distance, reference: &[u64], current: &[u64], alpha: f64) -> Option<NoiseFloor> {
    let (n, m) = sizes(reference, current)?;
    let cells = reference.iter().zip(current).filter(|(a, b)| **a + **b > 0).count();
    if cells < 2 || !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let scale = 1.0 / n + 1.0 / m;
    let freedom = (cells - 1) as f64;
    let quantile = chi_square::upper_quantile(alpha, freedom)?;
    let squared = |factor: f64| NoiseFloor { expected: factor * scale * freedom, threshold: factor * scale * quantile };
    Some(match distance {
        Distance::PopulationStability => squared(1.0),
        Distance::KullbackLeibler => squared(0.5),
        Distance::JensenShannon | Distance::Hellinger => NoiseFloor {
            // The mean of a chi variable, within 0.3 % from two degrees of freedom on.
            expected: (0.125 * scale * (freedom - 0.5 + 0.125 / freedom)).sqrt(),
            threshold: (0.125 * scale * quantile).sqrt(),
        },
        Distance::LInfinity => {
            let deviations: Vec<f64> = reference
                .iter()
                .zip(current)
                .map(|(a, b)| (a + b) as f64 / (n + m))
                .map(|share| (share * (1.0 - share) * scale).sqrt())
                .filter(|deviation| *deviation > 0.0)
                .collect();
            greatest_of(&deviations, alpha)?
        }
    })
}

/// The mean and the upper quantile of the greatest absolute value of independent normals.
fn greatest_of(deviations: &[f64], alpha: f64) -> Option<NoiseFloor> {
    let groups = grouped(deviations);
    let largest = groups.first()?.0;
    let exceeds = |x: f64| {
        let mut log_within = 0.0;
        for (deviation, count) in &groups {
            // Smaller deviations never get so far, and beyond certainty nothing more is to be added.
            if x > 9.0 * deviation || log_within < -40.0 {
                break;
            }
            log_within += count * (-normal::two_sided(x / deviation)).ln_1p();
        }
        -log_within.exp_m1()
    };
    let (mut low, mut high) = (0.0, 40.0 * largest);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if exceeds(middle) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    // The mean of a variable that is never negative is the integral of its upper tail.
    let steps = 200;
    let width = 9.0 * largest / f64::from(steps);
    let expected = (0..steps).map(|step| exceeds(width * (f64::from(step) + 0.5)) * width).sum();
    Some(NoiseFloor { expected, threshold: 0.5 * (low + high) })
}

/// Deviations from the largest down, those within half a percent put together, with their number: a
/// thousand categories of like shares cost no more than a few.
fn grouped(deviations: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = deviations.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let mut groups: Vec<(f64, f64)> = Vec::new();
    for deviation in sorted {
        match groups.last_mut() {
            Some((first, count)) if deviation >= 0.995 * *first => *count += 1.0,
            _ => groups.push((deviation, 1.0)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;
    use crate::two_sample::{hellinger, jensen_shannon, l_infinity, population_stability};

    /// golden-stats.json (scipy 1.17.1 `chi2.isf`): PSI thresholds by sizes, bins and alpha.
    #[test]
    fn agrees_with_the_golden_thresholds() {
        for (n, m, bins, alpha, expected) in [
            (100_u64, 100_u64, 10_u64, 0.01, 0.433_319_886_669_238_54),
            (1_000, 500, 10, 0.01, 0.064_997_983_000_385_78),
            (100_000, 5_000, 20, 0.001, 0.009_202_241_152_548_682),
            (1_000_000, 100_000, 10, 0.001, 0.000_306_648_813_583_822_35),
        ] {
            let cells = |total: u64| vec![total / bins; bins as usize];
            let floor = noise_floor(Distance::PopulationStability, &cells(n), &cells(m), alpha).unwrap();
            assert!((floor.threshold / expected - 1.0).abs() < 1e-9, "{}", floor.threshold);
        }
    }

    /// Goal: each distance passes its threshold in alpha of the unchanged pairs.
    /// Method: 1,000 pairs of 2,000 against 1,000 values in 10 uneven cells, alpha 5 %.
    #[test]
    fn chance_alone_passes_the_threshold_at_the_stated_rate() {
        let pairs: Vec<(Vec<u64>, Vec<u64>)> = (0..1_000)
            .map(|seed| {
                let mut stream = Lcg::new(seed);
                let mut sample = |size: usize| {
                    let mut counts = vec![0_u64; 10];
                    (0..size).for_each(|_| {
                        counts[(stream.next().powi(2) * 10.0) as usize] += 1;
                    });
                    counts
                };
                (sample(2_000), sample(1_000))
            })
            .collect();
        let psi = |a: &[u64], b: &[u64]| population_stability(a, b, 1e-4);
        type Measured<'a> = &'a dyn Fn(&[u64], &[u64]) -> Option<f64>;
        let measures: [(Distance, Measured<'_>); 4] = [
            (Distance::PopulationStability, &psi),
            (Distance::JensenShannon, &jensen_shannon),
            (Distance::Hellinger, &hellinger),
            (Distance::LInfinity, &l_infinity),
        ];
        for (kind, measure) in measures {
            let floors = pairs.iter().map(|(a, b)| noise_floor(kind, a, b, 0.05).unwrap());
            let found: Vec<f64> = pairs.iter().map(|(a, b)| measure(a, b).unwrap()).collect();
            let passed = floors.clone().zip(&found).filter(|(floor, x)| **x > floor.threshold).count();
            assert!((20..=75).contains(&passed), "{kind:?}: {passed} of 1000");
            let expected: f64 = floors.map(|floor| floor.expected).sum();
            let ratio = found.iter().sum::<f64>() / expected;
            assert!((0.93..1.07).contains(&ratio), "{kind:?}: mean off by {ratio}");
        }
    }

    #[test]
    fn needs_two_cells() {
        assert_eq!(noise_floor(Distance::Hellinger, &[5, 0], &[5, 0], 0.05), None);
        assert_eq!(noise_floor(Distance::LInfinity, &[5, 1], &[5, 0], 0.0), None);
    }
}
