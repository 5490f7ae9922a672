//! The average run of a one-sided normal sum to a false alarm, by its integral equation.

use crate::distribution::normal;

/// The average run from zero of `S <- max(0, S + z - slack)` to `S > threshold`, with `z` standard
/// normal; both positive, the threshold at most 40.
///
/// Solves `L(u) = 1 + L(0) Phi(k - u) + int_0^h L(x) phi(x + k - u) dx` at Gauss-Legendre nodes, dense
/// enough for a kernel of width one: relative error near 1e-9 while the run is below 1e7.
/// Reference: Page (1954); Goel, Wu, Technometrics 13 (1971); Knoth, "spc" (R).
pub(super) fn one_sided(slack: f64, threshold: f64) -> f64 {
    let nodes = legendre(24 + (4.0 * threshold).ceil() as usize, threshold);
    let size = nodes.len() + 1;
    // Unknowns: the run from zero, then from each node. Rows: the same points.
    let starts: Vec<f64> = std::iter::once(0.0).chain(nodes.iter().map(|node| node.0)).collect();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
    for (at, start) in starts.iter().enumerate() {
        let mut row = vec![0.0; size + 1];
        row[0] = -normal::cdf(slack - start);
        for (cell, (node, weight)) in row[1..size].iter_mut().zip(&nodes) {
            let z = node + slack - start;
            *cell = -weight * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        }
        row[at] += 1.0;
        row[size] = 1.0;
        rows.push(row);
    }
    first_unknown(rows)
}

/// Nodes and weights of Gauss and Legendre on `0..=end`.
fn legendre(n: usize, end: f64) -> Vec<(f64, f64)> {
    let node = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..30 {
            let (mut before, mut now) = (1.0, x);
            for k in 2..=n {
                (before, now) = (now, ((2 * k - 1) as f64 * x * now - (k - 1) as f64 * before) / k as f64);
            }
            slope = n as f64 * (x * now - before) / (x * x - 1.0);
            let step = now / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (0.5 * end * (x + 1.0), end / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(node).collect()
}

/// The first unknown of a square system, each row followed by its right side; pivots by size.
fn first_unknown(mut rows: Vec<Vec<f64>>) -> f64 {
    let size = rows.len();
    // From the last unknown to the first, so that the first needs no substitution.
    for column in (0..size).rev() {
        let pivot = (0..=column).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, pivot.unwrap_or(column));
        let (above, rest) = rows.split_at_mut(column);
        let pivot_row = &rest[0];
        for row in above {
            let factor = row[column] / pivot_row[column];
            for (cell, pivot_cell) in row[..column].iter_mut().zip(&pivot_row[..column]) {
                *cell -= factor * pivot_cell;
            }
            row[size] -= factor * pivot_row[size];
        }
    }
    rows[0][size] / rows[0][0]
}
