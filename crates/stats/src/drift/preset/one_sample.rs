//! The exact law of the one-sample Kolmogorov-Smirnov statistic, which scipy's two-sample test uses
//! with `n m / (n + m)` values, rounded.

use statrs::function::gamma::ln_gamma;

use crate::distribution::kolmogorov;

/// Values up to which the middle of the law is exact; beyond, the limit is within 1e-4 of it.
const MOST_EXACT: f64 = 2_000.0;
/// Values up to which the tail of the law is exact.
const MOST_SUMMED: f64 = 100_000.0;
/// From this `n d^2` on, both sides at once are too unlikely to count: less than 2e-7 of the tail.
const TAIL: f64 = 2.5;

/// `P(D_n >= d)` for a whole number of values `n` of at least one.
///
/// The tail is twice that of one side (Smirnov's sum), the middle a matrix power.
/// References: Birnbaum, Tingey, Ann. Math. Stat. 22 (1951); Marsaglia, Tsang, Wang, J. Stat. Softw. 8
/// (2003).
pub(super) fn sf(d: f64, n: f64) -> f64 {
    if d <= 0.5 / n {
        return 1.0;
    }
    if d >= 1.0 {
        return 0.0;
    }
    let square = n * d * d;
    let chance = if square >= TAIL && n <= MOST_SUMMED {
        2.0 * one_side(d, n)
    } else if square < TAIL && n <= MOST_EXACT {
        1.0 - middle(d, n)
    } else {
        let root = n.sqrt();
        kolmogorov::sf((root + 0.12 + 0.11 / root) * d)
    };
    chance.clamp(0.0, 1.0)
}

/// `d sum C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j)` over `j <= n (1 - d)`.
fn one_side(d: f64, n: f64) -> f64 {
    let terms = (n * (1.0 - d)).floor() as u32;
    let ln_factorial = ln_gamma(n + 1.0);
    let sum: f64 = (0..=terms)
        .map(|j| {
            let j = f64::from(j);
            let (below, above) = (d + j / n, 1.0 - d - j / n);
            if above <= 0.0 {
                return 0.0;
            }
            let ln_ways = ln_factorial - ln_gamma(j + 1.0) - ln_gamma(n - j + 1.0);
            (ln_ways + (j - 1.0) * below.ln() + (n - j) * above.ln()).exp()
        })
        .sum();
    d * sum
}

/// `P(D_n < d)` as the middle cell of the `n`-th power of a matrix of `2 ceil(n d) - 1` rows.
fn middle(d: f64, n: f64) -> f64 {
    let k = (n * d).floor() as usize + 1;
    let size = 2 * k - 1;
    let h = k as f64 - n * d;
    let mut cells = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..size.min(i + 2) {
            cells[i * size + j] = 1.0;
        }
    }
    for i in 0..size {
        cells[i * size] -= h.powi(i as i32 + 1);
        cells[(size - 1) * size + i] -= h.powi((size - i) as i32);
    }
    if 2.0 * h > 1.0 {
        cells[(size - 1) * size] += (2.0 * h - 1.0).powi(size as i32);
    }
    for i in 0..size {
        for j in 0..size.min(i + 2) {
            let mut factorial = 1.0;
            (1..=(i + 1 - j)).for_each(|step| factorial *= step as f64);
            cells[i * size + j] /= factorial;
        }
    }
    // The scale is kept apart, as logarithm: powers overflow.
    let (power, ln_scale) = power(&cells, size, n as u32);
    let ln_rest = ln_gamma(n + 1.0) - n * n.ln();
    power[(k - 1) * size + k - 1] * (ln_scale + ln_rest).exp()
}

/// A matrix power by squaring, with the logarithm of the factor that was taken out.
fn power(cells: &[f64], size: usize, exponent: u32) -> (Vec<f64>, f64) {
    let mut result: Vec<f64> = (0..size * size).map(|at| f64::from(u8::from(at / size == at % size))).collect();
    let (mut ln_result, mut ln_base) = (0.0, 0.0);
    let mut base = cells.to_vec();
    let mut left = exponent;
    while left > 0 {
        if left % 2 == 1 {
            result = product(&result, &base, size);
            ln_result += ln_base + rescale(&mut result);
        }
        left /= 2;
        if left > 0 {
            base = product(&base, &base, size);
            ln_base = 2.0 * ln_base + rescale(&mut base);
        }
    }
    (result, ln_result)
}

fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut result = vec![0.0; size * size];
    for (row, target) in a.chunks_exact(size).zip(result.chunks_exact_mut(size)) {
        for (factor, other) in row.iter().zip(b.chunks_exact(size)) {
            target.iter_mut().zip(other).for_each(|(sum, value)| *sum += factor * value);
        }
    }
    result
}

/// Divides by the largest cell and returns its logarithm.
fn rescale(cells: &mut [f64]) -> f64 {
    let largest = cells.iter().fold(0.0_f64, |most, cell| most.max(cell.abs()));
    if largest <= 0.0 {
        return 0.0;
    }
    cells.iter_mut().for_each(|cell| *cell /= largest);
    largest.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden-stats.json, scipy 1.17.1 `ks_2samp(a, b, method="asymp")`: D = 0.35, 17 values. And the
    /// value that Marsaglia, Tsang and Wang print: `P(D_10 < 0.274) = 0.6284796154565`.
    #[test]
    fn agrees_with_scipy() {
        assert!((sf(0.35, 17.0) / 0.022_920_046_948_180_395 - 1.0).abs() < 1e-7);
        assert!((sf(0.274, 10.0) - (1.0 - 0.628_479_615_456_5)).abs() < 1e-12);
    }

    /// Goal: the parts meet where one takes over from the other.
    #[test]
    fn the_parts_meet() {
        for n in [20.0_f64, 150.0, 1_500.0] {
            let d = (TAIL / n).sqrt();
            let (below, above) = (1.0 - middle(d, n), 2.0 * one_side(d, n));
            assert!((below / above - 1.0).abs() < 1e-6, "{below} {above}");
        }
        let (exact, limit) = (sf(0.03, 2_000.0), sf(0.03, 2_001.0));
        assert!((exact / limit - 1.0).abs() < 0.005, "{exact} {limit}");
        assert_eq!((sf(0.0, 5.0), sf(1.0, 5.0)), (1.0, 0.0));
    }
}
