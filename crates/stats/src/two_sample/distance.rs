//! Distances between two vectors of counts. All `O(cells)`, all `None` for an empty sample.

use super::pooling::sizes;

/// The population stability index `sum (q - p) ln(q/p)`, from zero up.
///
/// Shares of zero are raised to `floor` (1e-4 in common use), which alone can decide the value where
/// cells are empty: pool small cells first. `None` also unless `0 < floor < 1`.
/// Reference: Jeffreys' divergence; Siddiqi, "Credit Risk Scorecards" (2006).
#[must_use]
pub fn population_stability(reference: &[u64], current: &[u64], floor: f64) -> Option<f64> {
    if !(0.0 < floor && floor < 1.0) {
        return None;
    }
    shares(reference, current)
        .map(|pairs| pairs.map(|(p, q)| (p.max(floor), q.max(floor))).map(|(p, q)| (q - p) * (q / p).ln()).sum())
}

/// The Kullback-Leibler divergence `sum p ln(p/q)` of the reference from the current, in nats, with
/// shares of zero raised to `floor`.
#[must_use]
pub fn kullback_leibler(reference: &[u64], current: &[u64], floor: f64) -> Option<f64> {
    if !(0.0 < floor && floor < 1.0) {
        return None;
    }
    shares(reference, current)
        .map(|pairs| pairs.map(|(p, q)| (p.max(floor), q.max(floor))).map(|(p, q)| p * (p / q).ln()).sum())
}

/// The Jensen-Shannon distance in nats: the root of the divergence, from 0 to `sqrt(ln 2)`, 0.833.
///
/// Divide by `sqrt(ln 2)` for the distance with base 2, from 0 to 1. Needs no floor.
/// Reference: Endres, Schindelin, IEEE Trans. Inf. Theory 49 (2003).
#[must_use]
pub fn jensen_shannon(reference: &[u64], current: &[u64]) -> Option<f64> {
    let half = |p: f64, middle: f64| if p > 0.0 { p * (p / middle).ln() } else { 0.0 };
    shares(reference, current).map(|pairs| {
        let divergence: f64 = pairs
            .map(|(p, q)| {
                let middle = 0.5 * (p + q);
                0.5 * (half(p, middle) + half(q, middle))
            })
            .sum();
        divergence.max(0.0).sqrt()
    })
}

/// The Hellinger distance `sqrt(sum (sqrt p - sqrt q)^2 / 2)`, from 0 to 1.
#[must_use]
pub fn hellinger(reference: &[u64], current: &[u64]) -> Option<f64> {
    shares(reference, current).map(|pairs| {
        let sum: f64 = pairs.map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
        (0.5 * sum).sqrt()
    })
}

/// The greatest difference of one share, from 0 to 1.
#[must_use]
pub fn l_infinity(reference: &[u64], current: &[u64]) -> Option<f64> {
    shares(reference, current).map(|pairs| pairs.map(|(p, q)| (p - q).abs()).fold(0.0, f64::max))
}

/// Half the sum of the differences of all shares: the share of values that changed place.
#[must_use]
pub fn total_variation(reference: &[u64], current: &[u64]) -> Option<f64> {
    shares(reference, current).map(|pairs| 0.5 * pairs.map(|(p, q)| (p - q).abs()).sum::<f64>())
}

fn shares<'a>(reference: &'a [u64], current: &'a [u64]) -> Option<impl Iterator<Item = (f64, f64)> + 'a> {
    let (n, m) = sizes(reference, current)?;
    Some(reference.iter().zip(current).map(move |(a, b)| (*a as f64 / n, *b as f64 / m)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} for {expected}");
    }

    /// golden-stats.json (scipy 1.17.1, numpy 2.4.6): decile bins of a against b.
    #[test]
    fn agrees_with_scipy() {
        let a = [4; 10];
        let b = [0, 0, 0, 3, 5, 4, 3, 4, 5, 6];
        close(population_stability(&a, &b, 1e-4), 2.226_857_863_165_888_7);
        close(kullback_leibler(&a, &b, 1e-4), 1.843_310_326_395_092_5);
        close(jensen_shannon(&a, &b), 0.351_110_426_026_953_86);
        close(hellinger(&a, &b), 0.411_630_473_045_520_64);
        close(total_variation(&a, &b), 0.3);
        close(l_infinity(&a, &b), 0.1);
        let (a, b) = ([50, 30, 15, 5], [30, 30, 25, 15]);
        close(population_stability(&a, &b, 1e-4), 0.263_108_915_996_608_2);
        close(jensen_shannon(&a, &b), 0.178_973_654_584_387_4);
        close(l_infinity(&a, &b), 0.2);
    }

    #[test]
    fn an_empty_side_has_no_distance() {
        assert_eq!(jensen_shannon(&[0, 0], &[1, 2]), None);
        assert_eq!(hellinger(&[1], &[1, 2]), None);
        assert_eq!(population_stability(&[1], &[1], 0.0), None);
    }

    proptest! {
        #[test]
        fn distances_are_bounded_and_symmetric(
            cells in proptest::collection::vec((0..1_000_u64, 0..1_000_u64), 1..40)
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            type Measured = fn(&[u64], &[u64]) -> Option<f64>;
            let distances: [(Measured, f64); 4] = [
                (jensen_shannon, std::f64::consts::LN_2.sqrt()),
                (hellinger, 1.0),
                (l_infinity, 1.0),
                (total_variation, 1.0),
            ];
            for (distance, most) in distances {
                let Some(found) = distance(&a, &b) else { continue };
                prop_assert!((0.0..=most + 1e-12).contains(&found));
                prop_assert!((found - distance(&b, &a).unwrap()).abs() < 1e-12);
                prop_assert!(distance(&a, &a).unwrap() < 1e-7);
            }
        }
    }
}
