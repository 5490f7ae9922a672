//! What is made of a margin: a probability or a loss.

use crate::explain::PointLoss;
use crate::learn::sigmoid;

/// A function of one margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Curve {
    /// `1 / (1 + exp(-margin))`.
    Probability,
    /// The loss at a target; [`PointLoss::Log`] takes the margin as log-odds.
    Loss(PointLoss, f64),
}

impl Curve {
    pub(super) fn at(self, margin: f64) -> f64 {
        match self {
            Self::Probability => sigmoid(margin),
            Self::Loss(PointLoss::Squared, target) => (margin - target) * (margin - target),
            Self::Loss(PointLoss::Absolute, target) => (margin - target).abs(),
            // ln(1 + exp(margin)) - target margin, without overflow.
            Self::Loss(PointLoss::Log, target) => margin.max(0.0) + (-margin.abs()).exp().ln_1p() - target * margin,
        }
    }

    fn slope(self, margin: f64) -> f64 {
        match self {
            Self::Probability => sigmoid(margin) * sigmoid(-margin),
            Self::Loss(PointLoss::Squared, target) => 2.0 * (margin - target),
            Self::Loss(PointLoss::Absolute, target) => (margin - target).signum(),
            Self::Loss(PointLoss::Log, target) => sigmoid(margin) - target,
        }
    }

    /// The slope of the line through two margins.
    pub(super) fn chord(self, from: f64, to: f64) -> f64 {
        // Where digits would cancel, the slope between them is as good.
        if (to - from).abs() < 1e-6 {
            self.slope(0.5 * (from + to))
        } else {
            (self.at(to) - self.at(from)) / (to - from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_meet_slopes_and_losses_do_not_overflow() {
        let curves = [Curve::Probability, Curve::Loss(PointLoss::Squared, 0.3), Curve::Loss(PointLoss::Log, 1.0)];
        for curve in curves {
            let (near, far) = (curve.chord(0.5, 0.5 + 0.9e-6), curve.chord(0.5, 0.5 + 1.1e-6));
            assert!((near - far).abs() < 1e-6, "{curve:?} {near} {far}");
        }
        assert_eq!(Curve::Loss(PointLoss::Log, 1.0).at(-800.0), 800.0);
        assert_eq!(Curve::Loss(PointLoss::Log, 0.0).at(-800.0), 0.0);
    }
}
