//! Moves learned probabilities to where the weighted labels of the reference are.

use crate::learn::{sigmoid, solve_positive_definite};

/// Newton steps; some five are usual.
const MOST_STEPS: u32 = 50;

/// The log-odds of probabilities, moved by a line: `logit p + shift + tilt (logit p - center)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Recalibration {
    shift: f64,
    tilt: f64,
    center: f64,
}

/// A labelled row: the log-odds of its learned probability, its label, and its weight.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) log_odds: f64,
    pub(super) label: bool,
    pub(super) weight: f64,
}

impl Recalibration {
    /// The line that makes the weighted labels likeliest, pulled to none by one standard deviation of
    /// the normal law each: next to nothing against hundreds of rows, and a finite answer to few.
    pub(super) fn fit(rows: &[Row]) -> Self {
        let total: f64 = rows.iter().map(|row| row.weight).sum();
        let mut line = Self { shift: 0.0, tilt: 0.0, center: 0.0 };
        if total <= 0.0 {
            return line;
        }
        line.center = rows.iter().map(|row| row.weight * row.log_odds).sum::<f64>() / total;
        // Weights vary, so rows count as the fewer rows of equal weight that vary as much.
        let effective = total / rows.iter().map(|row| row.weight * row.weight).sum::<f64>();
        for _ in 0..MOST_STEPS {
            let mut gradient = [line.shift, line.tilt];
            let mut curvature = [1.0, 0.0, 0.0, 1.0];
            for row in rows {
                let along = row.log_odds - line.center;
                let p = sigmoid(line.moved(row.log_odds));
                let slope = effective * row.weight * (p - f64::from(u8::from(row.label)));
                let bend = effective * row.weight * p * (1.0 - p);
                gradient[0] += slope;
                gradient[1] += slope * along;
                curvature[0] += bend;
                curvature[1] += bend * along;
                curvature[2] += bend * along;
                curvature[3] += bend * along * along;
            }
            if !solve_positive_definite(&mut curvature, &mut gradient) {
                break;
            }
            // Steps of more than one would leave the range where the quadratic says something.
            let [shift, tilt] = gradient;
            let part = (1.0 / shift.abs().max(tilt.abs()).max(1e-300)).min(1.0);
            line.shift -= part * shift;
            line.tilt -= part * tilt;
            if shift.abs().max(tilt.abs()) < 1e-10 {
                break;
            }
        }
        line
    }

    /// The moved log-odds.
    pub(super) fn moved(&self, log_odds: f64) -> f64 {
        log_odds + self.shift + self.tilt * (log_odds - self.center)
    }
}
