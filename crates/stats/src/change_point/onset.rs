//! The most likely start of a change by the likelihood ratio of before and after.

use serde::{Deserialize, Serialize};

use super::{CountCell, MeanCell, ShareCell};

/// Where a change began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onset {
    /// Index of the first cell after the change.
    pub cell: usize,
    /// The first cell of the 95 % interval of `cell`.
    pub earliest: usize,
    /// The last cell of the 95 % interval of `cell`.
    pub latest: usize,
    /// `ln` of the likelihood with the change over that without. Chance alone gives some 2 to 6 in
    /// a hundred cells, as every split is tried.
    pub log_likelihood_ratio: f64,
    /// The share, rate or mean before.
    pub before: f64,
    /// The share, rate or mean after.
    pub after: f64,
}

/// The onset of a change of a share, in `O(cells)`.
///
/// For every split the likelihood of two binomial shares against one; the best split is the onset.
/// The interval holds the splits that carry 95 % of the normalised likelihood, hull included (flat
/// prior over splits); the ratio is divided by the overdispersion of cells around the two shares
/// (Pearson, at least 1), so clumped events widen it. One change is assumed: give the series from
/// the last quiet stretch to now.
/// `None` for fewer than two cells with events, cells with more successes than events, or no change
/// in the likelihood at all.
/// Reference: Hinkley, Hinkley, Biometrika 57 (1970); Yao (1984) for the interval.
#[must_use]
pub fn onset_of_share(cells: &[ShareCell]) -> Option<Onset> {
    if cells.iter().any(|cell| cell.successes > cell.n) {
        return None;
    }
    let sums: Vec<[f64; 3]> = cells.iter().map(|cell| [cell.n as f64, cell.successes as f64, 0.0]).collect();
    let fit = |[n, k, _]: [f64; 3]| x_ln_ratio(k, n) + x_ln_ratio(n - k, n);
    let misfit = |[n, k, _]: [f64; 3], share: f64| {
        let variance = n * share * (1.0 - share);
        if variance > 0.0 { (k - n * share).powi(2) / variance } else { 0.0 }
    };
    onset(&sums, fit, misfit)
}

/// The onset of a change of a rate of events for each unit of exposure, in `O(cells)`.
///
/// As [`onset_of_share`], with Poisson counts. With the seasonal expectation as exposure the rate is
/// 1 before the change, and the season is no change. `None` also for an exposure that is negative
/// or not finite.
#[must_use]
pub fn onset_of_rate(cells: &[CountCell]) -> Option<Onset> {
    if cells.iter().any(|cell| !(0.0..f64::INFINITY).contains(&cell.exposure)) {
        return None;
    }
    let sums: Vec<[f64; 3]> = cells.iter().map(|cell| [cell.exposure, cell.events as f64, 0.0]).collect();
    let fit = |[exposure, events, _]: [f64; 3]| x_ln_ratio(events, exposure);
    let misfit = |[exposure, events, _]: [f64; 3], rate: f64| {
        let mean = exposure * rate;
        if mean > 0.0 { (events - mean).powi(2) / mean } else { 0.0 }
    };
    onset(&sums, fit, misfit)
}

/// The onset of a change of a mean, in `O(cells)`.
///
/// As [`onset_of_share`], with normal values of one common variance around the two means. For
/// latencies give logarithms. `None` also if a sum is not finite or no value varies.
#[must_use]
pub fn onset_of_mean(cells: &[MeanCell]) -> Option<Onset> {
    if cells.iter().any(|cell| !cell.sum.is_finite() || !cell.sum_of_squares.is_finite()) {
        return None;
    }
    let sums: Vec<[f64; 3]> = cells.iter().map(|cell| [cell.n as f64, cell.sum, cell.sum_of_squares]).collect();
    let total = add_up(&sums);
    // The residual sum of squares of a stretch around its own mean.
    let rest = |[n, sum, squares]: [f64; 3]| {
        if n > 0.0 { (squares - sum * sum / n).max(0.0) } else { 0.0 }
    };
    let best_rest = splits(&sums).map(|(_, before, after)| rest(before) + rest(after)).fold(f64::INFINITY, f64::min);
    let variance = best_rest / (total[0] - 2.0).max(1.0);
    let scale = total[2] / total[0].max(1.0);
    if !(variance > 1e-14 * scale && variance.is_finite()) {
        return None;
    }
    let fit = |stretch: [f64; 3]| -0.5 * rest(stretch) / variance;
    let misfit = |[n, sum, _]: [f64; 3], mean: f64| (sum - n * mean).powi(2) / (n * variance);
    onset(&sums, fit, misfit)
}

