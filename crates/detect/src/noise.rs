//! How far a window's distribution lies from the reference, and how far normal windows lie.
//!
//! The distance is the two-sample chi-square over codes, divided by its degrees of freedom:
//! `T = sum (c - n p)^2 / (n p) / df * N / (N + n)`, about 1 when window and reference are independent
//! draws from one distribution. Real windows are not: users return, weekends differ from weekdays. So
//! `ln T` of the learning period's own windows, each against the others, gives a mean and a spread, never
//! less than theory's, and a new window's p-value is Student's:
//! `P(t_(m-1) > (ln T - mean) / (sd sqrt(1 + 1/m)))`. With few windows the tail is wide, as it must be.

use serde::{Deserialize, Serialize};

use crate::{coding, tails::student_above, window::CodeCounts};

/// How far windows of one measure and one length normally lie from the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Noise {
    /// Mean of `ln T` over the learning period's windows.
    pub(crate) mean: f64,
    /// Its standard deviation.
    pub(crate) spread: f64,
    /// The greatest of them.
    pub(crate) most: f64,
    /// Mean number of events in one.
    pub(crate) events: f64,
    /// How many windows.
    pub(crate) windows: usize,
    /// The practical shift ([`Shift::share`]) that 95 % of them stay below.
    pub(crate) shift: f64,
}

/// How a window differs from the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shift {
    /// `T` of the module's documentation.
    pub(crate) distance: f64,
    /// Degrees of freedom.
    pub(crate) degrees: f64,
    /// Share of events that would have to move for the window to look like the reference: the greatest
    /// difference of cumulative shares for numbers, half the sum of differences for categories.
    pub(crate) share: f64,
    /// What chance alone moves, on average, between samples of these sizes.
    pub(crate) by_chance: f64,
    /// Events with a value, in the window and in the reference.
    pub(crate) events: (u64, u64),
}

/// The codes of a distribution: out-of-range numbers fall in the outermost codes, and rows without a
/// value are left out, as they are the business of data quality.
pub(crate) fn folded(counts: &CodeCounts) -> [f64; 30] {
    let mut folded = [0.0; 30];
    for (code, &n) in counts.iter().enumerate().take(coding::NONE as usize) {
        let slot = match code as u8 {
            coding::BELOW => 1,
            coding::ABOVE => 28,
            coding::OTHER | coding::NEW => 29,
            other => other as usize,
        };
        folded[slot] += f64::from(n);
    }
    folded
}

/// Compares a window's counts with the reference's.
pub(crate) fn shift(reference: &CodeCounts, current: &CodeCounts, is_numeric: bool) -> Option<Shift> {
    let (reference, current) = (folded(reference), folded(current));
    let (n_reference, n) = (reference.iter().sum::<f64>(), current.iter().sum::<f64>());
    if n_reference < 50.0 || n < 20.0 {
        return None;
    }
    let (mut chi_square, mut cells) = (0.0, 0.0_f64);
    let (mut pooled_expected, mut pooled_seen) = (0.0, 0.0);
    for (&r, &c) in reference.iter().zip(&current) {
        // The pooled share keeps a value that the reference never had from dividing by nothing.
        let expected = (r + c) / (n_reference + n) * n;
        if expected >= 3.0 {
            chi_square += (c - expected) * (c - expected) / expected;
            cells += 1.0;
        } else {
            pooled_expected += expected;
            pooled_seen += c;
        }
    }
    if pooled_expected >= 1.0 {
        chi_square += (pooled_seen - pooled_expected) * (pooled_seen - pooled_expected) / pooled_expected;
        cells += 1.0;
    }
    let degrees = (cells - 1.0).max(1.0);
    let distance = chi_square * (n_reference + n) / n_reference / degrees;
    let (share, by_chance) = if is_numeric {
        (greatest_gap(&reference, &current, n_reference, n), MEAN_KOLMOGOROV * (1.0 / n + 1.0 / n_reference).sqrt())
    } else {
        (moved(&reference, &current, n_reference, n), moved_by_chance(&reference, n_reference, n))
    };
    Some(Shift { distance, degrees, share, by_chance, events: (n as u64, n_reference as u64) })
}

/// Mean of Kolmogorov's limit distribution.
const MEAN_KOLMOGOROV: f64 = 0.868_731;

/// Mean of half the sum of absolute differences: each is nearly normal, `E|X| = sd sqrt(2 / pi)`.
fn moved_by_chance(reference: &[f64], n_reference: f64, n: f64) -> f64 {
    let spread = (1.0 / n + 1.0 / n_reference) * 2.0 / std::f64::consts::PI;
    0.5 * reference.iter().map(|r| (r / n_reference * (1.0 - r / n_reference) * spread).sqrt()).sum::<f64>()
}

