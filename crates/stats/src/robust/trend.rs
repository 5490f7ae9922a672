//! A straight line through points of which some are wild.

use serde::{Deserialize, Serialize};

use super::median;

/// Up to this many points every pair is used.
const ALL_PAIRS: usize = 1_000;

/// `intercept + slope x`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Rise for each unit of `x`.
    pub slope: f64,
    /// The value at `x = 0`.
    pub intercept: f64,
}

/// The median of the slopes of all pairs; holds with up to 29 % wild points.
///
/// `O(n^2)` up to 1,000 points; beyond that each point of the first half is paired with its
/// counterpart in the second (Theil's incomplete method), `O(n)`. The intercept is the median of
/// `y - slope x`. `None` if a coordinate is not finite or fewer than two `x` differ.
/// Reference: Theil (1950); Sen, JASA 63 (1968).
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Line> {
    if points.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
        return None;
    }
    let slope_of = |a: &(f64, f64), b: &(f64, f64)| (b.0 != a.0).then(|| (b.1 - a.1) / (b.0 - a.0));
    let slopes: Vec<f64> = if points.len() <= ALL_PAIRS {
        points
            .iter()
            .enumerate()
            .flat_map(|(i, a)| points[i + 1..].iter().filter_map(move |b| slope_of(a, b)))
            .collect()
    } else {
        let mut sorted = points.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = sorted.len() / 2;
        let later = &sorted[sorted.len() - half..];
        sorted[..half].iter().zip(later).filter_map(|(a, b)| slope_of(a, b)).collect()
    };
    let slope = median(&slopes)?;
    let rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    Some(Line { slope, intercept: median(&rests)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `theilslopes([1, 3, 5, 7, 99], [0, 1, 2, 3, 4], method="joint")` gives a
    /// slope of 2 and an intercept of 1.
    #[test]
    fn one_wild_point_does_not_tilt_the_line() {
        let points = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0), (4.0, 99.0)];
        let line = theil_sen(&points).unwrap();
        assert!((line.slope - 2.0).abs() < 1e-12);
        assert!((line.intercept - 1.0).abs() < 1e-12);
    }

    #[test]
    fn many_points_take_the_short_way() {
        let points: Vec<(f64, f64)> = (0..5_000).map(|i| (f64::from(i), 3.0 * f64::from(i) - 7.0)).collect();
        let line = theil_sen(&points).unwrap();
        assert!((line.slope - 3.0).abs() < 1e-9 && (line.intercept + 7.0).abs() < 1e-6);
    }

    #[test]
    fn too_little_gives_nothing() {
        assert_eq!(theil_sen(&[(1.0, 2.0)]), None);
        assert_eq!(theil_sen(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(theil_sen(&[(1.0, f64::NAN), (2.0, 3.0)]), None);
    }
}
