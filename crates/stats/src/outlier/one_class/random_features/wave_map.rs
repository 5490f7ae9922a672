//! Sines and cosines whose inner products approximate a Gaussian kernel.

use super::LinearOneClassSettings;
use crate::outlier::reference_rows::ReferenceRows;
use crate::random::SplitMix;
use crate::two_sample::kernel::sin_cos::sin_cos;

/// How far beyond the reference cells count, in widths `1 / sqrt(gamma)`: from there the kernel is below `1e-15`.
const BEYOND: f64 = 6.0;
/// Angles above have too few digits.
const MOST_ANGLE: f64 = 1e5;
/// Of cells and frequencies: they are kept in four bytes.
const MOST_SIZE: f64 = 1e30;
const MOST_COLUMNS: usize = 1 << 16;
/// Frequencies are numbers of four bytes: 256 MB of them.
const MOST_FREQUENCIES: usize = 1 << 26;

/// Frequencies, and where the columns lie.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WaveMap {
    /// Of each column: cells count from the middle, and up to the bound.
    middles: Vec<f64>,
    bounds: Vec<f64>,
    /// Of each column, one for each pair of features.
    frequencies: Vec<Vec<f32>>,
}

impl WaveMap {
    pub(super) fn of(rows: &ReferenceRows, settings: &LinearOneClassSettings) -> Option<Self> {
        let width = rows.width();
        let (mut low, mut high) = (vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
        for row in rows.iter() {
            for ((value, low), high) in row.iter().zip(&mut low).zip(&mut high) {
                *low = low.min(*value);
                *high = high.max(*value);
            }
        }
        let beyond = BEYOND / settings.gamma.sqrt();
        let middles = low.iter().zip(&high).map(|(low, high)| low.midpoint(*high)).collect();
        let bounds = low.iter().zip(&high).map(|(low, high)| 0.5 * (high - low) + beyond).collect();
        Self::new(middles, bounds, settings)
    }

    /// `None` for too many columns, or a bound that turns a wave too often.
    pub(super) fn new(middles: Vec<f64>, bounds: Vec<f64>, settings: &LinearOneClassSettings) -> Option<Self> {
        let width = middles.len();
        let scale = (2.0 * settings.gamma).sqrt();
        let pairs = settings.features as usize / 2;
        let sized = (1..=MOST_COLUMNS).contains(&width) && bounds.len() == width && pairs * width <= MOST_FREQUENCIES;
        let turns_little =
            bounds.iter().all(|bound| 0.0 < *bound && *bound <= MOST_SIZE && bound * scale <= MOST_ANGLE);
        if !sized || !turns_little || scale > MOST_SIZE || middles.iter().any(|middle| !middle.is_finite()) {
            return None;
        }
        let mut random = SplitMix::new(settings.seed);
        let mut frequencies = vec![Vec::with_capacity(pairs); width];
        let most_at_right_angles = width.min(64);
        while frequencies[0].len() < pairs {
            let count = most_at_right_angles.min(pairs - frequencies[0].len());
            for direction in directions(count, width, &mut random) {
                for (column, part) in frequencies.iter_mut().zip(direction) {
                    column.push((scale * part) as f32);
                }
            }
        }
        Some(Self { middles, bounds, frequencies })
    }

    pub(super) fn width(&self) -> usize {
        self.middles.len()
    }

    /// Two for each frequency.
    pub(super) fn features(&self) -> usize {
        2 * self.frequencies[0].len()
    }

    pub(super) fn into_columns(self) -> (Vec<f64>, Vec<f64>) {
        (self.middles, self.bounds)
    }

    /// Cosines, and behind them sines, of one length together.
    pub(super) fn apply(&self, row: &[f64], features: &mut [f32]) {
        let pairs = features.len() / 2;
        let (cosines, sines) = features.split_at_mut(pairs);
        cosines.fill(0.0);
        let columns = self.middles.iter().zip(&self.bounds).zip(&self.frequencies);
        for (value, ((middle, bound), frequencies)) in row.iter().zip(columns) {
            // The difference in double precision: a large offset must not eat the digits.
            let value = (value - middle).clamp(-bound, *bound) as f32;
            for (angle, frequency) in cosines.iter_mut().zip(frequencies) {
                *angle += value * frequency;
            }
        }
        let scale = (1.0 / pairs as f32).sqrt();
        for (cosine, sine) in cosines.iter_mut().zip(sines) {
            let (s, c) = sin_cos(*cosine);
            (*cosine, *sine) = (scale * c, scale * s);
        }
    }
}

/// Vectors at right angles to each other, each as long as a normal one.
fn directions(count: usize, width: usize, random: &mut SplitMix) -> Vec<Vec<f64>> {
    let mut normal = || -> Vec<f64> { (0..width).map(|_| random.normal()).collect() };
    let length = |vector: &[f64]| vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut units: Vec<Vec<f64>> = Vec::with_capacity(count);
    let lengths: Vec<f64> = (0..count).map(|_| length(&normal())).collect();
    while units.len() < count {
        let mut unit = normal();
        let before = length(&unit);
        for other in &units {
            let along: f64 = unit.iter().zip(other).map(|(x, y)| x * y).sum();
            unit.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
        }
        let rest = length(&unit);
        // What hardly sticks out of the others has no direction left.
        if rest > 1e-6 * before {
            unit.iter_mut().for_each(|x| *x /= rest);
            units.push(unit);
        }
    }
    for (unit, length) in units.iter_mut().zip(lengths) {
        unit.iter_mut().for_each(|x| *x *= length);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: inner products are the kernel, within `1 / sqrt(features)`.
    #[test]
    fn inner_products_are_near_the_kernel() {
        for width in [1, 2, 7, 90] {
            let settings = LinearOneClassSettings { features: 4_096, ..LinearOneClassSettings::new(0.3) };
            let map = WaveMap::new(vec![0.0; width], vec![50.0; width], &settings).unwrap();
            let mut random = SplitMix::new(3);
            let mut errors = 0.0_f64;
            for _ in 0..50 {
                let spread = 1.0 / (width as f64).sqrt();
                let mut point = || -> Vec<f64> { (0..width).map(|_| spread * random.normal()).collect() };
                let (x, y) = (point(), point());
                let (mut left, mut right) = (vec![0.0; 4_096], vec![0.0; 4_096]);
                map.apply(&x, &mut left);
                map.apply(&y, &mut right);
                let squared: f64 = x.iter().zip(&y).map(|(a, b)| (a - b) * (a - b)).sum();
                let product: f64 = left.iter().zip(&right).map(|(a, b)| f64::from(a * b)).sum();
                errors += (product - (-0.3 * squared).exp()).powi(2) / 50.0;
            }
            assert!(errors.sqrt() < 1.0 / 64.0, "{width}: {}", errors.sqrt());
        }
    }
}
