//! Integrals of polynomials from zero to one, exactly.

/// Points and weights of Gauss and Legendre in `(0, 1)`: exact up to degree `2 points - 1`.
///
/// All weights are positive, so that integrals of what is not negative have no cancellation.
/// Cost `O(points^2)`. Reference: Press et al., "Numerical Recipes" (2007), 4.6.1.
#[derive(Clone, Debug)]
pub(super) struct Quadrature {
    pub(super) points: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl Quadrature {
    /// Exact for the polynomials of a path with `features` different features.
    pub(super) fn for_features(features: usize) -> Self {
        Self::new(features.div_ceil(2).max(1))
    }

    fn new(count: usize) -> Self {
        let mut points = vec![0.5; count];
        let mut weights = vec![1.0; count];
        let n = count as f64;
        for at in 0..count / 2 + count % 2 {
            let mut x = (std::f64::consts::PI * (at as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            // Newton's steps double the digits: a start of three digits is done in four.
            for _ in 0..8 {
                let (value, below) = legendre(count, x);
                slope = n * (x * value - below) / (x * x - 1.0);
                x -= value / slope;
            }
            let weight = 1.0 / ((1.0 - x * x) * slope * slope);
            (points[at], points[count - 1 - at]) = (0.5 * (1.0 - x), 0.5 * (1.0 + x));
            (weights[at], weights[count - 1 - at]) = (weight, weight);
        }
        Self { points, weights }
    }
}

/// The Legendre polynomial of a degree, and the one below.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut value, mut below) = (1.0, 0.0);
    for step in 0..degree {
        let k = step as f64;
        (value, below) = (((2.0 * k + 1.0) * x * value - k * below) / (k + 1.0), value);
    }
    (value, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_up_to_the_promised_degree_are_exact() {
        for features in 1..=200_usize {
            let rule = Quadrature::for_features(features);
            for power in 0..features as i32 {
                let sum: f64 = rule.points.iter().zip(&rule.weights).map(|(t, w)| w * t.powi(power)).sum();
                assert!((sum * f64::from(power + 1) - 1.0).abs() < 1e-11, "{features} {power} {sum}");
            }
        }
    }
}
