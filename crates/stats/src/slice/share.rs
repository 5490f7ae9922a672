//! How much of an effect a slice explains.

use crate::distribution::normal;

/// What the effect of a row would be, were nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// Mean effect of a normal row.
    pub mean: f64,
    /// Standard error of that mean; 0 if it is known.
    pub standard_error: f64,
}

/// A share of the excess effect and its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Part of the excess that disappears when the slice is set to the baseline. Over 1 if the rest is better than it.
    pub share: f64,
    /// Between these with the stated confidence.
    pub interval: (f64, f64),
}

/// `R = sum over S of (e - b) / sum over all of (e - b)`, with an interval by the delta method.
///
/// Rows are a sample, so the size of the slice is uncertain too; the baseline's error is added. Without a baseline, `b` is
/// the mean of the rows that no slice names (`is_rest`), and its error is that of those rows.
///
/// `None` if the whole excess is not clearly above zero (two standard errors): a share of nothing is not a number.
pub(super) fn share_explained(effect: &[f64], is_inside: &[bool], level: Level<'_>, confidence: f64) -> Option<Share> {
    let n = effect.len() as f64;
    let (b, error, is_rest) = match level {
        Level::Known(baseline) => (baseline.mean, baseline.standard_error, None),
        Level::Rest(is_rest) => (mean_where(effect, is_rest)?, 0.0, Some(is_rest)),
    };
    let n_rest = is_rest.map_or(0.0, |is_rest| is_rest.iter().filter(|is| **is).count() as f64);
    let total: f64 = effect.iter().map(|value| value - b).sum();
    let inside: f64 = effect.iter().zip(is_inside).filter(|(_, is)| **is).map(|(value, _)| value - b).sum();
    let n_inside = is_inside.iter().filter(|is| **is).count() as f64;
    let share = inside / total;
    // What one row more at its place adds to a sum, beside what it adds to the baseline.
    let deviation = |slope: &dyn Fn(bool) -> f64, by_baseline: f64| {
        let terms = (0..effect.len()).map(|row| {
            let excess = effect[row] - b;
            let at_rest = is_rest.is_some_and(|is_rest| is_rest[row]);
            slope(is_inside[row]) * excess + if at_rest { by_baseline * excess / n_rest } else { 0.0 }
        });
        let (sum, squares) = terms.fold((0.0, 0.0), |(sum, squares), term| (sum + term, squares + term * term));
        ((squares - sum * sum / n).max(0.0) + (by_baseline * error).powi(2)).sqrt()
    };
    let of_total = deviation(&|_| 1.0, -n);
    if !total.is_finite() || !share.is_finite() || total <= 2.0 * of_total || total <= 0.0 {
        return None;
    }
    let of_share = deviation(&|is_inside| f64::from(u8::from(is_inside)) - share, share * n - n_inside) / total;
    let half = normal::quantile(0.5 + 0.5 * confidence)? * of_share;
    half.is_finite().then_some(Share { share, interval: (share - half, share + half) })
}

/// Where the normal effect is known from.
#[derive(Clone, Copy)]
pub(super) enum Level<'a> {
    Known(Baseline),
    Rest(&'a [bool]),
}

fn mean_where(effect: &[f64], is_meant: &[bool]) -> Option<f64> {
    let inside = effect.iter().zip(is_meant).filter(|(_, is)| **is);
    let (n, sum) = inside.fold((0.0, 0.0), |(n, sum), (value, _)| (n + 1.0, sum + value));
    (n > 0.0).then_some(sum / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Vec<f64>, Vec<bool>, Vec<bool>) {
        let effect = (0..1_000).map(|row| f64::from(u8::from(row < 100 && row % 2 == 0 || row % 10 == 1))).collect();
        (effect, (0..1_000).map(|row| row < 50).collect(), (0..1_000).map(|row| row >= 100).collect())
    }

    #[test]
    fn shares_of_parts_add_up() {
        let (effect, first, rest) = sample();
        let others: Vec<bool> = first.iter().map(|is| !is).collect();
        let known = Level::Known(Baseline { mean: 0.1, standard_error: 0.0 });
        for level in [known, Level::Rest(&rest)] {
            let of = |inside: &[bool]| share_explained(&effect, inside, level, 0.95).unwrap();
            assert!((of(&first).share + of(&others).share - 1.0).abs() < 1e-12);
            let Share { share, interval: (low, high) } = of(&first);
            assert!(low < share && share < high && (share - 0.5).abs() < 1e-9, "{share} {low} {high}");
        }
    }

    #[test]
    fn a_share_of_nothing_is_not_answered() {
        let (effect, first, _) = sample();
        let mean = effect.iter().sum::<f64>() / 1_000.0;
        let level = Level::Known(Baseline { mean, standard_error: 0.0 });
        assert_eq!(share_explained(&effect, &first, level, 0.95), None);
    }

    #[test]
    fn an_uncertain_baseline_widens_the_interval() {
        let (effect, first, _) = sample();
        let of = |standard_error| {
            let level = Level::Known(Baseline { mean: 0.08, standard_error });
            share_explained(&effect, &first, level, 0.95).unwrap().interval
        };
        assert!(of(0.01).1 > of(0.0).1);
    }
}
