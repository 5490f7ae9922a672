//! Small symmetric matrices: eigenvalues and the solution of linear equations.

/// A symmetric matrix of some tens to hundreds of rows, stored in full.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Symmetric {
    size: usize,
    cells: Vec<f64>,
}

impl Symmetric {
    pub(crate) fn zeros(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * size] }
    }

    pub(crate) fn get(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    /// Sets a cell and its mirror image.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.size + column] = value;
        self.cells[column * self.size + row] = value;
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.size..(row + 1) * self.size]
    }

    /// The product with a vector.
    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.size).map(|row| self.row(row).iter().zip(vector).map(|(x, y)| x * y).sum()).collect()
    }

    /// The sums of the eigenvalues, of their squares and of their cubes, in `O(size^3)`.
    pub(crate) fn power_sums(&self) -> [f64; 3] {
        let (mut first, mut second, mut third) = (0.0, 0.0, 0.0);
        for i in 0..self.size {
            first += self.get(i, i);
            for j in i..self.size {
                let cell = self.get(i, j);
                let squared: f64 = self.row(i).iter().zip(self.row(j)).map(|(x, y)| x * y).sum();
                let both = if i == j { 1.0 } else { 2.0 };
                second += both * cell * cell;
                third += both * cell * squared;
            }
        }
        [first, second, third]
    }

    /// Eigenvalues and unit eigenvectors, by Jacobi's rotations, in `O(size^3)`.
    pub(crate) fn eigen(mut self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let size = self.size;
        let mut vectors: Vec<Vec<f64>> =
            (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        // Quadratic convergence: ten sweeps are plenty, thirty are a bound.
        for _ in 0..30 {
            let off: f64 =
                (0..size).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| self.get(i, j).powi(2)).sum();
            let on: f64 = (0..size).map(|i| self.get(i, i).powi(2)).sum();
            if off <= 1e-32 * on {
                break;
            }
            for p in 0..size {
                for q in p + 1..size {
                    self.rotate(p, q, &mut vectors);
                }
            }
        }
        ((0..size).map(|i| self.get(i, i)).collect(), vectors)
    }

    /// Makes the cell `(p, q)` zero.
    fn rotate(&mut self, p: usize, q: usize, vectors: &mut [Vec<f64>]) {
        let off = self.get(p, q);
        if off == 0.0 {
            return;
        }
        let theta = (self.get(q, q) - self.get(p, p)) / (2.0 * off);
        let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
        let c = 1.0 / (t * t + 1.0).sqrt();
        let s = t * c;
        let (old_p, old_q) = (self.get(p, p), self.get(q, q));
        for k in (0..self.size).filter(|k| *k != p && *k != q) {
            let (x, y) = (self.get(k, p), self.get(k, q));
            self.set(k, p, c * x - s * y);
            self.set(k, q, s * x + c * y);
        }
        let (upper, lower) = vectors.split_at_mut(q);
        for (x, y) in upper[p].iter_mut().zip(&mut lower[0]) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
        self.set(p, p, old_p - t * off);
        self.set(q, q, old_q + t * off);
        self.set(p, q, 0.0);
    }

    /// The lower factor `L` with `L L' = self`; `None` unless positive definite.
    pub(crate) fn cholesky(mut self) -> Option<Factor> {
        let size = self.size;
        for j in 0..size {
            let rest: f64 = self.row(j)[..j].iter().map(|x| x * x).sum();
            let pivot = self.get(j, j) - rest;
            if pivot <= 0.0 || !pivot.is_finite() {
                return None;
            }
            let root = pivot.sqrt();
            self.cells[j * size + j] = root;
            for i in j + 1..size {
                let (upper, lower) = self.cells.split_at(i * size);
                let dot: f64 = upper[j * size..j * size + j].iter().zip(&lower[..j]).map(|(x, y)| x * y).sum();
                let value = (lower[j] - dot) / root;
                self.cells[i * size + j] = value;
            }
        }
        Some(Factor { size, cells: self.cells })
    }
}

/// A Cholesky factor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Factor {
    size: usize,
    cells: Vec<f64>,
}

impl Factor {
    /// The diagonal of `L`.
    pub(crate) fn pivots(&self) -> Vec<f64> {
        (0..self.size).map(|i| self.cells[i * self.size + i]).collect()
    }

    /// The `x` with `L x = right`, in the place of `right`.
    pub(crate) fn forward_in_place(&self, right: &mut [f64]) {
        let size = self.size;
        for i in 0..size {
            let (solved, rest) = right.split_at_mut(i);
            rest[0] = (rest[0] - dot(&self.cells[i * size..i * size + i], solved)) / self.cells[i * size + i];
        }
    }

    /// The `x` with `L L' x = right`.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let size = self.size;
        let mut x = right.to_vec();
        self.forward_in_place(&mut x);
        for i in (0..size).rev() {
            let value = x[i] / self.cells[i * size + i];
            x[i] = value;
            for (y, l) in x.iter_mut().zip(&self.cells[i * size..i * size + i]) {
                *y -= l * value;
            }
        }
        x
    }
}

/// Four sums side by side, so that no addition waits for the one before.
#[inline]
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (lefts, rights) = (left.chunks_exact(4), right.chunks_exact(4));
    let rest: f64 = lefts.remainder().iter().zip(rights.remainder()).map(|(x, y)| x * y).sum();
    for (left, right) in lefts.zip(rights) {
        for lane in 0..4 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Symmetric {
        let mut matrix = Symmetric::zeros(4);
        for i in 0..4 {
            for j in 0..4 {
                let distance = i as f64 - j as f64;
                matrix.set(i, j, (-0.3 * distance * distance).exp() + if i == j { 0.5 } else { 0.0 });
            }
        }
        matrix
    }

    #[test]
    fn eigenvectors_are_turned_into_their_multiples() {
        let matrix = example();
        let (values, vectors) = matrix.clone().eigen();
        for (value, vector) in values.iter().zip(&vectors) {
            let turned = matrix.times(vector);
            assert!(turned.iter().zip(vector).all(|(x, y)| (x - value * y).abs() < 1e-12));
        }
        let [first, second, third] = matrix.power_sums();
        let sum = |power: i32| values.iter().map(|value| value.powi(power)).sum::<f64>();
        assert!((first - sum(1)).abs() < 1e-12);
        assert!((second - sum(2)).abs() < 1e-12);
        assert!((third - sum(3)).abs() < 1e-12);
    }

    #[test]
    fn solves_equations() {
        let matrix = example();
        let right = [1.0, -2.0, 0.5, 3.0];
        let x = matrix.clone().cholesky().unwrap().solve(&right);
        assert!(matrix.times(&x).iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(Symmetric::zeros(2).cholesky().is_none());
    }
}