fn greatest_gap(reference: &[f64], current: &[f64], n_reference: f64, n: f64) -> f64 {
    let (mut gap, mut below, mut below_reference) = (0.0_f64, 0.0, 0.0);
    for (r, c) in reference.iter().zip(current) {
        below_reference += r / n_reference;
        below += c / n;
        gap = gap.max((below - below_reference).abs());
    }
    gap
}

fn moved(reference: &[f64], current: &[f64], n_reference: f64, n: f64) -> f64 {
    0.5 * reference.iter().zip(current).map(|(r, c)| (c / n - r / n_reference).abs()).sum::<f64>()
}

impl Noise {
    /// From the learning period's windows, each against the reference without it.
    pub(crate) fn learn<'a>(
        reference: &CodeCounts,
        windows: impl Iterator<Item = &'a CodeCounts>,
        is_numeric: bool,
    ) -> Option<Self> {
        let mut logarithms = Vec::new();
        let mut shares = Vec::new();
        let (mut events, mut degrees) = (0.0, 0.0);
        for window in windows {
            let mut rest = *reference;
            for (rest, own) in rest.iter_mut().zip(window) {
                *rest = rest.saturating_sub(*own);
            }
            let Some(shift) = shift(&rest, window, is_numeric) else { continue };
            logarithms.push(shift.distance.max(0.05).ln());
            shares.push(shift.share);
            events += shift.events.0 as f64;
            degrees += shift.degrees;
        }
        let windows = logarithms.len();
        if windows < crate::window::LEAST_WINDOWS {
            return None;
        }
        let count = windows as f64;
        let mean = logarithms.iter().sum::<f64>() / count;
        let variance = logarithms.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
        let theory = (2.0 * count / degrees).sqrt();
        shares.sort_by(f64::total_cmp);
        let shift = shares.get((windows * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0.0);
        Some(Self {
            mean: mean.max(-0.1),
            spread: variance.sqrt().max(theory),
            most: logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            events: events / count,
            windows,
            shift,
        })
    }

    /// Chance of a normal window at least as far away; 1 where a learned window was as far.
    pub(crate) fn p_value(&self, shift: &Shift) -> f64 {
        // What differs between normal windows grows with their events, so a larger window is scaled back.
        let events = shift.events.0 as f64;
        let distance =
            if events > self.events { 1.0 + (shift.distance - 1.0) * self.events / events } else { shift.distance };
        let logarithm = distance.max(0.05).ln();
        if logarithm <= self.most {
            return 1.0;
        }
        let count = self.windows as f64;
        // A smaller window than those learned has fewer cells that count, and theirs stray more.
        let spread = self.spread.max((2.0 / shift.degrees).sqrt());
        student_above((logarithm - self.mean) / (spread * (1.0 + 1.0 / count).sqrt()), count - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::CODES;

    fn counts(shape: impl Fn(usize) -> u32) -> CodeCounts {
        let mut counts = [0; CODES];
        for (code, count) in counts.iter_mut().enumerate().skip(1).take(25) {
            *count = shape(code);
        }
        counts
    }

    /// A window of about `n` events with wiggle that looks like independent draws.
    fn window(n: u32, seed: usize) -> CodeCounts {
        counts(|code| {
            let wiggle = ((code * 7 + seed * 13) % 11) as f64 - 5.0;
            (f64::from(n) / 25.0 + wiggle * (f64::from(n) / 25.0).sqrt() / 3.2).max(0.0) as u32
        })
    }

    #[test]
    fn normal_windows_have_no_small_p_and_a_moved_one_has() {
        let windows: Vec<CodeCounts> = (0..20).map(|seed| window(500, seed)).collect();
        let mut reference = [0; CODES];
        for window in &windows {
            for (sum, n) in reference.iter_mut().zip(window) {
                *sum += n;
            }
        }
        let noise = Noise::learn(&reference, windows.iter(), true).unwrap();
        let normal = shift(&reference, &window(500, 33), true).unwrap();
        assert!(noise.p_value(&normal) > 0.01, "{normal:?} {noise:?}");
        let moved = shift(&reference, &counts(|code| if code > 12 { 30 } else { 10 }), true).unwrap();
        assert!(noise.p_value(&moved) < 1e-4 && moved.share > 0.2, "{moved:?} {noise:?}");
    }

    #[test]
    fn too_little_gives_no_answer() {
        assert_eq!(shift(&counts(|_| 1), &counts(|_| 100), true), None);
        assert!(Noise::learn(&counts(|_| 1), [counts(|_| 1)].iter(), true).is_none());
    }
}