/// `x ln(x / whole)`, zero at `x = 0`.
pub(super) fn x_ln_ratio(x: f64, whole: f64) -> f64 {
    if x > 0.0 && whole > 0.0 { x * (x / whole).ln() } else { 0.0 }
}

fn add_up(sums: &[[f64; 3]]) -> [f64; 3] {
    sums.iter().fold([0.0; 3], |total, cell| add(total, *cell))
}

fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Every split between two stretches that both have events: first cell after, before, after.
fn splits(sums: &[[f64; 3]]) -> impl Iterator<Item = (usize, [f64; 3], [f64; 3])> {
    let total = add_up(sums);
    let mut before = [0.0; 3];
    sums.iter().enumerate().skip(1).filter_map(move |(cell, _)| {
        before = add(before, sums[cell - 1]);
        let after = [total[0] - before[0], total[1] - before[1], total[2] - before[2]];
        // A split is new only where the cell before it had events.
        (sums[cell - 1][0] > 0.0 && after[0] > 1e-9 * total[0]).then_some((cell, before, after))
    })
}

fn onset(sums: &[[f64; 3]], fit: impl Fn([f64; 3]) -> f64, misfit: impl Fn([f64; 3], f64) -> f64) -> Option<Onset> {
    let whole = fit(add_up(sums));
    let scored: Vec<(usize, f64)> = splits(sums)
        .map(|(cell, before, after)| (cell, fit(before) + fit(after) - whole))
        .filter(|(_, gain)| gain.is_finite())
        .collect();
    let (cell, gain) = scored.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
    if gain <= 0.0 {
        return None;
    }
    let (before, after) = (add_up(&sums[..cell]), add_up(&sums[cell..]));
    let (before, after) = (before[1] / before[0], after[1] / after[0]);
    let used: Vec<(usize, &[f64; 3])> = sums.iter().enumerate().filter(|(_, sum)| sum[0] > 0.0).collect();
    let pearson: f64 = used.iter().map(|(at, sum)| misfit(**sum, if *at < cell { before } else { after })).sum();
    let dispersion = (pearson / (used.len() as f64 - 3.0).max(1.0)).max(1.0);
    let gain = gain / dispersion;
    let (earliest, latest) = interval(&scored, dispersion);
    // Cells without events before the split may hide the true start.
    let earliest = sums[..earliest].iter().rposition(|sum| sum[0] > 0.0).map_or(0, |at| at + 1);
    Some(Onset { cell, earliest, latest, log_likelihood_ratio: gain, before, after })
}

