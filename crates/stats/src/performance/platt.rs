//! Turns scores into probabilities by a logistic curve.

use serde::{Deserialize, Serialize};

/// Newton steps at most; some eight are usual.
const MOST_STEPS: u32 = 100;

/// Platt's calibration: `probability = 1 / (1 + exp(slope * score + intercept))`, where a slope below
/// zero means that higher scores are likelier positive.
///
/// Labels are smoothed to `(positives + 1) / (positives + 2)` and `1 / (negatives + 2)`, so that a
/// clean cut of the classes has a finite curve. Two numbers to fit: steadier than [`super::Isotonic`]
/// below some 1,000 labels, and wrong where the true curve is no logistic one. Scores may be margins or
/// log-odds: any finite numbers. On log-odds of probabilities, a slope of -1 and an intercept of zero
/// say that they are calibrated.
/// Reference: Platt, "Probabilistic Outputs for Support Vector Machines" (1999); Lin, Lin, Weng, Machine
/// Learning 68 (2007) for the steps.
///
/// ```
/// use wardline_stats::performance::Platt;
///
/// let scores: Vec<f64> = (0..100).map(|row| f64::from(row % 10) - 4.5).collect();
/// let labels: Vec<bool> = (0..100).map(|row| row % 10 > row / 10).collect();
/// let fitted = Platt::fit(&scores, &labels).unwrap();
/// assert!(fitted.probability(-4.0).unwrap() < 0.2 && fitted.probability(4.0).unwrap() > 0.7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    slope: f64,
    intercept: f64,
}

impl Platt {
    /// Fits labelled scores by Newton's method, `O(n)` a step.
    ///
    /// `None` if the lengths differ, there are no rows, a score is not finite or beyond `1e100`, or no
    /// minimum is found in 100 steps. Equal scores give a flat curve.
    #[must_use]
    pub fn fit(scores: &[f64], labels: &[bool]) -> Option<Self> {
        let valid =
            !scores.is_empty() && scores.len() == labels.len() && scores.iter().all(|score| score.abs() < 1e100);
        if !valid {
            return None;
        }
        let positives = labels.iter().filter(|label| **label).count() as f64;
        let negatives = labels.len() as f64 - positives;
        let targets = [1.0 / (negatives + 2.0), (positives + 1.0) / (positives + 2.0)];
        // On the scale of the scores' own spread, steps are of one size for slope and intercept.
        let (center, spread) = center_and_spread(scores);
        let rows = || scores.iter().zip(labels).map(|(s, label)| ((s - center) / spread, targets[usize::from(*label)]));
        let mut at = [0.0, ((negatives + 1.0) / (positives + 1.0)).ln()];
        let mut before = loss(at, rows());
        for _ in 0..MOST_STEPS {
            let step = newton_step(at, rows())?;
            let mut part = 1.0;
            let mut next = [at[0] + step[0], at[1] + step[1]];
            let mut after = loss(next, rows());
            while after > before && part > 1e-10 {
                part *= 0.5;
                next = [at[0] + part * step[0], at[1] + part * step[1]];
                after = loss(next, rows());
            }
            let moved = (part * step[0]).abs().max((part * step[1]).abs());
            if after <= before {
                (at, before) = (next, after);
            }
            if moved < 1e-12 || after > before {
                let slope = at[0] / spread;
                return Some(Self { slope, intercept: at[1] - slope * center });
            }
        }
        None
    }

    /// The probability that a score stands for; `None` unless it is finite.
    #[must_use]
    pub fn probability(&self, score: f64) -> Option<f64> {
        let margin = self.slope * score + self.intercept;
        (score.is_finite() && !margin.is_nan()).then(|| 1.0 / (1.0 + margin.exp()))
    }

