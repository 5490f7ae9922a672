//! Intervals that hold at all times at once, however often they are looked at.

use statrs::function::beta::ln_beta;

use crate::interval::Interval;

/// The confidence sequence of a share: holds at every `n` together with probability `1 - alpha`.
///
/// All `p` for which the mixture martingale `B(k + 1/2, n - k + 1/2) / (B(1/2, 1/2) p^k (1-p)^(n-k))`
/// is below `1/alpha`. About 1.5 times as wide as an interval for one look. `O(1)`: two bisections.
///
/// `None` if `n` is zero, `successes > n` or `alpha` is not between zero and one.
/// Source: Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence sequences",
/// Annals of Statistics 49 (2021), with the prior of Robbins (1970) as Beta(1/2, 1/2).
#[must_use]
pub fn bernoulli_confidence_sequence(successes: u64, n: u64, alpha: f64) -> Option<Interval> {
    if n == 0 || successes > n || !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let (k, failures) = (successes as f64, (n - successes) as f64);
    let mixture = ln_beta(k + 0.5, failures + 0.5) - ln_beta(0.5, 0.5);
    let likelihood = |p: f64| {
        let yes = if successes > 0 { k * p.ln() } else { 0.0 };
        let no = if successes < n { failures * (-p).ln_1p() } else { 0.0 };
        yes + no
    };
    let outside = |p: f64| mixture - likelihood(p) >= -alpha.ln();
    let share = k / n as f64;
    let low = if successes == 0 { 0.0 } else { boundary(share, 0.0, outside) };
    let high = if successes == n { 1.0 } else { boundary(share, 1.0, outside) };
    Some(Interval { low, high })
}

/// The last point towards `outer` that is still inside, to the last bit or nearly.
fn boundary(inner: f64, outer: f64, outside: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut out) = (inner, outer);
    for _ in 0..200 {
        let middle = 0.5 * (inside + out);
        if middle == inside || middle == out {
            break;
        }
        if outside(middle) {
            out = middle;
        } else {
            inside = middle;
        }
    }
    inside
}

/// The radius around the mean of `n` values in `0..=1`, at every `n` together.
///
/// `sqrt((v + rho) ln((v + rho) / (rho alpha^2))) / n` with `v = n/4`: the two-sided normal mixture.
/// `rho` says where it is tightest (10 suits some hundreds of values). `None` for `n` zero, `rho`
/// not positive, or `alpha` not between zero and one.
/// Source: Howard et al. (2021), equation 3.7.
#[must_use]
pub fn hoeffding_mixture_radius(n: u64, rho: f64, alpha: f64) -> Option<f64> {
    let valid = n > 0 && rho > 0.0 && rho.is_finite() && 0.0 < alpha && alpha < 1.0;
    valid.then(|| {
        let v = n as f64 / 4.0;
        ((v + rho) * ((v + rho) / (rho * alpha * alpha)).ln()).sqrt() / n as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;

    /// golden-stats.json, `confidence_sequence` (numpy 2.4.6): rho 10, alpha 0.05.
    #[test]
    fn the_radius_agrees_with_the_golden_values() {
        for (n, expected) in [
            (100, 0.159_231_894_746_661),
            (1_000, 0.049_039_635_827_906_19),
            (10_000, 0.017_002_194_826_098_722),
            (1_000_000, 0.002_007_410_046_277_562_8),
        ] {
            let found = hoeffding_mixture_radius(n, 10.0, 0.05).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-12, "{n}: {found}");
        }
        assert_eq!(hoeffding_mixture_radius(0, 10.0, 0.05), None);
    }

    /// Goal: over 2,000 looks the true share leaves in at most alpha of the runs.
    #[test]
    fn holds_at_every_look() {
        let left = (0..200)
            .filter(|seed| {
                let mut stream = Lcg::new(*seed);
                let mut successes = 0;
                (1..=2_000).any(|n| {
                    successes += u64::from(stream.next() < 0.1);
                    let held = bernoulli_confidence_sequence(successes, n, 0.05).unwrap();
                    !held.contains(0.1)
                })
            })
            .count();
        assert!(left <= 17, "left in {left} of 200 runs");
    }

    #[test]
    fn ends_are_closed_where_nothing_or_everything_succeeded() {
        assert_eq!(bernoulli_confidence_sequence(0, 10, 0.05).unwrap().low, 0.0);
        assert_eq!(bernoulli_confidence_sequence(10, 10, 0.05).unwrap().high, 1.0);
        assert_eq!(bernoulli_confidence_sequence(11, 10, 0.05), None);
    }
}
