//! The exact law of the two-sample statistic, by counting lattice paths.

/// `P(max |i m - j n| >= numerator)` over all orders of `n` and `m` different values.
///
/// A path from `(0, 0)` to `(n, m)` stays inside while `|i m - j n| < numerator`. Rows of chances
/// are updated in place: the chance to pass `(i, j)` weighs the steps by what is left of each
/// sample, so nothing overflows, and the paths that *leave* are summed, so tiny p-values are exact.
pub(super) fn p_value(n: usize, m: usize, numerator: u64) -> f64 {
    if numerator == 0 {
        return 1.0;
    }
    // inside[j]: chance to be at (i, j) without having left.
    let mut inside = vec![0.0_f64; m + 1];
    let mut left = 0.0_f64;
    let total = n + m;
    for i in 0..=n {
        for j in 0..=m {
            let mut chance = 0.0;
            if i == 0 && j == 0 {
                chance = 1.0;
            }
            if i > 0 {
                // From (i - 1, j): n - i + 1 reference values were left of all that were left.
                chance += inside[j] * (n - i + 1) as f64 / (total - (i - 1) - j) as f64;
            }
            if j > 0 {
                chance += inside[j - 1] * (m - j + 1) as f64 / (total - i - (j - 1)) as f64;
            }
            let distance = (i as u64 * m as u64).abs_diff(j as u64 * n as u64);
            if distance >= numerator {
                left += chance;
                chance = 0.0;
            }
            inside[j] = chance;
        }
    }
    left.min(1.0)
}