/// The hull of the likeliest splits that together carry 95 % of the normalised likelihood.
pub(super) fn interval(scored: &[(usize, f64)], dispersion: f64) -> (usize, usize) {
    let most = scored.iter().map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<(usize, f64)> =
        scored.iter().map(|(cell, gain)| (*cell, ((gain - most) / dispersion).exp())).collect();
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let (mut earliest, mut latest, mut held) = (usize::MAX, 0, 0.0);
    for (cell, weight) in weights {
        earliest = earliest.min(cell);
        latest = latest.max(cell);
        held += weight;
        if held >= 0.95 * total {
            break;
        }
    }
    (earliest, latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;

    fn share_series(seed: u64, change: usize, before: f64, after: f64) -> Vec<ShareCell> {
        let mut stream = Lcg::new(seed);
        (0..60)
            .map(|cell| {
                let share = if cell < change { before } else { after };
                let successes = (0..100).filter(|_| stream.next() < share).count() as u64;
                ShareCell { n: 100, successes }
            })
            .collect()
    }

    #[test]
    fn finds_the_start_of_a_clear_change() {
        let onset = onset_of_share(&share_series(1, 40, 0.01, 0.2)).unwrap();
        assert_eq!(onset.cell, 40);
        assert!(onset.log_likelihood_ratio > 50.0);
        assert!(onset.before < 0.02 && onset.after > 0.15);
    }

    /// Goal: the interval holds the true start in about 95 % of the runs.
    #[test]
    fn the_interval_covers_as_stated() {
        let held = (0..300)
            .filter(|seed| {
                let onset = onset_of_share(&share_series(*seed, 40, 0.02, 0.05)).unwrap();
                (onset.earliest..=onset.latest).contains(&40)
            })
            .count();
        assert!(held >= 270, "{held} of 300");
    }

    #[test]
    fn an_unchanged_series_gains_little() {
        let most = (0..100)
            .filter_map(|seed| onset_of_share(&share_series(seed, 60, 0.05, 0.05)))
            .map(|onset| onset.log_likelihood_ratio)
            .fold(0.0, f64::max);
        assert!(most < 10.0, "{most}");
    }

    #[test]
    fn the_onset_may_lie_in_a_gap() {
        let mut cells = vec![ShareCell { n: 100, successes: 0 }; 10];
        cells.extend([ShareCell::default(); 5]);
        cells.extend([ShareCell { n: 100, successes: 30 }; 10]);
        let onset = onset_of_share(&cells).unwrap();
        assert!(onset.earliest <= 10 && onset.latest >= 10, "{onset:?}");
    }

    #[test]
    fn a_rate_is_measured_against_its_season() {
        let cells: Vec<CountCell> = (0..48)
            .map(|hour| {
                let exposure = 100.0 + 10.0 * f64::from(hour % 24);
                let rate = if hour < 36 { 1.0 } else { 0.5 };
                CountCell { exposure, events: (exposure * rate) as u64 }
            })
            .collect();
        let onset = onset_of_rate(&cells).unwrap();
        assert_eq!((onset.cell, onset.earliest, onset.latest), (36, 36, 36));
        assert!((onset.after - 0.5).abs() < 0.01);
    }

    #[test]
    fn finds_the_start_of_a_shifted_mean() {
        let mut stream = Lcg::new(3);
        let cells: Vec<MeanCell> = (0..50)
            .map(|cell| {
                let shift = if cell < 30 { 0.0 } else { 0.3 };
                let values: Vec<f64> = (0..20).map(|_| stream.next() + shift).collect();
                MeanCell { n: 20, sum: values.iter().sum(), sum_of_squares: values.iter().map(|x| x * x).sum() }
            })
            .collect();
        let onset = onset_of_mean(&cells).unwrap();
        assert_eq!(onset.cell, 30);
        assert!((onset.after - onset.before - 0.3).abs() < 0.06);
    }

    #[test]
    fn too_little_gives_nothing() {
        assert_eq!(onset_of_share(&[]), None);
        assert_eq!(onset_of_share(&[ShareCell { n: 5, successes: 1 }]), None);
        assert_eq!(onset_of_share(&[ShareCell { n: 1, successes: 2 }; 3]), None);
        assert_eq!(onset_of_share(&[ShareCell { n: 5, successes: 0 }; 9]), None);
        assert_eq!(onset_of_rate(&[CountCell { exposure: -1.0, events: 1 }; 3]), None);
        let constant = MeanCell { n: 2, sum: 4.0, sum_of_squares: 8.0 };
        assert_eq!(onset_of_mean(&[constant; 5]), None);
    }
}
