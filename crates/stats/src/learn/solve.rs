//! Linear equations with a symmetric positive definite matrix.

/// Solves `matrix x = right` in place by Cholesky factors, `O(n^3 / 6)`; the solution replaces `right`.
///
/// `matrix` is `n * n`, row by row, and is overwritten. `false` if it is not positive definite.
pub(crate) fn solve_positive_definite(matrix: &mut [f64], right: &mut [f64]) -> bool {
    let n = right.len();
    if matrix.len() != n * n {
        return false;
    }
    for column in 0..n {
        let (above, rest) = matrix.split_at_mut(column * n + n);
        let pivot_row = &mut above[column * n..];
        let pivot = pivot_row[column] - pivot_row[..column].iter().map(|x| x * x).sum::<f64>();
        if !(pivot > 0.0 && pivot.is_finite()) {
            return false;
        }
        let pivot = pivot.sqrt();
        pivot_row[column] = pivot;
        for row in rest.chunks_exact_mut(n) {
            let inner: f64 = row[..column].iter().zip(&pivot_row[..column]).map(|(a, b)| a * b).sum();
            row[column] = (row[column] - inner) / pivot;
        }
    }
    for row in 0..n {
        let inner: f64 = (0..row).map(|at| matrix[row * n + at] * right[at]).sum();
        right[row] = (right[row] - inner) / matrix[row * n + row];
    }
    for row in (0..n).rev() {
        let inner: f64 = (row + 1..n).map(|at| matrix[at * n + row] * right[at]).sum();
        right[row] = (right[row] - inner) / matrix[row * n + row];
    }
    right.iter().all(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let mut matrix = vec![4.0, 2.0, 0.4, 2.0, 5.0, 1.0, 0.4, 1.0, 3.0];
        // The matrix times (1, -2, 3).
        let mut right = vec![4.0 - 4.0 + 1.2, 2.0 - 10.0 + 3.0, 0.4 - 2.0 + 9.0];
        assert!(solve_positive_definite(&mut matrix, &mut right));
        for (found, expected) in right.iter().zip([1.0, -2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{right:?}");
        }
        assert!(!solve_positive_definite(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0]));
        assert!(!solve_positive_definite(&mut [f64::NAN], &mut [1.0]));
        assert!(!solve_positive_definite(&mut [1.0], &mut [1.0, 1.0]));
    }
}