    /// What the score is multiplied by; below zero where higher scores are likelier positive.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// What is added to it.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

fn center_and_spread(scores: &[f64]) -> (f64, f64) {
    let count = scores.len() as f64;
    let center = scores.iter().map(|score| score / count).sum::<f64>();
    let spread = (scores.iter().map(|score| (score - center).powi(2) / count).sum::<f64>()).sqrt();
    (center, if spread > 0.0 && spread.is_finite() { spread } else { 1.0 })
}

/// `-sum target ln p + (1 - target) ln (1 - p)`.
fn loss(at: [f64; 2], rows: impl Iterator<Item = (f64, f64)>) -> f64 {
    rows.map(|(score, target)| {
        let margin = at[0] * score + at[1];
        // ln(1 + e^margin) without overflow, less the part of the negatives.
        margin.max(0.0) + (-margin.abs()).exp().ln_1p() - (1.0 - target) * margin
    })
    .sum()
}

fn newton_step(at: [f64; 2], rows: impl Iterator<Item = (f64, f64)>) -> Option<[f64; 2]> {
    let (mut gradient, mut curvature) = ([0.0; 2], [0.0; 3]);
    for (score, target) in rows {
        let p = 1.0 / (1.0 + (at[0] * score + at[1]).exp());
        let (slope, bend) = (target - p, p * (1.0 - p));
        gradient[0] += slope * score;
        gradient[1] += slope;
        curvature[0] += bend * score * score;
        curvature[1] += bend * score;
        curvature[2] += bend;
    }
    // Equal scores bend the loss in no direction of the slope; then it stays where it is.
    let [mut a, b, mut c] = curvature;
    a += 1e-12;
    c += 1e-12;
    let determinant = a * c - b * b;
    let step = [(b * gradient[1] - c * gradient[0]) / determinant, (b * gradient[0] - a * gradient[1]) / determinant];
    step.iter().all(|x| x.is_finite()).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests_stream::Lcg;

    /// Goal: log-odds of true probabilities come back as they are.
    #[test]
    fn calibrated_log_odds_have_a_slope_of_minus_one() {
        let mut stream = Lcg::new(5);
        let scores: Vec<f64> = (0..20_000).map(|_| 4.0 * stream.next() - 2.0).collect();
        let labels: Vec<bool> = scores.iter().map(|score| stream.next() < 1.0 / (1.0 + (-score).exp())).collect();
        let fitted = Platt::fit(&scores, &labels).unwrap();
        assert!((fitted.slope() + 1.0).abs() < 0.06 && fitted.intercept().abs() < 0.06, "{fitted:?}");
        // The scale of the scores does not matter.
        let large: Vec<f64> = scores.iter().map(|score| 1e9 * score + 5e9).collect();
        let scaled = Platt::fit(&large, &labels).unwrap();
        assert!((scaled.probability(6e9).unwrap() - fitted.probability(1.0).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn extremes_stay_finite() {
        let parted: Vec<f64> = (0..100).map(f64::from).collect();
        let labels: Vec<bool> = (0..100).map(|i| i >= 50).collect();
        let fitted = Platt::fit(&parted, &labels).unwrap();
        assert!(fitted.probability(0.0).unwrap() < 0.05 && fitted.probability(99.0).unwrap() > 0.95);
        // One class, equal scores: the smoothed share.
        let fitted = Platt::fit(&[3.0; 8], &[true; 8]).unwrap();
        assert!((fitted.probability(3.0).unwrap() - 0.9).abs() < 1e-6, "{fitted:?}");
        assert!(Platt::fit(&[1.0], &[false]).unwrap().probability(1.0).is_some());
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(Platt::fit(&[], &[]), None);
        assert_eq!(Platt::fit(&[1.0], &[]), None);
        assert_eq!(Platt::fit(&[f64::NAN], &[true]), None);
        assert_eq!(Platt::fit(&[f64::INFINITY], &[true]), None);
        assert_eq!(Platt::fit(&[1.0, 2.0], &[true, false]).unwrap().probability(f64::NAN), None);
    }
}
