//! Sequential minimal optimisation of the one-class problem, as libsvm does it.

use super::rbf::KernelRows;

/// The least curvature of a step.
const TAU: f64 = 1e-12;
/// Rows of the kernel that are kept, in bytes.
const CACHE_BYTES: usize = 100 << 20;

/// Minimises `a' K a / 2` with `0 <= a <= 1` and `sum a = nu n`; returns `a` and the offset.
///
/// Pairs by second order information, until no pair violates optimality by more than `tolerance`; nothing where that
/// takes more than `200 n + 100,000` steps. Reference: Fan, Chen, Lin, JMLR 6 (2005), WSS 2; Chang, Lin, "LIBSVM" (2011).
pub(super) fn solve(rows: &KernelRows, nu: f64, tolerance: f64) -> Option<(Vec<f64>, f64)> {
    let n = rows.len();
    let mut cache = Cache::new(rows);
    let total = nu * n as f64;
    let whole = total as usize;
    let mut alpha = vec![0.0; n];
    alpha[..whole.min(n)].fill(1.0);
    if whole < n {
        alpha[whole] = total - whole as f64;
    }
    let mut gradient = vec![0.0; n];
    for (at, weight) in alpha.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        add(&mut gradient, *weight, cache.row(at));
    }
    for _ in 0..200 * n + 100_000 {
        let Some((up, low)) = pair(&alpha, &gradient, &mut cache, tolerance) else {
            return Some((offset(&alpha, &gradient), alpha)).map(|(rho, alpha)| (alpha, rho));
        };
        let curvature = (2.0 - 2.0 * cache.row(up)[low]).max(TAU);
        let sum = alpha[up] + alpha[low];
        let step = (gradient[low] - gradient[up]) / curvature;
        let grown = (alpha[up] + step).clamp((sum - 1.0).max(0.0), sum.min(1.0));
        let change = grown - alpha[up];
        alpha[up] = grown;
        alpha[low] = sum - grown;
        add(&mut gradient, change, cache.row(up));
        add(&mut gradient, -change, cache.row(low));
    }
    None
}

fn add(sums: &mut [f64], weight: f64, row: &[f64]) {
    for (sum, kernel) in sums.iter_mut().zip(row) {
        *sum += weight * kernel;
    }
}

/// The row that should gain most, and the one that should lose for it; nothing at the optimum.
fn pair(alpha: &[f64], gradient: &[f64], cache: &mut Cache<'_>, tolerance: f64) -> Option<(usize, usize)> {
    let (mut up, mut least) = (usize::MAX, f64::INFINITY);
    let mut most = f64::NEG_INFINITY;
    for (at, (alpha, gradient)) in alpha.iter().zip(gradient).enumerate() {
        if *alpha < 1.0 && *gradient < least {
            (up, least) = (at, *gradient);
        }
        if *alpha > 0.0 {
            most = most.max(*gradient);
        }
    }
    if up == usize::MAX || most - least < tolerance {
        return None;
    }
    let kernel = cache.row(up);
    let (mut low, mut best) = (usize::MAX, 0.0);
    for (at, ((alpha, gradient), kernel)) in alpha.iter().zip(gradient).zip(kernel).enumerate() {
        let violation = gradient - least;
        if *alpha > 0.0 && violation > 0.0 {
            let gain = violation * violation / (2.0 - 2.0 * kernel).max(TAU);
            if gain > best {
                (low, best) = (at, gain);
            }
        }
    }
    (low != usize::MAX).then_some((up, low))
}

/// The mean gradient of rows strictly within their bounds, or the middle of what the bounds allow.
fn offset(alpha: &[f64], gradient: &[f64]) -> f64 {
    let (mut sum, mut free) = (0.0, 0.0);
    let (mut above, mut below) = (f64::INFINITY, f64::NEG_INFINITY);
    for (alpha, gradient) in alpha.iter().zip(gradient) {
        if *alpha >= 1.0 {
            below = below.max(*gradient);
        } else if *alpha <= 0.0 {
            above = above.min(*gradient);
        } else {
            sum += gradient;
            free += 1.0;
        }
    }
    if free > 0.0 {
        return sum / free;
    }
    match (above.is_finite(), below.is_finite()) {
        (true, true) => 0.5 * (above + below),
        (true, false) => above,
        _ => below,
    }
}

/// Rows of the kernel that were asked for, the oldest given up for new ones.
struct Cache<'a> {
    rows: &'a KernelRows,
    kept: Vec<Vec<f64>>,
    /// Where each row is kept, and which row each place keeps.
    place: Vec<u32>,
    owner: Vec<u32>,
    next: usize,
    most: usize,
}

impl<'a> Cache<'a> {
    fn new(rows: &'a KernelRows) -> Self {
        let n = rows.len();
        // Two rows are in use at a time.
        let most = (CACHE_BYTES / (8 * n.max(1))).clamp(4, n.max(4));
        Self { rows, kept: Vec::new(), place: vec![u32::MAX; n], owner: Vec::new(), next: 0, most }
    }

    fn row(&mut self, at: usize) -> &[f64] {
        if self.place[at] == u32::MAX {
            let place = if self.kept.len() < self.most {
                self.kept.push(Vec::new());
                self.owner.push(u32::MAX);
                self.kept.len() - 1
            } else {
                self.next = (self.next + 1) % self.most;
                self.place[self.owner[self.next] as usize] = u32::MAX;
                self.next
            };
            let x = self.rows.row(at);
            self.rows.against(&x, &mut self.kept[place]);
            self.owner[place] = at as u32;
            self.place[at] = place as u32;
        }
        &self.kept[self.place[at] as usize]
    }
}
